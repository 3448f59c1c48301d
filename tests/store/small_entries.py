"""Small results of stages, for the tests of the store."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import uuid4

from recipekit import digests
from recipekit.store import Entry, Lease

OLD, NEW = 1, 2


def key_of(number: int) -> str:
    return digests.of_json(number)


def stage_folder(home: Path, model: bytes = b"model") -> Path:
    """A folder as a stage leaves it."""
    folder = home / uuid4().hex
    (folder / "artifacts" / "variables").mkdir(parents=True)
    (folder / "artifacts" / "assets").mkdir()
    (folder / "artifacts" / "model.tflite").write_bytes(model)
    (folder / "artifacts" / "variables" / "index").write_bytes(b"")
    (folder / "log.txt").write_text("lowered\n")
    return folder


def document_of(number: int, stage: str = "lower") -> dict[str, Any]:
    return {"stage": stage, "record": {"number": number, "share": 0.1, "name": "größer"}}


def put(lease: Lease, home: Path, number: int, model: bytes = b"model", stage: str = "lower") -> Entry:
    return lease.put(key_of(number), stage_folder(home, model), document_of(number, stage))


def left_behind(root: Path) -> list[str]:
    """Files and folders of leases, areas and computations that should be gone when nothing runs."""
    return sorted(
        path.relative_to(root).as_posix()
        for name in (".leases", ".areas", ".computing")
        for path in (root / name).glob("*")
    )
