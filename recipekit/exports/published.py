"""What manifest and results tell of an output, in the words that exports need."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import msgspec

from recipekit import manifest
from recipekit.acceptance import METRICS, Check
from recipekit.contracts import Measurement
from recipekit.estimates import Estimate, converted_score, parity_metric, score_drop


class Score(NamedTuple):
    """One number that was measured.

    Attributes:
        name: the metric's.
        of: what it is about: `task`, or the name of an output.
        estimate: the converted model's value, with an interval where it has one.
        float_value: the float model's; None where the metric compares both.
    """

    name: str
    of: str
    estimate: Estimate
    float_value: float | None = None


class Published:
    """One output.

    Attributes:
        definition: its build definition.
        run: its `runDetails`.
        build_key: its build key.
        model: name of the model file, its SHA-256, its size in bytes.
        results: `results.json`.
        measurement: all that was measured.
        checks: every check.
    """

    def __init__(self, recorded: Mapping[str, Any], results: Mapping[str, Any]) -> None:
        """Takes what an output's files hold.

        Args:
            recorded: a valid manifest.
            results: the output's `results.json`.
        """
        predicate = recorded["predicate"]
        self.definition: Mapping[str, Any] = predicate["buildDefinition"]
        self.run: Mapping[str, Any] = predicate["runDetails"]
        self.build_key: str = manifest.results(dict(recorded))["buildKey"]
        subject = next(it for it in recorded["subject"] if it["name"] == manifest.MODEL)
        self.model = (subject["name"], subject["digest"]["sha256"], subject["annotations"]["size"])
        self.results = results
        self.measurement = msgspec.convert(results["measurement"], Measurement)
        self.checks = msgspec.convert(results["checks"], tuple[Check, ...])

    @property
    def name(self) -> str:
        """The recipe's."""
        return str(self.results["name"])

    @property
    def version(self) -> str:
        """The recipe's."""
        return str(self.results["version"])

    @property
    def verdict(self) -> str:
        """`accepted`, `rejected` or `not-judged`."""
        return str(self.results["verdict"])

    @property
    def config(self) -> Mapping[str, Any]:
        """The resolved configuration."""
        found: Mapping[str, Any] = self.definition["externalParameters"]["resolvedConfig"]
        return found

    @property
    def description(self) -> str:
        """The recipe's; empty where it has none."""
        return str(self.config.get("description") or "")

    @property
    def quantization(self) -> str:
        """The scheme's name."""
        return str(self.config.get("converter", {}).get("quantization", "none"))

    def dependencies(self, *roles: str) -> Iterator[Mapping[str, Any]]:
        """What the build read, of some roles."""
        for entry in self.definition["resolvedDependencies"]:
            if entry["annotations"]["role"] in roles:
                yield entry

    def scores(self) -> Iterator[Score]:
        """Task metrics and their drops, then every parity metric of every output."""
        for name, task in sorted(self.measurement.task.items()):
            yield Score(name, "task", converted_score(task), task.float_value)
            yield Score(f"{name}_drop", "task", score_drop(task))
        for output, parity in sorted(self.measurement.parity.items()):
            for name in METRICS["parity"]:
                estimate = parity_metric(parity, name)
                if estimate is not None:
                    yield Score(name, output, estimate)
