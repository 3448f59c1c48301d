"""The statement: a build definition, the files that came of it, and what happened this time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, NamedTuple

from recipekit import digests
from recipekit.errors import InternalError
from recipekit.manifest.definition import build_key
from recipekit.manifest.reading import require_valid

BUILDER_ID = "https://recipekit.invalid/builder/local"
"""SLSA wants a URI that leads to a page; `.invalid` says that there is none yet."""


class Artifact(NamedTuple):
    """A file of an output: its path relative to the output's folder, with `/`, its SHA-256 and its size in bytes."""

    name: str
    sha256: str
    size: int

    @classmethod
    def of(cls, folder: Path, name: str) -> Artifact:
        """The facts of a file as it stands in a folder.

        Raises:
            OSError: it can't be read.
        """
        return cls(name, digests.of_file(folder / name), (folder / name).stat().st_size)


@dataclass(frozen=True)
class Sweep:
    """The sweep that a build is a child of, and the child's number in it."""

    id: str
    index: int


@dataclass(frozen=True)
class RunDetails:
    """What happened this time.

    Attributes:
        invocation_id: names the run.
        started: with its time zone.
        finished: with its time zone.
        results: `results.json` in the output.
        verdict: `accepted`, `rejected` or `not-judged`.
        metrics: by name; finite numbers, or mappings of them.
        checks: a mapping a check with at least `name`, `limit`, `value`, `passed`.
        timings_seconds: by stage.
        byproducts: further files of the output that aren't artifacts, such as logs and `samples.jsonl`.
        sweep: None for a single run.
    """

    invocation_id: str
    started: datetime
    finished: datetime
    results: Artifact
    verdict: str
    metrics: Mapping[str, Any]
    checks: Sequence[Mapping[str, Any]]
    timings_seconds: Mapping[str, float]
    byproducts: Sequence[Artifact] = ()
    sweep: Sweep | None = None


def statement(
    definition: Mapping[str, Any], artifacts: Sequence[Artifact], run: RunDetails, key: str = ""
) -> dict[str, Any]:
    """The whole manifest.

    Args:
        definition: from `build_definition`.
        artifacts: the files that the build is for, `model.tflite` among them.
        run: what happened this time.
        key: the definition's build key, where it is known already.
    """
    results = {
        "verdict": run.verdict,
        "buildKey": key or build_key(definition),
        "metrics": dict(run.metrics),
        "checks": [dict(check) for check in run.checks],
        "timingsSeconds": dict(run.timings_seconds),
        **({} if run.sweep is None else {"sweep": {"id": run.sweep.id, "index": run.sweep.index}}),
    }
    version = definition["internalParameters"]["recipekit"]["version"]
    return {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [_file(artifact) for artifact in sorted(artifacts)],
        "predicateType": "https://slsa.dev/provenance/v1",
        "predicate": {
            "buildDefinition": dict(definition),
            "runDetails": {
                "builder": {"id": BUILDER_ID, "version": {"recipekit": version}},
                "metadata": {
                    "invocationId": run.invocation_id,
                    "startedOn": _utc(run.started),
                    "finishedOn": _utc(run.finished),
                },
                "byproducts": [_file(run.results, results), *(_file(artifact) for artifact in sorted(run.byproducts))],
            },
        },
    }


def encode(manifest: Mapping[str, Any]) -> bytes:
    """The text of a manifest, read back strictly before anybody else has to.

    Raises:
        InternalError: the manifest breaks its own rules.
    """
    try:
        text = digests.pretty_json(manifest)
        require_valid(text)
    except (ValueError, RecursionError) as error:
        raise InternalError(f"a manifest would be unreadable: {error}") from error
    return text.encode()


def _file(artifact: Artifact, annotations: Mapping[str, Any] | None = None) -> dict[str, Any]:
    return {
        "name": artifact.name,
        "digest": {"sha256": artifact.sha256},
        "annotations": {"size": artifact.size, **(annotations or {})},
    }


def _utc(time: datetime) -> str:
    return time.astimezone(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
