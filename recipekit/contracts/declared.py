"""What a recipe declares, as the stages see it. Paths are absolute strings unless a field says otherwise."""

from __future__ import annotations

from typing import Any

from msgspec import field

from recipekit.contracts.record import Record

CALIBRATED = frozenset({"int8", "int16x8"})
"""Quantizations whose ranges come from samples."""


class SourceSpec(Record, frozen=True, kw_only=True):
    """Where the float model comes from.

    Attributes:
        kind: a source of the registry (`keras`, `saved_model`, `python`).
        path: the file or folder; empty for kinds that have none.
        loader: `auto`, `keras3` or `keras2`; read by `keras` alone.
        signature: signature key; read by `saved_model` alone.
        input_shapes: full shapes, batch included, by input name; they fix dynamic dimensions.
        allow_unsafe: whether code that travels inside the source may run.
        factory: `module:function` that builds the model; read by `python` alone.
        kwargs: keyword arguments of the factory.
    """

    kind: str
    path: str = ""
    loader: str = "auto"
    signature: str = "serving_default"
    input_shapes: dict[str, tuple[int, ...]] = field(default_factory=dict)
    allow_unsafe: bool = False
    factory: str = ""
    kwargs: dict[str, Any] = field(default_factory=dict)


class CustomLayersSpec(Record, frozen=True, kw_only=True):
    """The custom-layer registry of a recipe.

    Attributes:
        modules: dotted names, or paths of files relative to the project root, imported before the model is loaded.
        objects: class or function name as the model file spells it, to `module:object`.
    """

    modules: tuple[str, ...] = ()
    objects: dict[str, str] = field(default_factory=dict)


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
    """

    plugin: str
    params: dict[str, Any]
    samples: int | None
    shuffle: bool
    seed: int
    preprocess: tuple[dict[str, Any], ...]
    modules: tuple[str, ...]
    project_root: str


class ConverterSpec(Record, frozen=True, kw_only=True):
    """How `tf.lite.TFLiteConverter` is set up, in TensorFlow's own terms.

    Attributes:
        quantization: `none`, `float16`, `dynamic_range`, `int8` or `int16x8`.
        allow_float: for `int8` and `int16x8`, whether operators may fall back to float kernels.
        granularity: `per_channel` or `per_tensor`.
        input_type: dtype of the converted model's inputs.
        output_type: dtype of the converted model's outputs.
        supported_ops: names of `tf.lite.OpsSet` members that the float conversion may use.
        allow_custom_ops: whether unknown operators are kept as custom ones.
        flags: other public attributes of the converter, by their own names.
    """

    quantization: str
    allow_float: bool
    granularity: str
    input_type: str
    output_type: str
    supported_ops: tuple[str, ...]
    allow_custom_ops: bool
    flags: dict[str, Any]

    @property
    def needs_samples(self) -> bool:
        """Whether the quantization is calibrated with samples."""
        return self.quantization in CALIBRATED


class BenchmarkSpec(Record, frozen=True, kw_only=True):
    """How latency is measured: timed runs, untimed runs before them, and interpreter threads."""

    runs: int
    warmup: int
    threads: int
