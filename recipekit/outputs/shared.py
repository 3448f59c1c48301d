"""A project's outputs, here and in the place that machines share.

An output that is published here is uploaded to the shared place. An output that only the shared place has is downloaded
and verified before anybody reads it. Of an output that is known to be in both, the place is not asked again, so that
local outputs are found as fast as without one. A run promises that its output is shared, so a place that can't be used
is a fault, which is raised before anything is built. Without a URL only the local folder is used.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

from recipekit import digests, fsio
from recipekit import manifest as manifests
from recipekit.errors import OutputAltered, OutputFault
from recipekit.outputs.folders import Outputs
from recipekit.outputs.names import LATEST, short_key
from recipekit.outputs.objects import Latest, OutputObjects
from recipekit.project import SWEEPS, Project
from recipekit.remote.refusal import Refusal
from recipekit.summary import SUMMARY

_WITHOUT_IT = "or go on without it: RECIPEKIT_SHARED_OUTPUTS="


class SharedOutputs:
    """Outputs below one folder, shared at a URL where there is one."""

    def __init__(self, root: Path, url: str = "") -> None:
        """Asks for nothing yet.

        Args:
            root: the outputs folder.
            url: as `remote.url.check_url` gives it; empty for none.
        """
        self._root = root.absolute()
        self._local = Outputs(root)
        self._objects = _objects(url, os.getpid()) if url else None

    @classmethod
    def of(cls, project: Project) -> SharedOutputs:
        """The outputs that a project's settings want."""
        return cls(project.outputs, project.shared_outputs)

    def folder(self, name: str, version: str, build_key: str) -> Path:
        """See `Outputs.folder`."""
        return self._local.folder(name, version, build_key)

    @contextmanager
    def hold(self, build_key: str, waiting: Callable[[str], None]) -> Iterator[None]:
        """Keeps a build key to this process, of all on this machine; see `Outputs.hold`.

        Raises:
            OutputFault: the file system refused, or the shared place did.
        """
        with self._local.hold(build_key, waiting):
            if self._objects is not None and not self._is_known(build_key):
                with _required("outputs can't be shared"):
                    self._objects.begin()
            yield

    def find(self, name: str, version: str, build_key: str) -> str | None:
        """The recorded verdict of an output that is here, or was in the shared place and has been brought here.

        Raises:
            OutputFault: its folder is empty or can't be read, or the shared place can't be used.
            OutputAltered: it isn't what its manifest says.
        """
        folder = self.folder(name, version, build_key)
        if self._objects is not None and not os.path.lexists(folder):
            self.bring(name, version, short_key(build_key))
        return self._local.find(name, version, build_key)

    def share(self, folder: Path, build_key: str, tell: Callable[[str], None], *, replace: bool = False) -> bool:
        """Brings an output that is here to the shared place, where it isn't yet.

        Args:
            folder: of the output.
            build_key: the whole key.
            tell: is given what the user should know.
            replace: whether another output of the same key gives way there; else this one does, here.

        Returns:
            Whether this output is the one that counts; False if it has given way to another machine's.

        Raises:
            OutputFault: the place can't be used; the output stays here, and another run brings it there.
            OutputAltered: another machine's counts, and isn't what its manifest says.
        """
        if self._objects is None or (self._is_known(build_key) and not replace):
            return True
        output = folder.relative_to(self._root).as_posix()
        manifest = (folder / manifests.FILE).read_bytes()
        with _required("the output is published here and not shared", where=folder):
            before = self._objects.manifest(output)
            if replace and before not in {None, manifest}:
                tell(f"{output} of the shared outputs, another machine's, gives way to this one")
            if before is None or (replace and before != manifest):
                self._objects.upload(output, manifest, _files(folder, manifest))
                before = self._objects.publish(output, manifest, replace=replace)
            self._note(build_key, before)
            if before == manifest:
                _update_latest(self._objects, folder)
                return True
        name, version, key = output.split("/")
        tell(f"another machine has published {output}, too; its output counts, and takes the place of this one's")
        self.bring(name, version, key, replace=True)
        return False

    def share_signatures(self, folder: Path) -> bool:
        """Brings an output's files of signatures to the shared place, if that output is there; False if it isn't.

        Raises:
            OutputFault: the place can't be used; the signature stays here.
        """
        if self._objects is None or not folder.is_relative_to(self._root):
            return False
        output = folder.relative_to(self._root).as_posix()
        manifest = (folder / manifests.FILE).read_bytes()
        with _required("the signature is here and not shared", where=folder):
            if self._objects.manifest(output) != manifest:
                return False
            here = {name: folder / name for name in manifests.SIGNATURES if (folder / name).is_file()}
            self._objects.upload(output, manifest, here)
        return True

    def share_sweep(self, folder: Path) -> None:
        """Brings the summary of a sweep, and its children's outcomes, to the shared place."""
        if self._objects is not None and (folder / SUMMARY).is_file():
            found = {path.relative_to(folder): path for path in folder.rglob("*") if path.is_file()}
            hidden = {name for name in found if any(part.startswith(".") for part in name.parts)}  # locks, traces
            with _required("the sweep's summary is here and not shared", where=folder):
                files = {name.as_posix(): path for name, path in found.items() if name not in hidden}
                self._objects.upload_sweep(folder.name, files)

    def bring(self, name: str, version: str, key: str, *, replace: bool = False) -> Path | None:
        """Makes an output of the shared place one of this folder, each of its files verified.

        Args:
            name: of the recipe.
            version: of the recipe.
            key: the first twelve digits of the build key.
            replace: whether an output that is here already gives way; else it must be the same one.

        Returns:
            Its folder; None if there is none in the shared place.

        Raises:
            OutputAltered: it isn't what its manifest says.
            OutputFault: another output of the key is here, the place can't be used, or the file system refused.
        """
        if self._objects is None:
            return None
        folder, output = self._local.folder(name, version, key), f"{name}/{version}/{key}"
        with _required(f"{output} can't be looked for in the shared outputs"):
            if self._objects.manifest(output) is None:
                return None
            with self._local.stage() as staged:
                data = self._objects.fetch(output, staged)
                if os.path.lexists(folder) and not replace:
                    _require_same(folder, data, f"{self._objects.url}/{output}")
                    return folder
                manifest = manifests.read(staged)
                build_key = str(manifests.results(manifest)["buildKey"])
                follow = self._is_latest(folder) or manifests.finished_on(manifest) >= self._latest_finished_on(name)
                self._local.publish(staged, name, version, build_key, replace=replace, follow=follow)
        self._note(build_key, data)
        return folder

    def latest_of(self, name: str) -> str:
        """Version and key of the accepted output in the shared place that was finished last; empty for none.

        Raises:
            OutputFault: the place can't be used.
        """
        if self._objects is None:
            return ""
        with _required(f"{name}/latest can't be looked for in the shared outputs"):
            return self._objects.latest(name).output

    def bring_latest(self, name: str) -> None:
        """Brings the accepted output that was finished last on any machine; `latest` of this folder then means it."""
        if self._objects is not None:
            with _required(f"{name}/latest can't be looked for in the shared outputs"):
                latest = self._objects.latest(name)
            if latest.output and latest.finished > self._latest_finished_on(name):
                version, _, key = latest.output.partition("/")
                if self.bring(name, version, key) is None:
                    raise OutputFault(
                        f"names {latest.output}, which isn't there",
                        where=f"{self._objects.url}/{name}/latest.json",
                        fix="build the recipe anew, or remove that object",
                    )

    def bring_sweep(self, sweep: str) -> Path | None:
        """Makes a sweep of the shared place one of this folder, without its children's outputs; None for none."""
        folder = self._root / SWEEPS / sweep
        if self._objects is None:
            return None
        with _required(f"sweep {sweep} can't be looked for in the shared outputs"), self._local.stage() as staged:
            if not self._objects.download_sweep(sweep, staged):
                return None
            if not folder.exists():
                fsio.make_folders(folder.parent)
                fsio.rename(staged, folder)
        return folder

    def _is_latest(self, folder: Path) -> bool:
        """Whether `latest` means an output here."""
        link = folder.parent.parent / LATEST
        return link.is_symlink() and link.readlink() == folder.relative_to(link.parent)

    def _latest_finished_on(self, name: str) -> str:
        """When the output was finished that `latest` means here; empty for none."""
        try:
            return manifests.finished_on(manifests.read(self._root / name / LATEST))
        except (OutputAltered, OutputFault):
            return ""

    def _mark(self, build_key: str) -> Path:
        return self._root / ".shared" / build_key

    def _is_known(self, build_key: str) -> bool:
        """Whether this machine has brought the output there, or from there."""
        if self._objects is None or not os.path.lexists(self._mark(build_key)):
            return False
        return self._mark(build_key).read_text(encoding="utf-8").startswith(f"{self._objects.url} ")

    def _note(self, build_key: str, manifest: bytes) -> None:
        if self._objects is not None:
            mark = self._mark(build_key)
            with fsio.reported(mark):
                mark.parent.mkdir(parents=True, exist_ok=True)
                mark.write_text(f"{self._objects.url} {digests.of_bytes(manifest)}", encoding="utf-8")


