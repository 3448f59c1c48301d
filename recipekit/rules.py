"""Rules of the recipe language that span several keys, or need the registry: what a JSON Schema can't say.

Each rule looks at a composed recipe that the schema accepts and yields faults or warnings. None of them reads a file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from recipekit.contracts import calibrates
from recipekit.faults import Fault
from recipekit.nearest import did_you_mean
from recipekit.registry import names

Recipe = dict[str, Any]

LANGUAGE_VERSION = 1
"""The newest `schema_version` that this recipekit reads."""

_RESERVED_NAMES = {
    "con",
    "prn",
    "aux",
    "nul",
    "latest",
    "sweeps",
    *(f"{port}{n}" for port in ("com", "lpt") for n in range(10)),
}


def cross_faults(recipe: Recipe) -> list[Fault]:
    """Every fault that spans several keys or needs the registry, in the order of the rules."""
    return [fault for rule in _RULES for fault in rule(recipe)]


def warnings(recipe: Recipe) -> list[str]:
    """What is allowed but probably not meant, a sentence each."""
    found = []
    if "evaluation" not in recipe:
        found.append("there is no 'evaluation': parity is measured on the representative samples")
    if "representative_dataset" in recipe and not _calibrates(recipe) and "evaluation" in recipe:
        scheme = recipe["converter"]["quantization"]
        found.append(f"'representative_dataset' is not used: quantization {scheme} needs no calibration")
    if _runs_nothing(recipe):
        found += _not_run_warnings(recipe["evaluation"])
    if not has_bounds(recipe["acceptance"]):
        found.append("'acceptance' sets no bound: the model is accepted and nothing was judged")
    calibration = recipe.get("representative_dataset", {})
    if _calibrates(recipe) and (calibration.get("samples") or 100) < 100:
        found.append(f"{calibration['samples']} calibration samples are few: ranges settle with 100 to 300")
    return found


def _not_run_warnings(evaluation: Recipe) -> Iterator[str]:
    yield (
        "'evaluation.runtime' is none: nobody measures parity, task metrics or latency,"
        " so nothing says that the converted model computes what the float model does"
    )
    for key in ("dataset", "metrics"):
        if evaluation.get(key):
            yield f"'evaluation.{key}' is not used: 'evaluation.runtime' is none"


def has_bounds(acceptance: Recipe) -> bool:
    """Whether an `acceptance` section bounds anything."""
    return any(acceptance[section] for section in ("parity", "task", "size", "latency", "model", "target"))


def _runs_nothing(recipe: Recipe) -> bool:
    return bool(recipe.get("evaluation", {}).get("runtime") == "none")


def _calibrates(recipe: Recipe) -> bool:
    converter = recipe["converter"]
    schemes = [converter["quantization"], *(rule["quantization"] for rule in converter["rules"])]
    return calibrates(schemes, converter.get("algorithm", ""))


def _datasets(recipe: Recipe) -> Iterator[tuple[tuple[str, ...], Recipe]]:
    if "representative_dataset" in recipe:
        yield ("representative_dataset",), recipe["representative_dataset"]
    if "dataset" in recipe.get("evaluation", {}):
        yield ("evaluation", "dataset"), recipe["evaluation"]["dataset"]


def _language_version(recipe: Recipe) -> Iterator[Fault]:
    version = recipe["schema_version"]
    if version > LANGUAGE_VERSION:
        yield Fault(
            ("schema_version",),
            f"'schema_version' {version} is too new: this recipekit reads up to {LANGUAGE_VERSION}; upgrade recipekit",
        )


def _name(recipe: Recipe) -> Iterator[Fault]:
    if recipe["name"].split(".")[0] in _RESERVED_NAMES:
        yield Fault(("name",), f"'name' must not be '{recipe['name']}', which is reserved")


def _calibration_data(recipe: Recipe) -> Iterator[Fault]:
    if _calibrates(recipe) and "representative_dataset" not in recipe:
        key = _what_calibrates(recipe["converter"])
        shown = "" if key == "rules" else f" {recipe['converter'][key]}"
        yield Fault(
            ("converter", key),
            f"'converter.{key}'{shown} needs calibration data: add a 'representative_dataset'",
        )
    elif "evaluation" not in recipe and "representative_dataset" not in recipe:
        yield Fault(
            ("evaluation",),
            "'evaluation' is missing, and there is no 'representative_dataset' to measure parity on: add one of them",
        )


def _what_calibrates(converter: Recipe) -> str:
    """The key of a converter that calls for calibration data."""
    if calibrates([converter["quantization"]], ""):
        return "quantization"
    return "rules" if calibrates([rule["quantization"] for rule in converter["rules"]], "") else "algorithm"


def _flatbuffer_source(recipe: Recipe) -> Iterator[Fault]:
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


def _converter_rules(recipe: Recipe) -> Iterator[Fault]:
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
        try:
            re.compile(rule["match"].get("name", ""))
        except re.error as error:
            yield Fault(
                (*place, "match", "name"),
                f"'converter.rules[{index}].match.name' is no regular expression: {error}",
            )


def _plugins(recipe: Recipe) -> Iterator[Fault]:
    for path, dataset in _datasets(recipe):
        plugin = dataset["plugin"]
        known = names("datasets")
        if plugin not in known and not dataset["modules"]:
            hint = did_you_mean(plugin, known)
            listed = ", ".join(known)
            yield Fault((*path, "plugin"), f"there is no dataset plugin '{plugin}'{hint} (known: {listed})")
        if plugin == "random" and not dataset["allow_random"]:
            yield Fault(
                (*path, "plugin"),
                "random samples say nothing about real ones: 'random' needs 'allow_random: true' beside it",
            )
    for metric in recipe.get("evaluation", {}).get("metrics", {}):
        known = names("metrics")
        if metric not in known:
            hint = did_you_mean(metric, known)
            yield Fault(
                ("evaluation", "metrics", metric), f"there is no metric '{metric}'{hint} (known: {', '.join(known)})"
            )


def _bounds(recipe: Recipe) -> Iterator[Fault]:
    acceptance = recipe["acceptance"]
    for section in ("parity", "task", "size", "latency", "model"):
        for metric, bound in acceptance[section].items():
            if isinstance(bound, dict) and bound.get("min", float("-inf")) > bound.get("max", float("inf")):
                where = ("acceptance", section, metric)
                yield Fault(where, f"'{'.'.join(where)}' can't be met: min {bound['min']} is above max {bound['max']}")
    if _runs_nothing(recipe):
        yield from _bounds_without_a_run(acceptance)
        return
    measured = recipe.get("evaluation", {}).get("metrics", {})
    for metric in acceptance["task"]:
        if metric not in measured:
            hint = did_you_mean(metric, measured)
            yield Fault(
                ("acceptance", "task", metric),
                f"'acceptance.task.{metric}' bounds what nobody measures{hint}: list it in 'evaluation.metrics'",
            )
    benchmark = recipe.get("evaluation", {}).get("benchmark")
    if acceptance["latency"] and "evaluation" in recipe and benchmark is None:
        yield Fault(
            ("acceptance", "latency"),
            "'acceptance.latency' bounds a latency that nobody measures: set 'evaluation.benchmark'",
        )


def _bounds_without_a_run(acceptance: Recipe) -> Iterator[Fault]:
    for section in ("parity", "task", "latency"):
        for metric in acceptance[section]:
            yield Fault(
                ("acceptance", section, metric),
                f"'acceptance.{section}.{metric}' bounds what nobody measures, since 'evaluation.runtime' is none:"
                f" take it out (on the command line: '~acceptance.{section}'), or set the runtime to litert",
            )


def _replacement_after_training(recipe: Recipe) -> Iterator[Fault]:
    """What is trained is exported by itself, so a replacement would be lost without a word."""
    if recipe["custom_layers"]["replace"] and recipe["optimize"]:
        yield Fault(
            ("custom_layers", "replace"),
            "'custom_layers.replace' doesn't go with 'optimize': build the model with it, and optimize that",
        )


def _not_yet(recipe: Recipe) -> Iterator[Fault]:
    """Parts of the language that this version doesn't carry out: refused, never ignored."""
    source, artifacts = recipe["source"], recipe["artifacts"]
    asked: dict[tuple[str, ...], Any] = {
        ("source", "kind"): source["kind"] in {"frozen_graph", "keras_application"} and source["kind"],
        ("source", "signature"): isinstance(source.get("signature"), list) and "a list",
        ("optimize",): bool(recipe["optimize"]),
        ("acceptance", "target"): bool(recipe["acceptance"]["target"]),
        **{("artifacts", key): bool(value) for key, value in artifacts.items()},
    }
    for path, value in asked.items():
        if value:
            shown = f" {value}" if isinstance(value, str) else ""
            yield Fault(
                path, f"'{'.'.join(path)}'{shown} belongs to the language, but this version doesn't carry it out"
            )


_RULES = (
    _language_version,
    _name,
    _calibration_data,
    _flatbuffer_source,
    _converter_rules,
    _plugins,
    _bounds,
    _replacement_after_training,
    _not_yet,
)
