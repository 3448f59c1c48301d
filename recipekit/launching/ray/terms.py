"""The settings below `hydra.launcher`, checked: what a child takes of a node, and how many there may be at once.

It knows Ray's words and nothing of Ray itself.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any

import msgspec

from recipekit.contracts import Record
from recipekit.errors import UsageError
from recipekit.project import Project

_Amount = Annotated[float, msgspec.Meta(ge=0)]
_Several = Annotated[int, msgspec.Meta(ge=1)]
_KEY = "hydra.launcher"


class Terms(Record, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a sweep asks of Ray.

    Attributes:
        address: `auto`, HOST:PORT or `local`; None for RAY_ADDRESS, or a Ray of our own.
        num_cpus: processors of a child.
        num_gpus: graphics processors of a child.
        memory: bytes that a child books; None books none.
        resources: other things that a child takes of a node, by name.
        accelerator_type: that the node must have, in Ray's words.
        runtime_env: what the nodes prepare before the first child.
        timeout_seconds: that a child may take from its start on; None for any time.
        max_in_flight: children that are with Ray at once; None for as many as its nodes hold, and one more.
    """

    address: str | None = None
    num_cpus: _Amount = 1
    num_gpus: _Amount = 0
    memory: _Several | None = None
    resources: Mapping[str, _Amount] = msgspec.field(default_factory=dict)
    accelerator_type: str | None = None
    runtime_env: Mapping[str, Any] = msgspec.field(default_factory=dict)
    timeout_seconds: Annotated[float, msgspec.Meta(gt=0)] | None = None
    max_in_flight: _Several | None = None

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> Terms:
        """Checks settings as they were composed.

        Raises:
            UsageError: one has the wrong type or value, or doesn't exist.
        """
        try:
            return msgspec.convert(_given(settings), cls)
        except msgspec.ValidationError as error:
            what, _, place = str(error).partition(" - at `$")
            where = f"{_KEY}{place.rstrip('`')}"
            raise UsageError(
                what[:1].lower() + what[1:], where=where, fix="see docs/ray.md for the settings"
            ) from error

    @property
    def needs(self) -> dict[str, float]:
        """What a child takes of a node, by Ray's name of the resource; nothing of what it takes none of."""
        accelerator = {f"accelerator_type:{self.accelerator_type}": 0.001} if self.accelerator_type else {}
        taken = {
            "CPU": self.num_cpus,
            "GPU": self.num_gpus,
            "memory": self.memory or 0,
            **self.resources,
            **accelerator,
        }
        return {name: amount for name, amount in taken.items() if amount}

    @property
    def needs_in_words(self) -> str:
        """The same for a message, such as `CPU 2, GPU 1`."""
        return ", ".join(f"{name} {amount:g}" for name, amount in self.needs.items())

    @property
    def options(self) -> dict[str, Any]:
        """Options of a remote function that takes just that, and is never tried twice."""
        optional = {"memory": self.memory, "accelerator_type": self.accelerator_type}
        return {
            "num_cpus": self.num_cpus,
            "num_gpus": self.num_gpus,
            "resources": dict(self.resources),
            "max_retries": 0,
            **{name: value for name, value in optional.items() if value is not None},
        }

    def slots(self, nodes: Iterable[Mapping[str, float]]) -> int:
        """How many children some nodes hold at once.

        Args:
            nodes: resources of each, by Ray's names.
        """
        return sum(self._held_by(node) for node in nodes)

    def _held_by(self, node: Mapping[str, float]) -> int:
        bounds = [int(node.get(name, 0) / amount + 1e-9) for name, amount in self.needs.items()]
        return min(bounds, default=os.cpu_count() or 1)

    def sent(self, project: Project) -> dict[str, Any]:
        """The runtime environment, without outputs and store in what is sent of a folder.

        Raises:
            UsageError: the working directory isn't there.
        """
        folder = self._folder()
        if folder is None:
            return dict(self.runtime_env)
        if not folder.exists():
            where = f"{_KEY}.runtime_env.working_dir"
            raise UsageError(f"there is no folder '{folder}'", where=where, fix="name the folder of the project")
        kept_here = {project.outputs, project.store}
        below = [f"/{path.relative_to(folder).as_posix()}" for path in kept_here if path.is_relative_to(folder)]
        excludes = [*self.runtime_env.get("excludes", ()), *sorted(below)]
        return {**self.runtime_env, "working_dir": str(folder), "excludes": excludes}

    def place_of(self, project: Project) -> str | None:
        """Where the project is in the working directory of a node; None where nodes have it at the path it has here."""
        if "working_dir" not in self.runtime_env:
            return None
        folder = self._folder()
        if folder is None or folder.suffix == ".zip":
            return "."
        return project.root.relative_to(folder).as_posix() if project.root.is_relative_to(folder) else None

    def _folder(self) -> Path | None:
        """The working directory that is sent from here; None where there is none, or it comes from elsewhere."""
        named = str(self.runtime_env.get("working_dir", ""))
        return None if not named or "://" in named else Path(named).resolve()


def _given(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings without those that are null, at any depth."""
    return {
        key: _given(value) if isinstance(value, Mapping) else value
        for key, value in settings.items()
        if value is not None
    }
