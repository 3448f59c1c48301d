"""Vela, Arm's compiler for Ethos-U NPUs, run as a process of its own.

It takes a quantized `.tflite` and gives one whose parts for the NPU are custom operators, with a summary of one line in
a table of its own and a count of operators among what it prints. What stays on the CPU is counted in the file itself.
"""

from __future__ import annotations

import csv
import re
import subprocess
import sys
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

from recipekit.contracts import Operator, TargetReport, VelaSpec
from recipekit.errors import ConversionError
from recipekit.worker import census

_ON_NPU = "ethos-u"
_NPU_OPERATORS = re.compile(r"^NPU operators = (\d+)", re.MULTILINE)
_LONGEST = 600


class Compiled(NamedTuple):
    """What Vela gave.

    Attributes:
        flatbuffer: the compiled file.
        summary: the columns of its table.
        npu_operators: that it says run on the NPU.
    """

    flatbuffer: bytes
    summary: dict[str, str]
    npu_operators: int


def compile_for_npu(candidate: Path, spec: VelaSpec, config: str, scratch: Path) -> Compiled:
    """Compiles a model.

    Args:
        candidate: the `.tflite` file.
        spec: the options.
        config: the configuration file; empty for the one that Vela brings.
        scratch: a folder for Vela's files; it is emptied again.

    Raises:
        ConversionError: Vela ended with an error; its last words are in the message, all of them in the log.
    """
    scratch.mkdir()
    options = {
        "--accelerator-config": spec.accelerator,
        "--system-config": spec.system_config,
        "--memory-mode": spec.memory_mode,
        "--config": config or None,
        "--optimise": spec.optimise,
        "--output-dir": str(scratch),
    }
    given = [text for option, value in options.items() if value is not None for text in (option, value)]
    done = subprocess.run(
        [sys.executable, "-m", "ethosu.vela", str(candidate), *given],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    print(done.stdout)  # noqa: T201  into the stage's log
    compiled, summaries = scratch / f"{candidate.stem}_vela.tflite", sorted(scratch.glob("*_summary_*.csv"))
    counted = _NPU_OPERATORS.search(done.stdout)
    if done.returncode or not compiled.is_file() or not summaries or counted is None:
        raise ConversionError(
            f"Vela can't compile the model: {_last_words(done.stdout)}",
            where="artifacts.vela",
            fix="give it an int8 or int16x8 model, and options that its configuration file has; the log says more",
        )
    with summaries[0].open(encoding="utf-8", newline="") as stream:
        (summary,) = csv.DictReader(stream)
    result = Compiled(compiled.read_bytes(), summary, int(counted[1]))
    for file in scratch.iterdir():
        file.unlink()
    scratch.rmdir()
    return result


def operators(flatbuffer: bytes) -> tuple[Operator, ...]:
    """The operators of a compiled file, those on the CPU and `ethos-u` for what is on the NPU."""
    return census.of_flatbuffer(flatbuffer).operators


def report(compiled: Compiled, found: Iterable[Operator], size: int) -> TargetReport:
    """What Vela says of a model.

    Args:
        compiled: what it gave.
        found: operators of the compiled file.
        size: bytes of the file as it is published.
    """
    summary = compiled.summary
    left = [operator for operator in found if operator.name != _ON_NPU]
    return TargetReport(
        compiler=f"vela {version('ethos-u-vela')}",
        accelerator=summary["accelerator_configuration"],
        system_config=summary["system_config"],
        memory_mode=summary["memory_mode"],
        size=size,
        sram_kib=float(summary["sram_memory_used"]),
        dram_kib=float(summary["dram_memory_used"]),
        on_chip_flash_kib=float(summary["on_chip_flash_memory_used"]),
        off_chip_flash_kib=float(summary["off_chip_flash_memory_used"]),
        inference_ms=float(summary["inference_time"]) * 1e3,
        cycles=round(float(summary["cycles_total"])),
        macs=round(float(summary["nn_macs"])),
        npu_operators=compiled.npu_operators,
        cpu_operators=sum(operator.count for operator in left),
        cpu_operator_names=tuple(sorted({operator.name for operator in left})),
    )


def _last_words(printed: str) -> str:
    lines = [line.strip() for line in printed.splitlines()]
    said = [line for line in lines if line and not line.startswith("Warning: ")]
    return said[-1][-_LONGEST:] if said else "it said nothing"
