"""Outcomes of every kind, with characters in them that formats must escape."""

from __future__ import annotations

from recipekit.acceptance import Check
from recipekit.errors import ConversionError
from recipekit.outcome import Failure, Outcome
from tests.whole_outputs import MEASUREMENT

NASTY = 'a "b" <c> & | `d` \x1b[31m ]]> \x00 \ud7ff, %0A: _e_ [x](y) é\r\nnext'

PASSED = Check(
    name="parity.sqnr_db.min", limit=15.0, value=20.25, margin=5.25, verdict="pass", detail="output 'logits'"
)
MISSED = Check(
    name="task.top1_accuracy.max_drop",
    limit=0.01,
    value=0.02,
    margin=-0.01,
    verdict="fail",
    interval=(0.005, 0.035),
    detail=NASTY,
)
TORN = Check(
    name="parity.argmax_agreement.min", limit=0.97, value=0.97, margin=0.0, verdict="inconclusive", interval=(0.9, 1.0)
)
UNJUDGED = Check(name="latency.p50_ms.max", limit=20.0, value=None, margin=None, verdict="not-judged", detail="not run")
UNASKED = Check(name="task", limit=None, value=None, margin=None, verdict="not-judged", detail="not run")
TYPED = Check(name="model.input_type", limit="int8", value="float32", margin=None, verdict="fail")


def outcome(status: str, *checks: Check, overrides: tuple[str, ...] = ("seed=1",), number: int = 0) -> Outcome:
    return Outcome(
        recipe="digits",
        overrides=overrides,
        number=number,
        status=status,
        seconds=1.5,
        name="digits",
        version="1.0.0",
        build_key="f" * 64,
        output="/project/outputs/digits/1.0.0/ffffffffffff",
        checks=checks,
        measurement=MEASUREMENT,
    )


def failed(number: int = 0) -> Outcome:
    error = ConversionError(f"the converter refused {NASTY}", where="converter", fix="another scheme")
    return Outcome(recipe="digits", number=number, status="failed", seconds=2.0, failure=Failure.of(error))
