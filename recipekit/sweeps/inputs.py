"""Whether children of a resumed sweep were built from the same inputs as those that had ended before."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec

from recipekit.manifest import FILE

_LOOKED_AT = 200
"""Outputs of a group that are compared."""

_OWN = {"recipe-file", "recipe-repo"}
"""Inputs that a resumed sweep takes from its copy, or that decide nothing."""


def changed_inputs(before: Collection[Path], after: Collection[Path]) -> list[str]:
    """Names of files, folders, code and packages that two groups of outputs record with different digests, sorted.

    Of large groups a part is looked at, evenly spread, since a thousand manifests take seconds.

    Args:
        before: folders of outputs.
        after: folders of others.
    """
    known = dict(entry for output in _some(before) for entry in _digests(output))
    now = (entry for output in _some(after) for entry in _digests(output))
    return sorted({name for name, digest in now if known.get(name, digest) != digest})


def _some(outputs: Collection[Path]) -> Iterable[Path]:
    return islice(outputs, 0, None, -(-len(outputs) // _LOOKED_AT) or 1)


def _digests(output: Path) -> Iterator[tuple[str, str]]:
    """The inputs that an output records by a name which means the same in others; nothing for one that isn't whole."""
    try:
        statement: Any = msgspec.json.decode((output / FILE).read_bytes())
        for entry in statement["predicate"]["buildDefinition"]["resolvedDependencies"]:
            role = entry["annotations"]["role"]
            if "uri" in entry and role not in _OWN:
                name = entry["name"] if role == "package" else entry["uri"].removeprefix("file:")
                yield name, str(sorted(entry["digest"].items()))
    except (OSError, msgspec.MsgspecError, LookupError, TypeError):
        return  # to verify an output is another command's
