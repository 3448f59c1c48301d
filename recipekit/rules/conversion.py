"""Rules of what is converted and how: the source, the converter, and what is replaced."""

from __future__ import annotations

from collections.abc import Iterator

from recipekit.faults import Fault
from recipekit.nearest import did_you_mean
from recipekit.registry import is_built_in, names
from recipekit.rules.section import Section, pattern_fault

_ENGINE = ("converter", "engine")
_SOURCE_KEYS = ("kind", "path", "kwargs", "input_shapes", "sha256", "allow_unsafe")
"""What a recipe may say of a source that an installed package offers."""


def source_and_engine(recipe: Section) -> Iterator[Fault]:
    """A source and an engine that exist, and of an installed source no key that it can't be given."""
    for path, plural, noun in ((("source", "kind"), "sources", "kind of source"), (_ENGINE, "engines", "engine")):
        name = recipe[path[0]][path[1]]
        if not is_built_in(plural, name) and name not in (known := names(plural)):
            hint = did_you_mean(name, known)
            yield Fault(path, f"there is no {noun} '{name}'{hint} (known: {', '.join(known)})")
    kind = recipe["source"]["kind"]
    if not is_built_in("sources", kind) and kind in names("sources"):
        for key in recipe["source"].keys() - set(_SOURCE_KEYS):
            hint = did_you_mean(key, _SOURCE_KEYS)
            yield Fault(
                ("source", key), f"unknown key 'source.{key}'{hint or '; known here: ' + ', '.join(_SOURCE_KEYS)}"
            )


def flatbuffer_source(recipe: Section) -> Iterator[Fault]:
    """A float `.tflite` is quantized as it stands: nothing of TensorFlow's converter applies to it."""
    if recipe["source"]["kind"] != "tflite":
        return
    converter, layers = recipe["converter"], recipe["custom_layers"]
    if converter["engine"] != "ai_edge_quantizer":
        yield Fault(
            ("converter", "engine"),
            f"'converter.engine' {converter['engine']} can't read a .tflite: with source.kind tflite set it to"
            " ai_edge_quantizer",
        )
    meaningless = {
        ("converter", "supported_ops"): converter["supported_ops"] != ["TFLITE_BUILTINS"],
        ("converter", "allow_custom_ops"): converter["allow_custom_ops"],
        ("converter", "flags"): converter["flags"],
        ("custom_layers", "modules"): layers["modules"],
        ("custom_layers", "objects"): layers["objects"],
        ("custom_layers", "replace"): layers["replace"],
    }
    for path, given in meaningless.items():
        if given:
            yield Fault(path, f"'{'.'.join(path)}' has no meaning with source.kind: tflite")


def pinned_weights(recipe: Section) -> Iterator[Fault]:
    """Only a file has a digest of its own."""
    source = recipe["source"]
    if source["kind"] == "keras_application" and source["sha256"] and source["weights"] in (None, "imagenet"):
        yield Fault(
            ("source", "sha256"),
            "'source.sha256' pins a file, and 'source.weights' names none: name the weights file, or take the pin out",
        )


def converter_rules(recipe: Section) -> Iterator[Fault]:
    """Exceptions that the engine can make, written so that they can match."""
    converter = recipe["converter"]
    scheme = converter["quantization"]
    if converter["rules"] and converter["engine"] == "tflite_converter" and scheme != "int8":
        yield Fault(
            ("converter", "rules"),
            f"'converter.rules' with engine tflite_converter needs quantization int8, not {scheme}: use that, or engine"
            " ai_edge_quantizer",
        )
    for index, rule in enumerate(converter["rules"]):
        place = ("converter", "rules", index)
        if converter["engine"] == "tflite_converter" and rule["quantization"] not in {"none", "int8"}:
            yield Fault(
                (*place, "quantization"),
                f"'converter.rules[{index}].quantization' {rule['quantization']} is not possible with engine"
                " tflite_converter: use none or int8, or engine ai_edge_quantizer",
            )
        yield from pattern_fault((*place, "match", "name"), rule["match"].get("name", ""))


def replacement_after_training(recipe: Section) -> Iterator[Fault]:
    """What is trained is exported by itself, so a replacement would be lost without a word."""
    if recipe["custom_layers"]["replace"] and recipe["optimize"]:
        yield Fault(
            ("custom_layers", "replace"),
            "'custom_layers.replace' doesn't go with 'optimize': build the model with it, and optimize that",
        )
