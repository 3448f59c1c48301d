"""What a search has found, as lines of a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from rich.text import Text

from recipekit.ci.wording import number
from recipekit.studied import Studied, Trial

_MOST = 20
"""Trials of a front that are shown; the page shows as many, and `study.json` has all."""


def found(study: Studied) -> Iterator[Text]:
    """The best trials of a study, or the one that came nearest; and why it ended before its time, if it did."""
    yield Text.assemble((study.headline(), "bold"), ":" if study.best else "")
    best = study.best_trials()
    for trial in best[:_MOST]:
        yield _line("", trial, study)
    if len(best) > _MOST:
        yield Text(f"  and {len(best) - _MOST:,} more")
    nearest = None if best else study.nearest()
    if nearest is not None:
        yield _line("nearest to its bounds: ", nearest, study)
    if study.note:
        yield Text(study.note)


def _shown(value: float) -> str:
    return f"{value:,.0f}" if value % 1 == 0 else number(value)


def _line(words: str, trial: Trial, study: Studied) -> Text:
    values = ", ".join(f"{metric} {_shown(trial.values[metric])}" for metric in study.objectives)
    parameters = " ".join(f"{key}={value}" for key, value in trial.parameters.items())
    return Text.assemble(f"  {words}[{trial.number}] ", (parameters, "bold"), f": {values}")
