"""A recipe as the rest of recipekit sees it: checked, complete with defaults, frozen.

`parse` turns a composed mapping into a `Recipe` or says everything that is wrong with it at once. It knows nothing of
Hydra or of files: where a key was written is asked of the `Origin` that comes with the mapping.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from recipekit.acceptance import Acceptance
from recipekit.contracts import (
    ArtifactsSpec,
    BenchmarkSpec,
    ConverterSpec,
    CustomLayersSpec,
    DatasetSpec,
    FinetuneSpec,
    ModelSpec,
    OptimizeSpec,
    Record,
    SourceSpec,
    metric_of,
)
from recipekit.errors import ForbiddenKey, InvalidRecipe
from recipekit.faults import Fault, dotted, find_faults
from recipekit.rules import cross_faults, warnings
from recipekit.schemas import with_defaults
from recipekit.secrecy import suspects

Origin = Callable[[tuple[str | int, ...]], str]
"""Where a key path was written: `recipes/x.yaml:12`, or `command line: seed=7`; empty if nobody wrote it."""

_GREATEST_INTEGER = 2**53 - 1  # that every reader of JSON reads alike

_RUNNER_KEYS = {"plugin", "samples", "shuffle", "preprocess", "modules", "allow_random"}


class EvaluationSpec(Record, frozen=True, kw_only=True):
    """What the converted model is compared on.

    Attributes:
        dataset: the samples; None where nothing is run.
        metrics: task metrics by name or `module:function`, with their parameters; of several signatures `key/metric`.
        benchmark: how latency is measured; None skips it.
        runtime: what runs the converted model, `litert`; `none` runs nothing.
        signature: of the source, which metrics of several signatures name.
    """

    dataset: DatasetSpec | None
    metrics: dict[str, dict[str, Any]]
    benchmark: BenchmarkSpec | None
    runtime: str = "litert"
    signature: str | tuple[str, ...] = ""

    @property
    def metric_plugins(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """The task metrics by their own names, with their parameters."""
        for name, parameters in self.metrics.items():
            yield metric_of(name, self.signature)[1], parameters


class Recipe(Record, frozen=True, kw_only=True):
    """A checked recipe.

    Attributes:
        name: slug; names the output folder.
        version: the recipe's own SemVer.
        seed: seeds everything.
        model: the float model's source and custom layers.
        source_sha256: digest that the source must have; None pins nothing.
        optimize: what happens to the float model before conversion; None for nothing.
        calibration: the representative dataset; None where the scheme needs none.
        converter: how the model is converted.
        evaluation: what it is compared on.
        acceptance: the bounds.
        artifacts: extra files beside the model.
        resolved: the whole recipe as a JSON mapping, defaults filled in: what is hashed, written and shown.
        warnings: what is allowed but probably not meant.
    """

    name: str
    version: str
    seed: int
    model: ModelSpec
    source_sha256: str | None
    optimize: OptimizeSpec | None
    calibration: DatasetSpec | None
    converter: ConverterSpec
    evaluation: EvaluationSpec
    acceptance: Acceptance
    artifacts: ArtifactsSpec
    resolved: dict[str, Any]
    warnings: tuple[str, ...]


def parse(mapping: dict[str, Any], root: Path, origin: Origin) -> Recipe:
    """Checks a composed recipe and freezes it.

    Args:
        mapping: plain JSON-like data, as composed.
        root: the project root, which relative paths mean.
        origin: tells where a key path was written.

    Raises:
        ForbiddenKey: it holds secrets, which every output would record.
        InvalidRecipe: with every fault of the schema, or, if the schema is content, of the cross rules.
    """
    _refuse_secrets(mapping, origin)
    faults = [*_not_json(mapping, ()), *find_faults(mapping, "recipe")]
    if faults:
        raise _invalid(faults, origin)
    resolved = with_defaults(mapping, "recipe")
    faults = find_faults(resolved, "recipe") or cross_faults(resolved)  # a default may be what makes a key meaningless
    if faults:
        raise _invalid(faults, origin)
    calibration = resolved.get("representative_dataset")
    converter = _converter(resolved["converter"])
    optimize = _optimize(resolved, root)
    calibrated = converter.needs_samples and not (optimize and optimize.trains_ranges)
    return Recipe(
        name=resolved["name"],
        version=resolved["version"],
        seed=resolved["seed"],
        model=_model(resolved, root),
        source_sha256=resolved["source"].get("sha256"),
        optimize=optimize,
        calibration=_datasets(calibration, resolved, root) if calibration and calibrated else None,
        converter=converter,
        evaluation=_evaluation(resolved, root),
        acceptance=read_acceptance(resolved),
        artifacts=msgspec.convert(resolved["artifacts"], ArtifactsSpec),
        resolved=resolved,
        warnings=tuple(warnings(resolved)),
    )


def read_acceptance(resolved: dict[str, Any]) -> Acceptance:
    """The bounds of a resolved recipe.

    Raises:
        KeyError, ValueError: it isn't a resolved recipe.
    """
    acceptance = resolved["acceptance"]
    return msgspec.convert({**acceptance, "model": acceptance["model"] or None}, Acceptance)


def _refuse_secrets(mapping: dict[str, Any], origin: Origin) -> None:
    """Refuses what looks like a secret; neither its value is said nor an override that holds it.

    Raises:
        ForbiddenKey: with every field that holds one.
    """
    lines = [f"{origin(path).partition('=')[0]}: '{dotted(path)}' holds {kind}" for path, kind in suspects(mapping)]
    if lines:
        raise ForbiddenKey(
            lines[0]
            if len(lines) == 1
            else "\n".join([f"the recipe holds {len(lines)} secrets:", *map("  {}".format, lines)]),
            fix="take it out, and make it invalid where it was shared: an output records the whole recipe; a plugin may"
            " read a secret from an environment variable that pyproject.toml passes on ([tool.recipekit] env)",
        )


def _invalid(faults: list[Fault], origin: Origin) -> InvalidRecipe:
    """All faults in one error, in the order of the files' lines."""
    placed = sorted(
        {(origin(fault.path), fault.message) for fault in faults}, key=lambda line: (_reading_order(line[0]), line[1])
    )
    lines = [f"{place}: {message}" if place else message for place, message in placed]
    if len(lines) == 1:
        return InvalidRecipe(lines[0])
    return InvalidRecipe("\n".join([f"the recipe has {len(lines)} faults:", *(f"  {line}" for line in lines)]))


