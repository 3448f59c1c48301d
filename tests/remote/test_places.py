"""Shared places: of writes that exclude each other one wins, whatever the service, and refusals say what to do."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Barrier

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recipekit.remote.place import Place, _require_promises
from recipekit.remote.refusal import Refusal, refusal_of
from recipekit.remote.service import Found
from recipekit.remote.url import check_url
from tests.object_storage import Bucket, SharedFolder
from tests.properties import at_most
from tests.remote.blob_servers import Azure, Google, Server

ACCOUNT_KEY = base64.b64encode(b"of nobody").decode()


@pytest.fixture(params=["file", pytest.param("s3", marks=pytest.mark.slow)])
def place(request: pytest.FixtureRequest) -> Place:
    if request.param == "s3":
        bucket: Bucket = request.getfixturevalue("bucket")
        return Place(f"{bucket.url}/pre fix", "things")
    folder: Path = request.getfixturevalue("tmp_path") / "mo unt"
    folder.mkdir()
    return Place(folder.as_uri(), "things")


def google(server: Server, monkeypatch: pytest.MonkeyPatch) -> Place:
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", server.endpoint)
    return Place("gs://bkt/team", "things")


def azure(server: Server, monkeypatch: pytest.MonkeyPatch) -> Place:
    parts = {
        "DefaultEndpointsProtocol": "http",
        "AccountName": "acc",
        "AccountKey": ACCOUNT_KEY,
        "BlobEndpoint": f"{server.endpoint}/acc",
    }
    text = ";".join(f"{name}={value}" for name, value in parts.items())
    monkeypatch.setenv("AZURE_STORAGE_CONNECTION_STRING", text)
    return Place("az://bkt/team", "things")


@pytest.fixture
def serve() -> Iterator[Callable[[type], Server]]:
    servers: list[Server] = []

    def start(handler: type) -> Server:
        servers.append(Server(handler))
        return servers[-1]

    yield start
    for server in servers:
        server.end()


def test_an_object_is_created_once_and_replaced_only_as_it_was_read(place: Place, tmp_path: Path) -> None:
    law_of_writes(place)
    local, back = tmp_path / "local", tmp_path / "back"
    local.write_bytes(b"file" * 1000)
    place.upload({"in/a": local, "in/b": local})
    assert place.size("in/a") == 4000
    assert place.size("in/none") is None
    assert sorted(place.names("in")) == ["a", "b"]
    assert place.names("none") == []
    assert place.download({"in/a": back, "in/none": tmp_path / "none"}) == ["in/none"]
    assert back.read_bytes() == local.read_bytes()
    assert not (tmp_path / "none").exists()


def law_of_files(place: Place, folder: Path) -> None:
    local = folder / "local"
    local.write_bytes(b"file")
    place.upload({"file": local})
    assert place.size("file") == 4
    assert place.download({"file": folder / "back", "none": folder / "none"}) == ["none"]
    assert (folder / "back").read_bytes() == b"file"


def law_of_writes(place: Place) -> None:
    assert place.read("name") is None
    assert place.create("name", b"1")
    assert not place.create("name", b"2")
    first = place.read("name")
    assert first is not None
    assert first.data == b"1"
    assert place.replace("name", b"3", first)
    assert not place.replace("name", b"4", first), "it isn't what was read any more"
    found = place.read("name")
    assert found is not None
    assert found.data == b"3"
    assert not place.replace("absent", b"5", first)
    assert place.read("absent") is None


@pytest.mark.slow
def test_google_is_asked_for_the_generation_that_was_read(
    serve: Callable[[type], Server], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    server = serve(Google)
    place = google(server, monkeypatch)
    law_of_writes(place)
    assert conditions(server) == ["0", "0", "1", "1", "1"]
    law_of_files(place, tmp_path)


@pytest.mark.slow
def test_azure_is_asked_for_the_etag_that_was_read(
    serve: Callable[[type], Server], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    server = serve(Azure)
    place = azure(server, monkeypatch)
    law_of_writes(place)
    create = "If-None-Match: *"
    assert conditions(server) == [create, create, 'If-Match: "1"', 'If-Match: "1"', 'If-Match: "1"']
    law_of_files(place, tmp_path)


def conditions(server: Server) -> list[str]:
    """Of the writes of `name` and `absent`, in their order."""
    return [said for name, said in server.objects.conditions if name in {"team/name", "team/absent"}]


def test_of_threads_that_create_one_object_one_wins_and_its_bytes_stay(place: Place) -> None:
    barrier = Barrier(6)

    def create(name: str, number: int) -> bool:
        barrier.wait()
        return place.create(name, b"%d" % number)

    with ThreadPoolExecutor(6) as threads:
        for name in ("first", "second", "third"):
            won = list(threads.map(create, [name] * 6, range(6)))
            assert won.count(True) == 1
            found = place.read(name)
            assert found is not None
            assert found.data == b"%d" % won.index(True)


def test_of_threads_that_count_none_loses_a_step(shared_folder: SharedFolder) -> None:
    place = Place(shared_folder.url, "things")
    place.create("count", b"0")

    def step(_: int) -> None:
        for _ in range(5):
            while True:
                found = place.read("count")
                assert found is not None
                if place.replace("count", b"%d" % (int(found.data) + 1), found):
                    break

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(step, range(4)))
    found = place.read("count")
    assert found is not None
    assert found.data == b"20"


WRITES = st.tuples(
    st.sampled_from(["create", "replace", "replace stale"]), st.sampled_from("ab"), st.binary(max_size=4)
)


@settings(max_examples=at_most(60))
@given(st.lists(WRITES, max_size=12))
def test_a_place_is_a_mapping_whose_writes_say_whether_they_took_effect(writes: list[tuple[str, str, bytes]]) -> None:
    with TemporaryDirectory() as folder:
        place, model = Place(Path(folder).as_uri(), "things"), dict[str, bytes]()
        stale = Found(b"never there", "0" * 64)
        for how, name, data in writes:
            if how == "create":
                expected = name not in model
                took = place.create(name, data)
            else:
                found = place.read(name) if how == "replace" else stale
                expected = how == "replace" and name in model
                took = place.replace(name, data, found or stale)
            assert took == expected
            if took:
                model[name] = data
            for each in "ab":
                held = place.read(each)
                assert (None if held is None else held.data) == model.get(each)


class Deaf:
    """A service that takes every write, whatever its condition."""

    def __init__(self) -> None:
        self.held: dict[str, bytes] = {}

    def read(self, path: str) -> Found | None:
        return Found(self.held[path], 0) if path in self.held else None

    def create(self, path: str, data: bytes) -> bool:
        self.held[path] = data
        return True


def test_a_service_that_ignores_conditions_is_refused_again_and_again() -> None:
    deaf = Deaf()
    for _ in range(2):
        with pytest.raises(Refusal, match="ignores conditional writes"):
            _require_promises(deaf, "root/recipekit-things", "s3://bucket")  # type: ignore[arg-type]


def test_a_place_of_another_format_or_a_folder_that_is_not_mounted_is_refused(
    shared_folder: SharedFolder, tmp_path: Path
) -> None:
    Place(shared_folder.url, "things").begin()
    shared_folder.write("recipekit-things.json", b'{"format": 2}')
    with pytest.raises(Refusal, match="another format"):
        Place(shared_folder.url, "things").begin()
    missing = tmp_path / "not mounted"
    with pytest.raises(Refusal, match="there is no such") as caught:
        Place(missing.as_uri(), "things").begin()
    assert caught.value.fix == "make it, or correct the URL"
    assert not missing.exists()


@pytest.mark.slow
def test_wrong_credentials_of_azure_are_never_told(
    serve: Callable[[type], Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serve(Refusing)
    with pytest.raises(Refusal) as caught:
        azure(server, monkeypatch).begin()
    assert caught.value.forbidden
    assert "AZURE_STORAGE_CONNECTION_STRING" in caught.value.fix
    assert ACCOUNT_KEY not in caught.value.reason


class Refusing(Azure):
    """Lets nobody in."""

    def do_GET(self) -> None:  # noqa: N802  the base class's name
        self.answer(403, b"", {"x-ms-error-code": "AuthenticationFailed"})

    def do_PUT(self) -> None:  # noqa: N802  the base class's name
        self.answer(403, b"", {"x-ms-error-code": "AuthenticationFailed"})


def test_what_a_library_says_is_cut_and_without_secrets() -> None:
    refusal = refusal_of(RuntimeError(f"AccountKey={ACCOUNT_KEY}x1;\n" + "long " * 200), "az://box")
    assert ACCOUNT_KEY not in refusal.reason
    assert "\n" not in refusal.reason
    assert len(refusal.reason) < 400
    fault = refusal.fault("no output", "or not")
    assert str(fault).startswith("az://box: no output: RuntimeError: ")
    assert fault.fix.endswith("; or not")


@pytest.mark.parametrize(
    "url", ["s3://b", "s3://b/p/", "gs://b", "az://c/p", "abfs://c@acc.dfs.core.windows.net/p", "file:///m"]
)
def test_a_url_is_taken_without_its_last_slash(url: str) -> None:
    assert check_url(url, "here") == url.rstrip("/")
