"""The stage `calibrate`: which ranges a model's tensors take on the representative samples."""

from __future__ import annotations

from pathlib import Path

from recipekit import registry
from recipekit.contracts import CalibrateRequest, Calibration, Engine
from recipekit.worker.progress import Counted
from recipekit.worker.signature_samples import open_readings


def run(request: CalibrateRequest, folder: Path) -> Calibration:
    """Runs the float32 conversion on every sample; what was seen goes to `folder/ranges`, the samples to a log beside.

    Raises:
        ConversionError: the engine can't calibrate the model.
        DatasetError: a sample doesn't fit.
        PluginError: code of the dataset failed.
    """
    engine: Engine = registry.plugin("engines", request.calibration.engine)()
    reading = open_readings(request.dataset, request.loaded.signatures, folder)
    path = folder / "ranges"
    path.write_bytes(engine.calibrate(request, Counted(reading, reading.count, "samples")))
    return Calibration(path=str(path), samples=reading.sample_set())
