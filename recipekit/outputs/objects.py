"""Outputs as objects at a URL that machines share.

    <name>/<version>/<key>/manifest.json        the output that counts: written last, where there is none
    <name>/<version>/<key>/<digest>/...         all its files, in a folder named by the manifest's digest
    <name>/latest.json                          the accepted output that was finished last
    sweeps/<id>/...                             of a sweep, its summary last

Two builds of one key never write to the same folder: their manifests hold different times, so they have different
digests. What is half uploaded, or has lost a race, is therefore never part of the output that counts. Nothing is ever
deleted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from recipekit import digests, fsio
from recipekit import manifest as manifests
from recipekit.errors import OutputAltered
from recipekit.outputs.checking import differences
from recipekit.outputs.names import short_key
from recipekit.remote.place import Place
from recipekit.remote.refusal import Refusal
from recipekit.summary import SUMMARY

_TRIES = 8
_LATEST = "latest.json"


class Latest(NamedTuple):
    """What `latest.json` says.

    Attributes:
        finished: when the output was finished, as its manifest says; times in UTC of one width sort as text.
        output: its version and key with a slash between; empty for none.
    """

    finished: str
    output: str


class OutputObjects:
    """Outputs at a URL; its place in them is `<name>/<version>/<key>`. Every method raises `Refusal`."""

    def __init__(self, url: str) -> None:
        """Asks for nothing yet."""
        self._place = Place(url, "outputs")
        self.url = url

    def begin(self) -> None:
        """Sees to it that the place can be used; it costs one request of a process."""
        self._place.begin()

    def manifest(self, output: str) -> bytes | None:
        """The manifest of the output that counts; None if there is none."""
        found = self._place.read(f"{output}/{manifests.FILE}")
        return None if found is None else found.data

    def fetch(self, output: str, folder: Path) -> bytes:
        """Writes an output into an empty folder, verified, and its signatures as far as there are any.

        Returns:
            Its manifest. An output that is replaced meanwhile is fetched again.

        Raises:
            OutputAltered: it isn't what its manifest says.
            OSError: the folder can't be written.
        """
        where, wrong = f"{self.url}/{output}", ["its manifest is missing"]
        for _ in range(_TRIES):
            data = self.manifest(output)
            if data is None:
                break
            manifest = manifests.parse(data.decode(errors="replace"), where=where)
            files = {name: folder / name for name in (*manifests.recorded_files(manifest), *manifests.SIGNATURES)}
            for path in files.values():
                path.parent.mkdir(parents=True, exist_ok=True)
            (folder / manifests.FILE).write_bytes(data)
            home = f"{output}/{_digest(data)}"
            self._place.download({f"{home}/{name}": path for name, path in files.items()})
            wrong = [*differences(folder, manifest), *_misplaced(manifest, output)]
            if not wrong:
                return data
            if self.manifest(output) == data:
                break
            fsio.remove_tree(folder)
            folder.mkdir()
        fix = "build it anew with --rebuild, which replaces it"
        raise OutputAltered("\n  ".join(["differs from its manifest:", *wrong]), where=where, fix=fix)

    def upload(self, output: str, manifest: bytes, files: Mapping[str, Path]) -> None:
        """Writes an output's files, which count for nothing until `publish`; or files of signatures, which do at once.

        Args:
            output: its place.
            manifest: its bytes.
            files: by name.
        """
        home = f"{output}/{_digest(manifest)}"
        self._place.upload({f"{home}/{name}": path for name, path in files.items()})

    def publish(self, output: str, manifest: bytes, *, replace: bool) -> bytes:
        """Makes an output the one that counts, unless there is another one that isn't to be replaced.

        Returns:
            The manifest that counts from now on.
        """
        name = f"{output}/{manifests.FILE}"
        for _ in range(_TRIES):
            if self._place.create(name, manifest):
                return manifest
            found = self._place.read(name)
            if found is not None and (found.data == manifest or not replace):
                return found.data
            if found is not None and self._place.replace(name, manifest, found):
                return manifest
        raise Refusal(f"{self.url}/{name}", "it changes all the time", "look at who writes there")

    def latest(self, name: str) -> Latest:
        """The accepted output of a name that was finished last."""
        found = self._place.read(f"{name}/{_LATEST}")
        return Latest("", "") if found is None else _latest(found.data)

    def advance_latest(self, name: str, candidate: Latest) -> None:
        """Makes an accepted output `latest`, unless `latest` is one that was finished later."""
        at, data = f"{name}/{_LATEST}", _encoded(candidate)
        for _ in range(_TRIES):
            if self._place.create(at, data):
                return
            found = self._place.read(at)
            if found is None:
                continue
            current = _latest(found.data)
            if current.output != candidate.output and current > candidate:
                return
            if found.data == data or self._place.replace(at, data, found):
                return
        raise Refusal(f"{self.url}/{at}", "it changes all the time", "look at who writes there")

    def retract_latest(self, name: str, output: str) -> None:
        """Makes the newest of the other accepted outputs `latest`, if `latest` is one that isn't accepted any more.

        Args:
            name: of the recipe.
            output: version and key.
        """
        at = f"{name}/{_LATEST}"
        found = self._place.read(at)
        if found is not None and _latest(found.data).output == output:
            best = max(self._accepted(name, other_than=output), default=Latest("", ""))
            self._place.replace(at, _encoded(best), found)  # whoever was quicker knows of a later one

    def upload_sweep(self, sweep: str, files: Mapping[str, Path]) -> None:
        """Writes the files of a sweep's folder, the summary last."""
        self._place.upload({f"sweeps/{sweep}/{name}": path for name, path in files.items() if name != SUMMARY})
        self._place.upload({f"sweeps/{sweep}/{SUMMARY}": files[SUMMARY]})

    def download_sweep(self, sweep: str, folder: Path) -> bool:
        """Writes the files of a sweep into a folder that is there; False if there is no such sweep."""
        home = f"sweeps/{sweep}"
        if self._place.size(f"{home}/{SUMMARY}") is None:
            return False
        names = self._place.names(home)
        for name in names:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
        return not self._place.download({f"{home}/{name}": folder / name for name in names})

    def _accepted(self, name: str, other_than: str) -> Iterator[Latest]:
        for at in self._place.names(name):
            output, _, file = at.rpartition("/")
            data = self.manifest(f"{name}/{output}") if file == manifests.FILE and output.count("/") == 1 else None
            if data is not None and output != other_than:
                said = manifests.parse(data.decode(), where=f"{self.url}/{name}/{output}")
                if manifests.is_accepted(said):
                    yield Latest(manifests.finished_on(said), output)


def _misplaced(manifest: dict[str, Any], output: str) -> list[str]:
    """What says that a manifest belongs elsewhere."""
    recipe = manifest["predicate"]["buildDefinition"]["externalParameters"]["recipe"]
    own = f"{recipe['name']}/{recipe['version']}/{short_key(manifests.results(manifest)['buildKey'])}"
    return [] if own == output else [f"it is the manifest of {own}"]


def _digest(manifest: bytes) -> str:
    return digests.of_bytes(manifest)[:16]


def _encoded(latest: Latest) -> bytes:
    return digests.pretty_json(latest._asdict()).encode()


def _latest(data: bytes) -> Latest:
    """What a `latest.json` says; nothing where it is none, so that it gives way to any."""
    try:
        return Latest(**msgspec.json.decode(data, type=dict[str, str]))
    except (msgspec.MsgspecError, TypeError):
        return Latest("", "")
