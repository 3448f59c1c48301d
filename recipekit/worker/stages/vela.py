"""The stage `vela`: the candidate compiled for an Ethos-U, and what its compiler reports of it."""

from __future__ import annotations

from pathlib import Path

from recipekit.contracts import Compilation, VelaRequest
from recipekit.worker import vela
from recipekit.worker.build_key_place import write_with_place
from recipekit.worker.extras import require


def run(request: VelaRequest, folder: Path) -> Compilation:
    """Writes the compiled flatbuffer into `folder/model_vela.tflite`.

    Raises:
        EnvironmentFault: Vela isn't installed.
        ConversionError: Vela refuses the model or the options.
    """
    require("ethosu.vela", "vela", "'artifacts.vela'")
    compiled = vela.compile_for_npu(Path(request.candidate), request.vela, request.config, folder / "vela")
    flatbuffer = write_with_place(compiled.flatbuffer, folder / "model_vela.tflite")
    census = vela.operators(compiled.flatbuffer)
    return Compilation(
        path=flatbuffer.path,
        build_key_offset=flatbuffer.build_key_offset,
        operators=census,
        report=vela.report(compiled, census, flatbuffer.size),
    )
