"""The stages of a conversion in a process whose TensorFlow lacks a name: `python altered_tensorflow.py NAME FOLDER`.

NAME is `module:attribute.attribute`. FOLDER holds `requests.json`, a list of quantize requests whose float32 conversion
and ranges are made anew here; the flatbuffer of the first one goes to `FOLDER/0.tflite` and so on.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import msgspec

from recipekit.contracts import CalibrateRequest, LowerRequest, QuantizeRequest
from recipekit.worker.stages import calibrate, lower, quantize


def _remove(name: str) -> None:
    module, _, path = name.partition(":")
    owner: object = importlib.import_module(module)
    *parents, attribute = path.split(".")
    for parent in parents:
        owner = getattr(owner, parent)
    delattr(owner, attribute)


def _convert(request: QuantizeRequest, folder: Path) -> bytes:
    folder.mkdir()
    converter, loaded = request.converter, request.loaded
    float32 = lower.run(LowerRequest(loaded=loaded, lowering=converter.lowering), folder).path
    calibration = None
    if request.dataset is not None:
        calibration = calibrate.run(
            CalibrateRequest(
                loaded=loaded, float32=float32, calibration=converter.calibration, dataset=request.dataset
            ),
            folder,
        )
    quantized = folder / "quantized"
    quantized.mkdir()
    request = msgspec.structs.replace(request, float32=float32, calibration=calibration)
    return Path(quantize.run(request, quantized).path).read_bytes()


def _main(name: str, folder: Path) -> None:
    _remove(name)
    requests = msgspec.json.decode((folder / "requests.json").read_bytes(), type=list[QuantizeRequest])
    for index, request in enumerate(requests):
        (folder / f"{index}.tflite").write_bytes(_convert(request, folder / str(index)))


if __name__ == "__main__":
    _main(sys.argv[1], Path(sys.argv[2]))
