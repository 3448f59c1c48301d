"""`sweep.json`: how a sweep began, so that it can go on the same way whatever has changed since.

It holds no secret: an override that looks like one is withheld, and of variables that recipes read it keeps digests.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path

import msgspec

import recipekit
from recipekit import digests, fsio
from recipekit.child_outcomes import FILE as OUTCOME
from recipekit.contracts import Record
from recipekit.errors import OutputFault, UsageError
from recipekit.project import Project
from recipekit.secrecy import redacted
from recipekit.summary import SUMMARY
from recipekit.sweeps.conditions import shipped, variables

RECORD = "sweep.json"
"""The record's file in a sweep's folder."""

SO_FAR = "so-far.html"
"""A page of the children that have ended, for a sweep without a summary."""

FORMAT = 1
"""Version of the record's shape."""

SEARCH = "search"
"""The sweeper that keeps a study beside this record, which says how its children go on: recipekit's own."""

GRID = "grid"
"""The sweeper whose children are known before the first one runs: Hydra's basic one."""

REPEAT_COMMAND = "run its command again; what is built is found"
"""The fix that an error names where a sweep can't be resumed."""


class Beginning(Record, frozen=True, kw_only=True):
    """How a sweep began.

    Attributes:
        format: of this record.
        created: when, in UTC.
        recipekit: version of the recipekit that began it.
        shipped: SHA-256 of its packaged options and schemas.
        project: the project root, relative to the sweep's folder.
        recipes: the recipes folder, relative to the project root where it lies below that.
        config_dirs: the folders behind it, likewise.
        env: environment variables that recipes may read.
        variables: those that are mentioned in recipes or overrides, with the SHA-256 of their values; None for unset.
        files: SHA-256 of each file of the copy.
        overrides: as typed, secrets withheld.
        rebuild: whether children are built even where they are built already.
        sweeper: who says which children there are: `grid`, `search`, or a class of whom only Hydra knows more.
        children: how many there are; None where only Hydra, or its sweeper, knows.
    """

    format: int = FORMAT
    created: str
    recipekit: str
    shipped: str
    project: str
    recipes: str
    config_dirs: tuple[str, ...]
    env: tuple[str, ...]
    variables: dict[str, str | None]
    files: dict[str, str]
    overrides: tuple[str, ...]
    rebuild: bool
    sweeper: str
    children: int | None


class _Format(msgspec.Struct):
    """What every format of the record has."""

    format: int


def write_record(
    folder: Path,
    project: Project,
    files: Mapping[str, str],
    overrides: Sequence[str],
    *,
    rebuild: bool,
    sweeper: str,
    children: int | None,
) -> None:
    """Writes the record of a sweep that is about to begin, in one step.

    Args:
        folder: of the sweep.
        project: as it reads its recipes from the sweep's copy.
        files: digests of the copy's files.
        overrides: as typed.
        rebuild: whether children are built even where they are built already.
        sweeper: `grid`, `search`, or a sweeper's class.
        children: how many there are; None where that is not known.

    Raises:
        OutputFault: the file system refused.
    """
    with fsio.reported(folder):
        root = Path(os.path.relpath(project.root.resolve(), folder.resolve())).as_posix()
    beginning = Beginning(
        created=datetime.now(timezone.utc).isoformat(timespec="seconds"),
        recipekit=recipekit.__version__,
        shipped=shipped(),
        project=root,
        recipes=relative(project.recipes, project.root),
        config_dirs=tuple(relative(each, project.root) for each in project.config_dirs),
        env=project.env,
        variables=variables(project, files, overrides),
        files=dict(files),
        overrides=tuple(map(redacted, overrides)),
        rebuild=rebuild,
        sweeper=sweeper,
        children=children,
    )
    fresh = folder / f".{RECORD}"
    with fsio.reported(fresh):
        fsio.write_bytes(fresh, digests.pretty_json(msgspec.to_builtins(beginning)).encode())
        fsio.rename(fresh, folder / RECORD)


def is_resumable(folder: Path) -> bool:
    """Whether a folder is that of a sweep which has a record, whether or not its children have ended."""
    return (folder / RECORD).is_file()


def is_unfinished(folder: Path) -> bool:
    """Whether a folder is that of a sweep which still runs, or has lost its driver: it has no summary."""
    return is_resumable(folder) and not (folder / SUMMARY).exists()


def read_record(folder: Path) -> Beginning:
    """The record of a sweep.

    Raises:
        UsageError: the folder is no sweep's, or that of one that an older or a newer recipekit began.
        OutputFault: the record can't be read, or was damaged.
    """
    where = str(folder / RECORD)
    if not is_resumable(folder):
        if any(folder.glob(f"*/{OUTCOME}")):
            what = "an older recipekit began this sweep, which kept no copy of its recipes to go on with"
            raise UsageError(what, where=str(folder), fix=REPEAT_COMMAND)
        raise UsageError("is no folder of a sweep", where=str(folder), fix="name one of outputs/sweeps, or latest")
    with fsio.reported(folder):
        data = (folder / RECORD).read_bytes()
    try:
        version = msgspec.json.decode(data, type=_Format).format
        if version == FORMAT:
            return msgspec.json.decode(data, type=Beginning)
    except msgspec.MsgspecError as error:
        raise OutputFault(f"is not the record of a sweep: {error}", where=where, fix=REPEAT_COMMAND) from error
    what = f"another recipekit began this sweep: its record is of format {version}, and this one reads {FORMAT}"
    raise UsageError(what, where=where, fix="resume it with that recipekit")


def relative(path: Path, root: Path) -> str:
    """A path as the record spells it: relative to the project root where it lies below that."""
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)
