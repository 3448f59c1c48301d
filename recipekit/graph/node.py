"""One stage of one build: what it needs, and the key that its result is found by."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from recipekit import digests
from recipekit.contracts import Record, Stage
from recipekit.inputs import Input
from recipekit.surroundings import Surroundings

Records = Mapping[str, Any]
"""Records of the stages that one needs, by label."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Node:
    """One stage of one build.

    Attributes:
        stage: what runs.
        surroundings: of the build, whose tools the result depends on.
        inputs: what its result depends on besides the stages before and the tools (JSON values); None where that can't
            be told, so that it runs each time.
        needs: the stages before it.
        request: its request, made of their records.
        note: one phrase about its record, for the user.
        reads: pinned inputs that it opens itself.
        places: what its record may name outside of its own folder, absolute paths by a word for each.
        dataset: the recipe's key of the dataset that it reads; empty for none.
        check: raises if the record contradicts what the build is keyed by.
        fresh: whether what the key was made of, where it isn't a pinned input, is still so.
        alias: its name in this build, such as `survey-calibration`, where the stage's own could mean another one.
    """

    stage: Stage
    surroundings: Surroundings
    inputs: Mapping[str, Any] | None
    needs: tuple[Node, ...] = ()
    request: Callable[[Records], Record]
    note: Callable[[Any], str]
    reads: tuple[Input, ...] = ()
    places: Mapping[str, str] = field(default_factory=dict)
    dataset: str = ""
    check: Callable[[Any], None] = field(default=lambda _: None)
    fresh: Callable[[], bool] = field(default=lambda: True)
    alias: str = ""

    @property
    def label(self) -> str:
        """What the stage is called in this build."""
        return self.alias or self.stage.name

    @cached_property
    def description(self) -> dict[str, Any]:
        """What the key is made of, the tools apart."""
        stages = {node.label: node.key for node in self.needs}
        return {"stage": self.stage.name, "inputs": dict(self.inputs or {}), "stages": stages}

    @cached_property
    def key(self) -> str:
        """What the result is found by; empty where it can't be found again."""
        if self.inputs is None:
            return ""
        return digests.of_json({**self.description, "tools": self.surroundings.tools_digest(self.stage.worker)})
