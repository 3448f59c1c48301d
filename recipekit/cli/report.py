"""`recipekit report`: where the page of an output or a sweep is, and one page of several."""

from __future__ import annotations

import json
import sys
import webbrowser
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from recipekit import fsio, manifest
from recipekit.audit.comparison import compared
from recipekit.audit.recorded import read_recorded
from recipekit.audit.recorded_summary import is_sweep
from recipekit.cli.arguments import make_parser, near
from recipekit.errors import EnvironmentFault, UsageError
from recipekit.outputs.lookup import find_folder
from recipekit.report import sweep_page
from recipekit.studied import read_study
from recipekit.summary import SUMMARY_PAGE, SUMMARY_TABLE
from recipekit.sweeps import SO_FAR, is_unfinished


def main(argv: list[str]) -> int:
    """Prints where the page lies; makes one where `--output` says so, or where a sweep has none."""
    parser = make_parser(
        "report",
        "Say where the page of an output or a sweep is, open it, or make one page of several; see docs/sweeps.md.",
        "recipekit report latest --open",
        overrides=False,
    )
    parser.add_argument(
        "names", nargs="+", metavar="OUTPUT", help="an output or a sweep: a path, NAME/latest, a sweep's id, or latest"
    )
    parser.add_argument("--output", metavar="FILE", type=Path, help="make the page anew from the records, as this file")
    parser.add_argument("--open", action="store_true", help="open the page in the browser")
    parser.add_argument("--format", choices=["text", "json"], default="text", help="how to print the place")
    options = parser.parse_args(argv)
    folders = [find_folder(name, Path.cwd(), options.recipes) for name in options.names]
    page = _page(folders, options.output)
    if options.format == "json":
        sys.stdout.write(json.dumps({"report": str(page), "of": list(map(str, folders))}) + "\n")
    else:
        sys.stdout.write(f"{near(page)}\n")
    if options.open and not webbrowser.open(page.as_uri()):
        raise EnvironmentFault("there is no browser to open it with", where=str(page), fix="open the file yourself")
    return 0


def _page(folders: Sequence[Path], wanted: Path | None) -> Path:
    """Where the page is, once it is there."""
    if wanted is None and len(folders) > 1:
        raise UsageError(
            "the page of several outputs belongs to none of them, so it needs a place",
            where="command line",
            fix="add --output comparison.html",
        )
    if is_unfinished(folders[0]):
        own = folders[0] / SO_FAR
    else:
        own = folders[0] / (SUMMARY_PAGE if is_sweep(folders[0]) else manifest.REPORT)
    page = wanted.resolve() if wanted else own
    if wanted or own.name == SO_FAR or (is_sweep(folders[0]) and not own.exists()):
        _write(page, folders)
    elif not own.is_file():
        raise UsageError("is neither an output nor a sweep", where=str(folders[0]), fix="name one that is")
    return page


def _write(page: Path, folders: Sequence[Path]) -> None:
    for folder in folders:
        if page.is_relative_to(folder) and not (is_sweep(folder) or is_unfinished(folder)):
            raise UsageError(
                "an output holds what its manifest lists, and nothing is changed in it",
                where=str(page),
                fix="write the page outside of the output's folder",
            )
    fresh = page.with_name(f".{page.name}.fresh")
    with _rendered(folders, page.parent) as parts, fsio.reported(page):
        fresh.unlink(missing_ok=True)
        try:
            fsio.write_parts(fresh, parts)
            fsio.rename(fresh, page)
        finally:
            fresh.unlink(missing_ok=True)


@contextmanager
def _rendered(folders: Sequence[Path], place: Path) -> Iterator[Iterable[str]]:
    """The page part by part, since a sweep may have more children than memory should hold rows."""
    first = folders[0]
    if len(folders) == 1 and not (is_sweep(first) or is_unfinished(first)):
        read_recorded(first)
        with fsio.reported(first):
            text = (first / manifest.REPORT).read_text(encoding="utf-8")  # what was drawn stands nowhere else
        yield [text]
        return
    with compared(folders, place) as rows:
        if len(folders) > 1:
            yield sweep_page(rows, f"Comparison of {len(folders)}", table="")
        elif is_sweep(first):
            with fsio.reported(first):
                study = read_study(first)
            table = SUMMARY_TABLE if place == first else ""
            yield sweep_page(rows, f"Sweep {first.name}", table=table, study=study)
        else:
            yield sweep_page(rows, f"Sweep {first.name}, of which {len(rows)} children have ended", table="")
