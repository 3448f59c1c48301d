"""Layers that 8-bit arithmetic can be simulated for: a model of them computes the same."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.built_models import script_of_models

pytestmark = pytest.mark.tensorflow

AS_DEPTHWISE = ("activated", "pooled", "added", "shared", "first", "scaled", "row_activated")
FOLDED = ("transposed", "row_dense")
LEFT = ("conv", "depthwise", "separable", "gated", "sequence_dense")


@pytest.fixture(scope="module")
def made() -> dict[str, list[dict[str, Any]]]:
    """By kind: with no layer kept, and with all of them."""
    found: dict[str, list[dict[str, Any]]] = json.loads(
        script_of_models("simulable_models", *AS_DEPTHWISE, *FOLDED, *LEFT, "swish", "clipped")
    )
    return found


def test_every_model_computes_the_same_and_its_original_is_left_alone(made: dict[str, list[dict[str, Any]]]) -> None:
    for kind, results in made.items():
        for result in results:
            assert result["error"] < 1e-5, kind
            assert result["untouched"], kind


@pytest.mark.parametrize("kind", AS_DEPTHWISE)
def test_a_product_and_a_sum_that_stand_alone_become_a_depthwise_convolution(
    made: dict[str, list[dict[str, Any]]], kind: str
) -> None:
    for result in made[kind]:
        assert result["layers"].count("DepthwiseConv2D") == 1
        assert not {"BatchNormalization", "Rescaling"}.intersection(result["layers"])


@pytest.mark.parametrize("kind", FOLDED)
def test_a_normalization_goes_into_the_product_before_it_unless_that_one_is_kept(
    made: dict[str, list[dict[str, Any]]], kind: str
) -> None:
    free, kept = (result["layers"] for result in made[kind])
    assert not {"BatchNormalization", "DepthwiseConv2D"}.intersection(free)
    assert kept.count("DepthwiseConv2D") == 1


@pytest.mark.parametrize("kind", ["conv", "depthwise", "separable"])
def test_a_normalization_behind_a_convolution_stays_for_the_package(
    made: dict[str, list[dict[str, Any]]], kind: str
) -> None:
    assert all("BatchNormalization" in result["layers"] for result in made[kind])


def test_a_normalization_of_sequences_stays_for_the_package_to_refuse(made: dict[str, list[dict[str, Any]]]) -> None:
    assert all(result["layers"].count("BatchNormalization") == 1 for result in made["sequence_dense"])


def test_a_dense_layer_of_images_becomes_a_convolution_unless_it_is_kept(
    made: dict[str, list[dict[str, Any]]],
) -> None:
    free, kept = (result["layers"] for result in made["gated"])
    assert (free.count("Dense"), kept.count("Dense")) == (1, 2)
    assert (free.count("Conv2D"), kept.count("Conv2D")) == (2, 1)


def test_an_activation_that_is_known_as_a_layer_alone_gets_one_of_its_own(
    made: dict[str, list[dict[str, Any]]],
) -> None:
    assert all("Activation" in result["layers"] for result in made["swish"])
    assert all("ReLU" in result["layers"] for result in made["clipped"])
