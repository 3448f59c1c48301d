"""The stage `agree`: a model with replacements beside the original, on samples, where drawn inputs can't tell.

A vocabulary's numbers, lengths and texts can't be drawn from shapes alone; the recipe's own samples fit.
"""

from __future__ import annotations

from pathlib import Path
from typing import cast

from recipekit.contracts import Agreement, AgreeRequest
from recipekit.worker.float_model import FloatModel
from recipekit.worker.progress import Counted
from recipekit.worker.replacing import require_equal, runner
from recipekit.worker.replacing.parity import agreement_on
from recipekit.worker.samples import open_samples
from recipekit.worker.stages.load import float_model


def run(request: AgreeRequest, folder: Path) -> Agreement:
    """Compares both on every sample.

    Raises:
        CustomLayerError: the outputs differ by more than a replacement may.
        DatasetError, PluginError: as the dataset says.
    """
    original = cast("FloatModel", float_model(request.model))
    reading = open_samples(request.dataset, request.loaded.signature, folder)
    samples = Counted(reading, reading.count, "samples")
    inputs = ({name: array[None] for name, array in sample.tensors.items()} for sample in samples)
    sqnr_db = agreement_on(original, runner(request.loaded), inputs)
    require_equal(sqnr_db, request.model.custom_layers.replace)
    return Agreement(sqnr_db=sqnr_db, samples=reading.sample_set())
