"""A description says of a model what its loader will find, and runs nothing of it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from recipekit.contracts import (
    DESCRIBE,
    CustomLayersSpec,
    DescribeRequest,
    Description,
    ForeignPart,
    LoadedModel,
    LoadRequest,
    ModelSpec,
    SourceSpec,
    TensorSpec,
)
from recipekit.errors import RecipekitError, SourceError, StageDied
from recipekit.pool import Pool
from tests.built_models import built_once
from tests.conftest import RunStage
from tests.untrusted.mutations import mutations

pytestmark = [pytest.mark.tensorflow, pytest.mark.slow]

LOADABLE = ("photo.keras", "photo.h5", "table.keras", "wave.keras", "two.keras", "old.h5", "old.keras", "photo", "old")
"""Models that a recipe with nothing but `source.path` loads."""


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built_once("first_models", tmp_path_factory)


def describe(pool: Pool, path: Path, folder: Path) -> Description:
    kind = "saved_model" if path.is_dir() else "keras"
    stage = DESCRIBE.on("tensorflow") if kind == "saved_model" else DESCRIBE
    record = pool.run(stage, DescribeRequest(path=str(path), kind=kind), folder).record
    assert isinstance(record, Description)
    return record


def sizes(tensor: TensorSpec) -> tuple[int, ...]:
    return tuple(-1 if size is None else size for size in tensor.shape)


@pytest.mark.parametrize("name", LOADABLE)
def test_a_description_agrees_with_what_the_loader_finds(
    pool: Pool, run_stage: RunStage, models: Path, tmp_path: Path, name: str
) -> None:
    described = describe(pool, models / name, tmp_path / "describe")
    source = SourceSpec(kind=described.kind, path=str(models / name))
    spec = ModelSpec(source=source, custom_layers=CustomLayersSpec(), project_root=str(models), seed=0)
    loaded: LoadedModel = run_stage("load", LoadRequest(model=spec))
    found = {tensor.name: (tensor.dtype, tensor.shape) for tensor in described.signature.inputs}
    assert found == {tensor.name: (tensor.dtype, sizes(tensor)) for tensor in loaded.signature.inputs}
    shapes = {tensor.name: sizes(tensor) for tensor in loaded.signature.outputs}
    assert {tensor.name for tensor in described.signature.outputs} == shapes.keys()
    assert all(it.shape in {None, shapes[it.name]} for it in described.signature.outputs)
    assert described.parameters == loaded.parameters
    assert sum(layer.parameters for layer in described.layers) == loaded.parameters
    assert described.bytes == 4 * described.parameters
    loader = {"keras2": "tf_keras"}.get(described.loader, described.loader)
    assert loader == loaded.loader
    told = [(it.input, it.name, it.kind, it.scale, it.offset) for it in described.scaling]
    assert told == [(it.input, it.name, it.kind, it.scale, it.offset) for it in loaded.first_layers]


def test_what_a_recipe_must_speak_of_is_told(pool: Pool, models: Path, tmp_path: Path) -> None:
    custom = describe(pool, models / "custom.keras", tmp_path / "custom")
    assert custom.unknown == (ForeignPart(name="shop>Step", path=custom.unknown[0].path),)
    assert custom.unknown[0].path.endswith("/step")
    assert custom.unsafe == ()
    unsafe = describe(pool, models / "lambda.keras", tmp_path / "lambda").unsafe
    assert [(part.name, part.what) for part in unsafe] == [
        ("Lambda", "a Lambda layer, which runs code that the file carries")
    ]
    net = describe(pool, models / "net.keras", tmp_path / "net")
    assert [(it.name, it.shape) for it in net.signature.inputs] == [("", (-1, 7))]
    assert net.unknown[0].name == "Net"
    text = describe(pool, models / "text.keras", tmp_path / "text")
    assert (text.recurrent, text.task) == (("lstm",), "classification")
    assert text.signature.inputs[0].shape == (-1, -1)


def test_a_graph_is_counted_behind_its_signatures_alone(pool: Pool, models: Path, tmp_path: Path) -> None:
    module = describe(pool, models / "module", tmp_path / "module")
    assert [signature.key for signature in module.signatures] == ["serving_default", "double"]
    assert module.operators == {"Erf": 1, "MatMul": 1, "Mul": 1}
    assert module.needs_select_tf_ops == ("Erf",)
    assert (module.parameters, module.bytes) == (8, 32)
    photo = describe(pool, models / "photo", tmp_path / "photo")
    assert photo.operators["Conv2D"] == photo.operators["Softmax"] == 1
    assert not {"SaveV2", "RestoreV2"} & photo.operators.keys()
    assert photo.task == "classification"


def test_a_damaged_file_costs_no_more_than_a_worker(pool: Pool, models: Path, tmp_path: Path) -> None:
    ends: list[type] = []
    for name in ("photo.keras", "old.h5"):
        for number, damaged in enumerate(mutations((models / name).read_bytes(), 60, 7)):
            path = tmp_path / f"{number}{name}"
            path.write_bytes(damaged)
            end = outcome(pool, path, tmp_path / f"d{number}{name}")
            ends.append(type(end))
            if isinstance(end, RecipekitError):
                assert end.exit_code == 5
                assert end.fix
    assert set(ends) <= {Description, SourceError, StageDied}
    assert ends.count(SourceError) > 40
    assert ends.count(StageDied) < 3


def outcome(pool: Pool, path: Path, folder: Path) -> Description | RecipekitError:
    try:
        return describe(pool, path, folder)
    except RecipekitError as error:
        return error


def test_reading_a_keras_file_imports_no_keras(models: Path, tmp_path: Path) -> None:
    with Pool() as fresh:
        describe(fresh, models / "custom.keras", tmp_path / "first")
        assert fresh.pid("tensorflow") is None
    assert "keras" not in sys.modules
