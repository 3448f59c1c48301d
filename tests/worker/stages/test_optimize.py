"""Pruning, clustering and training of small models, and what the flatbuffers made of them hold."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter

from recipekit import digests
from recipekit.contracts import STAGES, EncodeRequest, Flatbuffer, LoadedModel, OptimizedModel, Record
from recipekit.errors import DatasetError, OptimizationError
from recipekit.pool import Pool
from recipekit.worker.census import take
from tests.built_models import script_of_models
from tests.conftest import RunStage
from tests.worker.float_sources import LAYERS as LAYERS_OF_PROJECT
from tests.worker.float_sources import dataset, load, model, reference, values
from tests.worker.optimized import confirm, finetune, lower, optimize, quantize_trained, weights
from tests.worker.recurrent_models import int8, recurrent

pytestmark = pytest.mark.tensorflow

LAYERS = ["stem", "mix", "hidden", "scores"]


def zeros(optimized: OptimizedModel) -> dict[str, float]:
    """Share of zeros by layer."""
    return {name.removesuffix("/kernel"): float(np.mean(array == 0)) for name, array in weights(optimized).items()}


@pytest.mark.parametrize("file", ["small.keras", "small.h5"])
def test_one_shot_pruning_sets_the_share_of_each_layer_to_zero_and_the_file_keeps_it(
    run_stage: RunStage, optimized_models: Path, file: str
) -> None:
    optimized = optimize(run_stage, model("keras", optimized_models / file), prune={"sparsity": 0.75})
    assert zeros(optimized) == dict.fromkeys(LAYERS, 0.75)
    confirmed = confirm(run_stage, optimized, lower(run_stage, optimized)).layers
    assert {layer.layer: layer.sparsity for layer in confirmed} == dict.fromkeys(LAYERS, 0.75)
    assert {layer.dtype for layer in confirmed} == {"float32"}


def test_pruning_leaves_the_loaded_model_as_it_was(run_stage: RunStage, optimized_models: Path, tmp_path: Path) -> None:
    spec = model("keras", optimized_models / "small.keras")
    samples = dataset(tmp_path / "one.npz", {"image": np.ones((1, 8, 8, 2), np.float32)})
    before = values(reference(run_stage, spec, load(run_stage, spec), samples))
    optimize(run_stage, spec, prune={"sparsity": 0.9})
    optimize(run_stage, spec, cluster={"clusters": 3})
    after = values(reference(run_stage, spec, load(run_stage, spec), samples))
    assert (after["scores"] == before["scores"]).all()


def test_layers_are_chosen_by_their_whole_name(run_stage: RunStage, optimized_models: Path) -> None:
    spec = model("keras", optimized_models / "small.keras")
    optimized = optimize(run_stage, spec, prune={"sparsity": 0.5, "layers": "mix|hid.*"})
    assert [promise.layer for promise in optimized.promises] == ["mix", "hidden"]
    with pytest.raises(OptimizationError, match="no layer with weights to change matches 'hid'") as caught:
        optimize(run_stage, spec, prune={"sparsity": 0.5, "layers": "hid"})
    assert "stem, mix, hidden, scores" in caught.value.fix


def test_pruning_with_training_grows_to_its_sparsity(run_stage: RunStage, optimized_models: Path) -> None:
    prune = {"sparsity": 0.5, "schedule": "polynomial", "finetune": finetune(optimized_models)}
    optimized = optimize(run_stage, model("keras", optimized_models / "small.keras"), prune=prune)
    assert zeros(optimized) == dict.fromkeys(LAYERS, 0.5)
    training = optimized.trainings["prune"]
    assert training.loss == "sparse_categorical_crossentropy"
    assert training.samples.count == 96
    assert len(training.losses) == 2
    assert training.losses[1] < training.losses[0]


def chain(run_stage: RunStage, folder: Path, loaded: LoadedModel | None = None) -> OptimizedModel:
    """All steps, on different layers: `stem` is only pruned, `scores` only clustered, the others are both."""
    training = finetune(folder, epochs=1)
    return optimize(
        run_stage,
        model("keras", folder / "small.keras"),
        loaded,
        prune={"sparsity": 0.5, "layers": "stem|mix|hidden"},
        cluster={"clusters": 6, "layers": "mix|hidden|scores", "finetune": training},
        quantization_aware_training={"finetune": training},
    )


@pytest.fixture(scope="module")
def chained(run_stage: RunStage, optimized_models: Path) -> tuple[OptimizedModel, Flatbuffer]:
    optimized = chain(run_stage, optimized_models)
    return optimized, quantize_trained(run_stage, optimized)


def test_the_chain_keeps_zeros_and_clusters_down_to_the_integers_of_the_file(
    run_stage: RunStage, chained: tuple[OptimizedModel, Flatbuffer]
) -> None:
    optimized, flatbuffer = chained
    assert [layer for layer, share in zeros(optimized).items() if share >= 0.5] == ["stem", "mix", "hidden"]
    assert [len(np.unique(weights(optimized)[f"{layer}/kernel"])) for layer in ("mix", "hidden", "scores")] == [6, 6, 6]
    confirmed = {layer.layer: layer for layer in confirm(run_stage, optimized, flatbuffer).layers}
    assert {layer.dtype for layer in confirmed.values()} == {"int8"}
    assert all(confirmed[layer].sparsity >= 0.5 for layer in ("stem", "mix", "hidden"))
    assert all(confirmed[layer].distinct_values_per_channel <= 6 for layer in ("mix", "hidden", "scores"))
    assert confirmed["scores"].promised_sparsity is None
    assert confirmed["stem"].promised_clusters is None


def test_the_same_steps_give_the_same_bytes_in_a_fresh_process_that_has_not_loaded_the_model(
    run_stage: RunStage, chained: tuple[OptimizedModel, Flatbuffer], optimized_models: Path, tmp_path: Path
) -> None:
    spec = model("keras", optimized_models / "small.keras")
    loaded = load(run_stage, spec)
    pruned = lower(run_stage, optimize(run_stage, spec, loaded, prune={"sparsity": 0.5}))
    counter = itertools.count()
    with Pool() as fresh:

        def run(name: str, request: Record) -> Any:
            return fresh.run(STAGES[name], request, tmp_path / str(next(counter))).record

        again = chain(run, optimized_models, loaded)
        assert lower(run, optimize(run, spec, loaded, prune={"sparsity": 0.5})).sha256 == pruned.sha256
        assert quantize_trained(run, again).sha256 == chained[1].sha256
    assert again.trainings["cluster"].losses == chained[0].trainings["cluster"].losses


def test_the_scales_of_the_file_are_the_trained_ranges(chained: tuple[OptimizedModel, Flatbuffer]) -> None:
    optimized, flatbuffer = chained
    ranges = json.loads(script_of_models("trained_ranges", optimized.loaded.saved_model))
    interpreter = Interpreter(model_path=flatbuffer.path)
    (image,) = interpreter.get_input_details()
    (signature,) = interpreter.get_signature_list().values()
    assert (signature["inputs"], signature["outputs"], image["dtype"]) == (["image"], ["scores"], np.int8)
    scales = np.concatenate(
        [tensor["quantization_parameters"]["scales"] for tensor in interpreter.get_tensor_details()]
    )
    for name in ("quantize_layer/quantize_layer", "quant_hidden/post_activation", "quant_stem_relu/output"):
        trained = (ranges[f"{name}_max"][0] - ranges[f"{name}_min"][0]) / 255
        assert np.abs(scales / trained - 1).min() < 1e-5, name
    trained = ranges["quant_hidden/kernel_max"][0] / 127
    assert np.abs(scales / trained - 1).min() < 1e-5


def test_sparse_weights_make_a_float_file_smaller_and_read_back_as_they_were(
    run_stage: RunStage, optimized_models: Path
) -> None:
    spec = model("keras", optimized_models / "small.keras")
    optimized = optimize(run_stage, spec, prune={"sparsity": 0.8})
    dense = lower(run_stage, optimized)
    encoded: Flatbuffer = run_stage("encode", EncodeRequest(flatbuffer=dense.path))
    assert encoded.size < dense.size
    before, after = (confirm(run_stage, optimized, file).layers for file in (dense, encoded))
    assert any(layer.encoded for layer in after)
    assert [(layer.layer, layer.sparsity, layer.distinct_values) for layer in before] == [
        (layer.layer, layer.sparsity, layer.distinct_values) for layer in after
    ]


def test_a_file_that_does_not_keep_its_zeros_is_refused_with_the_layer(
    run_stage: RunStage, optimized_models: Path
) -> None:
    spec = model("keras", optimized_models / "small.keras")
    little = optimize(run_stage, spec, prune={"sparsity": 0.1})
    much = optimize(run_stage, spec, prune={"sparsity": 0.2})
    with pytest.raises(OptimizationError, match=r"layer 'stem': 9\.\d% of its weights are zero, not 20\.0%"):
        confirm(run_stage, much, lower(run_stage, little))


def test_a_model_with_branches_is_carried_over_whole(run_stage: RunStage, optimized_models: Path) -> None:
    spec = model("keras", optimized_models / "branched.keras")
    optimized = optimize(run_stage, spec, cluster={"clusters": 4})
    assert [promise.layer for promise in optimized.promises] == ["shared", "inner_dense", "tail_dense", "first"]
    assert {output.name for output in optimized.loaded.signature.outputs} == {"first", "second"}
    assert {tensor.name for tensor in optimized.loaded.signature.inputs} == {"zeta", "alpha"}
    confirm(run_stage, optimized, lower(run_stage, optimized))


def test_a_model_of_tf_keras_is_copied(run_stage: RunStage, optimized_models: Path) -> None:
    optimized = optimize(run_stage, model("keras", optimized_models / "small.h5"), cluster={"clusters": 4})
    layers = confirm(run_stage, optimized, lower(run_stage, optimized)).layers
    assert [layer.layer for layer in layers] == LAYERS
    assert max(layer.distinct_values_per_channel for layer in layers) <= 4


def test_a_layer_that_tf_keras_lacks_is_refused_and_one_shot_pruning_offered(
    run_stage: RunStage, optimized_models: Path
) -> None:
    spec = model("keras", optimized_models / "own_layer.keras", LAYERS_OF_PROJECT)
    with pytest.raises(OptimizationError, match=r"can't be carried over to tf_keras.*'doubled' \(Scale\)") as caught:
        optimize(run_stage, spec, cluster={"clusters": 4})
    assert "works on any Keras model" in caught.value.fix
    (promise,) = optimize(run_stage, spec, prune={"sparsity": 0.5}).promises
    assert promise.layer == "dense"


def test_a_model_without_keras_layers_is_refused(run_stage: RunStage) -> None:
    with pytest.raises(OptimizationError, match="gives no Keras model"):
        optimize(run_stage, model("python", factory="factories.py:holder"), prune={"sparsity": 0.5})


def test_a_training_without_labels_is_refused_with_the_sample(
    run_stage: RunStage, optimized_models: Path, tmp_path: Path
) -> None:
    unlabelled = dataset(tmp_path / "train.npz", {"image": np.zeros((4, 8, 8, 2), np.float32)})
    training = finetune(optimized_models, dataset=unlabelled)
    with pytest.raises(DatasetError, match="has no label"):
        optimize(
            run_stage,
            model("keras", optimized_models / "small.keras"),
            prune={"sparsity": 0.5, "finetune": training},
        )


@pytest.mark.parametrize(
    ("changes", "how"),
    [
        ({"optimizer": "sgd", "learning_rate": 1e30}, "its loss is"),  # and more, on some processors
        ({"optimizer": "rmsprop", "learning_rate": 1e38, "epochs": 1, "batch_size": 1000}, "no longer finite"),
    ],
    ids=["in many steps", "in the last step"],
)
def test_a_training_that_diverges_says_so(
    run_stage: RunStage, optimized_models: Path, changes: dict[str, Any], how: str
) -> None:
    training = finetune(optimized_models, **changes)
    with pytest.raises(OptimizationError, match=f"the training diverged: .*{how}") as caught:
        optimize(
            run_stage, model("keras", optimized_models / "small.keras"), prune={"sparsity": 0.5, "finetune": training}
        )
    assert "learning_rate" in caught.value.fix


# --- several outputs ------------------------------------------------------------------------------------------------


def two_labels(folder: Path, **changes: Any) -> dict[str, Any]:
    """A training of `branched.keras` on labels of both outputs: a class and values."""
    plain = finetune(folder, **changes)
    params = {"path": str(folder / "several.npz"), "label_key": {"first": "kind", "second": "values"}}
    return {"learning_rate": 1e-3, **plain, "dataset": {**plain["dataset"], "params": params}}


def test_each_output_that_has_labels_gets_the_loss_that_suits_them(run_stage: RunStage, optimized_models: Path) -> None:
    spec = model("keras", optimized_models / "branched.keras")
    training = two_labels(optimized_models)
    optimized = optimize(
        run_stage,
        spec,
        prune={"sparsity": 0.5, "finetune": training},
        cluster={"clusters": 4, "finetune": training},
        quantization_aware_training={"finetune": training},
    )
    runs = optimized.trainings
    assert {run.loss for run in runs.values()} == {"second: mean_squared_error, first: sparse_categorical_crossentropy"}
    assert all(run.losses[-1] < run.losses[0] for run in runs.values())
    confirmed = confirm(run_stage, optimized, quantize_trained(run_stage, optimized)).layers
    assert {layer.dtype for layer in confirmed} == {"int8"}
    assert all(layer.sparsity >= 0.5 and layer.distinct_values_per_channel <= 4 for layer in confirmed)


def test_an_output_without_a_loss_is_not_trained(run_stage: RunStage, optimized_models: Path) -> None:
    spec = model("keras", optimized_models / "branched.keras")
    training = two_labels(optimized_models, loss={"first": "auto"})
    optimized = optimize(run_stage, spec, prune={"sparsity": 0.5, "finetune": training})
    assert optimized.trainings["prune"].loss == "first: sparse_categorical_crossentropy"


@pytest.mark.parametrize(
    ("change", "label_key", "error", "said"),
    [
        ({"loss": {"frist": "auto"}}, None, OptimizationError, "no output 'frist'; did you mean 'first'"),
        ({}, "kind", DatasetError, "has one label, and the model 2 outputs: second, first"),
        ({}, {"thrid": "kind"}, DatasetError, "has a label for 'thrid', which is no output"),
        ({"loss": {"second": "auto"}}, {"first": "kind"}, DatasetError, "has no label for 'second', which is trained"),
    ],
)
def test_labels_and_losses_that_do_not_fit_the_outputs_are_refused_by_name(
    run_stage: RunStage,
    optimized_models: Path,
    tmp_path: Path,
    change: dict[str, Any],
    label_key: str | dict[str, str] | None,
    error: type[Exception],
    said: str,
) -> None:
    training = two_labels(optimized_models, **change)
    if label_key is not None:
        ones = np.ones((4, 6), np.float32)
        np.savez(tmp_path / "one.npz", zeta=ones, alpha=ones, kind=np.arange(4) % 3)
        training["dataset"]["params"] = {"path": str(tmp_path / "one.npz"), "label_key": label_key}
    with pytest.raises(error, match=said):
        optimize(
            run_stage,
            model("keras", optimized_models / "branched.keras"),
            prune={"sparsity": 0.5, "finetune": training},
        )


# --- recurrent layers -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("package", "layer", "steps", "fused"),
    [
        ("keras", "LSTM", {"prune": {"sparsity": 0.5}}, False),
        ("keras", "GRU", {"cluster": {"clusters": 4}}, False),
        ("keras", "LSTM", {"cluster": {"clusters": 4}}, True),
        ("tf_keras", "SimpleRNN", {"prune": {"sparsity": 0.5}, "cluster": {"clusters": 3}}, False),
    ],
)
def test_an_optimized_recurrent_model_becomes_integers(
    run_stage: RunStage, tmp_path: Path, package: str, layer: str, steps: dict[str, Any], fused: bool
) -> None:
    spec = recurrent(package, layer)
    optimized = optimize(run_stage, spec, unroll=True, **steps)
    assert ("(memory) are unrolled, with the same weights" in optimized.loaded.reason) is not fused
    file = int8(run_stage, optimized.loaded, tmp_path)
    census = take(file)
    assert (census.float_ops, census.subgraphs) == (0, 1)
    data = file.read_bytes()
    (confirmed,) = confirm(
        run_stage, optimized, Flatbuffer(path=str(file), sha256=digests.of_bytes(data), size=len(data))
    ).layers
    assert (confirmed.layer, confirmed.dtype) == ("scores", "int8")


def test_an_optimized_recurrent_model_keeps_its_loop_where_nothing_is_calibrated(run_stage: RunStage) -> None:
    optimized = optimize(run_stage, recurrent("keras", "GRU"), prune={"sparsity": 0.5})
    assert optimized.loaded.signature.inputs[0].shape == (1, 5, 3)
    assert take(Path(lower(run_stage, optimized).path)).subgraphs > 1


def test_training_for_quantization_of_a_recurrent_layer_is_refused_with_the_way_to_integers(
    run_stage: RunStage, tmp_path: Path
) -> None:
    draw = np.random.default_rng(0)
    samples = dataset(tmp_path / "train.npz", {"sequence": draw.normal(size=(8, 5, 3)), "labels": np.arange(8) % 2})
    training = finetune(tmp_path, dataset=samples)
    with pytest.raises(OptimizationError, match=r"no 8-bit scheme for memory \(GRU\)") as caught:
        optimize(run_stage, recurrent("keras", "GRU"), quantization_aware_training={"finetune": training})
    assert "`quantization: int8` then takes its ranges from `representative_dataset`" in caught.value.fix


def _trained(
    run_stage: RunStage, folder: Path, kind: str, package: str = "keras", *, sequential: bool = False
) -> OptimizedModel:
    """An ordinary network of the test project, trained for quantization with labels that it gives itself."""
    draw = np.random.default_rng(0)
    x = draw.normal(size=(32, 6) if kind.startswith("row") else (32, 8, 8, 2)).astype(np.float32)
    samples = dataset(folder / "train.npz", {"x": x, "labels": np.arange(32) % 4})
    training = finetune(folder, dataset=samples, epochs=1, learning_rate=1e-4)
    kwargs = {"kind": kind, "package": package, "sequential": sequential}
    spec = model("python", factory="topologies.py:model", kwargs=kwargs)
    return optimize(run_stage, spec, quantization_aware_training={"finetune": training})


@pytest.mark.parametrize(
    ("kind", "package", "sequential"),
    [
        ("separable", "keras", False),
        ("transposed", "keras", False),
        ("activated", "keras", True),
        ("added", "tf_keras", False),
        ("shared", "keras", False),
        ("scaled", "keras", True),
        ("gated", "keras", False),
        ("swish", "keras", False),
        ("clipped", "keras", False),
        ("row_dense", "tf_keras", True),
        ("row_activated", "keras", False),
    ],
)
def test_ordinary_networks_train_for_integers_alone_wherever_their_normalizations_stand(
    run_stage: RunStage, tmp_path: Path, kind: str, package: str, sequential: bool
) -> None:
    optimized = _trained(run_stage, tmp_path, kind, package, sequential=sequential)
    assert take(Path(quantize_trained(run_stage, optimized).path)).float_ops == 0


def test_layers_without_a_scheme_for_training_are_all_named_with_what_to_do(
    run_stage: RunStage, tmp_path: Path
) -> None:
    words = r"no 8-bit scheme for evened \(LayerNormalization\), slopes \(PReLU\), bent \(Conv2D with elu\)\n"
    with pytest.raises(OptimizationError, match=words) as caught:
        _trained(run_stage, tmp_path, "slopes")
    assert "docs/optimize.md" in caught.value.fix