def _reading_order(place: str) -> tuple[str, int]:
    file, _, line = place.rpartition(":")
    return (file, int(line)) if line.isdigit() else (place, 0)


def _not_json(value: Any, path: tuple[str | int, ...]) -> Iterator[Fault]:
    """What YAML can say and no digest can hold; JSON Schema lets it through where the language is open."""
    if isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str):
                yield Fault((*path, key), f"the key '{dotted((*path, str(key)))}' must be a string: put it in quotes")
            yield from _not_json(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _not_json(item, (*path, index))
    elif isinstance(value, float) and not math.isfinite(value):
        yield Fault(path, f"'{dotted(path)}' must be a finite number, got {value}")
    elif isinstance(value, int) and abs(value) > _GREATEST_INTEGER:
        yield Fault(path, f"'{dotted(path)}' must be an integer within ±(2^53-1), got {value}")
    elif not isinstance(value, str | int | float | None) or any(
        "\ud800" <= letter <= "\udfff" for letter in str(value)
    ):
        yield Fault(path, f"'{dotted(path)}' must be text, a number, a boolean or null")


def _model(resolved: dict[str, Any], root: Path) -> ModelSpec:
    declared = {key: value for key, value in resolved["source"].items() if key != "sha256"}
    weights = declared.pop("weights", None) or ""
    if weights not in ("", "imagenet"):
        declared["path"], weights = weights, "file"
    if "signature" in declared:
        declared["signature"] = _signature(resolved)
    if "path" in declared:
        declared["path"] = str(root / declared["path"])
    layers = resolved["custom_layers"]
    return ModelSpec(
        source=msgspec.convert({**declared, "weights": weights}, SourceSpec),
        custom_layers=CustomLayersSpec(
            modules=tuple(layers["modules"]), objects=layers["objects"], replace=layers["replace"]
        ),
        project_root=str(root),
        seed=resolved["seed"],
    )


def _signature(resolved: dict[str, Any]) -> str | tuple[str, ...]:
    """The source's signature: one key, or several."""
    declared = resolved["source"].get("signature", "")
    if isinstance(declared, str):
        return declared
    return tuple(declared) if len(declared) > 1 else str(declared[0])


def _datasets(declared: dict[str, Any], resolved: dict[str, Any], root: Path) -> DatasetSpec:
    """A dataset, or for a model with several signatures that of each, which may be the same one for all."""
    signature, seed = _signature(resolved), resolved["seed"]
    if isinstance(signature, str):
        return _dataset(declared, seed, root)
    parts = {key: _dataset(declared.get("signatures", {}).get(key, declared), seed, root) for key in signature}
    return DatasetSpec(
        plugin=", ".join(dict.fromkeys(part.plugin for part in parts.values())),
        params={},
        samples=None,
        shuffle=False,
        seed=seed,
        preprocess=(),
        modules=(),
        project_root=str(root),
        signatures=parts,
    )


def _dataset(declared: dict[str, Any], seed: int, root: Path) -> DatasetSpec:
    params = {key: value for key, value in declared.items() if key not in _RUNNER_KEYS}
    if "path" in params:
        params["path"] = str(root / params["path"])
    return DatasetSpec(
        plugin=declared["plugin"],
        params=params,
        samples=declared["samples"],
        shuffle=declared["shuffle"],
        seed=seed,
        preprocess=tuple(declared["preprocess"]),
        modules=tuple(declared["modules"]),
        project_root=str(root),
    )


def _optimize(resolved: dict[str, Any], root: Path) -> OptimizeSpec | None:
    def step(declared: dict[str, Any]) -> dict[str, Any]:
        if "finetune" not in declared:
            return declared
        finetune = declared["finetune"]
        dataset = _dataset(finetune["dataset"], resolved["seed"], root)
        return {**declared, "finetune": msgspec.convert({**finetune, "dataset": dataset}, FinetuneSpec)}

    steps = {name: step(declared) for name, declared in resolved["optimize"].items()}
    return msgspec.convert(steps, OptimizeSpec) if steps else None


def _converter(declared: dict[str, Any]) -> ConverterSpec:
    rules = [{**rule["match"], "quantization": rule["quantization"]} for rule in declared["rules"]]
    return msgspec.convert({**declared, "rules": rules}, ConverterSpec)


def _evaluation(resolved: dict[str, Any], root: Path) -> EvaluationSpec:
    """The declared evaluation, or parity alone on the representative samples where none is declared."""
    if resolved.get("evaluation", {}).get("runtime") == "none":
        return EvaluationSpec(dataset=None, metrics={}, benchmark=None, runtime="none")
    declared = resolved.get("evaluation", {"metrics": {}, "benchmark": {"runs": 50, "warmup": 5, "threads": 1}})
    dataset = declared.get("dataset", resolved.get("representative_dataset"))
    return EvaluationSpec(
        dataset=_datasets(dataset, resolved, root),
        metrics=declared["metrics"],
        benchmark=msgspec.convert(declared["benchmark"], BenchmarkSpec | None),
        signature=_signature(resolved),
    )
