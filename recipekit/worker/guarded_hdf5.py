"""HDF5 files of strangers: every link and dataset looked at before a value is read.

HDF5 reaches into other files by links, external storage and virtual datasets, and a dataset may claim any shape while
it stores nothing. Keras guards against some of it, Keras 2 against nothing. It knows nothing of models.
"""

from __future__ import annotations

from pathlib import Path

import h5py

from recipekit.worker.guarded_archive import MAX_EXPANSION, expands_too_far, suspicious


def check_hdf5(path: Path, file: h5py.File, stored: int, inside: str = "") -> None:
    """Refuses links, data kept in other files, and datasets that claim far more than is stored.

    Args:
        path: what messages call the file.
        file: as it was opened; no value of it is read.
        stored: bytes of the whole file.
        inside: the archive's member that it is; empty for a file of its own.

    Raises:
        SourceError: there is such a part; it is named.
    """
    place = f" of the member '{inside}'" if inside else ""
    total = 0

    # h5py doesn't let exceptions out of its visitors: they give what they found, which ends the visit.
    def visit_link(name: str, link: object) -> str | None:
        return None if isinstance(link, h5py.HardLink) else f"'{name}'{place} is a {type(link).__name__}"

    def visit(name: str, node: object) -> str | None:
        nonlocal total
        if not isinstance(node, h5py.Dataset):
            return None
        if node.external or node.is_virtual:
            return f"the dataset '{name}'{place} keeps its values in other files"
        held = node.id.get_storage_size()
        total += node.nbytes
        if expands_too_far(node.nbytes, held):
            return f"the dataset '{name}'{place} claims {node.nbytes} bytes but stores {held}"
        return None

    found = file.visititems_links(visit_link) or file.visititems(visit)
    if not found and expands_too_far(total, stored):
        found = f"its datasets{place} claim {total} bytes, more than {MAX_EXPANSION} times the {stored} that are stored"
    if found:
        raise suspicious(path, found)
