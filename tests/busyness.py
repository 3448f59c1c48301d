"""How much slower than on a machine that has nothing else to do something may be right now."""

from __future__ import annotations

import os
import time
from pathlib import Path

_SPIN = 0.02
"""Seconds of a processor's time that a measurement takes."""


def slowed() -> float:
    """A factor of at least one for limits on wall-clock time.

    The greatest of what the last minute, this moment, and a piece of work done now say: the average forgets slowly
    and learns slowly, and only work itself notices a host that gives the machine no time.
    """
    running = int(Path("/proc/loadavg").read_text().split()[3].partition("/")[0])
    processors = os.cpu_count() or 1
    return max(1.0, os.getloadavg()[0] / processors, running / processors, _stretched())


def _stretched() -> float:
    """How many times longer than its processor time a piece of work takes."""
    began, used = time.monotonic(), time.thread_time()
    while time.thread_time() - used < _SPIN:
        pass
    return (time.monotonic() - began) / _SPIN
