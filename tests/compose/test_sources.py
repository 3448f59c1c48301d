"""The recipes folder as Hydra sees it: flat, read with care, and never a road into Hydra's own configuration."""

from __future__ import annotations

from pathlib import Path

import pytest
from hydra.core.object_type import ObjectType
from hydra.plugins.config_source import ConfigLoadError
from omegaconf import OmegaConf

from recipekit.compose.sources import RecipesSource
from recipekit.errors import CompositionError, ForbiddenKey
from tests.recipe_projects import BODY, RECIPE, recipe, write_project

FILES: dict[str, str | bytes] = {
    "digits.yaml": RECIPE,
    "converter/mine.yaml": "quantization: int8\n",
    "source/vision/v2.yaml": "kind: keras\n",
    "models/m.keras": b"PK",
    "hydra/launcher/evil.yaml": "a: 1\n",
    "notes.txt": "not a recipe",
}


def source(root: Path, files: dict[str, str | bytes]) -> RecipesSource:
    project = write_project(root, files)
    return RecipesSource(provider="recipes", path=f"recipes://{project.recipes}")


def test_a_file_of_the_folder_is_a_recipe_and_a_folder_is_a_group(tmp_path: Path) -> None:
    found = source(tmp_path, FILES)
    assert found.available()
    assert found.is_config("recipe/digits")
    assert found.is_config("converter/mine")
    assert found.is_config("source/vision/v2")
    assert found.is_group("recipe")
    assert found.is_group("converter")
    assert not found.is_config("recipe/notes")
    assert not found.is_config("digits")
    assert not found.is_group("recipe/converter")


def test_hydra_s_own_groups_cannot_be_joined(tmp_path: Path) -> None:
    found = source(tmp_path, FILES)
    assert not found.is_group("hydra")
    assert not found.is_group("hydra/launcher")
    assert not found.is_config("hydra/launcher/evil")


def test_options_are_listed_by_group(tmp_path: Path) -> None:
    found = source(tmp_path, FILES)
    assert found.list("recipe", ObjectType.CONFIG) == ["digits"]
    assert found.list("converter", ObjectType.CONFIG) == ["mine"]
    assert found.list("source", ObjectType.GROUP) == ["vision"]
    assert set(found.list("", ObjectType.GROUP)) == {"recipe", "converter", "source", "models"}
    assert found.list("nowhere", None) == []


def test_a_folder_that_is_gone_is_not_available(tmp_path: Path) -> None:
    assert not RecipesSource(provider="recipes", path=f"recipes://{tmp_path / 'gone'}").available()


def test_a_file_that_is_gone_is_hydra_s_to_report(tmp_path: Path) -> None:
    with pytest.raises(ConfigLoadError):
        source(tmp_path, FILES).load_config("recipe/gone")


@pytest.mark.parametrize("header", ["# @package _global_\n", "", "# a licence\n\n# @package _global_\n", "\ufeff"])
def test_a_recipe_is_the_whole_document_whatever_its_first_line(tmp_path: Path, header: str) -> None:
    loaded = source(tmp_path, {"digits.yaml": header + BODY}).load_config("recipe/digits")
    assert loaded.header["package"] == "_global_"
    assert loaded.config["name"] == "digits"


