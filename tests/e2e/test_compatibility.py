"""Networks of every kind in every quantization: what recipekit makes of them, and whether the document says so."""

from __future__ import annotations

import shutil
from collections import defaultdict
from pathlib import Path

import msgspec
import pytest

from recipekit.outcome import Outcome
from tests.compatibility_table import MODES, cell, differences, on_disk, write
from tests.e2e.conftest import recipekit
from tests.models.networks.kinds.catalogue import NETWORKS

pytestmark = [pytest.mark.tensorflow, pytest.mark.slow]

PROJECT = Path(__file__).parents[1] / "models" / "networks"
TITLES = {name: network.title for name, network in NETWORKS.items()}
PARITY_DB = 90.0

UNSUPPORTED = {
    "table_lookup": "lacks HashTableV2, LookupTableFindV2 +1",
    "hashing": "lacks AsString, StringToHashBucketFast",
}
"""Networks that TensorFlow Lite has no operators for."""

Outcomes = dict[str, dict[str, Outcome]]


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> Outcomes:
    """Every network in every mode, by one sweep."""
    folder = Path(shutil.copytree(PROJECT, tmp_path_factory.mktemp("networks") / "project"))
    grid = [f"source.kwargs.network={','.join(NETWORKS)}", f"converter={','.join(MODES)}"]
    recipekit(folder, ["run", "-m", "recipe=network", *grid])
    found: Outcomes = defaultdict(dict)
    for path in folder.glob("outputs/sweeps/*/*/outcome.json"):
        outcome = msgspec.json.decode(path.read_bytes(), type=Outcome)
        chosen = dict(override.split("=", 1) for override in outcome.overrides)
        found[chosen["source.kwargs.network"]][chosen["converter"]] = outcome
    return found


def test_the_document_says_what_was_measured(outcomes: Outcomes, update_goldens: bool) -> None:
    table = {network: {mode: cell(mode, outcomes[network][mode]) for mode in MODES} for network in NETWORKS}
    if update_goldens:
        write(table, TITLES)
    assert list(differences(table, on_disk(TITLES))) == []


def test_the_float32_conversion_computes_what_the_float_model_does(outcomes: Outcomes) -> None:
    for network in NETWORKS.keys() - UNSUPPORTED:
        measured = outcomes[network]["none"].sqnr_db
        assert measured is not None, outcomes[network]["none"].failure
        assert measured >= PARITY_DB, f"{network}: {measured:.1f} dB"


def test_what_tensorflow_lite_lacks_is_said_in_each_mode(outcomes: Outcomes) -> None:
    for network, words in UNSUPPORTED.items():
        assert {cell(mode, outcomes[network][mode]) for mode in MODES} == {words}


def test_a_failed_conversion_is_a_typed_error_with_a_way_out(outcomes: Outcomes) -> None:
    for network, by_mode in outcomes.items():
        for mode, outcome in by_mode.items():
            if outcome.failure is not None:
                assert outcome.failure.exit_code == 4, f"{network}, {mode}: {outcome.failure}"
                assert outcome.failure.fix, f"{network}, {mode}: {outcome.failure}"


@pytest.mark.parametrize(
    ("network", "layer", "became"),
    [
        ("mlp", "batch_normalization", ("folded", "dense", {})),
        ("mlp", "re_lu", ("fused", "dense", {})),
        ("mlp", "dropout", ("removed", "", {})),
        ("mlp", "dense_2", ("kept", "", {"FULLY_CONNECTED": 1, "SOFTMAX": 1})),
        ("convolutions", "conv2d_1", ("kept", "", {"CONV_2D": 1})),
        ("convolutions", "batch_normalization_1", ("folded", "conv2d_1", {})),
        ("convolutions", "activation_1", ("fused", "conv2d_1", {})),
        ("grouped", "conv2d_1", ("kept", "", {"CONV_2D": 1})),
        ("grouped", "batch_normalization_1", ("folded", "conv2d_1", {})),
        ("separable", "batch_normalization", ("kept", "", {"MUL": 1, "ADD": 1})),
        ("several_ends", "value", ("kept", "", {"FULLY_CONNECTED": 1})),
        ("keras2_lstm", "lstm", ("kept", "", {"UNIDIRECTIONAL_SEQUENCE_LSTM": 1})),
        ("keras2_convolutions", "batch_normalization", ("folded", "conv2d", {})),
    ],
)
def test_the_results_say_what_became_of_each_layer(
    outcomes: Outcomes, network: str, layer: str, became: tuple[str, str, dict[str, int]]
) -> None:
    results = msgspec.json.decode(Path(outcomes[network]["int8"].output, "results.json").read_bytes())
    entry = next(entry for entry in results["layers"] if entry["name"] == layer)
    assert (entry["fate"], entry["into"], entry["operators"]) == became


def test_no_layer_with_weights_is_lost(outcomes: Outcomes) -> None:
    unnamed = []
    for network in NETWORKS.keys() - UNSUPPORTED:
        results = msgspec.json.decode(Path(outcomes[network]["none"].output, "results.json").read_bytes())
        kinds = {entry["kind"] for entry in results["layers"] if entry["fate"] == "removed"}
        assert kinds <= {"Activation", "Dropout", "Permute"}, network
        unnamed += [(network, entry["name"]) for entry in results["layers"] if entry["fate"] == "unnamed"]
    assert unnamed == [("keras2_gru", "gru")]  # tf_keras puts its loop into a function without a scope


def test_every_recurrent_network_of_keras_becomes_integers(outcomes: Outcomes) -> None:
    recurrent = [name for name, outcome in outcomes.items() if "RNN" in TITLES[name] or "LSTM" in TITLES[name]]
    assert len(recurrent) >= 8
    for network in recurrent:
        outcome = outcomes[network]["int8"]
        assert outcome.sqnr_db is not None, f"{network}: {outcome.failure}"
        assert outcome.sqnr_db > 20
        assert outcome.measurement is not None
        assert outcome.measurement.census.float_ops == 0
        assert outcomes[network]["ai_edge_int8_float_fallback"].sqnr_db is not None
