"""A job's summary in Markdown, as GitHub shows it below a workflow: verdicts, checks, sizes, where the outputs are."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from urllib.parse import quote

from recipekit.ci.suites import Case, Suite, title_of
from recipekit.ci.wording import bound, number
from recipekit.outcome import Outcome

_MOST_ROWS = 500
"""Of one table: GitHub refuses a summary above 1 MiB."""

_MEANING = re.compile(r"[\\`*\[\]|~<>&$#]|(?<!\w)_|_(?!\w)")

_WORDS = {"passed": "pass", "failed": "fail", "error": "error", "skipped": "not judged"}


def run_summary(outcome: Outcome, root: Path) -> str:
    """The summary of one run.

    Args:
        outcome: of the run.
        root: the project's, which paths are relative to.
    """
    how = f"{outcome.status}, already built" if outcome.already_built else outcome.status
    facts = [f"**{how}** in {outcome.seconds:.1f} s", *_size(outcome), *_place(outcome, root)]
    lines = [f"## {cell(title_of(outcome))}", "", " · ".join(facts), ""]
    if outcome.checks:
        rows = [
            (check.name, bound(check), number(check.value), number(check.margin), check.verdict)
            for check in outcome.checks
        ]
        lines += _table(("check", "bound", "value", "margin", "verdict"), rows)
        lines += [
            f"{cell(check.name)}: {cell(check.detail)}\n"
            for check in outcome.checks
            if _tells(check.verdict, check.detail)
        ]
    lines += [f"> {cell(warning)}\n" for warning in outcome.warnings]
    return "\n".join(lines) + _link()


def sweep_summary(outcomes: Sequence[Outcome], folder: Path, root: Path) -> str:
    """The summary of a sweep: one row a child.

    Args:
        outcomes: of the children.
        folder: of the sweep.
        root: the project's, which paths are relative to.
    """
    accepted = 0

    def rows() -> Iterator[tuple[str, ...]]:
        nonlocal accepted
        for outcome in outcomes:
            accepted += outcome.status == "accepted"
            yield (
                str(outcome.number),
                title_of(outcome),
                outcome.failure.id if outcome.failure else outcome.status,
                f"{outcome.measurement.size:,}" if outcome.measurement else "",
                number(outcome.sqnr_db),
                _why(outcome),
            )

    table = _table(("#", "recipe and overrides", "verdict", "bytes", "SQNR dB", "why"), rows())
    head = f"## sweep {folder.name}\n\n**{accepted} of {len(outcomes)} accepted** · `{_relative(folder, root)}`\n"
    return "\n".join([head, *table]) + _link()


def suite_summary(suite: Suite) -> str:
    """The summary of a suite whose cases say everything: what was validated or verified."""
    passed = suite.count("passed")
    rows = [(case.name, _WORDS[case.verdict], _said(case)) for case in suite.cases]
    head = f"## recipekit {cell(suite.name)}\n\n**{passed} of {len(suite.cases)} passed**\n"
    return "\n".join([head, *_table((suite.name, "result", "why"), rows)]) + _link()


def cell(text: str) -> str:
    """Text for one cell of a table, or for one line: nothing in it means anything to Markdown or HTML."""
    line = " ".join("".join(it if it.isprintable() else " " for it in text).split())
    return _MEANING.sub(lambda found: f"&#{ord(found[0])};", line)


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = [f"| {' | '.join(heads)} |", f"|{' --- |' * len(heads)}"]
    more = 0
    for place, row in enumerate(rows):
        if place < _MOST_ROWS:
            lines.append(f"| {' | '.join(map(cell, row))} |")
        else:
            more += 1
    if more:
        lines.append(f"\n… and {more:,} more")
    return [*lines, ""]


def _tells(verdict: str, detail: str) -> bool:
    return verdict != "pass" and bool(detail)


def _size(outcome: Outcome) -> list[str]:
    measured = outcome.measurement
    if measured is None:
        return []
    ratio = f", {measured.size_ratio:.1%} of float32" if measured.float32_size else ""
    return [f"{measured.size:,} bytes{ratio}"]


def _place(outcome: Outcome, root: Path) -> list[str]:
    return [f"`{_relative(Path(outcome.output), root)}`"] if outcome.output else []


def _relative(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else path.name


def _why(outcome: Outcome) -> str:
    if outcome.failure is not None:
        return outcome.failure.what.partition("\n")[0]
    missed = [
        f"{check.name} {number(check.value)} ({bound(check)})" for check in outcome.checks if check.verdict != "pass"
    ]
    return ", ".join(missed)


def _said(case: Case) -> str:
    return case.message if case.verdict != "passed" else ""


def _link() -> str:
    """A link to the workflow run, where its artifacts are, as far as the runner says which it is."""
    names = ("GITHUB_SERVER_URL", "GITHUB_REPOSITORY", "GITHUB_RUN_ID")
    server, repository, run = (os.environ.get(name, "") for name in names)
    if not (server.startswith("https://") and repository and run):
        return "\n"
    return f"\n[artifacts of this workflow run]({server}/{quote(repository)}/actions/runs/{quote(run)})\n"
