"""What a `.tflite` file holds, and which output of the project it comes from.

A published file carries its build key, so that one found anywhere leads back to its manifest. The file itself is read
by a worker; nothing here opens it.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

import msgspec

from recipekit import manifest
from recipekit.audit.recorded import read_recorded
from recipekit.contracts import INSPECT, Inspection, InspectRequest, Record, TargetReport
from recipekit.errors import OutputAltered, OutputFault, UsageError
from recipekit.pool import Pool


class Origin(Record, frozen=True, kw_only=True):
    """The output that a file's build key leads to.

    Attributes:
        output: its folder.
        name: of the recipe.
        version: of the recipe.
        verdict: as its manifest records it.
        state: whether the file has the digest that the manifest records for its model, was altered since, or has a
            manifest that can't be read any more.
        target: what the compiler of a target has said of it; None where none was asked, or the output was altered.
    """

    output: str
    name: str
    version: str
    verdict: str
    state: Literal["unaltered", "altered", "unreadable"]
    target: TargetReport | None = None


class FileReport(Record, frozen=True, kw_only=True):
    """A file and where it comes from.

    Attributes:
        schema: version of this shape.
        path: of the file, as the user named it.
        file: what it holds.
        searched: the outputs folder that its build key was looked for in; empty outside of a project.
        origin: the output; None where the file has no build key, or none of the project's outputs has it.
    """

    schema: int = 1
    path: str
    file: Inspection
    searched: str
    origin: Origin | None


def model_file(named: Path) -> Path:
    """The `.tflite` that a path means: a file, or the model of an output's folder.

    Raises:
        UsageError: the folder is no output.
    """
    if not named.is_dir():
        return named
    if not (named / manifest.MODEL).is_file():
        raise UsageError(
            f"holds no {manifest.MODEL}", where=str(named), fix="name a .tflite file or the folder of an output"
        )
    return named / manifest.MODEL


def inspect(path: Path, pool: Pool) -> Inspection:
    """Reads a `.tflite` file in a worker.

    Raises:
        SourceError: it can't be read, or isn't one.
        StageDied, StageTimeout, StageMemory: the worker ended over it.
    """
    with TemporaryDirectory(prefix="recipekit-") as folder:
        record = pool.run(INSPECT, InspectRequest(path=str(path.absolute())), Path(folder) / "inspect").record
    assert isinstance(record, Inspection)  # for type checkers: the stage gives no other
    return record


def report_on(named: Path, pool: Pool, outputs: Path | None) -> FileReport:
    """Reads a file and looks for its build key.

    Args:
        named: the file, or the folder of an output.
        pool: the workers.
        outputs: the project's outputs folder; None outside of a project.

    Raises:
        UsageError, SourceError, StageDied, StageTimeout, StageMemory: see `model_file` and `inspect`.
    """
    path = model_file(named)
    file = inspect(path, pool)
    origin = origin_of(file, outputs) if outputs is not None else None
    return FileReport(path=str(path), file=file, searched=str(outputs or ""), origin=origin)


def origin_of(file: Inspection, outputs: Path) -> Origin | None:
    """The output that a file was published as; None for a file without build key, or where there is no such output."""
    if not file.build_key:
        return None
    for folder in sorted(outputs.glob(f"*/*/{file.build_key[:12]}")):
        if folder.parent.name == "latest" or folder.is_symlink():
            continue
        found = _recorded(folder, file)
        if found is not None:
            return found
    return None


def _recorded(folder: Path, file: Inspection) -> Origin | None:
    """What an output's manifest says of a file; None where it is another build's."""
    version, name = folder.parent.name, folder.parent.parent.name
    try:
        recorded = manifest.read(folder)
    except (OutputAltered, OutputFault):
        return Origin(output=str(folder), name=name, version=version, verdict="", state="unreadable")
    results = manifest.results(recorded)
    if results["buildKey"] != file.build_key:
        return None
    sha256, _ = manifest.recorded_files(recorded)[manifest.MODEL]
    unaltered = sha256 == file.sha256
    return Origin(
        output=str(folder),
        name=name,
        version=version,
        verdict=results["verdict"],
        state="unaltered" if unaltered else "altered",
        target=_target(folder) if unaltered else None,
    )


def _target(folder: Path) -> TargetReport | None:
    """What the results of an output say of a target, as far as they can be believed."""
    with suppress(OutputAltered, OutputFault):
        _, results = read_recorded(folder)
        return msgspec.convert(results["measurement"].get("target"), TargetReport | None)
    return None
