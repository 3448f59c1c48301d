"""The ranges that TFLiteConverter's calibrator leaves in a flatbuffer: whether anything can be quantized by them.

The calibrator takes an infinity without a word, and passes over NaN.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from recipekit.errors import ConversionError


def require_finite(calibrated: bytes) -> None:
    """Refuses ranges that reach to infinity.

    Raises:
        ConversionError: a tensor held an infinity; the first one is named.
    """
    for name in _endless(calibrated):
        raise ConversionError(
            f"the tensor '{name}' is infinite on a calibration sample",
            where="representative_dataset",
            fix="look for a division by zero, a logarithm or an overflow in the model, and for odd samples",
        )


def _endless(calibrated: bytes) -> Iterator[str]:
    model = schema.Model.GetRootAs(calibrated)
    for number in range(model.SubgraphsLength()):
        graph = model.Subgraphs(number)
        for index in range(graph.TensorsLength()):
            tensor = graph.Tensors(index)
            ranges = tensor.Quantization()
            if ranges is not None and ranges.MinLength() + ranges.MaxLength():
                limits = (ranges.MinAsNumpy(), ranges.MaxAsNumpy())
                if not all(np.isfinite(limit).all() for limit in limits):
                    yield (tensor.Name() or b"").decode(errors="replace")
