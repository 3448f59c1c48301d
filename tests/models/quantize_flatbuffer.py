"""Calibrates and quantizes a float `.tflite` by the stages and prints what came of it, as one process of its own.

`python quantize_flatbuffer.py FOLDER`: digests of every result, and whether TensorFlow was imported on the way.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from recipekit import digests
from recipekit.contracts import ReferenceRequest
from recipekit.worker.stages import reference
from tests.models.built_flatbuffers import classifier
from tests.worker.engines.quantizer_runs import Quantizer, converter, rule

SCHEMES = (
    converter("float16"),
    converter("dynamic_range", weight_bits=4),
    converter("weight_only"),
    converter("int8", rule("none", op="SOFTMAX"), rule("float16", name="log.*")),
    converter("int16x8", input_type="int16"),
    converter("dynamic_range", algorithm="gptq"),
    converter("dynamic_range", algorithm="oscar"),
)


def main(folder: Path) -> None:
    quantizer = Quantizer(folder, classifier())
    answers = reference.run(
        ReferenceRequest(model=quantizer.spec, loaded=quantizer.loaded, dataset=quantizer.dataset), folder
    )
    results = [Path(log.path).read_bytes() for log in answers.outputs.values()]
    for spec in SCHEMES:
        results.append(quantizer(spec).flatbuffer)
        if spec.needs_samples:
            results.append(Path(quantizer.calibration(spec).path).read_bytes())
    foreign = sorted({"tensorflow", "tf_keras", "keras"} & set(sys.modules))
    told = {"digests": [digests.of_bytes(result) for result in results], "imported": foreign}
    sys.stdout.write(json.dumps(told) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