def test_an_option_stays_in_its_group_s_package_unless_it_says_otherwise(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {"a/plain.yaml": "x: 1\n", "a/moved.yaml": "# @package acceptance\nx: 1\n"}
    assert source(tmp_path, files).load_config("a/plain").header["package"] is None
    assert source(tmp_path, files).load_config("a/moved").header["package"] == "acceptance"


@pytest.mark.parametrize(
    ("entry", "choice"),
    [
        ("/converter: int8", {"override /converter": "int8"}),
        ("/converter: null", {"override /converter": None}),
        ("override /converter: int8", {"override /converter": "int8"}),
        ("/hydra/launcher: joblib", {"override /hydra/launcher": "joblib"}),
        ("override hydra/launcher: joblib", {"override /hydra/launcher": "joblib"}),
        ("/boards: m4", {"/boards": "m4"}),
        ("base", "base"),
    ],
)
def test_groups_of_the_language_are_chosen_in_the_primary_config(tmp_path: Path, entry: str, choice: object) -> None:
    loaded = source(tmp_path, {"digits.yaml": recipe(entry)}).load_config("recipe/digits")
    assert sorted(map(str, loaded.config["defaults"])) == sorted(["_self_", str(choice)])


def test_choices_come_last_as_hydra_wants_them(tmp_path: Path) -> None:
    text = recipe("/converter: int8", "base", "/boards: m4", "override /source: s")
    defaults = source(tmp_path, {"digits.yaml": text}).load_config("recipe/digits").config["defaults"]
    assert defaults == ["base", {"/boards": "m4"}, "_self_", {"override /converter": "int8"}, {"override /source": "s"}]


@pytest.mark.parametrize(
    ("content", "where", "said"),
    [
        (b"a: [1,\nb: 2\n", "recipes/x.yaml:3:1", "is not YAML"),
        (b"a: b: c\n", "recipes/x.yaml:1:5", "mapping values are not allowed"),
        (b"name: a\nseed: 1\nname: b\n", "recipes/x.yaml:3", "lines 1 and 3"),
        (b"name: caf\xe9 au lait\n", "recipes/x.yaml", "is not UTF-8 text"),
        (b"\xff\xfen\x00a\x00", "recipes/x.yaml", "is not UTF-8 text"),
        (b"a: \x00\n", "recipes/x.yaml", "is not YAML"),
        (b"just text\n", "recipes/x.yaml", "must hold a mapping at its top"),
        (b"7\n", "recipes/x.yaml", "must hold a mapping at its top"),
        (b"- a\n- b\n", "recipes/x.yaml", "must hold a mapping at its top"),
        (b"a: !!python/object/apply:os.system [ls]\n", "recipes/x.yaml:1:4", "could not determine a constructor"),
        (b"a: &x [*x]\n", "recipes/x.yaml", "holds itself"),
        (b"a: " + b"[" * 3000 + b"]" * 3000, "recipes/x.yaml", "nested more than 64 deep"),
        (b"#" * (2 << 20), "recipes/x.yaml", "longer than"),
        (b"# @package a b\nname: x\n", "recipes/x.yaml:1", "header that Hydra can't read"),
        (b"name: x\ndefaults: base\n", "recipes/x.yaml:2", "'defaults' must be a list"),
        (b"name: x\ndefaults: {converter: int8}\n", "recipes/x.yaml:2", "'defaults' must be a list"),
        (b"defaults:\n  - _self_\n  - [a]\n", "recipes/x.yaml:3", "has no meaning"),
        (b"defaults:\n  - 7\n", "recipes/x.yaml:2", "has no meaning"),
        (b"defaults:\n  - {a: b, c: d}\n", "recipes/x.yaml:2", "has no meaning"),
        (b"defaults:\n  - /converter: 8\n", "recipes/x.yaml:2", "has no meaning"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_with_its_place(
    tmp_path: Path, content: bytes, where: str, said: str
) -> None:
    with pytest.raises(CompositionError) as caught:
        source(tmp_path, {"x.yaml": content}).load_config("recipe/x")
    assert said in caught.value.what
    assert caught.value.where == where


@pytest.mark.parametrize("content", [b"", b"# nothing yet\n", b"---\n", b"\xef\xbb\xbf"])
def test_an_empty_file_is_an_empty_mapping(tmp_path: Path, content: bytes) -> None:
    assert source(tmp_path, {"x.yaml": content}).load_config("recipe/x").config == {}


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("name: x\nsource:\n  _target_: os.system\n", 3),
        ("name: x\nsource: {list: [{_target_: os.system}]}\n", 2),
        ("a: &x {_target_: os.system}\nb: *x\n", 1),
        ('"\\x5ftarget_": os.system\n', 1),
        ("name: x\nhydra: {callbacks: {evil: {path: x}}}\n", 2),
        ("name: x\nhydra:\n  mode: RUN\n  run:\n    dir: ..\n", 4),
        ("x: &a\n  job_logging: {version: 1}\nhydra: *a\n", 3),
        ("x: &a {hydra: {job_logging: {version: 1}}}\n<<: *a\n", 1),
        ("name: x\nhydra: \"${oc.create:'{callbacks: 1}'}\"\n", 2),
        ("name: x\nhydra: null\n", 2),
        ("hydra:\n  sweeper:\n    params: ${x}\n", 3),
        ("hydra: {sweeper: {params: {hydra.verbose: 'true'}}}\n", 1),
        ("hydra: {sweeper: {params: {+x@hydra.callbacks: y}}}\n", 1),
        ("defaults:\n  - _self_\n  - x@hydra.callbacks: y\n", 3),
        ("defaults:\n  - /x@_global_.hydra.callbacks: y\n", 2),
        ("defaults:\n  - /x@foo._global_.hydra.callbacks: y\n", 2),
        ("defaults:\n  - x/y@hydra.callbacks\n", 2),
        ("defaults:\n  - override hydra/job_logging: y\n", 2),
        ("defaults:\n  - override /hydra/hydra_logging: y\n", 2),
        ("defaults:\n  - optional /hydra/callbacks: y\n", 2),
        ("defaults:\n  - /a_global_/hydra/callbacks: y\n", 2),
    ],
)
def test_a_key_that_could_run_code_is_refused_at_its_line(tmp_path: Path, text: str, line: int) -> None:
    with pytest.raises(ForbiddenKey) as caught:
        source(tmp_path, {"x.yaml": text}).load_config("recipe/x")
    assert caught.value.where.startswith(f"recipes/x.yaml:{line}")


@pytest.mark.parametrize("package", ["hydra", "hydra.callbacks", "_global_.hydra.callbacks", "a._global_.hydra"])
def test_an_option_cannot_be_placed_in_hydra_s_own_configuration(tmp_path: Path, package: str) -> None:
    with pytest.raises(ForbiddenKey, match=f"package '{package}'"):
        source(tmp_path, {"a/x.yaml": f"# @package {package}\nevil: 1\n"}).load_config("a/x")


def test_a_sweep_s_parameters_take_the_form_of_the_command_line_s(tmp_path: Path) -> None:
    text = 'hydra: {mode: MULTIRUN, sweeper: {params: {seed: "1,2", converter: "none,int8", boards: "a,b"}}}\n'
    loaded = source(tmp_path, {"x.yaml": text, "boards/a.yaml": ""}).load_config("recipe/x")
    assert OmegaConf.select(loaded.config, "hydra.sweeper.params") == {
        "++seed": "1,2",
        "converter": "none,int8",
        "boards": "a,b",
    }


@pytest.mark.parametrize(
    "values",
    [
        "[1, 012, 0x1F, 1_000, -7, +3, 0b11, 1:30]",
        "[1.5, 1e3, 1E-3, .5, -.inf, .NaN, 1_0.5, 1., 12:30:45.5]",
        "[yes, off, True, null, ~, '', \"\\u00e9\", 'it''s', 2001-01-01]",
        "&a {b: '${c}', d: '???'}",
        "!!binary aGVsbG8=",
        "|\n  two\n  lines\n",
        "{<<: {a: 1}, b: 2}",
        "{1: a, true: b, 1.5: c}",
        "!!python/object/apply:pathlib.Path [a, b]",
    ],
)
def test_a_file_holds_what_omegaconf_reads_in_it(tmp_path: Path, values: str) -> None:
    text = f"value: {values}\n"
    found = source(tmp_path, {"digits.yaml": text}).load_config("recipe/digits").config
    (tmp_path / "plain.yaml").write_text(text)
    assert repr(found) == repr(OmegaConf.load(tmp_path / "plain.yaml"))


def test_a_file_that_has_changed_is_read_again(tmp_path: Path) -> None:
    found = source(tmp_path, {"digits.yaml": "seed: 1\n"})
    assert found.load_config("recipe/digits").config == {"seed": 1}
    first = found.load_config("recipe/digits").config
    first["seed"] = 3  # what one composition does to its copy is nothing to the next
    assert found.load_config("recipe/digits").config == {"seed": 1}
    write_project(tmp_path, {"digits.yaml": "seed: 2\n"})
    assert found.load_config("recipe/digits").config == {"seed": 2}
