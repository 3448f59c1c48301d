"""Ranges of a float model's tensors for the AI Edge Quantizer, in one pass over the samples.

Ranges come from the quantizer's profiler mode, which tracks them inside the interpreter; they equal those of its mode
that copies all tensors out, at a tenth of the time. That mode is used for the statistics of GPTQ and OSCAR alone.
This module knows no scheme: the ranges of all tensors serve every one.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import Any, Generic, TypeVar

import numpy as np
import numpy.typing as npt
from ai_edge_quantizer.calibrator import CalibrationMode, Calibrator
from ai_edge_quantizer.qtyping import TFLOperationName
from ai_edge_quantizer.recipe_manager import RecipeManager
from ai_edge_quantizer.utils import qsv_utils

from recipekit.contracts import CalibrateRequest, Signature
from recipekit.errors import ConversionError, RecipekitError, in_a_line
from recipekit.worker.engines.ai_edge_model import with_signature
from recipekit.worker.engines.ai_edge_ranges import Ranges
from recipekit.worker.engines.ai_edge_schemes import ALGORITHMS
from recipekit.worker.samples import NamedSample
from recipekit.worker.signature_samples import Batches

_THREADS = 1  # the same ranges as with more, and for one sample of a small model the fastest
_STATISTICS = ("hessian", "mu2", "num_samples")

Seen = dict[str, npt.NDArray[Any]]
Inputs = dict[str, npt.NDArray[Any]]
Item = TypeVar("Item")


def collect(request: CalibrateRequest, samples: Iterable[NamedSample]) -> Ranges:
    """Runs the float32 conversion on every sample.

    Raises:
        ConversionError: the model can't be run on a sample, an input has a fixed batch, or a tensor isn't finite.
        RecipekitError: whatever the samples raise while they are read.
    """
    refuse_fixed_batch(request.loaded.tensors)
    batches = Batches(request.loaded.signatures)
    try:
        flatbuffer = with_signature(Path(request.float32).read_bytes())
        limits = Limits(flatbuffer, request.calibration.ranges)
        statistics = _Statistics(flatbuffer, request.calibration.algorithm) if request.calibration.algorithm else None
        for key, group in groupby(samples, key=attrgetter("signature")):
            limits.see(key, _inputs(group, batches, statistics))
    except RecipekitError:
        raise
    except Exception as error:
        raise ConversionError(
            f"ai_edge_quantizer can't calibrate the model: {in_a_line(error)}",
            where="representative_dataset",
            fix="check that the model runs on the samples, or choose the quantization dynamic_range, weight_only,"
            " float16 or none; the log holds the traceback",
        ) from error
    ranges = limits.ranges()
    for name, values in (statistics.values() if statistics else {}).items():
        ranges.setdefault(name, {}).update(values)
    return ranges


class Limits:
    """The smallest and largest value of each tensor, over all samples or as a moving average."""

    def __init__(self, flatbuffer: bytes, rule: str) -> None:
        self._calibrator = Calibrator(
            flatbuffer,
            num_threads=_THREADS,
            mode=CalibrationMode.CALIBRATION_PROFILER_BASED,
            qsv_update_func=_UPDATES[rule],
        )

    def see(self, signature: str, stream: Iterable[Inputs]) -> None:
        """Runs the model on more samples of a signature, as arrays with batch dimension by input name.

        Args:
            signature: its key; empty where the model has no other.
            stream: the samples.
        """
        # The profiler looks at all tensors, whatever a recipe says.
        self._calibrator.calibrate({signature or _sole_key(self._calibrator): _Uncounted(stream)}, RecipeManager())

    def ranges(self) -> Ranges:
        """The ranges over all samples so far.

        Raises:
            ConversionError: a tensor held something else than finite numbers.
        """
        for name in self.not_finite():
            raise ConversionError(
                f"the tensor '{name}' is not finite on a calibration sample",
                where="representative_dataset",
                fix="look for a division by zero, a logarithm or an overflow in the model, and for odd samples",
            )
        seen = self._calibrator.get_model_qsvs()
        return {name: {key: values[key].astype(np.float32) for key in ("min", "max")} for name, values in seen.items()}

    def not_finite(self) -> list[str]:
        """Names of the tensors that held NaN or infinity so far."""
        seen = self._calibrator.get_model_qsvs()
        limits = {name: (values["min"], values["max"]) for name, values in seen.items()}
        return [name for name in sorted(limits) if not np.isfinite(limits[name]).all()]


class _Statistics:
    """What an algorithm collects about the inputs of its operators besides ranges."""

    def __init__(self, flatbuffer: bytes, algorithm: str) -> None:
        self._recipe = RecipeManager()
        self._recipe.add_dynamic_config(
            ".*", TFLOperationName.ALL_SUPPORTED, num_bits=8, algorithm_key=ALGORITHMS[algorithm]
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # keeping all tensors is what this mode is for
            self._calibrator = Calibrator(
                flatbuffer, num_threads=_THREADS, mode=CalibrationMode.CALIBRATION_PRESERVE_ALL_TENSORS
            )

    def see(self, signature: str, inputs: Inputs) -> None:
        self._calibrator.calibrate({signature or _sole_key(self._calibrator): _Uncounted([inputs])}, self._recipe)

    def values(self) -> Ranges:
        seen = self._calibrator.get_model_qsvs()
        return {name: {key: values[key] for key in _STATISTICS if key in values} for name, values in seen.items()}


class _Uncounted(Generic[Item]):
    """A stream that is empty to its first reader, the calibrator's progress bar, which would hold it whole to count it.

    A bar of no length stays off as well.
    """

    def __init__(self, stream: Iterable[Item]) -> None:
        self._stream = stream
        self._counted = False

    def __iter__(self) -> Iterator[Item]:
        if self._counted:
            yield from self._stream
        self._counted = True


def _sole_key(calibrator: Calibrator) -> str:
    (key,) = calibrator.get_signature_list()
    return str(key)


def _inputs(samples: Iterable[NamedSample], batches: Batches, statistics: _Statistics | None) -> Iterator[Inputs]:
    """Samples as arrays with batch dimension 1."""
    for sample in samples:
        inputs = batches.of_one(sample)
        if statistics is not None:
            statistics.see(sample.signature, inputs)
        yield inputs


def _moving_average(before: Seen, seen: Seen) -> Seen:
    """The quantizer's moving average, rounded to float32 at each step as in the mode that copies tensors."""
    average: Seen = qsv_utils.moving_average_update(_float32(before), _float32(seen))
    return average


def _float32(seen: Seen) -> Seen:
    return {key: value.astype(np.float32) for key, value in seen.items()}


_UPDATES: dict[str, Callable[[Seen, Seen], Seen]] = {
    "min_max": qsv_utils.min_max_update,
    "moving_average": _moving_average,
}


def refuse_fixed_batch(signature: Signature) -> None:
    """Refuses a model that takes several samples at once.

    Raises:
        ConversionError: an input has a fixed batch other than 1.
    """
    for spec in signature.inputs:
        if spec.shape and spec.shape[0] not in (None, 1):
            raise ConversionError(
                f"the input '{spec.name}' has a fixed batch of {spec.shape[0]}, but samples come one at a time",
                where="representative_dataset",
                fix="fix the batch to 1: with `source.input_shapes`, or when the source is made",
            )