@lru_cache
def _objects(url: str, process: int) -> OutputObjects:
    """One connection of a process for all its builds; a process that was forked makes its own."""
    del process
    return OutputObjects(url)


@contextmanager
def _required(what: str, where: Path | None = None) -> Iterator[None]:
    """Turns a refusal of the block into the fault that a user reads."""
    try:
        yield
    except Refusal as refusal:
        raise refusal.fault(f"{where}: {what}" if where else what, _WITHOUT_IT) from refusal


def _files(folder: Path, manifest: bytes) -> dict[str, Path]:
    """The files of an output that is here: what its manifest lists, itself, and signatures."""
    listed = manifests.recorded_files(manifests.parse(manifest.decode(), where=str(folder)))
    names = (*listed, manifests.FILE, *(name for name in manifests.SIGNATURES if (folder / name).is_file()))
    return {name: folder / name for name in names}


def _require_same(folder: Path, manifest: bytes, url: str) -> None:
    if (folder / manifests.FILE).read_bytes() != manifest:
        raise OutputFault(
            f"is another output of the same build key than {url}",
            where=str(folder),
            fix="move it away, or build it anew everywhere with --rebuild",
        )


def _update_latest(objects: OutputObjects, folder: Path) -> None:
    """Makes an accepted output of the shared place `latest` there; one that isn't accepted is `latest` no more."""
    manifest = manifests.read(folder)
    name, output = folder.parent.parent.name, f"{folder.parent.name}/{folder.name}"
    if manifests.is_accepted(manifest):
        objects.advance_latest(name, Latest(manifests.finished_on(manifest), output))
    else:
        objects.retract_latest(name, output)
