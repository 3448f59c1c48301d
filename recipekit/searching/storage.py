"""Opens the storage of a study: a journal in the sweep's folder, a journal elsewhere, or a database.

A storage's URL may hold a password, which is redacted in every message.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from optuna.exceptions import OptunaError
from optuna.storages import BaseStorage, JournalStorage, RDBStorage
from optuna.storages.journal import JournalFileBackend
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from recipekit import fsio
from recipekit.errors import EnvironmentFault, OutputFault, UsageError
from recipekit.secrecy import redacted

JOURNAL = "study.journal"
"""The study of a sweep, in its folder."""

_SUFFIX = ".journal"
_WHERE = "hydra.sweeper.storage"
_FIX = "write PATH.journal, or an URL such as sqlite:///studies.db or postgresql://host/database"
_LOCK_SECONDS = 60
"""How long a driver waits while another one writes to the same SQLite file."""


def open_storage(named: str | None, folder: Path, root: Path) -> tuple[BaseStorage, str]:
    """Opens a storage; what isn't there yet is made.

    Args:
        named: a path or an URL, relative to the project; None for the journal in the sweep's folder.
        folder: of the sweep.
        root: of the project.

    Returns:
        The storage, and what to call it.

    Raises:
        UsageError: it names no storage.
        EnvironmentFault: the database's driver isn't installed.
        OutputFault: it can't be opened.
    """
    if named is None:
        return _journal(folder / JOURNAL), JOURNAL
    shown = redacted(named)
    if "://" in named:
        with told(shown):
            return _database(_below(named, root), shown), shown
    if not named.endswith(_SUFFIX):
        raise UsageError(f"'{shown}' names no storage", where=_WHERE, fix=_FIX)
    path = root / named
    with fsio.reported(path):
        if path.is_file() and path.read_bytes()[:1] not in {b"", b"{"}:
            raise UsageError(f"'{shown}' is a file, and no journal of a study", where=_WHERE, fix=_FIX)
        fsio.make_folders(path.parent)
    return _journal(path), shown


@contextmanager
def told(shown: str) -> Iterator[None]:
    """Turns what a storage raises into recipekit's errors.

    Args:
        shown: what to call it.
    """
    try:
        yield
    except (OSError, SQLAlchemyError, OptunaError) as error:
        why = redacted(str(error)).partition("\n")[0]
        raise OutputFault(
            f"the study's storage failed: {why}", where=shown, fix="see that it can be reached"
        ) from error


def _journal(path: Path) -> BaseStorage:
    with told(path.name):
        try:
            return JournalStorage(JournalFileBackend(str(path)))
        except (ValueError, KeyError) as error:
            raise OutputFault(f"is no journal of a study: {error}", where=str(path), fix=_FIX) from error


def _database(url: str, shown: str) -> BaseStorage:
    waiting = {"connect_args": {"timeout": _LOCK_SECONDS}} if url.startswith("sqlite") else {}
    try:
        return RDBStorage(url, engine_kwargs=waiting)
    except ArgumentError as error:
        raise UsageError(f"'{shown}' names no storage", where=_WHERE, fix=_FIX) from error
    except ImportError as error:
        raise EnvironmentFault(
            f"the study's storage needs a package that is missing: {redacted(str(error)).partition(chr(10))[0]}",
            where=shown,
            fix="install the database's driver",
        ) from error


def _below(url: str, root: Path) -> str:
    """The same URL, the relative path of an SQLite file taken from the project's root as any path of a recipe."""
    return re.sub(r"^(sqlite(?:\+\w+)?:///)(?![/:])(?!$)", lambda found: f"{found[1]}{root.as_posix()}/", url)
