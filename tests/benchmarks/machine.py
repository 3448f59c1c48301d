"""The machine and the packages that a measurement depends on; nothing that tells whose machine it is."""

from __future__ import annotations

import os
import platform
import re
from importlib.metadata import version
from pathlib import Path

import msgspec
import psutil

_PACKAGES = ("tensorflow", "ai-edge-litert", "ai-edge-quantizer", "keras", "numpy")


class Machine(msgspec.Struct, frozen=True):
    """Facts of a machine: processor, cores, memory in GiB, system, Python, and versions by package."""

    processor: str
    cores: int
    memory_gib: int
    system: str
    python: str
    packages: dict[str, str]

    @classmethod
    def here(cls) -> Machine:
        """This one."""
        return cls(
            processor=processor(),
            cores=os.cpu_count() or 1,
            memory_gib=round(psutil.virtual_memory().total / 2**30),
            system=f"{platform.system()} {platform.machine()}",
            python=platform.python_version(),
            packages={name: version(name) for name in _PACKAGES},
        )

    def sentence(self) -> str:
        """All of it in one sentence."""
        packages = ", ".join(f"{name} {number}" for name, number in self.packages.items())
        return (
            f"{self.processor}, {self.cores} cores, {self.memory_gib} GiB of memory, {self.system}, "
            f"Python {self.python}, {packages}."
        )


def processor(cpuinfo: Path = Path("/proc/cpuinfo")) -> str:
    """The processor's model as the system names it."""
    found = re.search(r"^model name\s*:\s*(.+)$", cpuinfo.read_text(), re.MULTILINE) if cpuinfo.is_file() else None
    return found[1].strip() if found else platform.processor() or platform.machine()
