from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recipekit.contracts import Rule
from recipekit.errors import ConversionError
from recipekit.worker.census import OperatorSite, operators_of
from recipekit.worker.engines.rules import match_rules
from tests.models.built_flatbuffers import Graph, classifier, embedding, reshaped

SITES = [
    OperatorSite("CONV_2D", ("features/first",)),
    OperatorSite("CONV_2D", ("features/second",)),
    OperatorSite("SPLIT", ("left", "right")),
    OperatorSite("SOFTMAX", ("scores",)),
]
SCHEMES = st.sampled_from(["none", "int8", "dynamic_range"])
MATCHING = st.builds(
    Rule,
    op=st.sampled_from([None, "CONV_2D"]),
    name=st.sampled_from([None, "features/.*", "features/first"]),
    quantization=SCHEMES,
)


def test_operators_are_read_in_their_order_with_the_names_of_their_outputs() -> None:
    assert [(site.op, site.outputs) for site in operators_of(classifier())] == [
        ("FULLY_CONNECTED", ("hidden",)),
        ("FULLY_CONNECTED", ("logits",)),
        ("SOFTMAX", ("probabilities",)),
    ]


def test_an_operator_that_reads_a_shape_alone_does_not_compute_in_float() -> None:
    computed = {site.op: site.is_float for site in operators_of(classifier(between=reshaped))}
    assert computed == {"FULLY_CONNECTED": True, "SHAPE": False, "RESHAPE": True, "SOFTMAX": True}


def test_an_operator_between_integers_does_not_compute_in_float_for_its_constants() -> None:
    graph = Graph()
    table = graph.constant("table", np.ones((4, 2), np.float32))
    row = graph.add("GATHER", "row", [table, graph.input("id", (1,), "int32")], (1,), dtype="int32")
    assert [site.is_float for site in operators_of(graph.finish({"row": row}))] == [False]
    assert all(site.is_float for site in operators_of(embedding()))


def test_without_rules_no_operator_has_a_scheme_of_its_own() -> None:
    assert match_rules((), SITES) == [None] * len(SITES)


@given(st.lists(MATCHING, min_size=1), SCHEMES)
def test_the_last_rule_that_matches_wins(rules: list[Rule], scheme: str) -> None:
    before = match_rules(rules, SITES)
    after = match_rules([*rules, Rule(op="CONV_2D", quantization=scheme)], SITES)
    assert after == [scheme, scheme, *before[2:]]


@given(st.lists(MATCHING))
def test_a_rule_with_op_and_name_matches_where_both_do(rules: list[Rule]) -> None:
    for rule in rules:
        (found,) = {tuple(match_rules((rule,), SITES))}
        for site, winner in zip(SITES, found, strict=True):
            named = rule.name is None or any(re.fullmatch(rule.name, name) for name in site.outputs)
            assert (winner is not None) == (named and rule.op in (None, site.op))


def test_the_name_of_any_output_counts_and_only_as_a_whole() -> None:
    assert match_rules((Rule(name="right", quantization="none"),), SITES) == [None, None, "none", None]
    with pytest.raises(ConversionError, match="whole name matches 'righ'"):
        match_rules((Rule(name="righ", quantization="none"),), SITES)


def test_an_operator_that_the_model_lacks_is_told_with_the_nearest_and_all() -> None:
    with pytest.raises(ConversionError, match="no operator SOFTMX; did you mean 'SOFTMAX'") as caught:
        match_rules((Rule(op="CONV_2D", quantization="none"), Rule(op="SOFTMX", quantization="none")), SITES)
    assert caught.value.where == "converter.rules[1].match.op"
    assert caught.value.fix == "use one of CONV_2D, SOFTMAX, SPLIT"


def test_a_name_that_no_output_has_is_told_with_the_nearest_and_the_operators() -> None:
    with pytest.raises(ConversionError, match=r"no CONV_2D operator .* did you mean 'features/first'") as caught:
        match_rules((Rule(op="CONV_2D", name="featurs/first", quantization="none"),), SITES)
    assert caught.value.where == "converter.rules[0].match.name"
    for word in ("'features/first'", "'features/second'", "SOFTMAX", "SPLIT"):
        assert word in caught.value.fix


def test_a_name_that_is_no_regular_expression_is_told() -> None:
    with pytest.raises(ConversionError, match=r"'\(' is no regular expression") as caught:
        match_rules((Rule(name="(", quantization="none"),), SITES)
    assert caught.value.where == "converter.rules[0].match.name"
