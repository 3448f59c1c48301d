from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

import recipekit
from recipekit.acceptance import BOUNDS, METRICS, SHARES, Acceptance, Bound, ModelIntent
from recipekit.contracts import Latency, Parity, TargetReport

SCHEMA = json.loads((Path(recipekit.__file__).parent / "schema" / "recipe.schema.json").read_text("utf-8"))
SECTIONS: dict[str, Any] = SCHEMA["properties"]["acceptance"]["properties"]


def test_the_schema_lets_a_recipe_bound_what_the_gate_knows() -> None:
    assert {section: tuple(SECTIONS[section]["properties"]) for section in METRICS} == METRICS
    bounds = {section: SECTIONS[section]["properties"].values() for section in METRICS}
    bounds["task"] = [SECTIONS["task"]["additionalProperties"]]
    bounds["model"] = [SECTIONS["model"]["properties"]["float_ops"]]
    assert bounds.keys() == BOUNDS.keys()
    for section, kinds in BOUNDS.items():
        assert all(tuple(bound["properties"]) == kinds for bound in bounds[section])


def test_every_metric_with_a_fixed_name_is_a_field_of_what_is_measured() -> None:
    assert set(METRICS["parity"]) == {*Parity.__struct_fields__} - {"agreeing", "rows"}
    assert set(METRICS["latency"]) == {*Latency.__struct_fields__, "ratio"}
    assert all(hasattr(TargetReport, metric) for metric in METRICS["target"])
    assert set(SHARES) <= set(METRICS["target"])


def test_limits_are_those_that_are_set() -> None:
    assert Bound(max_drop=0.0, min=0.5).limits() == {"min": 0.5, "max_drop": 0.0}
    assert Bound().limits() == {}


def test_a_section_of_a_recipe_becomes_the_record() -> None:
    section = {"size": {"bytes": {"max": 700_000}}, "model": {"input_type": "int8", "float_ops": {"max": 0}}}
    assert msgspec.convert(section, Acceptance) == Acceptance(
        size={"bytes": Bound(max=700_000.0)}, model=ModelIntent(input_type="int8", float_ops=Bound(max=0.0))
    )


@pytest.mark.parametrize("section", [{"parity": {"rmse": {"maximum": 1}}}, {"on_inconclusive": "ignore"}])
def test_a_word_that_does_not_exist_is_refused(section: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(section, Acceptance)
