"""What a recipe declares, as the stages see it. Paths are absolute strings unless a field says otherwise."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from msgspec import UNSET, UnsetType, field

from recipekit.contracts.record import Record

CALIBRATED = frozenset({"int8", "int16x8"})
"""Quantizations whose ranges come from samples."""

ENOUGH_SAMPLES = 100
"""Calibration samples below which ranges are seldom settled; docs/calibration.md shows how they settle."""

_STATISTICAL = frozenset({"gptq", "oscar"})
_UNWEIGHTED = frozenset({"none", "float16"})

_FLOAT_OPS = frozenset({"TFLITE_BUILTINS", "SELECT_TF_OPS", "EXPERIMENTAL_STABLEHLO_OPS"})
_QUANTIZER_FLAGS = frozenset(
    {"experimental_new_dynamic_range_quantizer", "experimental_new_quantizer", "experimental_use_stablehlo_quantizer"}
)


class SourceSpec(Record, frozen=True, kw_only=True):
    """Where the float model comes from.

    Attributes:
        kind: a source of the registry (`keras`, `saved_model`, `frozen_graph` ...).
        path: the file or folder, the weights file of a `keras_application`; empty where there is none.
        loader: `auto`, `keras3` or `keras2`; read by `keras` alone.
        signature: signature key, or several that go into one file; read by `saved_model` alone.
        input_shapes: full shapes, batch included, by input name; they fix dynamic dimensions.
        allow_unsafe: whether code that travels inside the source may run.
        factory: `module:function` that builds the model; read by `python` alone.
        kwargs: keyword arguments of the factory, or of the function of `keras.applications`.
        inputs: shapes by the names of fed tensors, None for dynamic dimensions; read by `frozen_graph` alone.
        outputs: names of the wanted tensors; read by `frozen_graph` alone.
        name: a function of `keras.applications`; read by `keras_application` alone.
        weights: `imagenet`, `file` for those of `path`, or empty for random ones; read by `keras_application` alone.
    """

    kind: str
    path: str = ""
    loader: str = "auto"
    signature: str | tuple[str, ...] = "serving_default"
    input_shapes: dict[str, tuple[int, ...]] = field(default_factory=dict)
    allow_unsafe: bool = False
    factory: str = ""
    kwargs: dict[str, Any] = field(default_factory=dict)
    inputs: dict[str, tuple[int | None, ...]] = field(default_factory=dict)
    outputs: tuple[str, ...] = ()
    name: str = ""
    weights: str = ""


class CustomLayersSpec(Record, frozen=True, kw_only=True):
    """The custom-layer registry of a recipe.

    Attributes:
        modules: dotted names, or paths of files relative to the project root, imported before the model is loaded.
        objects: class or function name as the model file spells it, to `module:object`.
        replace: class name of layers, or type of operators, to the `module:object` that is converted in their place.
    """

    modules: tuple[str, ...] = ()
    objects: dict[str, str] = field(default_factory=dict)
    replace: dict[str, str] = field(default_factory=dict)


class ModelSpec(Record, frozen=True, kw_only=True):
    """All that the `load` stage needs to rebuild a float model."""

    source: SourceSpec
    custom_layers: CustomLayersSpec
    project_root: str
    seed: int


class DatasetSpec(Record, frozen=True, kw_only=True):
    """A dataset plugin with its parameters and what the runner does around it.

    Attributes:
        plugin: a dataset of the registry, or a name that one of `modules` registers.
        params: the plugin's own parameters; a `path` among them is absolute.
        samples: how many samples to take; None takes all.
        shuffle: whether to draw them in an order given by `seed`.
        seed: decides the order, and is handed to plugins that draw numbers.
        preprocess: steps applied to each sample, in order, each a mapping with one step name.
        modules: dotted names, or paths relative to the project root, imported before the plugin is looked up.
        project_root: absolute; first on the import path while the dataset is read.
        signatures: of a model with several signatures, the dataset of each by its key. Only these are read then; the
            fields above serve messages.
    """

    plugin: str
    params: dict[str, Any]
    samples: int | None
    shuffle: bool
    seed: int
    preprocess: tuple[dict[str, Any], ...]
    modules: tuple[str, ...]
    project_root: str
    signatures: dict[str, DatasetSpec] | UnsetType = UNSET

    @property
    def parts(self) -> tuple[DatasetSpec, ...]:
        """The datasets that are read: those of the signatures, or itself."""
        return (self,) if self.signatures is UNSET else tuple(self.signatures.values())

    def of(self, signature: str) -> DatasetSpec:
        """The dataset of one signature: itself, where the model has no other."""
        return self if self.signatures is UNSET else self.signatures[signature]


class Rule(Record, frozen=True, kw_only=True):
    """An exception to a converter's scheme, for some of a model's operators.

    Attributes:
        op: name of the operators that it is about (`SOFTMAX`); None for any.
        name: regular expression that the whole name of one of an operator's outputs must match; None for any.
        quantization: the scheme of these operators.
    """

    op: str | None = None
    name: str | None = None
    quantization: str


class LoweringSpec(Record, frozen=True, kw_only=True):
    """How the float model becomes a float32 flatbuffer; every scheme over one model shares it.

    Attributes:
        supported_ops: names of `tf.lite.OpsSet` members, those for floats alone.
        allow_custom_ops: whether unknown operators are kept as custom ones.
        flags: other public attributes of `tf.lite.TFLiteConverter`, those of its quantizers left out.
    """

    supported_ops: tuple[str, ...]
    allow_custom_ops: bool
    flags: dict[str, Any]


class CalibrationSpec(Record, frozen=True, kw_only=True):
    """What ranges are collected; every scheme that needs the same ranges shares them.

    Attributes:
        engine: a conversion engine of the registry.
        ranges: how it sums up what it sees, `min_max` or `moving_average`.
        algorithm: of an algorithm that collects more than ranges; else empty.
    """

    engine: str
    ranges: str
    algorithm: str = ""


class ConverterSpec(Record, frozen=True, kw_only=True):
    """How a model is converted, in the terms of TensorFlow and of the AI Edge Quantizer.

    Attributes:
        engine: a conversion engine of the registry, `tflite_converter` or `ai_edge_quantizer`.
        quantization: `none`, `float16`, `dynamic_range`, `int8`, `int16x8` or `weight_only`.
        allow_float: for `int8` and `int16x8`, whether operators may fall back to float kernels.
        weight_bits: bits a weight; other than 8 with `ai_edge_quantizer` alone.
        granularity: `per_channel`, `per_tensor` or `blockwise_<size>`.
        algorithm: of `ai_edge_quantizer`, by its own name.
        ranges: how calibration sums up what it sees, `min_max` or `moving_average`.
        input_type: dtype of the converted model's inputs.
        output_type: dtype of the converted model's outputs.
        supported_ops: names of `tf.lite.OpsSet` members that the float conversion may use.
        allow_custom_ops: whether unknown operators are kept as custom ones.
        rules: exceptions; the last one that matches an operator wins.
        flags: other public attributes of `tf.lite.TFLiteConverter`, by their own names.
    """

    engine: str = "tflite_converter"
    quantization: str
    allow_float: bool = False
    weight_bits: int = 8
    granularity: str = "per_channel"
    algorithm: str = "min_max"
    ranges: str = "min_max"
    input_type: str = "float32"
    output_type: str = "float32"
    supported_ops: tuple[str, ...] = ("TFLITE_BUILTINS",)
    allow_custom_ops: bool = False
    rules: tuple[Rule, ...] = ()
    flags: dict[str, Any] = field(default_factory=dict)

    @property
    def needs_samples(self) -> bool:
        """Whether the quantization is calibrated with samples."""
        return calibrates({self.quantization, *(rule.quantization for rule in self.rules)}, self.algorithm)

    @property
    def lowering(self) -> LoweringSpec:
        """The part that decides about the float32 conversion."""
        float_ops = tuple(name for name in self.supported_ops if name in _FLOAT_OPS)
        return LoweringSpec(
            supported_ops=float_ops or ("TFLITE_BUILTINS",),
            allow_custom_ops=self.allow_custom_ops,
            flags={name: value for name, value in self.flags.items() if name not in _QUANTIZER_FLAGS},
        )

    @property
    def calibration(self) -> CalibrationSpec:
        """The part that decides about the ranges."""
        statistics = self.algorithm if self.algorithm in _STATISTICAL else ""
        return CalibrationSpec(engine=self.engine, ranges=self.ranges, algorithm=statistics)


def calibrates(schemes: Iterable[str], algorithm: str) -> bool:
    """Whether any of some quantizations needs samples: for ranges, or for statistics that an algorithm collects."""
    known = set(schemes)
    return bool(known & CALIBRATED) or (algorithm in _STATISTICAL and not known <= _UNWEIGHTED)


def metric_of(name: str, signature: str | Sequence[str]) -> tuple[str, str]:
    """The signature that a task metric is of, and the metric's own name.

    Args:
        name: as the recipe spells it: the metric's own name, or `key/metric` where the model has several signatures.
        signature: of the source; its key, or several.

    Returns:
        The key, empty where the name doesn't begin with one, and the rest of the name.
    """
    for key in () if isinstance(signature, str) else signature:
        if name.startswith(f"{key}/"):
            return key, name.removeprefix(f"{key}/")
    return "", name


_METRIC_FILES = {"word_error_rate": ("vocabulary",), "bleu": ("vocabulary",)}


def metric_files(name: str, parameters: Mapping[str, Any]) -> dict[str, str]:
    """Parameters of a task metric that name a file, relative to the project root; the file's content decides too."""
    given = ((key, parameters.get(key)) for key in _METRIC_FILES.get(name, ()))
    return {key: path for key, path in given if isinstance(path, str)}


class BenchmarkSpec(Record, frozen=True, kw_only=True):
    """How latency is measured: timed runs, untimed runs before them, and interpreter threads."""

    runs: int
    warmup: int
    threads: int
