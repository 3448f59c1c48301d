"""Schemes of a recipe in the terms of the AI Edge Quantizer: which algorithm, and which configuration of it.

The one place that knows the quantizer's own names. What it can't do it says itself, by its policy; nothing about that
is written down here. This module knows no model.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import NamedTuple, TypeVar

from ai_edge_quantizer import algorithm_manager
from ai_edge_quantizer.algorithm_manager import AlgorithmName
from ai_edge_quantizer.algorithms.utils.common_utils import DRQ_OR_WEIGHT_ONLY_OPS
from ai_edge_quantizer.qtyping import (
    ComputePrecision,
    OpQuantizationConfig,
    QuantGranularity,
    TensorDataType,
    TensorQuantizationConfig,
    TFLOperationName,
)

from recipekit.contracts import ConverterSpec
from recipekit.errors import ConversionError
from recipekit.nearest import did_you_mean

ALGORITHMS = {
    "min_max": AlgorithmName.MIN_MAX_UNIFORM_QUANT,
    "octav": AlgorithmName.OCTAV,
    "mse": AlgorithmName.MSE,
    "gptq": AlgorithmName.GPTQ,
    "oscar": AlgorithmName.OSCAR,
    "hadamard": AlgorithmName.DECOMPOSED_HADAMARD_ROTATION,
    "decomposed_hadamard_rotation": AlgorithmName.DECOMPOSED_HADAMARD_ROTATION,
    "hadamard_rotation": AlgorithmName.HADAMARD_ROTATION,
    "dequantized_weight_recovery": AlgorithmName.DEQUANTIZED_WEIGHT_RECOVERY,
}
"""The quantizer's algorithms by the names of recipes: its own, in lower case.

`min_max` is its `min_max_uniform_quantize`. `hadamard` is the rotation made of plain operators, as in the quantizer's
own recipes; `hadamard_rotation` makes a custom operator. `float_casting` is what the scheme `float16` uses.
"""

_GRANULARITIES = {
    "per_channel": QuantGranularity.CHANNELWISE,
    "per_tensor": QuantGranularity.TENSORWISE,
    **{f"blockwise_{size}": QuantGranularity(f"BLOCKWISE_{size}") for size in (32, 64, 128, 256)},
}
_WEIGHT_BITS = (8, 4, 2)
_ACTIVATION_BITS = {"int8": 8, "int16x8": 16}

_MISREAD = frozenset({(TFLOperationName.CONV_2D, 2)})
"""Kinds of operators and bits a weight from which LiteRT 2.3 computes NaN, or dies."""

Choice = TypeVar("Choice")


class Setting(NamedTuple):
    """What the quantizer is told about one operator."""

    algorithm: AlgorithmName
    config: OpQuantizationConfig

    def fits(self, op: TFLOperationName) -> bool:
        """Whether the quantizer can do this to operators of a kind, and LiteRT can run what comes of it."""
        weights = self.config.weight_tensor_config
        if weights is not None and (op, weights.num_bits) in _MISREAD:
            return False
        if self.algorithm in ALGORITHMS.values() and not _applies(self.algorithm, op):
            return False
        try:
            algorithm_manager.check_op_quantization_config(self.algorithm, op, self.config)
        except ValueError:
            return False
        return True


def settings(
    quantization: str, spec: ConverterSpec, bits: int | None = None, granularity: str | None = None
) -> tuple[Setting, ...]:
    """How operators are quantized by a scheme: the first setting that fits an operator is taken.

    That is the recipe's algorithm; operators that it doesn't have are left to `min_max`.

    Args:
        quantization: `float16`, `dynamic_range`, `weight_only`, `int8` or `int16x8`.
        spec: its bits, granularity and algorithm hold for each scheme but `float16`.
        bits: instead of the spec's.
        granularity: instead of the spec's.

    Raises:
        ConversionError: the algorithm or the granularity is unknown.
    """
    if quantization == "float16":
        return (Setting(AlgorithmName.FLOAT_CASTING, _weights_alone(16, TensorDataType.FLOAT)),)
    algorithm = _known(spec.algorithm, ALGORITHMS, "algorithm")
    scales = _known(granularity or spec.granularity, _GRANULARITIES, "granularity")
    config = _config(quantization, bits or spec.weight_bits, scales)
    return tuple(Setting(name, config) for name in dict.fromkeys([algorithm, AlgorithmName.MIN_MAX_UNIFORM_QUANT]))


def combinations() -> Iterator[tuple[int, str]]:
    """Every pair of weight bits and granularity that a recipe can ask for."""
    return product(_WEIGHT_BITS, _GRANULARITIES)


def able_operators(algorithm: str) -> list[str]:
    """Kinds of operators that an algorithm can quantize at all."""
    name = ALGORITHMS[algorithm]
    return [op.value for op in algorithm_manager.get_supported_ops(name) if _applies(name, op)]


def _applies(algorithm: AlgorithmName, op: TFLOperationName) -> bool:
    """Algorithms decide about weights; activations are `min_max`'s, which for them is the same in each algorithm.

    Left to themselves some fail on constants that aren't weights, such as a summand.
    """
    return algorithm == AlgorithmName.MIN_MAX_UNIFORM_QUANT or op in DRQ_OR_WEIGHT_ONLY_OPS


def _config(quantization: str, bits: int, granularity: QuantGranularity) -> OpQuantizationConfig:
    if quantization == "weight_only":
        return _weights_alone(bits, TensorDataType.INT, granularity)
    activations = None
    if quantization in _ACTIVATION_BITS:
        # The kernels of LiteRT take 16-bit activations without zero point alone.
        width = _ACTIVATION_BITS[quantization]
        activations = TensorQuantizationConfig(num_bits=width, symmetric=width == max(_ACTIVATION_BITS.values()))
    return OpQuantizationConfig(
        activation_tensor_config=activations,
        weight_tensor_config=TensorQuantizationConfig(num_bits=bits, granularity=granularity),
        compute_precision=ComputePrecision.INTEGER,
    )


def _weights_alone(
    bits: int, dtype: TensorDataType, granularity: QuantGranularity = QuantGranularity.TENSORWISE
) -> OpQuantizationConfig:
    return OpQuantizationConfig(
        weight_tensor_config=TensorQuantizationConfig(num_bits=bits, granularity=granularity, dtype=dtype),
        compute_precision=ComputePrecision.FLOAT,
        explicit_dequantize=True,
    )


def _known(name: str, table: dict[str, Choice], key: str) -> Choice:
    if name not in table:
        raise ConversionError(
            f"ai_edge_quantizer has no {key} '{name}'{did_you_mean(name, table)}",
            where=f"converter.{key}",
            fix=f"use one of {', '.join(table)}",
        )
    return table[name]
