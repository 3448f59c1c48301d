"""What looking at a recipe's samples gives a program."""

from __future__ import annotations

from dataclasses import dataclass

from recipekit.api.shown import Shown
from recipekit.contracts import Curve
from recipekit.lint import Finding
from recipekit.linting import LintReport
from recipekit.report import Panel, Table


@dataclass(frozen=True)
class LintResult(Shown):
    """What the linter has to say of a recipe's samples.

    Attributes:
        report: everything that `recipekit lint --format json` prints.
    """

    report: LintReport

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Errors first, then warnings."""
        return self.report.findings

    @property
    def clean(self) -> bool:
        """Whether there is no error among the findings: a run would go on."""
        return self.report.exit_code == 0

    @property
    def curve(self) -> Curve | None:
        """How ranges settle; None where that was not asked for."""
        return self.report.curve

    def _panel(self) -> Panel:
        rows = [(finding.severity, finding.dataset, finding.text) for finding in self.findings]
        samples = {f"{role} samples": f"{count:,}" for role, count in sorted(self.report.samples.items())}
        tables = [Table("Findings", ("Severity", "Dataset", "Finding"), rows)] if rows else []
        return Panel(f"Samples of {self.report.recipe}", "pass" if self.clean else "fail", samples, {}, tables)
