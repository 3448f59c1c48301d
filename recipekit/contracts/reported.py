"""What the makers of artifacts report of a candidate, beside the files that they leave."""

from __future__ import annotations

from recipekit.contracts.record import Record


class TargetReport(Record, frozen=True, kw_only=True):
    """What the compiler of a target says of the candidate; estimates of its model of the hardware, not measurements.

    Attributes:
        compiler: its name and version.
        accelerator: configuration of the accelerator, by the compiler's own name, such as `Ethos_U55_128`.
        system_config: memories and clocks that the estimates are for.
        memory_mode: what lies in which memory.
        size: bytes of the compiled file.
        sram_kib: KiB of SRAM that it needs, tensors above all.
        dram_kib: KiB of DRAM.
        on_chip_flash_kib: KiB of flash on the chip.
        off_chip_flash_kib: KiB of flash beside the chip.
        inference_ms: milliseconds of one inference, what falls back to the CPU left out.
        cycles: clock cycles of one inference, in the same way.
        macs: multiplications with additions of one inference.
        npu_operators: operators on the NPU, as the compiler counts its own: one of the model may become several.
        cpu_operators: operators of the compiled file that are left to the CPU.
        cpu_operator_names: their names, each once, sorted.
    """

    compiler: str
    accelerator: str
    system_config: str
    memory_mode: str
    size: int
    sram_kib: float
    dram_kib: float
    on_chip_flash_kib: float
    off_chip_flash_kib: float
    inference_ms: float
    cycles: int
    macs: int
    npu_operators: int
    cpu_operators: int
    cpu_operator_names: tuple[str, ...] = ()

    @property
    def flash_kib(self) -> float:
        """KiB of flash, on the chip and beside it."""
        return self.on_chip_flash_kib + self.off_chip_flash_kib

    @property
    def conditions(self) -> str:
        """What the figures are for, in words."""
        return f"{self.compiler} for {self.accelerator}, {self.system_config}, {self.memory_mode}"

    @property
    def figures(self) -> dict[str, str]:
        """The figures that a reader asks for, by what each of them is."""
        left = f" ({', '.join(self.cpu_operator_names)})" if self.cpu_operator_names else ""
        return {
            "SRAM, KiB": f"{self.sram_kib:,.6g}",
            "DRAM, KiB": f"{self.dram_kib:,.6g}",
            "Flash, KiB": f"{self.flash_kib:,.6g}",
            "Inference, ms": f"{self.inference_ms:.6g}",
            "Cycles": f"{self.cycles:,}",
            "Operators on the NPU": f"{self.npu_operators:,}",
            "Operators on the CPU": f"{self.cpu_operators:,}{left}",
        }

    def share(self, metric: str) -> float:
        """The share of all operators that `npu_operators` or `cpu_operators` is; 0 of a model without operators."""
        count: int = getattr(self, metric)
        return count / max(1, self.npu_operators + self.cpu_operators)


class GoldenReport(Record, frozen=True, kw_only=True):
    """How far this machine's fast kernels are from the reference kernels whose outputs the golden vectors hold.

    Attributes:
        vectors: number of vectors.
        host_lsb: largest difference of outputs of an integer dtype, in steps of it, by output; of several signatures by
            `key/output`.
        host_abs_error: largest absolute difference of other outputs, in the same way.
    """

    vectors: int
    host_lsb: dict[str, int]
    host_abs_error: dict[str, float]
