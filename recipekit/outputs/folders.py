"""The outputs folder: `<name>/<version>/<first 12 digits of the build key>/`, and `<name>/latest`.

An output becomes visible by one rename of a folder that is whole and on the disk, so that a crash at any moment leaves
it there as a whole or not at all. An output is used only after the digest of every file has been checked.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from recipekit import fsio
from recipekit import manifest as manifests
from recipekit.errors import InternalError, InvalidRecipe, OutputAltered, OutputFault
from recipekit.outputs.build_lock import hold
from recipekit.outputs.checking import differences
from recipekit.outputs.names import LATEST, short_key
from recipekit.outputs.staging import Area, Staging
from recipekit.project import SWEEPS

_PART = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*")
_RESERVED = {SWEEPS, LATEST}


class Outputs:
    """All outputs below one root folder, which is made when the first one is written."""

    def __init__(self, root: Path) -> None:
        self._root = root.absolute()
        self._staging = Staging(self._root)

    def folder(self, name: str, version: str, build_key: str) -> Path:
        """Where an output belongs, whether or not it is there.

        Raises:
            InvalidRecipe: name or version can't be the name of a folder, or have a meaning of their own.
        """
        for part in (name, version):
            if not _PART.fullmatch(part) or part in _RESERVED:
                raise InvalidRecipe(
                    f"'{part}' can't name an outputs folder",
                    fix=f"use letters, digits, '.', '_', '+', '-', and neither of {', '.join(sorted(_RESERVED))}",
                )
        return self._root / name / version / short_key(build_key)

    def has(self, name: str, version: str) -> bool:
        """Whether anything was ever published of a recipe's version."""
        return (self._root / name / version).is_dir()

    @contextmanager
    def hold(
        self, build_key: str, waiting: Callable[[str], None], *, timeout_seconds: float | None = None
    ) -> Iterator[None]:
        """Lets no other process build the same key meanwhile; cleans up first what dead processes have left.

        Args:
            build_key: two runs with the same one take turns; the second then finds the first one's output.
            waiting: is called once with a message that names the other process.
            timeout_seconds: how long to wait; None waits as long as it takes.

        Raises:
            OutputFault: the wait took too long, or the file system refused.
        """
        self._staging.reclaim()
        with hold(self._root / ".locks", build_key, waiting, timeout_seconds):
            yield

    def find(self, name: str, version: str, build_key: str) -> str | None:
        """The recorded verdict of an output that is there, whole and unaltered; None where there is none.

        Raises:
            OutputFault: its folder is empty or can't be read.
            OutputAltered: it isn't what its manifest says.
        """
        folder = self.folder(name, version, build_key)
        if not os.path.lexists(folder):
            return None
        hint = f"look at it with `recipekit verify {folder}`, or build it anew with --rebuild"
        with fsio.reported(folder):
            if folder.is_symlink() or not any(folder.iterdir()):
                kind = "a symbolic link" if folder.is_symlink() else "an empty folder"
                raise OutputFault(f"is {kind} where an output should be", where=str(folder), fix=hint)
            manifest = manifests.read(folder)
            faults = differences(folder, manifest) or _misplaced(manifest, build_key)
        if faults:
            raise OutputAltered("\n  ".join(["differs from its manifest:", *faults]), where=str(folder), fix=hint)
        return str(manifests.results(manifest)["verdict"])

    @contextmanager
    def stage(self, needed: int = 0) -> Iterator[Path]:
        """A fresh empty folder to write an output into; what isn't published by the end is removed.

        Errors of the file system leave the block as faults, so it should do nothing but write the output.

        Args:
            needed: an estimate of the output's bytes, held against what is free before anything is written.

        Raises:
            OutputFault: there isn't that much space, or the file system refused.
        """
        with fsio.reported(self._root):
            free = fsio.free_bytes(self._root)
        if free < needed:
            raise OutputFault(
                f"too little space: {needed:,} bytes needed, {free:,} free",
                where=str(self._root),
                fix="free space there, or choose another outputs folder",
            )
        with self._staging.area() as area, fsio.reported(area.new, needed):
            yield area.new

    def publish(
        self, staged: Path, name: str, version: str, build_key: str, *, replace: bool = False, follow: bool = True
    ) -> Path:
        """Makes a staged output visible in one step; `latest` follows if its manifest says that it was accepted.

        Args:
            staged: from `stage`, complete with its manifest.
            name: of the recipe.
            version: of the recipe.
            build_key: the whole key.
            replace: whether an output that is there already gives way; it comes back if anything fails.
            follow: whether `latest` may be set to it; false for an output that was finished before the present one.

        Returns:
            The output's folder.

        Raises:
            InternalError: the staged folder isn't what its manifest says.
            OutputFault: something is there and may not be replaced, or the file system refused.
        """
        target = self.folder(name, version, build_key)
        manifest = manifests.read(staged)
        with fsio.reported(target, needed=sum(size for _, size in manifests.recorded_files(manifest).values())):
            if faults := differences(staged, manifest) or _misplaced(manifest, build_key):
                raise InternalError(f"an output was staged that differs from its manifest: {'; '.join(faults)}")
            area, accepted = Area(staged.parent), follow and manifests.is_accepted(manifest)
            if accepted:
                area.prepare_link(name, target.relative_to(self._root / name).as_posix())
            fsio.sync_tree(staged, last=manifests.FILE)
            if accepted:
                fsio.sync(area.links)  # after the files, whose commit of the journal holds the link, too
            with self._staging.exclusive():
                if os.path.lexists(target) and not replace:
                    raise OutputFault(
                        "is there already and never replaced unasked",
                        where=str(target),
                        fix="look at it with `recipekit verify`, or build it anew with --rebuild",
                    )
                fsio.make_folders(target.parent)
                self._swap_in(area, target, accepted=accepted)
        return target

    def _swap_in(self, area: Area, target: Path, *, accepted: bool) -> None:
        """Moves `new` to its place, and the link that is ready if it was accepted; a failure moves everything back."""
        name = target.parent.parent.name
        latest = self._root / name / LATEST
        before = _link_target(latest)
        own = target.relative_to(latest.parent).as_posix()
        old = area.old / target.relative_to(self._root)
        try:
            if not accepted and before == own:
                self._point_latest(area, name, self._newest_accepted(name, other_than=target))
            if os.path.lexists(target):
                fsio.make_folders(old.parent)
                fsio.rename(target, old)
            fsio.rename(area.new, target)
            if accepted:
                fsio.replace_link(area.links / name, latest)
        except OSError:
            if not area.new.exists():
                fsio.rename(target, area.new)
            if os.path.lexists(old):
                fsio.rename(old, target)
            if _link_target(latest) != before:
                self._point_latest(area, name, before)
            raise

    def _point_latest(self, area: Area, name: str, target: str | None) -> None:
        latest = self._root / name / LATEST
        if target is None:
            fsio.remove_file(latest)
        else:
            link = area.prepare_link(name, target)
            fsio.sync(area.links)
            fsio.replace_link(link, latest)

    def _newest_accepted(self, name: str, other_than: Path) -> str | None:
        """Of an output's siblings, the accepted one that was finished last, relative to their common folder."""
        finished = {}
        for folder in (self._root / name).glob("*/*"):
            if folder == other_than or folder.parent.name == LATEST:
                continue
            try:
                manifest = manifests.read(folder)
            except (OutputAltered, OutputFault):
                continue  # what can't be read can't be the latest either
            if manifests.is_accepted(manifest):
                finished[manifests.finished_on(manifest)] = folder.relative_to(self._root / name).as_posix()
        return finished[max(finished)] if finished else None


def _link_target(link: Path) -> str | None:
    return str(link.readlink()) if link.is_symlink() else None


def _misplaced(manifest: dict[str, Any], build_key: str) -> list[str]:
    recorded = manifests.results(manifest)["buildKey"]
    return [] if recorded == build_key else [f"build key: expected {build_key}, got {recorded}"]
