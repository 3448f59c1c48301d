"""What is said of a custom layer that is missing or can't be rebuilt, for files of both Kerases."""

from __future__ import annotations

import shutil
from pathlib import Path

import msgspec
import pytest

from recipekit.contracts import CustomLayersSpec
from recipekit.errors import CustomLayerError
from tests.conftest import RunStage
from tests.worker.float_sources import load, model

pytestmark = pytest.mark.tensorflow

FILES = {
    "scale.keras": ("keras", "Scale"),
    "scale.h5": ("keras", "Scale"),
    "legacy_scale.h5": ("tf_keras", "LegacyScale"),
}

PLAIN = "    def call(self, inputs): return inputs * 2.0"
FAULTS = {
    "no get_config": (
        "    def __init__(self, factor, gain, **kwargs): super().__init__(**kwargs)",
        "it has no get_config() of its own, so the file doesn't hold 'gain'",
        'return {**super().get_config(), "gain": self.gain}',
    ),
    "get_config leaves an argument out": (
        (
            "    def __init__(self, factor, gain, **kwargs): super().__init__(**kwargs)\n"
            "    def get_config(self): return super().get_config()"
        ),
        "its get_config() leaves out what __init__ takes: the file doesn't hold 'gain'",
        'return {**super().get_config(), "gain": self.gain}',
    ),
    "an argument that was renamed": (
        "    def __init__(self, gain=1.0, **kwargs): super().__init__(**kwargs)",
        "the file holds 'factor' for it, which its __init__ doesn't take",
        "let __init__ take 'factor'",
    ),
    "no keyword arguments": (
        "    def __init__(self, factor): super().__init__()",
        "its __init__ doesn't take 'name', which every layer has",
        "**kwargs",
    ),
    "a wrong argument in from_config": (
        (
            "    def __init__(self, factor, **kwargs): super().__init__(**kwargs)\n"
            "    @classmethod\n"
            "    def from_config(cls, config): return cls(config['alpha'])"
        ),
        "its from_config() raised KeyError: 'alpha'",
        "the file holds for it: dtype, factor, name, trainable",
    ),
    "build raises": (
        (
            "    def __init__(self, factor, **kwargs): super().__init__(**kwargs)\n"
            "    def build(self, shape): raise NotImplementedError('not yet')"
        ),
        "its build() raised",
        "correct build()",
    ),
}


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("fault", FAULTS)
def test_a_layer_that_cannot_be_rebuilt_is_named_with_its_fault_and_the_fix(
    run_stage: RunStage, float_models: Path, tmp_path: Path, file: str, fault: str
) -> None:
    package, name = FILES[file]
    body, what, fix = FAULTS[fault]
    (tmp_path / "own.py").write_text(f"import {package}\nclass {name}({package}.layers.Layer):\n{body}\n{PLAIN}\n")
    spec = model("keras", float_models / file, CustomLayersSpec(objects={name: "own.py:" + name}))
    with pytest.raises(CustomLayerError, match=f"the class '{name}' can't be rebuilt") as caught:
        load(run_stage, msgspec.structs.replace(spec, project_root=str(tmp_path)))
    assert what in caught.value.what
    assert fix in caught.value.fix


def test_a_configuration_without_super_is_told(run_stage: RunStage, float_models: Path, tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(
        "import keras\nclass Nameless(keras.layers.Layer):\n"
        f"    def __init__(self, factor, gain, **kwargs): super().__init__(**kwargs)\n{PLAIN}\n"
    )
    spec = model("keras", float_models / "nameless.keras", CustomLayersSpec(modules=("own.py",)))
    with pytest.raises(CustomLayerError, match=r"get_config\(\) doesn't include super\(\)\.get_config\(\)"):
        load(run_stage, msgspec.structs.replace(spec, project_root=str(tmp_path)))


@pytest.mark.parametrize("file", FILES)
def test_source_beside_the_model_is_suggested_with_the_line_that_loads_it(
    run_stage: RunStage, float_models: Path, tmp_path: Path, file: str
) -> None:
    package, name = FILES[file]
    (tmp_path / "models").mkdir()
    shutil.copyfile(float_models / file, tmp_path / "models" / file)
    (tmp_path / "models" / "broken.py").write_text("class :")
    (tmp_path / "models" / "own.py").write_text(
        f"import {package}\nclass {name}({package}.layers.Layer):\n"
        f"    def __init__(self, factor, **kwargs): super().__init__(**kwargs)\n{PLAIN}\n"
    )
    spec = msgspec.structs.replace(model("keras", tmp_path / "models" / file), project_root=str(tmp_path))
    with pytest.raises(CustomLayerError, match=f"'{name}' is not registered") as caught:
        load(run_stage, spec)
    assert "custom_layers: {modules: [models/own.py]}" in caught.value.fix
    assert f'objects: {{"{name}": "models/own.py:{name}"}}' in caught.value.fix
    found = msgspec.structs.replace(spec, custom_layers=CustomLayersSpec(modules=("models/own.py",)))
    assert f"own ({name})" in load(run_stage, found).layers_by_scope.values()


def test_a_name_that_is_nearly_registered_is_suggested(run_stage: RunStage, float_models: Path, tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(f"import keras\nclass Scales(keras.layers.Layer):\n{PLAIN}\n")
    spec = model("keras", float_models / "scale.keras", CustomLayersSpec(modules=("own.py",)))
    with pytest.raises(CustomLayerError, match="did you mean 'Scales'"):
        load(run_stage, msgspec.structs.replace(spec, project_root=str(tmp_path)))
