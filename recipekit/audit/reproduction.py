"""An output built again from its manifest alone, in a store of its own, and held against the recorded bytes.

What is promised depends on where it is built: in the same environment equal bytes, on another machine with the same
software equal bytes too, though nobody can vouch for its processor, and with other software metrics within the
recipe's bounds. The recorded output is never touched; one that differs is kept beside it.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import gettempdir, mkdtemp
from typing import Any, NamedTuple
from uuid import uuid4

import msgspec

from recipekit import digests, fsio
from recipekit.audit.components import Component, compared, environment_of, facts_of, level, parts_of
from recipekit.audit.file_comparison import FileComparison, compare_files
from recipekit.audit.input_search import Shelves
from recipekit.audit.installed_files import check_installed
from recipekit.audit.likely_causes import likely_causes
from recipekit.audit.measured_changes import MeasuredChange, metric_changes, within_bounds
from recipekit.audit.recorded_inputs import Places, find_inputs, recorded_job, recorded_recipe
from recipekit.audit.recorded_output import RecordedOutput, RecordedRepository, read_output
from recipekit.audit.recorded_samples import find_samples
from recipekit.build import environment_of as environment_for
from recipekit.contracts import LOCATE, LocateRequest, Record
from recipekit.errors import EvaluationError, OutputFault, RecipekitError, StageDied
from recipekit.execution import Watcher
from recipekit.pipeline import Facilities, Settings, prepare, run_job
from recipekit.pool import Pool
from recipekit.store import Store
from recipekit.surroundings import Surroundings

SAME_BUILD = frozenset({"configuration", "inputs", "samples", "flags", "variables"})
"""Components that must be equal for two builds to be the same one, wherever they ran."""


class Where(NamedTuple):
    """Where a rebuild looks and leaves things.

    Attributes:
        root: the project that recorded paths are relative to.
        inputs: more folders in which inputs may lie.
        keep: where an output that differs is kept; None for beside the recorded one.
    """

    root: Path
    inputs: Sequence[Path] = ()
    keep: Path | None = None


class Reproduction(Record, frozen=True, kw_only=True):
    """A rebuild and the recorded output.

    Attributes:
        output: the recorded output's folder.
        name: of the recipe.
        version: of the recipe.
        recipe: its file, relative to its project.
        overrides: of the command line that built it.
        repository: the commit of its project; None for none.
        status: `identical`, `differs`, or with other software `within_bounds`, `out_of_bounds` or `not_judged`.
        level: of the promise: 1 same environment, 2 other machine, 3 other software.
        recorded_key: the recorded build key.
        now_key: that of the rebuild.
        components: the parts of both build definitions.
        files: the files that the build is for.
        metrics: metrics that differ; times are left out.
        causes: what may have made a difference, the likeliest first.
        notes: what else is to be said.
        kept: where the rebuilt output is, if it differs; else empty.
        seconds: that it took.
    """

    output: str
    name: str
    version: str
    recipe: str
    overrides: tuple[str, ...]
    repository: RecordedRepository | None
    status: str
    level: int
    recorded_key: str
    now_key: str
    components: tuple[Component, ...]
    files: tuple[FileComparison, ...]
    metrics: tuple[MeasuredChange, ...]
    causes: tuple[str, ...]
    notes: tuple[str, ...]
    kept: str
    seconds: float

    @property
    def exit_code(self) -> int:
        """0 for identical, else 6: what other software has built is no reproduction, however good it is."""
        return 0 if self.status == "identical" else 6


def reproduce(recorded: RecordedOutput, where: Where, pool: Pool, watcher: Watcher) -> Reproduction:
    """Builds a recorded output again and compares.

    Args:
        recorded: the output.
        where: to look for its inputs.
        pool: workers with the environment `recorded.variables()`.
        watcher: is told what happens.

    Raises:
        InputMismatch: an input is gone or has changed.
        RecipekitError: whatever keeps the build from being carried out; where its message names a log, that stays.
    """
    with fsio.reported(Path(gettempdir())):
        scratch = Path(mkdtemp(prefix="recipekit-reproduce-"))
    kept = False
    try:
        return _reproduce(recorded, where, scratch, pool, watcher)
    except RecipekitError as error:
        kept = error.exit_code == 4  # its message names a log in there, and a stage to try again
        raise
    finally:
        if not kept:
            shutil.rmtree(scratch, ignore_errors=True)


def _reproduce(recorded: RecordedOutput, where: Where, scratch: Path, pool: Pool, watcher: Watcher) -> Reproduction:
    began = time.monotonic()
    places = Places(where.root, Shelves(where.inputs), scratch)
    found = find_inputs(recorded, places)
    surroundings = Surroundings(found.root, recorded.variables())
    recipe = recorded_recipe(recorded, found.config, found.root)
    environment = environment_for(recipe, surroundings)
    promise = level(compared(environment_of(recorded.definition), facts_of(environment)))
    with Store(scratch / "store").lease() as lease:
        facilities = Facilities(pool, lease, surroundings)
        prepare(recorded_job(recorded, recipe, found.root, scratch), facilities)
        samples = find_samples(recorded, found, places, facilities, watcher, promise)
        job = recorded_job(recorded, samples.recipe, found.root, scratch)
        outcome = run_job(job, facilities, watcher, Settings())
    rebuilt = read_output(Path(outcome.output))
    components = compared(parts_of(recorded.definition), parts_of(rebuilt.definition))
    files = _files(recorded, rebuilt, pool, scratch)
    metrics = metric_changes(recorded.manifest, rebuilt.manifest)
    status = _status(promise, components, files, metrics, recorded.manifest, rebuilt.manifest)
    differs = any(not file.same for file in files) or status == "differs"
    kept, unkept = _keep(recorded, rebuilt, where.keep) if differs else ("", ())
    causes: tuple[str, ...] = ()
    if differs:
        unexplained = all(component.same for component in components)
        packages = [package.name for package in environment.packages] if unexplained else []
        altered = check_installed(packages).altered
        causes = likely_causes(components, files, recorded.results, rebuilt.results, altered)
    parameters = recorded.definition["externalParameters"]
    return Reproduction(
        output=str(recorded.folder),
        name=recorded.recipe["name"],
        version=recorded.recipe["version"],
        recipe=recorded.recipe["path"],
        overrides=tuple(parameters["overrides"]),
        repository=recorded.repository,
        status=status,
        level=promise,
        recorded_key=recorded.build_key,
        now_key=rebuilt.build_key,
        components=components,
        files=files,
        metrics=metrics,
        causes=causes,
        notes=(*samples.notes, *unkept),
        kept=kept,
        seconds=time.monotonic() - began,
    )


def _status(
    promise: int,
    components: Sequence[Component],
    files: Sequence[FileComparison],
    metrics: Sequence[MeasuredChange],
    recorded: dict[str, Any],
    rebuilt: dict[str, Any],
) -> str:
    if promise == 3:
        return within_bounds(recorded, rebuilt)
    same_build = all(component.same for component in components if component.name in SAME_BUILD)
    same_bytes = all(file.same for file in files)
    same_metrics = promise == 2 or not metrics  # the float model's answers are the other machine's
    return "identical" if same_build and same_bytes and same_metrics else "differs"


def _files(recorded: RecordedOutput, rebuilt: RecordedOutput, pool: Pool, scratch: Path) -> tuple[FileComparison, ...]:
    keys = recorded.build_key, rebuilt.build_key
    compared_files = []
    for name in recorded.subjects:
        old, new = recorded.folder / name, rebuilt.folder / name
        with fsio.reported(old):
            file = _missing(name, old) if not new.is_file() else compare_files(name, old, new, keys)
        if file.offset is not None and name.endswith(".tflite"):
            part = _part(old, min(file.offset, file.recorded_size - 1), pool, scratch / "locate")
            file = msgspec.structs.replace(file, part=part)
        compared_files.append(file)
    return tuple(compared_files)


def _missing(name: str, recorded: Path) -> FileComparison:
    sha256, size = digests.of_file(recorded), recorded.stat().st_size
    return FileComparison(
        name=name, same=False, recorded_sha256=sha256, now_sha256="", recorded_size=size, now_size=0, offset=0
    )


def _part(flatbuffer: Path, offset: int, pool: Pool, folder: Path) -> str:
    request = LocateRequest(flatbuffer=str(flatbuffer), offset=offset)
    try:
        result = pool.run(LOCATE, request, folder)
    except (EvaluationError, StageDied):
        return ""  # what was recorded is no flatbuffer, and its bytes are compared all the same
    part: str = msgspec.to_builtins(result.record)["part"]
    return part


def _keep(recorded: RecordedOutput, rebuilt: RecordedOutput, folder: Path | None) -> tuple[str, tuple[str, ...]]:
    """Copies a rebuilt output to where it stays, named by its own content, and says where; never onto another one."""
    content = {name: digests.of_file(rebuilt.folder / name) for name in rebuilt.subjects}
    home = folder or recorded.folder.with_name(f"{recorded.folder.name}.reproduced")
    target = home / digests.of_names(content)[:12]
    try:
        with fsio.reported(home):
            fsio.make_folders(home)
            if not target.exists():
                unfinished = home / f".{uuid4().hex}"
                shutil.copytree(rebuilt.folder, unfinished)
                fsio.rename(unfinished, target)
    except OutputFault as error:
        return "", (
            f"the rebuilt output can't be kept, name another place with --keep DIR: {error.where}: {error.what}",
        )
    return str(target), ()
