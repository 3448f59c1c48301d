"""The file of class names that goes with a classifier, held against the size of its outputs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from recipekit.contracts import Signature, united
from recipekit.errors import DatasetError


def read_labels(file: str | None, root: Path, signatures: Mapping[str, Signature]) -> bytes | None:
    """Reads a labels file and checks it.

    Args:
        file: relative to the project root, or absolute; None for none.
        root: the project root.
        signatures: of the model, by key.

    Returns:
        The file's bytes; None where there is no file.

    Raises:
        DatasetError: it can't be read, holds an empty line, or has another number of lines than any output has classes.
    """
    if file is None:
        return None
    try:
        data = (root / file).read_bytes()
        lines = data.decode("utf-8-sig").rstrip().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DatasetError(
            f"holds no labels: {error}", where=file, fix="give a text file in UTF-8 with a class name on each line"
        ) from error
    for number, line in enumerate(lines, 1):
        if not line.strip():
            raise DatasetError(f"line {number} is empty", where=file, fix="give each class a name")
    _require_classes(len(lines), signatures, file)
    return data


def _require_classes(labels: int, signatures: Mapping[str, Signature], file: str) -> None:
    """A label for each class; two for an output of one value, which says how likely one class is against the other."""
    sizes = {spec.name: spec.shape[-1] if spec.shape else 1 for spec in united(signatures).outputs}
    if any(size is None or labels == size or (size == 1 and labels == 2) for size in sizes.values()):
        return
    listed = ", ".join(f"output '{name}' has {size}" for name, size in sorted(sizes.items()))
    raise DatasetError(
        f"has {labels} label{'' if labels == 1 else 's'}, and {listed}",
        where=file,
        fix="give the file one line for each class, in the order of the output's values",
    )
