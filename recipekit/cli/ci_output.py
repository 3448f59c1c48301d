"""Options by which a verb reports to CI systems, and the writing of what they ask for.

On GitHub's runners, which set GITHUB_ACTIONS, annotations and the job's summary are written without being asked for.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from recipekit import fsio
from recipekit.errors import UsageError
from recipekit.secrecy import redacted

if TYPE_CHECKING:
    from recipekit.ci.annotations import Annotation
    from recipekit.ci.suites import Suite


def add_ci(parser: argparse.ArgumentParser) -> None:
    """Adds the options to a verb's parser."""
    group = parser.add_argument_group("reports for CI (docs/ci.md)")
    group.add_argument("--junit", metavar="FILE", type=Path, help="write JUnit XML: a test case for each check")
    group.add_argument("--summary", metavar="FILE", type=Path, help="append a summary in Markdown")
    group.add_argument(
        "--github-annotations",
        action="store_true",
        help="print faults as GitHub annotations (default: where GITHUB_ACTIONS is true)",
    )


class CiOutput:
    """What a command writes for CI systems, at its end."""

    def __init__(self, options: argparse.Namespace) -> None:
        """Looks whether what is asked for can be written at all, before anything else takes time.

        Raises:
            UsageError: a file that is to be written is a folder.
        """
        on_github = os.environ.get("GITHUB_ACTIONS") == "true"
        named = os.environ.get("GITHUB_STEP_SUMMARY") if on_github else None
        self._junit: Path | None = options.junit
        self._summary: Path | None = options.summary or (Path(named) if named else None)
        self.annotates: bool = options.github_annotations or on_github
        for path in filter(None, (self._junit, self._summary)):
            if path.is_dir():
                raise UsageError("is a folder, and a file is to be written", where=str(path), fix="name a file in it")

    @property
    def is_asked_for(self) -> bool:
        """Whether anything is to be written."""
        return self.annotates or self._junit is not None or self._summary is not None

    def write(self, name: str, suites: Collection[Suite], summary: str, annotations: Iterable[Annotation]) -> None:
        """Writes whatever is asked for.

        Args:
            name: of all suites.
            suites: for JUnit.
            summary: Markdown; where it is asked for, it goes to the end of its file.
            annotations: for GitHub, on standard error, where they disturb no JSON.

        Raises:
            OutputFault: a file can't be written; everything else of the command has happened.
        """
        if self.annotates:
            for annotation in annotations:
                sys.stderr.write(redacted(annotation.command()) + "\n")
        if self._junit is not None:
            from recipekit.ci.junit import junit_parts  # noqa: PLC0415  few ask for it

            with fsio.reported(self._junit):
                self._junit.parent.mkdir(parents=True, exist_ok=True)
                with self._junit.open("wb") as document:
                    document.writelines(junit_parts(name, suites))
        if self._summary is not None:
            with fsio.reported(self._summary):
                self._summary.parent.mkdir(parents=True, exist_ok=True)
                with self._summary.open("a", encoding="utf-8") as stream:
                    stream.write(redacted(summary))
