"""What `validate` reports to CI systems: a case for each recipe, its fault as an annotation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from recipekit.ci.annotations import Annotation, in_error
from recipekit.ci.suites import Case, Suite
from recipekit.ci.summary import suite_summary
from recipekit.cli.ci_output import CiOutput
from recipekit.validation import Validation


def report_validations(ci: CiOutput, results: Sequence[Validation], roots: Sequence[Path]) -> None:
    """Reports recipes that were checked.

    Args:
        ci: what is asked for.
        results: of the recipes.
        roots: of the project of each.

    Raises:
        OutputFault: a report can't be written.
    """
    suite = Suite("validate", tuple(map(_case, results)))
    annotations = [each for at, root in zip(results, roots, strict=True) for each in _annotations(at, root)]
    ci.write("validate", [suite], suite_summary(suite), annotations)


def _case(result: Validation) -> Case:
    if not result.error:
        return Case(result.recipe, detail="\n".join(result.warnings))
    first_line = result.error.partition("\n")[0]
    return Case(result.recipe, "failed", first_line, result.error, result.id or "")


def _annotations(result: Validation, root: Path) -> Iterator[Annotation]:
    if result.error:
        yield from in_error(result.error, f"{result.id} {result.recipe}", root)
