"""Object storage on loopback: one S3 server a test session, in a process of its own, and a bucket a test."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

CREDENTIALS = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "AWS_DEFAULT_REGION": "us-east-1"}


def at_the_line(commands: Iterable[Sequence[str]]) -> list[subprocess.Popen[str]]:
    """Starts processes that say `ready` when they are, and go on when they are given a line."""
    pipe = subprocess.PIPE
    started = [subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) for command in commands]
    for each in started:
        assert each.stdout is not None
        assert each.stdout.readline() == "ready\n"
    return started


class S3Server:
    """A server as a test sees it.

    Attributes:
        endpoint: its URL.
        variables: the environment of whoever uses it.
    """

    def __init__(self, logs: Path) -> None:
        with logs.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.s3_server"], stdout=subprocess.PIPE, stderr=log, text=True
            )
        assert self._process.stdout is not None
        self.endpoint = f"http://127.0.0.1:{int(self._process.stdout.readline())}"
        self.variables = {"AWS_ENDPOINT_URL": self.endpoint, **CREDENTIALS}

    @cached_property
    def files(self) -> Any:
        """Its objects as fsspec sees them, which remembers no listings."""
        import fsspec  # noqa: PLC0415  few tests need it

        plain = {"use_listings_cache": False, "skip_instance_cache": True}
        return fsspec.filesystem("s3", endpoint_url=self.endpoint, key="testing", secret="testing", **plain)

    def end(self) -> None:
        self._process.kill()
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()


class Bucket:
    """A fresh bucket, looked at and spoilt without recipekit's help."""

    def __init__(self, server: S3Server) -> None:
        self.server = server
        self.name = f"b-{uuid4().hex[:16]}"
        self.url = f"s3://{self.name}"
        self._fs = server.files
        self._fs.mkdir(self.name)

    def names(self, below: str = "") -> list[str]:
        """The names of all objects below a prefix."""
        found = self._fs.find(f"{self.name}/{below}")
        return sorted(path.removeprefix(f"{self.name}/") for path in found)

    def read(self, name: str) -> bytes:
        data: Any = self._fs.cat_file(f"{self.name}/{name}")
        return bytes(data)

    def write(self, name: str, data: bytes) -> None:
        self._fs.pipe_file(f"{self.name}/{name}", data)

    def remove(self, name: str) -> None:
        self._fs.rm_file(f"{self.name}/{name}")


class SharedFolder:
    """A folder that is shared by `file://`, with what `Bucket` has."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self.url = root.as_uri()
        root.mkdir()

    def names(self, below: str = "") -> list[str]:
        """The names of all files below a folder."""
        files = (path for path in (self._root / below).rglob("*") if path.is_file())
        return sorted(path.relative_to(self._root).as_posix() for path in files)

    def read(self, name: str) -> bytes:
        return (self._root / name).read_bytes()

    def write(self, name: str, data: bytes) -> None:
        (self._root / name).write_bytes(data)

    def remove(self, name: str) -> None:
        (self._root / name).unlink()


@pytest.fixture
def shared_folder(tmp_path: Path) -> SharedFolder:
    return SharedFolder(tmp_path / "mount")


@pytest.fixture(scope="session")
def s3_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    server = S3Server(tmp_path_factory.mktemp("s3") / "log.txt")
    try:
        yield server
    finally:
        server.end()


@pytest.fixture
def bucket(s3_server: S3Server, monkeypatch: pytest.MonkeyPatch) -> Bucket:
    """A bucket that this process and its children reach by its URL."""
    for name, value in s3_server.variables.items():
        monkeypatch.setenv(name, value)
    return Bucket(s3_server)


@pytest.fixture
def lose_s3(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Lets every S3 URL lead nowhere, once it is called, for whoever asks for the first time."""

    def lose() -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{probe.getsockname()[1]}")

    return lose
