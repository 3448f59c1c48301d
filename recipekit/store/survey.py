"""What a store holds: how much, of which stages, and when it was last used."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from recipekit.store import entry as entries
from recipekit.store.layout import Layout

UNUSABLE = "(unusable)"
"""Stands for the stage of an entry that can't be read; it goes when it is found or collected."""


class Seen(NamedTuple):
    """One entry as it was seen.

    Attributes:
        folder: its folder; its name is the key.
        stage: the stage that made it.
        bytes: size of its files.
        last_use: seconds since the epoch.
    """

    folder: Path
    stage: str
    bytes: int
    last_use: float


class StageUse(NamedTuple):
    """The entries of one stage: how many, and how many bytes."""

    entries: int
    bytes: int


class StoreInfo(NamedTuple):
    """What a store holds.

    Attributes:
        entries: how many there are.
        bytes: size of their files.
        stages: the same for every stage, by its name.
        oldest_use: when the entry that was unused the longest was last used, seconds since the epoch; None if empty.
        newest_use: when any entry was last used.
    """

    entries: int
    bytes: int
    stages: dict[str, StageUse]
    oldest_use: float | None
    newest_use: float | None


def see(layout: Layout) -> Iterator[Seen]:
    """Every entry of a store, in no order.

    Raises:
        OSError: the store can't be read.
    """
    for folder in layout.entries():
        with suppress(FileNotFoundError):  # removed by somebody else
            yield _seen(folder)


def _seen(folder: Path) -> Seen:
    data = entries.read(folder)
    stored = None if data is None else entries.decode(folder.name, data)
    if data is None or stored is None:
        size = sum(path.lstat().st_size for path in (folder, *folder.rglob("*")) if not path.is_dir())
        return Seen(folder, UNUSABLE, size, last_use(folder))
    size = len(data) + sum(described["size"] for described in stored.files.values())
    return Seen(folder, str(stored.document.get("stage", "")), size, last_use(folder))


def last_use(folder: Path) -> float:
    """When an entry was last found, or put, in seconds since the epoch.

    Raises:
        FileNotFoundError: it is gone.
    """
    try:
        return (folder / entries.FILE).stat().st_mtime
    except (FileNotFoundError, NotADirectoryError):
        return folder.lstat().st_mtime


def summarize(layout: Layout) -> StoreInfo:
    """Counts the entries of a store.

    Raises:
        OSError: the store can't be read.
    """
    seen = list(see(layout))
    stages: dict[str, StageUse] = {}
    for one in seen:
        count, size = stages.get(one.stage, StageUse(0, 0))
        stages[one.stage] = StageUse(count + 1, size + one.bytes)
    return StoreInfo(
        entries=len(seen),
        bytes=sum(one.bytes for one in seen),
        stages=dict(sorted(stages.items())),
        oldest_use=min((one.last_use for one in seen), default=None),
        newest_use=max((one.last_use for one in seen), default=None),
    )
