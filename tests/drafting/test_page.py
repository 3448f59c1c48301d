"""Whatever a model's file says, the page is YAML, and nothing that the file says becomes a key of it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from recipekit.contracts import ForeignPart
from recipekit.drafting.dataset import guessed
from recipekit.drafting.draft import Draft, Place, Wishes, draft, slug
from recipekit.drafting.page import render
from recipekit.drafting.scheme import SCHEMES
from recipekit.drafting.shapes import fixed_inputs
from recipekit.errors import UsageError
from recipekit.pool import Pool
from recipekit.recipe import parse
from tests.drafting.descriptions import described

IMAGE = ("x", "float32", (-1, 8, 8, 3))


def drafted(tmp_path: Path, model: Any, scheme: str = "int8", path: str = "m.keras") -> Draft:
    with Pool() as pool:  # starts nothing, since no samples are named
        return draft(model, Wishes("", SCHEMES[scheme], None, False), Place(tmp_path, path), pool)


@pytest.mark.slow
@settings(max_examples=50)
@given(
    name=st.text(max_size=20),
    written_by=st.text(max_size=20),
    part=st.text(min_size=1, max_size=20),
    path=st.text(min_size=1, max_size=20),
)
@example(name="x", written_by="", part="y", path="\xa0")
@example(name="\u3000x", written_by="", part="y", path="\u3000x")
def test_names_of_strangers_stay_values_and_comments(name: str, written_by: str, part: str, path: str) -> None:
    names = (part, f"{part}\nseed: 7", "\u2028seed: 7\r\nx: 1")
    foreign = tuple(ForeignPart(name=it, path=it, what=what) for it in names for what in ("", "a \n# seed: 7"))
    model = described((name, "float32", (-1, 8, 8, 3)), written_by=written_by, foreign=foreign)
    made = drafted(Path("/nowhere"), model, path=path)
    page = yaml.safe_load(render(made, outside=True))
    assert page.keys() == {
        *("defaults", "name", "version", "description", "seed", "source", "representative_dataset", "acceptance")
    }
    assert page["seed"] == 0
    assert page["source"]["path"] == path
    assert page["source"].get("input_shapes", {name: [1, 8, 8, 3]}) == {name: [1, 8, 8, 3]}
    assert page["representative_dataset"] == guessed(model, fixed_inputs(model)).keys


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("kind", ["keras", "saved_model", "tflite"])
def test_every_scheme_gives_a_recipe_that_the_language_takes(tmp_path: Path, scheme: str, kind: str) -> None:
    (tmp_path / "m").mkdir()
    model = described(IMAGE, kind=kind, bytes=10**6)
    if (scheme, kind) == ("none", "tflite"):
        with pytest.raises(UsageError, match="converted already"):
            drafted(tmp_path, model, scheme, "m")
        return
    made = drafted(tmp_path, model, scheme, "m")
    page = yaml.safe_load(render(made, outside=False))
    preset = Path(__file__).parents[2] / "recipekit" / "presets" / "converter" / f"{made.converter}.yaml"
    mapping = {**page, "converter": yaml.safe_load(preset.read_text())}
    del mapping["defaults"]
    recipe = parse(mapping, tmp_path, lambda _: "the page")
    assert recipe.name == f"m_{scheme}"
    assert "evaluation" in page or any("no 'evaluation'" in it for it in recipe.warnings)
    assert page["acceptance"]["parity"].keys() == {"sqnr_db", "argmax_agreement"}
    assert page["acceptance"]["model"].get("input_type") == SCHEMES[scheme].io


def test_what_the_file_lacks_a_word_of_is_left_in_comments(tmp_path: Path) -> None:
    foreign = (
        ForeignPart(name="shop>Step", path="m/step"),
        ForeignPart(name="Lambda", path="m/twice", what="a Lambda layer, which runs code that the file carries"),
    )
    model = described(IMAGE, foreign=foreign, needs_select_tf_ops=("Erf",))
    text = render(drafted(tmp_path, model), outside=False)
    assert "#   modules: [layers/FILE.py]" in text
    assert "# allow_unsafe: true" in text
    assert "#     custom_layers: {replace: {Erf: 'replacements.py:erf'}}" in text
    assert not {"custom_layers", "converter"} & yaml.safe_load(text).keys()


def test_source_in_the_project_that_defines_a_class_is_named(tmp_path: Path) -> None:
    (tmp_path / "layers").mkdir()
    (tmp_path / "layers" / "step.py").write_text("raise SystemExit\n\n\nclass Step:\n    pass\n")
    (tmp_path / "layers" / "other.py").write_text("# class Step\n")
    model = described(IMAGE, foreign=(ForeignPart(name="shop>Step", path="m/step"),))
    made = drafted(tmp_path, model)
    assert yaml.safe_load(render(made, outside=False))["custom_layers"] == {"modules": ["layers/step.py"]}
    assert not any("custom_layers" in todo for todo in made.todo)


@given(st.text(max_size=100))
def test_any_text_becomes_a_name_that_recipes_may_have(text: str) -> None:
    assert re.fullmatch(r"[a-z0-9][a-z0-9._-]{0,63}", slug(text))


def test_a_quantized_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is quantized already"):
        drafted(tmp_path, described(IMAGE, kind="tflite", quantized=True))
