"""Reading a manifest as strictly as if it came from a stranger."""

from __future__ import annotations

import json
import re
import stat
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec

from recipekit import digests, fsio
from recipekit.errors import OutputAltered
from recipekit.faults import validator
from recipekit.manifest.definition import build_key
from recipekit.manifest.names import FILE, RESULTS
from recipekit.manifest.strict import strict_json
from recipekit.schemas import is_faultless

_MAJOR_VERSION = 1


def parse(text: str, *, where: str = FILE) -> dict[str, Any]:
    """The manifest in a text.

    Args:
        text: JSON.
        where: the file that messages name.

    Raises:
        OutputAltered: the text isn't JSON, holds a key twice, NaN or an infinity, breaks the schema, is of another
            major version, names a file twice, or its build key or configuration digest belong to something else.
    """
    try:
        require_valid(text)
    except (ValueError, RecursionError) as error:
        raise OutputAltered(
            f"is not a valid manifest: {error}", where=where, fix="build the output anew with --rebuild"
        ) from error
    try:
        manifest: dict[str, Any] = msgspec.json.decode(text)
    except msgspec.DecodeError:  # half of a pair of surrogates, which the standard library lets pass
        manifest = json.loads(text)
    return manifest


def read(folder: Path) -> dict[str, Any]:
    """The manifest of an output.

    Raises:
        OutputAltered: it is missing, not a regular file or not valid.
        OutputFault: it can't be read.
    """
    path = folder / FILE
    with fsio.reported(path):
        try:
            if not stat.S_ISREG(path.lstat().st_mode):  # a pipe would never end
                raise OutputAltered("is not a regular file", where=str(path), fix="build it anew with --rebuild")
            text = path.read_bytes().decode()
        except FileNotFoundError:
            raise OutputAltered(f"has no {FILE}", where=str(folder), fix="build it anew with --rebuild") from None
        except UnicodeDecodeError as error:
            raise OutputAltered(
                f"is not UTF-8: {error}", where=str(path), fix="build it anew with --rebuild"
            ) from error
    return parse(text, where=str(path))


def recorded_files(manifest: dict[str, Any]) -> dict[str, tuple[str, int]]:
    """SHA-256 and size of each file that the output must hold besides the manifest, by relative path."""
    entries = [*manifest["subject"], *manifest["predicate"]["runDetails"]["byproducts"]]
    return {entry["name"]: (entry["digest"]["sha256"], entry["annotations"]["size"]) for entry in entries}


def results(manifest: dict[str, Any]) -> dict[str, Any]:
    """Verdict, build key, metrics, checks and timings, as the manifest records them."""
    byproducts = manifest["predicate"]["runDetails"]["byproducts"]
    found: dict[str, Any] = next(entry["annotations"] for entry in byproducts if entry["name"] == RESULTS)
    return found


def is_accepted(manifest: dict[str, Any]) -> bool:
    """Whether the manifest records that the output was accepted."""
    return bool(results(manifest)["verdict"] == "accepted")


def finished_on(manifest: dict[str, Any]) -> str:
    """When the output was finished: a time in UTC, of one width, so that times sort as text."""
    return str(manifest["predicate"]["runDetails"]["metadata"]["finishedOn"])


@lru_cache(maxsize=4)
def require_valid(text: str) -> None:
    """Checks a manifest; the one that was just written isn't checked again before it is published.

    Raises:
        ValueError: what is wrong with it.
        RecursionError: it is nested too deeply.
    """
    manifest = strict_json(text)
    _require_version(manifest)
    _require_schema(manifest)
    _require_consistency(manifest)


def _require_version(manifest: Any) -> None:
    """Tells a manifest of another version from a broken one, before the schema calls it that."""
    try:
        version = re.search(r"/build/v([0-9]+)$", manifest["predicate"]["buildDefinition"]["buildType"])
    except (KeyError, TypeError):
        return
    if version is not None and int(version[1]) != _MAJOR_VERSION:
        raise ValueError(
            f"it is of version {version[1]} and this recipekit reads version {_MAJOR_VERSION}; use a matching recipekit"
        )


def _require_schema(manifest: Any) -> None:
    if is_faultless(manifest, "manifest"):
        return
    error = min(validator("manifest").iter_errors(manifest), key=lambda error: error.json_path, default=None)
    if error is not None:
        raise ValueError(f"{error.json_path}: {error.message[:300]}")


def _require_consistency(manifest: dict[str, Any]) -> None:
    definition = manifest["predicate"]["buildDefinition"]
    entries = [*manifest["subject"], *manifest["predicate"]["runDetails"]["byproducts"]]
    names = [FILE, *(entry["name"] for entry in entries)]
    if len(set(names)) != len(names):
        raise ValueError(f"it records '{next(name for name in names if names.count(name) > 1)}' twice")
    parameters = definition["externalParameters"]
    if digests.of_json(parameters["resolvedConfig"]) != parameters["configDigest"]:
        raise ValueError("configDigest is not that of resolvedConfig")
    if build_key(definition) != results(manifest)["buildKey"]:
        raise ValueError("buildKey is not that of buildDefinition")
