"""A published output as something to build again: what its manifest records, and nothing that lies around it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote

import msgspec

from recipekit import fsio, manifest
from recipekit.audit.recorded import read_whole
from recipekit.contracts import Record
from recipekit.environment import VARIABLES
from recipekit.errors import UsageError
from recipekit.pool import worker_environment
from recipekit.publication import DIFF

_CODE = frozenset({"plugin", "custom-layer"})
_FILES = frozenset({"model-source", "dataset", *_CODE})


class RecordedInput(NamedTuple):
    """A file, folder or module that a build has read.

    Attributes:
        role: `model-source`, `dataset` (a file of a metric), `plugin` or `custom-layer`.
        name: the path of a file, the address of code, `model` for the source.
        algorithm: `sha256` of a file, `dirHash1` of a folder; of code, of its `.py` files.
        digest: lower-case hex.
        files: number of files behind it.
        bytes: sum of their sizes.
        path: where it lay relative to the project; empty where it lay elsewhere.
    """

    role: str
    name: str
    algorithm: str
    digest: str
    files: int
    bytes: int
    path: str

    @property
    def is_code(self) -> bool:
        """Whether it is found by its address instead of its path."""
        return self.role in _CODE


class RecordedRepository(Record, frozen=True, kw_only=True):
    """Where a recipe came from.

    Attributes:
        commit: of the project.
        uri: of its origin; empty for none.
        dirty: whether anything was changed since the commit.
        diff: the file that holds the changes of tracked files; empty where there were none or they were withheld.
        withheld: why they were, `secret` or `size`; `not kept` of an output from before diffs were; else empty.
    """

    commit: str
    uri: str
    dirty: bool
    diff: str
    withheld: str

    @property
    def way_back(self) -> str:
        """How a user gets the project's files as they were, or why that can't be done wholly."""
        checkout = f"git checkout {self.commit}"
        if self.diff:
            return f"{checkout} && git apply {self.diff}"
        if self.withheld:
            return f"{checkout}; what was changed since was not kept, so it must come from elsewhere"
        return f"{checkout}; untracked files were there besides" if self.dirty else checkout


class RecordedOutput:
    """A whole output and what its manifest says.

    Attributes:
        folder: of the output, links resolved.
        manifest: the statement.
        definition: its build definition.
    """

    def __init__(self, folder: Path, statement: dict[str, Any]) -> None:
        self.folder = folder
        self.manifest = statement
        self.definition: dict[str, Any] = statement["predicate"]["buildDefinition"]

    @property
    def build_key(self) -> str:
        """The whole key."""
        return str(manifest.results(self.manifest)["buildKey"])

    @property
    def config(self) -> dict[str, Any]:
        """The configuration as it was resolved."""
        found: dict[str, Any] = self.definition["externalParameters"]["resolvedConfig"]
        return found

    @property
    def recipe(self) -> dict[str, Any]:
        """`name`, `version`, `path`, `sha256` and `schemaVersion` of the recipe."""
        found: dict[str, Any] = self.definition["externalParameters"]["recipe"]
        return found

    @property
    def subjects(self) -> tuple[str, ...]:
        """Names of the files that the build was for."""
        return tuple(entry["name"] for entry in self.manifest["subject"])

    def variables(self, secrets: Collection[str] = ()) -> dict[str, str]:
        """The workers' environment of a rebuild: this process's, with the recorded variables and no other like them.

        Args:
            secrets: names of variables that are passed on though they hold a secret by their name.
        """
        ours = {name: value for name, value in worker_environment(secrets).items() if not VARIABLES.match(name)}
        return {**ours, **self.definition["internalParameters"]["environmentVariables"]}

    @cached_property
    def inputs(self) -> tuple[RecordedInput, ...]:
        """The files, folders and modules that it was built from."""
        return tuple(self._inputs())

    @cached_property
    def samples(self) -> dict[str, str]:
        """SHA-256 of `<name>.samples.jsonl` by name: `calibration`, `evaluation`, or the step of a training."""
        return {
            entry["name"]: entry["digest"]["sha256"]
            for entry in self.definition["resolvedDependencies"]
            if "samples" in entry["annotations"]
        }

    def samples_file(self, name: str) -> Path:
        """Where the samples of a reading are listed."""
        return self.folder / f"{name}.samples.jsonl"

    @cached_property
    def results(self) -> Mapping[str, Any]:
        """What `results.json` holds.

        Raises:
            OutputFault: it can't be read.
        """
        path = self.folder / manifest.RESULTS
        with fsio.reported(path):
            found: dict[str, Any] = msgspec.json.decode(path.read_bytes())
        return found

    @cached_property
    def repository(self) -> RecordedRepository | None:
        """The commit of the project; None where it was in no repository."""
        for entry in self.definition["resolvedDependencies"]:
            facts = entry["annotations"]
            if facts["role"] == "recipe-repo":
                diff = self.folder / DIFF if DIFF in manifest.recorded_files(self.manifest) else None
                changed = "diffSha256" in facts and diff is None
                return RecordedRepository(
                    commit=entry["digest"]["gitCommit"],
                    uri=entry.get("uri", ""),
                    dirty=facts.get("dirty", False),
                    diff=str(diff or ""),
                    withheld=facts.get("diffWithheld", "not kept") if changed else "",
                )
        return None

    def _inputs(self) -> Iterator[RecordedInput]:
        for entry in self.definition["resolvedDependencies"]:
            facts = entry["annotations"]
            if facts["role"] in _FILES and "samples" not in facts:
                ((algorithm, digest),) = entry["digest"].items()
                path = unquote(entry.get("uri", "").removeprefix("file:"))
                counted = facts.get("files", 0), facts.get("bytes", 0)
                yield RecordedInput(facts["role"], entry["name"], algorithm, digest, *counted, path)


def read_output(folder: Path) -> RecordedOutput:
    """Reads an output, which must be whole and unaltered.

    Args:
        folder: of the output, or a link to it such as `latest`.

    Raises:
        UsageError: there is no such folder.
        OutputAltered: it isn't what its manifest says.
        OutputFault: it can't be read.
    """
    if not folder.is_dir():
        raise UsageError("there is no such output", where=str(folder), fix="name the folder that holds its manifest")
    folder = folder.resolve()
    return RecordedOutput(folder, read_whole(folder))
