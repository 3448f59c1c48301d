"""How far a long stage has come: a line in its log, and the same line in a file that the parent may show meanwhile."""

from __future__ import annotations

import sys
from pathlib import Path

FILE = "progress.txt"
"""Its name is known to the parent's pool, too."""


def show(folder: Path, text: str) -> None:
    """Tells how far a stage is.

    Args:
        folder: the stage's folder of artifacts; the file stands beside it.
        text: one line.
    """
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
    fresh = folder.with_name(f"{FILE}.part")
    fresh.write_text(text, encoding="utf-8")
    fresh.replace(folder.with_name(FILE))
