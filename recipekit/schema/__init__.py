"""The JSON Schemas of recipes and manifests: files beside this module, so that they travel with the package.

Reading them takes nothing but the standard library, since shell completion waits for it.
"""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Any

Part = dict[str, Any]
"""A schema, or what it says of one place."""


@cache
def schema(name: str) -> Part:
    """A schema by its file's stem, `recipe` or `manifest`."""
    loaded: Part = json.loads(files(__name__).joinpath(f"{name}.schema.json").read_text("utf-8"))
    return loaded


def resolved(part: Part, root: Part) -> Part:
    """A part of a schema with the definition that it refers to; what it says itself goes first.

    Args:
        part: of the schema.
        root: the schema.
    """
    if "$ref" not in part:
        return part
    definition = resolved(root["$defs"][part["$ref"].rpartition("/")[2]], root)
    return {**definition, **{key: value for key, value in part.items() if key != "$ref"}}
