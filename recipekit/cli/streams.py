"""Standard streams that whoever started the command has closed: what is opened next would get their numbers."""

from __future__ import annotations

import os
import sys


def open_closed_streams() -> None:
    """Puts the null device in the place of each closed one, so that no file of ours is written over by a message."""
    for descriptor, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            null = os.open(os.devnull, os.O_RDWR)
            if null != descriptor:
                os.dup2(null, descriptor)
                os.close(null)
            os.set_inheritable(descriptor, True)
            setattr(sys, name, open(descriptor, "r" if name == "stdin" else "w", closefd=False))  # noqa: SIM115
