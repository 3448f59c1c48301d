"""What `reproduce` shows: the parts of both builds side by side, what differs inside of them, and the verdict."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.text import Text

from recipekit.audit.components import Component
from recipekit.audit.environment_check import EnvironmentCheck
from recipekit.audit.file_comparison import FileComparison
from recipekit.audit.measured_changes import MeasuredChange
from recipekit.audit.recorded_output import RecordedRepository
from recipekit.audit.reproduction import Reproduction
from recipekit.cli.tables import PlainTable, plain_table

_SHOWN = 12
"""Lines about one thing; `--format json` has all of them."""

_PROMISES = {
    1: "the same environment, where equal bytes are promised",
    2: "another machine with the same software, where equal bytes are expected",
    3: "other software, where only metrics are compared",
}
_VERDICTS = {
    "identical": ("identical", "green"),
    "differs": ("differs", "red"),
    "within_bounds": ("not the same software, so not compared byte for byte; every bound is kept", "yellow"),
    "out_of_bounds": ("not the same software, and bounds that were kept are not kept any more", "red"),
    "not_judged": ("not the same software, and the recipe has no bound to judge by", "yellow"),
}


def show_reproduction(console: Console, reproduction: Reproduction) -> None:
    """The whole page of a reproduction."""
    console.print(_table(reproduction.components))
    lines = [
        *_changes(reproduction.components),
        *_from(reproduction),
        f"environment: {_PROMISES[reproduction.level]}",
        *(line for file in reproduction.files for line in _file(file)),
        *_cut([_metric(change) for change in reproduction.metrics]),
        *(f"may be why: {cause}" for cause in reproduction.causes),
        *(f"note: {note}" for note in reproduction.notes),
    ]
    for line in lines:
        console.print(line, highlight=False, markup=False, soft_wrap=True)
    words, style = _VERDICTS[reproduction.status]
    kept = f"; the rebuilt output is {reproduction.kept}" if reproduction.kept else ""
    verdict = Text.assemble((words, f"bold {style}"), f" in {reproduction.seconds:.1f} s: {reproduction.output}{kept}")
    console.print(verdict, highlight=False, soft_wrap=True)


def show_environment(console: Console, check: EnvironmentCheck) -> None:
    """The whole page of an environment that is only compared."""
    console.print(_table(check.components))
    lines = [*_changes(check.components), f"environment: {_PROMISES[check.level]}"]
    if any(component.name == "variables" and not component.same for component in check.components):
        lines.append("note: a rebuild sets the recorded environment variables by itself")
    installed = check.installed
    lines += _cut([f"edited: {line}" for line in installed.altered])
    counted = f"{installed.files:,} files of {installed.packages} packages"
    state = f"{len(installed.altered)} are not as installed" if installed.altered else "all as installed"
    for line in (*lines, f"installed: {counted}, {state}"):
        console.print(line, highlight=False, markup=False, soft_wrap=True)


def _table(components: Sequence[Component]) -> PlainTable:
    table = plain_table("component<", "recorded<", "now<", "<", apart=True)
    for component in components:
        word = Text("same", style="green") if component.same else Text("differs", style="yellow")
        table.add_row(component.name, component.recorded[:12], component.now[:12], word)
    return table


def _changes(components: Sequence[Component]) -> Iterator[str]:
    for component in components:
        yield from _cut([f"{component.name}: {change}" for change in component.changes])


def _from(reproduction: Reproduction) -> Iterator[str]:
    overrides = f" with {' '.join(reproduction.overrides)}" if reproduction.overrides else ""
    yield f"recipe: {reproduction.name} {reproduction.version}, {reproduction.recipe}{overrides}"
    if reproduction.repository is not None:
        yield f"commit: {_commit(reproduction.repository)}"
    recorded, now = reproduction.recorded_key[:12], reproduction.now_key[:12]
    same = reproduction.recorded_key == reproduction.now_key
    yield f"build key: {recorded}, the same now" if same else f"build key: {recorded} recorded, {now} now"


def _commit(repository: RecordedRepository) -> str:
    origin = f" of {repository.uri}" if repository.uri else ""
    state = "with uncommitted changes" if repository.dirty else "with nothing uncommitted"
    return f"{repository.commit}{origin}, {state}; {repository.way_back}"


def _file(file: FileComparison) -> Iterator[str]:
    if file.same:
        apart = " but for the build key that it carries" if file.apart_from_key else ""
        yield f"{file.name}: the same {file.recorded_size:,} bytes{apart}"
        return
    where = f" ({file.part})" if file.part else ""
    sizes = f"{file.recorded_size:,} bytes recorded, {file.now_size:,} now"
    yield f"{file.name}: differs from byte {file.offset:,} on{where}; {sizes}"
    yield f"  sha256 {file.recorded_sha256} recorded, {file.now_sha256 or 'no such file'} now"


def _metric(change: MeasuredChange) -> str:
    return f"{change.name}: {change.recorded} recorded, {change.now} now"


def _cut(lines: Sequence[str]) -> list[str]:
    more = [f"and {len(lines) - _SHOWN} more"] if len(lines) > _SHOWN else []
    return [*lines[:_SHOWN], *more]
