"""Functions that look at what was built."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import msgspec

from recipekit.api.progress import Follow, Follower
from recipekit.api.projects import PathLike, any_project, output_folder
from recipekit.api.shown import Shown, near
from recipekit.audit.changes import Change
from recipekit.audit.difference import Difference, compare
from recipekit.audit.inspection import FileReport, report_on
from recipekit.audit.recorded_output import read_output
from recipekit.audit.recorded_project import project_around
from recipekit.audit.reproduction import Reproduction, Where
from recipekit.audit.reproduction import reproduce as rebuild
from recipekit.audit.sides import side_of
from recipekit.audit.sweep_verification import verify_folder
from recipekit.audit.verification import Verification
from recipekit.errors import OutputAltered
from recipekit.outputs.lookup import find_file
from recipekit.pool import Limits, Pool
from recipekit.report import Panel, Table
from recipekit.signing.checking import read_trust


@dataclass(frozen=True, repr=False)
class InspectResult(Shown):
    """What a `.tflite` file holds and which output it comes from.

    Attributes:
        report: everything that `recipekit inspect --format json` prints; `report.file` is the file's content.
    """

    report: FileReport

    def __repr__(self) -> str:
        return f"InspectResult({self.report.path}: {self.report.file.size:,} bytes)"

    def _panel(self) -> Panel:
        file, origin = self.report.file, self.report.origin
        facts = {"size": f"{file.size:,} bytes", "sha256": file.sha256[:12], "build key": file.build_key[:12] or "none"}
        if origin is not None:
            facts["output"] = f"{near(Path(origin.output))} ({origin.verdict}, {origin.state})"
        ports = [
            (role, tensor.name, tensor.dtype, "x".join(map(str, tensor.shape)) or "scalar")
            for signature in file.signatures
            for role, tensors in (("input", signature.inputs), ("output", signature.outputs))
            for tensor in tensors
        ]
        kinds = sorted((it.op, it.dtypes, it.bytes) for it in file.operators)
        operators = [
            (op, dtypes, str(len(alike)), f"{sum(size for *_, size in alike):,}")
            for (op, dtypes), alike in ((kind, list(them)) for kind, them in groupby(kinds, key=lambda it: it[:2]))
        ]
        tables = [
            Table("Inputs and outputs", ("Role", "Name", "Type", "Shape"), ports),
            Table("Operators", ("Operator", "Types", "Count#", "Constants, bytes#"), operators),
        ]
        return Panel(self.report.path, "", facts, {}, tables)


@dataclass(frozen=True)
class VerifyResult(Shown):
    """Whether an output is what it says; of a sweep, its summary first and then each child's output.

    Attributes:
        verifications: what was found, as `recipekit verify --format json` prints it.
    """

    verifications: tuple[Verification, ...]

    @property
    def verified(self) -> bool:
        """Whether nothing differs from its records."""
        return not any(found.differences for found in self.verifications)

    @property
    def exit_code(self) -> int:
        """What `recipekit verify` would exit with."""
        return max(found.exit_code for found in self.verifications)

    def require_verified(self) -> VerifyResult:
        """Itself, if everything is as it was published.

        Raises:
            OutputAltered: it isn't; the message names every difference.
        """
        lines = [f"{found.output}: {difference}" for found in self.verifications for difference in found.differences]
        if lines:
            raise OutputAltered("\n  ".join(["differs from what it says:", *lines]), fix="fetch or build it anew")
        return self

    def _panel(self) -> Panel:
        rows = [
            (
                near(Path(found.output)),
                "fail" if found.differences else "pass",
                "; ".join(map(str, found.differences)) or found.summary,
            )
            for found in self.verifications
        ]
        table = Table("Outputs", ("Output", "Verified", "Found"), rows)
        return Panel("Verification", "pass" if self.verified else "fail", {}, {}, [table])


@dataclass(frozen=True)
class ReproduceResult(Shown):
    """An output built again from its manifest alone.

    Attributes:
        reproduction: everything that `recipekit reproduce --format json` prints.
    """

    reproduction: Reproduction

    @property
    def identical(self) -> bool:
        """Whether every byte is the same."""
        return self.reproduction.status == "identical"

    @property
    def status(self) -> str:
        """`identical`, `differs`, or with other software `within_bounds`, `out_of_bounds` or `not_judged`."""
        return self.reproduction.status

    @property
    def exit_code(self) -> int:
        """What `recipekit reproduce` would exit with."""
        return self.reproduction.exit_code

    def _panel(self) -> Panel:
        again = self.reproduction
        rows = [
            (it.name, it.recorded[:12], it.now[:12], "pass" if it.same else "fail", "; ".join(it.changes))
            for it in again.components
        ]
        facts = {"status": again.status, "time": f"{again.seconds:.1f} s", "output": near(Path(again.output))}
        table = Table("Components", ("Component", "Recorded", "Now", "Same", "Changes"), rows)
        return Panel(f"Reproduction of {again.name} {again.version}", "", facts, {}, [table])


@dataclass(frozen=True)
class DiffResult(Shown):
    """What is different between two recipes, outputs or files.

    Attributes:
        difference: everything that `recipekit diff --format json` prints; each class of it the largest change first.
    """

    difference: Difference

    @property
    def found(self) -> bool:
        """Whether anything is different."""
        return self.difference.found

    @property
    def changes(self) -> tuple[Change, ...]:
        """All changes: of inputs, of the model, of results."""
        it = self.difference
        return (*(it.inputs or ()), *(it.model or ()), *(it.results or ()))

    def _panel(self) -> Panel:
        it = self.difference
        tables = [
            Table(
                caption,
                ("Group", "Name", "a", "b"),
                [(change.group, change.name, _json(change.a), _json(change.b)) for change in changes],
            )
            for caption, changes in (("Inputs", it.inputs), ("Model", it.model), ("Results", it.results))
            if changes
        ]
        facts = {} if it.found else {"difference": "none"}
        return Panel(f"{it.a.name} and {it.b.name}", "", facts, {}, tables)


def inspect(file: PathLike, *, project: PathLike | None = None) -> InspectResult:
    """Says what a `.tflite` file holds and which output of the project it comes from.

    Args:
        file: a `.tflite` file, or an output: its folder, its name below the outputs, or its URL.
        project: a folder of the project whose outputs are searched; the current one if None, and then there need not
            be a project.

    Raises:
        UsageError: the folder is no output.
        SourceError: the file can't be read, or isn't one.
    """
    found = any_project(project)
    with Pool(Limits.of(found)) as pool:
        path = find_file(str(file), Path.cwd(), found.recipes if found else None)
        return InspectResult(report_on(path, pool, found.outputs if found else None))


def verify(
    output: PathLike,
    *,
    project: PathLike | None = None,
    keys: Sequence[PathLike] = (),
    require_signature: bool = False,
) -> VerifyResult:
    """Checks an output, or a sweep with all its outputs: every file, every record, the verdict, signatures.

    Args:
        output: its folder, or `NAME/latest` and the like, looked up in the project.
        project: a folder of the project; the current one if None, and then there need not be a project.
        keys: PEM files of public keys to trust.
        require_signature: refuse an output that none of the keys has signed.

    Raises:
        UsageError: there is no such output, a key can't be used, or a signature is required without a key.
        OutputFault: a file can't be read.
    """
    trust = read_trust(map(Path, keys), required=require_signature)
    return VerifyResult(tuple(verify_folder(output_folder(output, project), trust)))


def reproduce(
    output: PathLike,
    *,
    project: PathLike | None = None,
    inputs: Sequence[PathLike] = (),
    keep: PathLike | None = None,
    progress: Follow = False,
) -> ReproduceResult:
    """Builds an output again from its manifest alone, in a store of its own, and compares byte for byte.

    Args:
        output: its folder, or `NAME/latest` and the like.
        project: the folder that recorded paths are relative to; if None, the project around the output.
        inputs: more folders in which inputs may lie under any name.
        keep: where an output that differs is kept; if None, beside the recorded one.
        progress: as for `run`.

    Raises:
        InputMismatch: an input is gone or has changed.
        RecipekitError: whatever keeps the build from being carried out.
    """
    recorded = read_output(output_folder(output, project))
    around = project_around(recorded.folder, Path.cwd(), None if project is None else Path(project))
    where = Where(around.root.resolve(), tuple(map(Path, inputs)), None if keep is None else Path(keep))
    with Pool(Limits.of(around), variables=recorded.variables(around.env)) as pool:
        return ReproduceResult(rebuild(recorded, where, pool, Follower(progress)))


def diff(a: PathLike, b: PathLike, *, project: PathLike | None = None) -> DiffResult:
    """Compares two recipes, outputs or `.tflite` files.

    Args:
        a: a recipe's name or file, an output's folder or `NAME/latest`, or a `.tflite` file.
        b: another one.
        project: a folder of the project in which names are looked up; the current one if None.

    Raises:
        UsageError: one of them names nothing, or they have nothing in common.
        RecipekitError: a recipe is invalid, or a file can't be read.
    """
    found = any_project(project)
    with Pool(Limits.of(found)) as pool:
        return DiffResult(compare(side_of(str(a), found, pool), side_of(str(b), found, pool)))


def _json(value: object) -> str:
    return "" if value is None else msgspec.json.encode(value).decode()
