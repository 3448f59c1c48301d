"""The known name nearest to a mistyped one."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterable
from contextlib import suppress

_MOST_NEIGHBOURS = 2000


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """`; did you mean 'x'?` for the nearest known name, or nothing where none is near."""
    import difflib  # noqa: PLC0415  most names are right

    near = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f"; did you mean '{near[0]}'?" if near else ""


def neighbour(path: os.PathLike[str]) -> str:
    """The same for the name of a file or folder, among those in the same folder that aren't hidden."""
    folder, name = os.path.split(path)
    with suppress(OSError), os.scandir(folder or ".") as entries:
        known = (entry.name for entry in itertools.islice(entries, _MOST_NEIGHBOURS))
        return did_you_mean(name, sorted(it for it in known if it != name and not it.startswith(".")))
    return ""
