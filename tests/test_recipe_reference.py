"""docs/recipe.md is made of the schema, whose every key says what it means and shows an example that is valid."""

from __future__ import annotations

import yaml

from recipekit.language import choices, first, is_mapping, place, recipe_schema, walk
from recipekit.schema import Part
from tests.recipe_reference import DOCUMENT, document

KEYS = {".".join(path): parts for path, parts in walk()}
NAMED = {key: parts for key, parts in KEYS.items() if not key.endswith("NAME")}


def test_the_page_is_made_of_the_schema(update_goldens: bool) -> None:
    if update_goldens:
        DOCUMENT.write_text(document())
    assert DOCUMENT.read_text() == document()


def test_every_key_is_on_the_page() -> None:
    text = document()
    own = [key for key in KEYS if "dataset" not in key and "finetune." not in key and not key.endswith("NAME")]
    assert len(own) > 100
    assert not [key for key in own if f"| `{key}` |" not in text and f"\n## `{key}`\n" not in text]
    under_datasets = {key.removeprefix("representative_") for key in KEYS if key.startswith("representative_dataset.")}
    plain = {key for key in under_datasets if key.count(".") == 1}
    assert not [key for key in plain if f"| `{key}` |" not in text]


def test_every_key_says_what_it_means() -> None:
    for key, parts in NAMED.items():
        described = first(parts, "description")
        assert described.endswith("."), key
        assert len(described.split()) >= 2, key


def test_every_key_has_values_a_default_or_an_example() -> None:
    for key, parts in NAMED.items():
        examples = first(parts, "examples")
        default = first(parts, "default")
        assert examples or choices(parts) or is_mapping(parts) or default not in (None, [], {}, ""), key
        assert not examples or yaml.safe_load(examples[0]) is not None, key


def parts_of(part: Part) -> list[Part]:
    """A part of the schema and everything below it."""
    below = [value for value in part.values() if isinstance(value, dict)]
    below += [item for value in part.values() if isinstance(value, list) for item in value if isinstance(item, dict)]
    return [part, *(inner for each in below for inner in parts_of(each))]


def test_values_are_explained_all_or_none() -> None:
    explained = [part for part in parts_of(recipe_schema()) if "enumDescriptions" in part]
    assert len(explained) >= 8
    assert all(len(part["enumDescriptions"]) == len(part["enum"]) for part in explained)


def test_a_place_is_known_by_its_path() -> None:
    assert choices(place(("converter", "engine"))).keys() == {"tflite_converter", "ai_edge_quantizer"}
    assert first(place(("acceptance", "task", "top1_accuracy", "max_drop")), "examples") == ["0.01"]
    assert first(place(("evaluation", "dataset", "split")), "default") == "test"
    assert place(("acceptance", "parity", "sqnr")) == []
