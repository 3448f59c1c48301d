"""Why a stage ran: what is different from the build before.

The keys of a recipe's last build are kept beside its outputs; what they were made of stands in the store.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import Any
from uuid import uuid4

import msgspec

from recipekit.build import Job
from recipekit.graph import Node
from recipekit.store import Entry, Lease

_DIGEST = re.compile(r"\b([0-9a-f]{12})[0-9a-f]{52}\b")


class History:
    """The keys of a recipe's stages in its last build."""

    def __init__(self, file: Path) -> None:
        """Reads the file, if there is one.

        Args:
            file: JSON, keys by label; what can't be read counts as no history.
        """
        self._file = file
        self._lock = Lock()
        self._now: dict[str, str] = {}
        try:
            self._before: dict[str, str] = msgspec.json.decode(file.read_bytes(), type=dict[str, str])
        except (OSError, msgspec.DecodeError):
            self._before = {}

    @classmethod
    def of(cls, job: Job) -> History:
        """That of the recipe that a job builds."""
        return cls(job.project.outputs / ".history" / f"{job.recipe.name}.json")

    def remember(self, node: Node) -> None:
        """Notes the key of a stage of this build."""
        with self._lock:
            self._now[node.label] = node.key

    def save(self) -> None:
        """Makes this build the last one; if the file can't be written, the next build has nothing to compare with."""
        merged = {**self._before, **self._now}
        if merged == self._before:
            return
        with suppress(OSError):  # the output is published by now, and this only serves an explanation
            self._file.parent.mkdir(parents=True, exist_ok=True)
            fresh = self._file.with_suffix(f".{uuid4().hex}")
            try:
                fresh.write_bytes(msgspec.json.encode(merged))
                fresh.replace(self._file)
            finally:
                fresh.unlink(missing_ok=True)

    def changes(self, node: Node, tools: Mapping[str, Any], lease: Lease | None) -> tuple[str, ...]:
        """What a stage's key is made of that is different from the build before, a phrase each."""
        entry = self._entry(node, lease)
        if entry is None or not node.key:
            return ()
        before = {name: entry.document[name] for name in ("inputs", "stages", "tools")}
        now = {**node.description, "tools": tools}
        return tuple(_differences(before, {name: now[name] for name in before}))

    def seconds(self, node: Node, lease: Lease | None) -> float | None:
        """How long a stage took in the build before, whatever it read then; None where nobody knows."""
        entry = self._entry(node, lease)
        return None if entry is None else float(entry.document["seconds"])

    def _entry(self, node: Node, lease: Lease | None) -> Entry | None:
        key = self._before.get(node.label, "")
        return lease.find_here(key) if lease is not None and key else None


def _differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    old, new = dict(leaves(before)), dict(leaves(now))
    different = [path.partition(".") for path in sorted(old.keys() | new.keys()) if old.get(path) != new.get(path)]
    for section, dot, name in different:
        if section != "stages":
            path = f"{section}{dot}{name}"
            yield f"{name}: {shown(old.get(path))} before, {shown(new.get(path))} now"
    stages = [name for section, _, name in different if section == "stages"]
    if stages:
        yield f"new results of {', '.join(stages)}"


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every value of a JSON value that isn't a mapping, nor a list with one inside, with its dotted path."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from leaves(item, f"{path}.{key}".removeprefix("."))
    elif isinstance(value, list | tuple) and any(isinstance(item, Mapping) for item in value):
        for number, item in enumerate(value):
            yield from leaves(item, f"{path}.{number}")
    else:
        yield path, list(value) if isinstance(value, tuple) else value


def shown(value: Any) -> str:
    """A value for a sentence: digests cut to twelve digits, `nothing` for None."""
    return "nothing" if value is None else _DIGEST.sub(r"\1", str(value))
