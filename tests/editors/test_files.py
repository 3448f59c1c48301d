"""Schemas for editors take every real file of a project, refuse wrong ones at their place, and know the project."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema_rs import Draft7Validator, meta

from recipekit.compose.reach import GROUPS
from recipekit.editors.files import editor_schemas, editor_settings
from recipekit.project import Project
from recipekit.schema import Part
from tests.recipe_projects import write_project

ROOT = Path(__file__).resolve().parents[2]

PLUGIN = """
from recipekit.registry import register
from recipekit import registry

@register("datasets", "two_clouds")
class TwoClouds: ...

@registry.register("metrics", "within")
class Within: ...

raise SystemExit("nobody runs this")
"""

FILES: dict[str, str | bytes] = {
    "digits.yaml": "representative_dataset: {plugin: two_clouds, modules: [plugins/two_clouds.py]}\n",
    "converter/mine.yaml": "quantization: int8\n",
    "boards/m4.yaml": "# @package _global_\nseed: 4\n",
}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    root = tmp_path_factory.mktemp("editors")
    (root / "plugins").mkdir()
    (root / "plugins" / "two_clouds.py").write_text(PLUGIN)
    return write_project(root, FILES)


@pytest.fixture(scope="module")
def schemas(project: Project) -> dict[str, Part]:
    return editor_schemas(project)


def faults(schema: Part, text: str) -> list[str]:
    """Key paths of what a schema finds wrong, an unknown key as the mapping that holds it."""
    errors = Draft7Validator(schema).iter_errors(yaml.safe_load(text))
    return sorted({".".join(map(str, error.instance_path)) for error in errors})


def test_each_is_a_schema_of_draft_7(schemas: dict[str, Part]) -> None:
    assert schemas.keys() == {"recipe", *GROUPS}
    for schema in schemas.values():
        meta.validate(schema)
        assert schema["$schema"] == "http://json-schema.org/draft-07/schema#"


SHIPPED = Project(root=ROOT, recipes=ROOT / "recipes", outputs=ROOT / "outputs")
REAL = [
    *(ROOT / "recipes").rglob("*.yaml"),
    *(ROOT / "recipekit" / "presets").glob("*/*.yaml"),
    *(path for path in (ROOT / "tests").rglob("recipes/**/*.yaml") if "third_party" not in path.parts),  # not installed
]


@pytest.fixture(scope="module")
def shipped() -> dict[str, Part]:
    return editor_schemas(SHIPPED)


@cache
def schemas_beside(recipes: Path) -> dict[str, Part]:
    """Of a project that is a recipes folder and, behind it, the shipped one."""
    elsewhere = Project(root=recipes.parent, recipes=recipes, outputs=recipes.parent / "outputs")
    return editor_schemas(elsewhere.with_config_dir(SHIPPED.recipes))


@pytest.mark.parametrize("file", REAL, ids=[path.relative_to(ROOT).as_posix() for path in REAL])
def test_a_real_file_has_no_fault(file: Path, shipped: dict[str, Part]) -> None:
    group = file.parent.name if file.parent.name in GROUPS else "recipe"
    schemas = shipped
    if (ROOT / "tests") in file.parents:
        schemas = schemas_beside(next(parent for parent in file.parents if parent.name == "recipes"))
    assert faults(schemas[group], file.read_text()) == []


BROKEN = ROOT / "tests" / "broken_recipes"
IN_ONE_FILE = {
    "bound_not_a_number": None,
    "bounds_cross": None,
    "duplicate_key": None,
    "interpolation_cycle": None,
    "latin1": None,
    "yaml_syntax": None,
    "unknown_key": "converter",
    "unknown_section": "",
    "unknown_choice": "converter.quantization",
    "unknown_plugin": "evaluation.dataset.plugin",
    "unknown_metric": "evaluation.metrics",
    "wrong_type": "evaluation.dataset.samples",
    "name_became_a_boolean": "name",
    "version_not_quoted": "version",
    "name_escapes": "name",
    "missing_option": "defaults.0",
    "hydra_key": "hydra",
    "sparsity_of_all": "optimize.prune.sparsity",
    "replacement_without_an_object": "custom_layers.replace.Erf",
    "unknown_algorithm": "converter.algorithm",
    "several_faults": "acceptance.latency",
}
"""Broken recipes with the place that an editor marks; None where YAML or composition alone can tell."""


@pytest.mark.parametrize(
    ("recipe", "place"), [(name, place) for name, place in IN_ONE_FILE.items() if place is not None]
)
def test_what_is_wrong_in_one_file_is_marked_there(recipe: str, place: str, shipped: dict[str, Part]) -> None:
    assert place in faults(shipped["recipe"], (BROKEN / f"{recipe}.yaml").read_text())


@pytest.mark.parametrize(
    "text",
    [
        "seed: ${oc.env:SEED}\nname: ${project}_int8\nversion: ???",
        "converter: ${other}\nevaluation: {dataset: '${representative_dataset}', metrics: '${metrics}'}",
        "acceptance: {parity: {sqnr_db: {min: '${floor}'}}, confidence: '${level}'}",
        "converter: {quantization: '${scheme}', supported_ops: ['${ops}'], allow_custom_ops: '${keep}'}",
        "source: {sha256: '${digest}', input_shapes: {x: ['${batch}', 8]}}",
        "hydra: {mode: MULTIRUN, sweeper: {params: {converter: 'int8,float16', seed: 'range(3)'}}}",
        "defaults: ['${which}', /converter: '${scheme}', /boards: m4, optional /acceptance: x, /converter@c: int8]",
        "evaluation: {metrics: {'metric.py:Odd': {}, 'encode/f1': {}}, dataset: {plugin: own, modules: [own.py]}}",
    ],
)
def test_what_comes_later_may_stand_anywhere(text: str, schemas: dict[str, Part]) -> None:
    assert faults(schemas["recipe"], text) == []


@pytest.mark.parametrize(
    "text", ["{}", "converter: {granularity: per_tensor}", "evaluation: {metrics: {}}", "source: {}"]
)
def test_nothing_is_required_of_a_file(text: str, schemas: dict[str, Part]) -> None:
    assert faults(schemas["recipe"], text) == []


@pytest.mark.parametrize(
    ("group", "text", "places"),
    [
        ("converter", "quantization: int8\ninput_typ: int8", [""]),
        ("converter", "defaults: [int8]\nrules: [{match: {op: SOFTMAX}}]", ["rules.0"]),
        ("converter", "defaults: [itn8]", ["defaults.0"]),
        ("converter", "defaults: [mine]\nflags: {x: 1}", []),
        ("source", "kind: keras\npath: m.keras\ndefaults: ['${base}']", []),
        ("source", "kind: keras\nsignature: x", [""]),
        ("source", "path: m.keras\nloadr: auto", [""]),
        ("representative_dataset", "plugin: two_clouds\ncount: 3", []),
        ("representative_dataset", "plugin: two_cloud", ["plugin"]),
        ("representative_dataset", "plugin: digits\nsplit: tets", ["split"]),
        ("representative_dataset", "plugin: digits\ndefaults: [base]\nsize: 48", ["defaults.0"]),
        ("evaluation", "metrics: {within: {}, top1_acuracy: {}}", ["metrics"]),
        ("acceptance", "task: {top1_accuracy: {max_dorp: 1}}", ["task.top1_accuracy"]),
        ("artifacts", "c_array: yes please", ["c_array"]),
        ("optimize", "prune: {sparsity: 0.5, finetune: {dataset: {plugin: npz, pth: x}}}", ["prune.finetune.dataset"]),
    ],
)
def test_an_option_file_is_judged_by_its_group(
    group: str, text: str, places: list[str], schemas: dict[str, Part]
) -> None:
    assert faults(schemas[group], text) == places


@pytest.mark.parametrize(
    ("entry", "right"),
    [
        ("_self_", True),
        ("digits", True),
        ("digts", False),
        ({"/converter": "mine"}, True),
        ({"override /converter": "float16"}, True),
        ({"/converter": "itn8"}, False),
        ({"/convertor": "int8"}, False),
        ({"/converter": ["int8", "mine"]}, True),
        ({"/converter": None}, True),
        ({"override /hydra/launcher": "joblib"}, True),
        ({"/boards": "m5"}, False),
        ({"converter": "int8"}, False),
    ],
)
def test_a_defaults_list_knows_groups_options_and_recipes(entry: Any, right: bool, schemas: dict[str, Part]) -> None:
    errors = list(Draft7Validator(schemas["recipe"]).iter_errors({"defaults": [entry]}))
    assert (errors == []) is right


def described(part: Any) -> list[tuple[str, Any]]:
    """Every key of every mapping in a schema, with what is said of it."""
    found = list(part.get("properties", {}).items()) if isinstance(part, dict) else []
    inner = part.values() if isinstance(part, dict) else part if isinstance(part, list) else ()
    return [*found, *(one for each in inner for one in described(each))]


def test_every_key_that_says_something_of_a_value_has_a_text_to_hover(schemas: dict[str, Part]) -> None:
    narrowing = {
        "anyOf",
        "default",
        "enum",
        "const",
        "contains",
        "not",
        "additionalProperties",
        "properties",
        "type",
        "$ref",
    }
    keys = [(key, said) for key, said in described(schemas["recipe"]["properties"]) if isinstance(said, dict)]
    assert len(keys) > 300
    bare = [(key, said) for key, said in keys if "description" not in said and not set(said) <= narrowing]
    assert bare == []
    hovered = [said for _, said in keys if "description" in said and "default" in said]
    assert any("Default: `false`" in said["markdownDescription"] for said in hovered)


def test_each_folder_has_its_schema(project: Project, schemas: dict[str, Part]) -> None:
    settings = editor_settings(project)
    assert settings[".recipekit/recipe.schema.json"] == ["recipes/*.yaml", "recipes/boards/*.yaml"]
    assert settings[".recipekit/converter.schema.json"] == ["recipes/converter/*.yaml"]
    assert {name.removeprefix(".recipekit/").partition(".")[0] for name in settings} == schemas.keys()
