"""A place for objects by its URL: opens the service, checks its conditional writes, and words its errors.

A service's library is imported when a place is first used, so that a project which shares nothing needs none.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from threading import Lock
from urllib.parse import unquote, urlsplit

from recipekit.errors import EnvironmentFault
from recipekit.remote.refusal import Refusal, refusal_of
from recipekit.remote.service import Found, Service

_FSSPEC = {
    **dict.fromkeys(("s3", "s3a"), ("recipekit.remote.s3:S3", "s3")),
    **dict.fromkeys(("gs", "gcs"), ("recipekit.remote.gcs:Gcs", "gcs")),
    **dict.fromkeys(("az", "abfs", "abfss"), ("recipekit.remote.azure:Azure", "azure")),
}
"""By scheme: the service's class, and the extra that installs its library. Other services are left out because they,
or fsspec's support for them, have no conditional writes."""

_FORMAT = 1
_AT_ONCE = 8
"""Objects that are on their way at a time, for all places of the process."""

_carriers = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="remote")


class Place:
    """Objects below a URL, shared by any number of threads, processes and machines.

    A name is relative, with slashes. Every method raises `Refusal` where the service can't be reached or refuses, and
    EnvironmentFault where its library is missing.
    """

    def __init__(self, url: str, holds: str) -> None:
        """Asks for nothing yet.

        Args:
            url: as `url.check_url` gives it.
            holds: what lies there, a word; a place holds one kind of thing for each word.
        """
        self.url = url
        self._holds = holds
        self._guard = Lock()
        self._opened: tuple[Service, str] | None = None

    def begin(self) -> None:
        """Makes sure that the place exists, has this format, and refuses conditional writes as it must.

        Every other method does so first, if nobody has; it costs one request.
        """
        self._service()

    def read(self, name: str) -> Found | None:
        """A small object; None if there is none."""
        service, root = self._service()
        with self._asked(name):
            return service.read(f"{root}/{name}")

    def create(self, name: str, data: bytes) -> bool:
        """Writes a small object where there is none; False if there is one, then nothing is written."""
        service, root = self._service()
        with self._asked(name):
            return service.create(f"{root}/{name}", data)

    def replace(self, name: str, data: bytes, found: Found) -> bool:
        """Writes a small object over what was read; False if that isn't there any more, then nothing is written."""
        service, root = self._service()
        with self._asked(name):
            return service.replace(f"{root}/{name}", data, found.version)

    def size(self, name: str) -> int | None:
        """The bytes of an object; None if there is none."""
        service, root = self._service()
        with self._asked(name):
            return service.size(f"{root}/{name}")

    def upload(self, files: Mapping[str, Path]) -> None:
        """Writes files as objects, several at once, each of them whole or not at all; whatever is there gives way.

        Args:
            files: by name of the object.
        """
        service, root = self._service()

        def carry(name: str) -> None:
            with self._asked(name):
                service.upload(files[name], f"{root}/{name}")

        list(_carriers.map(carry, files))

    def download(self, files: Mapping[str, Path]) -> list[str]:
        """Writes objects as files, several at once, into folders that are there.

        Args:
            files: by name of the object.

        Returns:
            The names of those that are missing.
        """
        service, root = self._service()

        def carry(name: str) -> bool:
            with self._asked(name):
                return service.download(f"{root}/{name}", files[name])

        return [name for name, there in zip(files, _carriers.map(carry, files), strict=True) if not there]

    def names(self, name: str) -> list[str]:
        """The names of all objects below a name, relative to it."""
        service, root = self._service()
        with self._asked(name):
            return service.names(f"{root}/{name}")

    def _service(self) -> tuple[Service, str]:
        """The service and the path of the place in it."""
        with self._guard:
            if self._opened is None:
                with self._asked(""):
                    service, root = _open(self.url)
                    _require_promises(service, f"{root}/recipekit-{self._holds}", self.url)
                self._opened = service, root
            return self._opened

    @contextmanager
    def _asked(self, name: str) -> Iterator[None]:
        try:
            yield
        except (Refusal, EnvironmentFault):
            raise
        except Exception as error:  # every library of a service has errors of its own
            raise refusal_of(error, f"{self.url}/{name}".rstrip("/")) from error


def _open(url: str) -> tuple[Service, str]:
    scheme = urlsplit(url).scheme
    if scheme == "file":
        folder = unquote(urlsplit(url).path)
        return _folder(folder), folder
    address, extra = _FSSPEC[scheme]
    module, _, name = address.partition(":")
    try:
        core, service = import_module("fsspec.core"), import_module(module)
        fs, path = core.url_to_fs(url, use_listings_cache=False, skip_instance_cache=True, **service.OPTIONS)
    except ImportError as error:
        raise EnvironmentFault(
            f"{scheme}:// needs a package that is missing: {error}", where=url, fix=f"pip install 'recipekit[{extra}]'"
        ) from error
    return getattr(service, name)(fs), path.rstrip("/")


def _folder(path: str) -> Service:
    service: Service = import_module("recipekit.remote.folder").Folder(Path(path))
    return service


def _require_promises(service: Service, home: str, url: str) -> None:
    """The first user of a place checks that creating an object twice is refused, and then marks it as checked."""
    mark, data = f"{home}.json", json.dumps({"format": _FORMAT}).encode()
    found = service.read(mark)
    if found is None:
        probe = f"{home}.probe"
        if service.create(probe, data) and service.create(probe, data):
            raise Refusal(
                url,
                "the service ignores conditional writes, so two machines could disagree",
                "use a service that refuses `If-None-Match: *` for an object that is there",
            )
        service.create(mark, data)
    elif json.loads(found.data) != json.loads(data):
        raise Refusal(
            url, f"it is of another format ({found.data[:80]!r})", "use a matching recipekit or another prefix"
        )
