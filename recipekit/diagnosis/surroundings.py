"""The project around recipes: found or not, writable, with space, under version control."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from recipekit import fsio
from recipekit.diagnosis.finding import Finding, fault, ok, warning
from recipekit.errors import EnvironmentFault
from recipekit.project import Project
from recipekit.remote.place import Place
from recipekit.remote.refusal import Refusal
from recipekit.surroundings import Surroundings

_EXIT = 7
_GIB = 2**30
_SCANT = 2 * _GIB
_NOTHING = _GIB // 8


def project(found: Project | None) -> Iterator[Finding]:
    """What is looked at of a project; with none, that there is none."""
    if found is None:
        yield warning("project", "there is no recipes folder here or above", "recipekit init MODEL")
        yield from _git(None)
        return
    yield ok("project", str(found.root))
    yield from _writable("outputs", found.outputs)
    yield from _writable("store", found.store)
    yield from _space(found.outputs)
    yield from _shared("store", found.shared_store)
    yield from _shared("outputs", found.shared_outputs)
    yield from _git(found)


def _writable(topic: str, folder: Path) -> Iterator[Finding]:
    nearest = next(it for it in (folder, *folder.parents) if it.exists())
    try:
        with tempfile.TemporaryFile(dir=nearest):
            yield ok(topic, f"{folder} can be written")
    except OSError as error:
        text = f"{folder} can't be written: {error.strerror}"
        yield fault(
            topic, text, f"change the rights of {nearest}, or choose another `{topic}` in pyproject.toml", _EXIT
        )


def _shared(holds: str, url: str) -> Iterator[Finding]:
    """Whether the place that machines share can be used, as a run would find out."""
    if url:
        try:
            Place(url, holds).begin()
        except Refusal as refusal:
            yield fault(f"shared {holds}", f"{refusal.url} can't be used: {refusal.reason}", refusal.fix, _EXIT)
        except EnvironmentFault as error:
            yield fault(f"shared {holds}", f"{url} can't be used: {error.what}", error.fix, _EXIT)
        else:
            yield ok(f"shared {holds}", f"{url} can be used")


def _space(folder: Path) -> Iterator[Finding]:
    free = fsio.free_bytes(folder)
    text = f"{free / _GIB:.1f} GiB are free"
    if free < _NOTHING:
        yield fault("disk", text, "free space, or choose another `outputs` in pyproject.toml", _EXIT)
    elif free < _SCANT:
        yield warning("disk", text, "recipekit cache gc")
    else:
        yield ok("disk", text)


def _git(found: Project | None) -> Iterator[Finding]:
    if shutil.which("git") is None:
        yield warning("git", "is not installed: outputs won't say which commit they come from", "install git")
    elif found is not None:
        repository = Surroundings(found.root).repository
        if repository is None:
            yield warning("git", "the project is in no repository, or has no commit", "git init, git add, git commit")
        else:
            state = "with changes" if repository.dirty else "clean"
            yield ok("git", f"commit {repository.commit[:12]}, {state}")
