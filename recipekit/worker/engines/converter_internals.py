"""TFLiteConverter in steps: lowering, calibration and quantization, each by itself.

The public converter is one call that loads a SavedModel three times and lowers it anew for each scheme. Its steps have
private names only, and all of those that recipekit uses stand here. Where this TensorFlow lacks one of them, or where
equal bytes are not proven, there are no steps, and the caller takes the one call.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

from recipekit.contracts import ConverterSpec, LoadedModel
from recipekit.worker.census import OperatorSite
from recipekit.worker.engines.converter_settings import configure, float32
from recipekit.worker.engines.float_fallback import FloatFallback

_MODULES = {
    "tensorflow.lite.python.lite": ("QuantizationMode", "TFLiteSavedModelConverterV2"),
    "tensorflow.lite.python.convert": ("build_conversion_flags", "mlir_quantize"),
    "tensorflow.lite.python.optimize.calibrator": ("Calibrator", "add_intermediate_tensors"),
}
_METHODS = ("_convert_from_saved_model", "_get_base_converter_args", "_optimize_tflite_model", "_quantize")
_REQUIRED_FLAGS = {
    "exclude_conversion_metadata": True,
    "experimental_new_converter": True,
    "experimental_new_quantizer": True,
    "experimental_use_stablehlo_quantizer": False,
}
"""Values of flags outside of which the steps are another algorithm than the one call."""

_STATEFUL = frozenset({"ASSIGN_VARIABLE", "MULTINOMIAL", "RANDOM_STANDARD_NORMAL", "RANDOM_UNIFORM"})
"""Operators that give other values when the same samples go by again."""

Samples = Callable[[], Iterator[Any]]


class _Private(NamedTuple):
    """The modules of TensorFlow with the private names."""

    lite: Any
    convert: Any
    calibrator: Any


class _Step(NamedTuple):
    """What the converter gives its step `_quantize`, in its order."""

    calibrated: bytes
    input_type: tf.DType
    output_type: tf.DType
    activations_type: tf.DType
    bias_type: tf.DType
    allow_float: bool
    variable_quantization: bool
    debug_options: Any


def open_steps(loaded: LoadedModel, flags: Mapping[str, Any]) -> Steps | None:
    """The converter in steps, where the model and the flags allow it.

    The model must be a SavedModel of TensorFlow 2 with one graph, tagged for serving, that holds no quantization of its
    own: a graph that was trained for quantization is lowered differently for each scheme.

    Args:
        loaded: the float model.
        flags: public attributes of the converter that the recipe sets.
    """
    private = _private()
    if private is None or any(flags.get(name, value) != value for name, value in _REQUIRED_FLAGS.items()):
        return None
    path = Path(loaded.saved_model, "saved_model.pb")
    if not path.is_file():
        return None
    meta_graphs = saved_model_pb2.SavedModel.FromString(path.read_bytes()).meta_graphs
    if len(meta_graphs) != 1 or not _is_plain(meta_graphs[0], loaded.signatures):
        return None
    return Steps(private, loaded, meta_graphs[0].graph_def)


def _private() -> _Private | None:
    """The private names, None where one of them is missing."""
    try:
        modules = [importlib.import_module(name) for name in _MODULES]
    except ImportError:
        return None
    named = all(
        hasattr(module, name) for module, names in zip(modules, _MODULES.values(), strict=True) for name in names
    )
    if not named or not all(hasattr(modules[0].TFLiteSavedModelConverterV2, name) for name in _METHODS):
        return None
    return _Private(*modules)


def _is_plain(meta_graph: Any, signatures: Iterable[str]) -> bool:
    graph = meta_graph.graph_def
    nodes = [*graph.node, *(node for function in graph.library.function for node in function.node_def)]
    return (
        set(meta_graph.meta_info_def.tags) == {"serve"}
        and all(key in meta_graph.signature_def for key in signatures)
        and meta_graph.HasField("object_graph_def")
        and not any("Quant" in node.op for node in nodes)
    )


class Steps:
    """The converter's steps over one SavedModel, none of which loads it into Python.

    What a step raises is TensorFlow's own and not yet a typed error, but for ConversionError about the spec.
    """

    def __init__(self, private: _Private, loaded: LoadedModel, graph: Any) -> None:
        self._private = private
        self._loaded = loaded
        self._graph = graph

    def convert(self, spec: ConverterSpec) -> bytes:
        """The whole conversion by a scheme without samples."""
        return bytes(self._converter(spec)._convert_from_saved_model(self._graph))

    def calibrate(self, flatbuffer: bytes, samples: Samples) -> bytes:
        """A float32 flatbuffer with the ranges of its tensors on samples, which are read once.

        Args:
            flatbuffer: the float32 conversion with a buffer for each tensor.
            samples: gives mappings of input name to array.
        """
        calibrator = self._private.calibrator
        return bytes(calibrator.Calibrator(calibrator.add_intermediate_tensors(flatbuffer)).calibrate(samples))

    def quantizes(self, spec: ConverterSpec, operators: Sequence[OperatorSite]) -> bool:
        """Whether quantizing the calibrated float32 conversion is known to give the bytes of the one call.

        Lowering must not depend on the scheme; the type of inference alone may differ, which it reads for graphs that
        hold quantization. The one call reads the samples of int16x8 twice, so the second time must not differ from the
        first. A model without operators is left as it is, down to its padding.

        Args:
            spec: a calibrated scheme.
            operators: of the float32 conversion.
        """
        names = {site.op for site in operators}
        repeatable = spec.quantization != "int16x8" or names.isdisjoint(_STATEFUL)
        return bool(names) and repeatable and self._lowering(spec) == self._lowering(float32(spec.lowering))

    def quantize(self, spec: ConverterSpec, calibrated: bytes, fallback: FloatFallback | None) -> bytes:
        """The flatbuffer of a calibrated scheme.

        Args:
            spec: the scheme.
            calibrated: what `calibrate` gave.
            fallback: operators that stay float, with int8 alone.
        """
        converter = self._converter(spec)
        mode = self._mode(converter)
        converter._validate_inference_input_output_types(mode)
        converter._quantize = lambda *given: self._quantize(converter, _Step(*given), fallback)
        debug_options = self._private.convert.build_conversion_flags(**self._arguments(converter)).debug_options
        return bytes(converter._optimize_tflite_model(calibrated, mode, debug_options, quant_io=True))

    def _converter(self, spec: ConverterSpec) -> Any:
        converter = self._private.lite.TFLiteSavedModelConverterV2(
            self._loaded.saved_model, {"serve"}, list(self._loaded.signatures)
        )
        configure(converter, spec)
        if spec.needs_samples:
            converter.representative_dataset = _no_samples  # being there decides about the mode
        return converter

    def _mode(self, converter: Any) -> Any:
        return self._private.lite.QuantizationMode(
            converter.optimizations,
            converter.target_spec,
            converter.representative_dataset,
            self._graph,
            converter._experimental_disable_per_channel,
            converter.experimental_new_dynamic_range_quantizer,
            converter._experimental_low_bit_qat,
            converter._experimental_full_integer_quantization_bias_type,
            converter._experimental_variable_quantization,
            converter._experimental_strict_qdq,
        )

    def _arguments(self, converter: Any) -> dict[str, Any]:
        return {
            "enable_tflite_resource_variables": converter.experimental_enable_resource_variables,
            **converter._get_base_converter_args(),
            **self._mode(converter).converter_flags(),
        }

    def _lowering(self, spec: ConverterSpec) -> bytes:
        flags = self._private.convert.build_conversion_flags(**self._arguments(self._converter(spec)))
        flags.ClearField("inference_type")
        return bytes(flags.SerializeToString(deterministic=True))

    def _quantize(self, converter: Any, step: _Step, fallback: FloatFallback | None) -> bytes:
        """The converter's own step `_quantize`, beginning where calibration has ended."""
        dense_per_tensor = converter._experimental_disable_per_channel_quantization_for_dense_layers
        if step.activations_type != tf.int16:
            return bytes(
                self._private.convert.mlir_quantize(
                    step.calibrated,
                    converter._experimental_disable_per_channel,
                    input_data_type=step.input_type,
                    output_data_type=step.output_type,
                    denylisted_ops=fallback.ops if fallback else None,
                    denylisted_nodes=fallback.nodes if fallback else None,
                    enable_variable_quantization=step.variable_quantization,
                    disable_per_channel_for_dense_layers=dense_per_tensor,
                    debug_options_str=step.debug_options.SerializeToString(),
                )
            )
        calibrator = self._private.calibrator.Calibrator(step.calibrated)
        calibrator._calibrator.Prepare()  # it quantizes only what it could run
        return bytes(
            calibrator.calibrate_and_quantize(
                _no_samples,
                step.input_type,
                step.output_type,
                step.allow_float,
                step.activations_type,
                step.bias_type,
                disable_per_channel=converter._experimental_disable_per_channel,
                disable_per_channel_quantization_for_dense_layers=dense_per_tensor,
            )
        )


def _no_samples() -> Iterator[dict[str, Any]]:
    return iter(())
