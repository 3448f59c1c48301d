"""Outputs that many machines share: there whole or not at all, the same for all, and brought here only if unaltered."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recipekit import manifest as manifests
from recipekit.errors import OutputAltered, OutputFault, UsageError
from recipekit.outputs import SharedOutputs
from recipekit.outputs.lookup import find_file, find_folder
from recipekit.outputs.objects import Latest, OutputObjects
from tests.object_storage import Bucket, SharedFolder, at_the_line
from tests.properties import at_most
from tests.whole_outputs import publish

NOBODY: list[str] = []
"""What nobody is told."""


class Machine:
    """A clone of the project with outputs of its own."""

    def __init__(self, home: Path, name: str, url: str) -> None:
        self.root = home / name
        (self.root / "recipes").mkdir(parents=True)
        (self.root / "pyproject.toml").write_text(f'[tool.recipekit]\nshared_outputs = "{url}"\n')
        self.outputs = self.root / "outputs"
        self.shared = SharedOutputs(self.outputs, url)
        self.told: list[str] = []

    def build(self, seed: int = 0, sqnr_db: float = 20.25) -> Path:
        """An output that is finished at another moment than any other."""
        return publish(self.root, seed, sqnr_db=sqnr_db)

    def share(self, folder: Path, *, replace: bool = False) -> bool:
        return self.shared.share(folder, key_of(folder), self.told.append, replace=replace)

    def find(self, folder: Path) -> str | None:
        """The verdict of an output of another machine, as a run of the same recipe finds it here."""
        return found(self.shared, folder)

    def latest(self) -> Path:
        return find_folder("digits/latest", self.root)


def found(outputs: SharedOutputs, folder: Path) -> str | None:
    name, version, _ = folder.parts[-3:]
    return outputs.find(name, version, key_of(folder))


def key_of(folder: Path) -> str:
    key: str = manifests.results(manifests.read(folder))["buildKey"]
    return key


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def finished_on(folder: Path) -> str:
    return str(manifests.read(folder)["predicate"]["runDetails"]["metadata"]["finishedOn"])


@pytest.fixture
def one(shared_folder: SharedFolder, tmp_path: Path) -> Machine:
    return Machine(tmp_path, "one", shared_folder.url)


@pytest.fixture
def two(shared_folder: SharedFolder, tmp_path: Path) -> Machine:
    return Machine(tmp_path, "two", shared_folder.url)


def test_an_output_of_one_machine_is_found_by_another_byte_for_byte(one: Machine, two: Machine) -> None:
    folder = one.build()
    assert two.find(folder) is None, "nobody has shared it yet"
    assert one.share(folder)
    assert two.find(folder) == "accepted"
    brought = two.outputs.joinpath(*folder.parts[-3:])
    assert bytes_of(brought) == bytes_of(folder)
    assert (two.outputs / "digits" / "latest").resolve() == brought
    assert (one.told, two.told) == ([], [])


@pytest.mark.slow
def test_a_bucket_is_as_good_as_a_folder(bucket: Bucket, tmp_path: Path) -> None:
    one, two = Machine(tmp_path, "one", f"{bucket.url}/team"), Machine(tmp_path, "two", f"{bucket.url}/team")
    folder = one.build()
    assert one.share(folder)
    assert one.share(one.build(1))
    assert two.find(folder) == "accepted"
    assert bytes_of(two.outputs.joinpath(*folder.parts[-3:])) == bytes_of(folder)
    assert two.latest().name != folder.name
    home = "team/" + "/".join(folder.parts[-3:])
    model = next(name for name in bucket.names(home) if name.endswith("/model.tflite"))
    bucket.write(model, bucket.read(model)[:100])
    three = Machine(tmp_path, "three", f"{bucket.url}/team")
    with pytest.raises(OutputAltered, match=r"model\.tflite: expected [0-9]+ bytes, got 100 bytes") as caught:
        three.find(folder)
    assert caught.value.where == f"{bucket.url}/{home}"
    assert not list(three.outputs.glob("digits/*"))


def test_what_is_known_to_be_shared_is_not_asked_about_again(
    one: Machine, two: Machine, shared_folder: SharedFolder, tmp_path: Path
) -> None:
    folder = one.build()
    one.share(folder)
    two.find(folder)
    (tmp_path / "mount").rename(tmp_path / "elsewhere")
    for machine in (one, two):
        with machine.shared.hold(key_of(folder), machine.told.append):
            assert machine.find(folder) == "accepted"
            assert machine.share(folder)
    with pytest.raises(OutputFault, match="can't be looked for in the shared outputs: there is no such") as caught:
        two.shared.find("digits", "1.0.0", "0" * 64)
    assert "RECIPEKIT_SHARED_OUTPUTS=" in caught.value.fix


def test_of_two_builds_of_one_key_the_second_gives_way(one: Machine, two: Machine) -> None:
    first, second = one.build(), two.build()
    assert bytes_of(first) != bytes_of(second), "times are in it"
    assert one.share(first)
    assert not two.share(second)
    assert bytes_of(second) == bytes_of(first)
    (told,) = two.told
    assert told.startswith(f"another machine has published {'/'.join(first.parts[-3:])}, too; its output counts")
    assert (two.outputs / "digits" / "latest").resolve() == second
    assert two.share(second), "it is the same now"


def test_a_rebuild_replaces_the_output_everywhere_and_says_so(one: Machine, two: Machine) -> None:
    first, second = one.build(), two.build()
    one.share(first)
    assert two.share(second, replace=True)
    assert two.told == [f"{'/'.join(first.parts[-3:])} of the shared outputs, another machine's, gives way to this one"]
    three = Machine(one.root.parent, "three", one.shared._objects.url if one.shared._objects else "")
    three.find(first)
    assert bytes_of(three.outputs.joinpath(*first.parts[-3:])) == bytes_of(second)


def test_what_is_half_there_is_not_there(one: Machine, two: Machine, shared_folder: SharedFolder) -> None:
    folder = one.build()
    one.share(folder)
    manifest = f"{'/'.join(folder.parts[-3:])}/manifest.json"
    data = shared_folder.read(manifest)
    shared_folder.remove(manifest)
    assert two.find(folder) is None
    shared_folder.write(manifest, data)
    assert two.find(folder) == "accepted"


@pytest.mark.parametrize("damage", ["model.tflite", "report.html", "logs/load.txt", "no manifest", "of another output"])
def test_what_was_altered_there_never_comes_here(
    one: Machine, two: Machine, shared_folder: SharedFolder, damage: str
) -> None:
    folder, other = one.build(), one.build(1)
    one.share(folder)
    one.share(other)
    home = "/".join(folder.parts[-3:])
    if damage == "no manifest":
        shared_folder.write(f"{home}/manifest.json", b'{"subject": []}')
    elif damage == "of another output":
        shared_folder.write(f"{home}/manifest.json", (other / "manifest.json").read_bytes())
    else:
        name = next(name for name in shared_folder.names(home) if name.endswith(damage))
        if damage == "report.html":
            shared_folder.remove(name)
        else:
            shared_folder.write(name, b"other")
    with pytest.raises(OutputAltered) as caught:
        two.find(folder)
    assert caught.value.where == f"{shared_folder.url}/{home}"
    assert list(two.outputs.rglob("model.tflite")) == []
    again = two.build()
    assert two.share(again, replace=True), "a rebuild is the way out"
    assert Machine(two.root.parent, "three", shared_folder.url).find(folder) == "accepted"


def test_latest_is_the_newest_of_all_machines_and_never_goes_back(one: Machine, two: Machine) -> None:
    older, newer = one.build(1), two.build(2)
    two.share(newer)
    one.share(older)
    assert one.latest().name == newer.name
    assert two.latest().name == newer.name
    rejected = one.build(3, sqnr_db=3.0)
    one.share(rejected)
    assert two.latest().name == newer.name
    two.find(older)
    assert two.latest().name == newer.name, "what is only brought is no newer for it"


def test_latest_leaves_an_output_that_is_not_accepted_any_more(
    one: Machine, two: Machine, shared_folder: SharedFolder
) -> None:
    older, newer = one.build(1), one.build(2)
    one.share(older)
    one.share(newer)
    objects = OutputObjects(shared_folder.url)
    assert objects.latest("digits").output == "/".join(newer.parts[-2:])
    objects.retract_latest("digits", "/".join(newer.parts[-2:]))
    assert objects.latest("digits").output == "/".join(older.parts[-2:])
    shared_folder.remove(f"{'/'.join(older.parts[-3:])}/manifest.json")
    shared_folder.remove(f"{'/'.join(newer.parts[-3:])}/manifest.json")
    objects.retract_latest("digits", "/".join(older.parts[-2:]))
    assert objects.latest("digits") == Latest("", "")


@settings(max_examples=at_most(40))
@given(st.permutations(range(6)).flatmap(lambda order: st.tuples(st.just(order), st.integers(0, 5))))
def test_in_whatever_order_outputs_come_latest_is_the_newest(case: tuple[Sequence[int], int]) -> None:
    order, twice = case
    with TemporaryDirectory() as folder:
        objects = OutputObjects(Path(folder).as_uri())
        so_far = []
        for at in (*order, order[twice]):
            objects.advance_latest("net", Latest(f"2026-01-0{at + 1}T00:00:00.000Z", f"1.0.0/{at}"))
            so_far.append(at)
            assert objects.latest("net").output == f"1.0.0/{max(so_far)}"


@pytest.mark.parametrize("text", ["", "[]", "{", '{"output": 3, "finished": ""}', '{"other": "x"}'])
def test_a_latest_that_is_none_gives_way(shared_folder: SharedFolder, one: Machine, two: Machine, text: str) -> None:
    folder = one.build()
    one.share(folder)
    shared_folder.write("digits/latest.json", text.encode())
    with pytest.raises(UsageError, match="there is no such output"):
        two.latest()
    other = one.build(1)
    one.share(other)
    assert two.latest().name == other.name


def test_names_and_urls_of_outputs_bring_what_is_only_there(
    one: Machine, two: Machine, shared_folder: SharedFolder
) -> None:
    folder = one.build()
    one.share(folder)
    name = "/".join(folder.parts[-3:])
    expected = two.outputs / name
    assert find_folder(name, two.root) == expected
    assert find_folder(f"{shared_folder.url}/{name}/", two.root) == expected
    assert find_folder(f"{shared_folder.url}/digits/latest", two.root) == expected
    assert find_file("digits/latest", two.root) == expected
    stranger = Machine(two.root.parent, "stranger", f"{shared_folder.url}-not-there")
    assert find_folder(f"{shared_folder.url}/{name}", stranger.root) == stranger.outputs / name
    for wrong in (
        f"{shared_folder.url}/{name[:-1]}",
        f"{shared_folder.url}/{name[:-3]}abc",
        "s3://",
        "sftp://a/b/latest",
    ):
        with pytest.raises(Exception, match=r"there is no such output|names no"):
            find_folder(wrong, two.root)


def test_a_url_is_looked_at_even_where_the_output_is_here(
    one: Machine, two: Machine, shared_folder: SharedFolder
) -> None:
    folder = one.build()
    one.share(folder)
    url = f"{shared_folder.url}/{'/'.join(folder.parts[-3:])}"
    find_folder(url, two.root)
    two.build(1)
    model = next(name for name in shared_folder.names("digits") if name.endswith("model.tflite"))
    shared_folder.write(model, b"altered")
    with pytest.raises(OutputAltered, match=r"model\.tflite"):
        find_folder(url, two.root)
    elsewhere = Machine(one.root.parent, "elsewhere", shared_folder.url)
    elsewhere.build()
    one.share(folder, replace=True)
    with pytest.raises((OutputFault, OutputAltered)):
        find_folder(url, elsewhere.root)


def test_a_sweep_s_summary_comes_last_and_is_found_by_its_id(
    one: Machine, two: Machine, shared_folder: SharedFolder
) -> None:
    sweep = one.outputs / "sweeps" / "20260102-030405-abcd"
    (sweep / "0").mkdir(parents=True)
    (sweep / "0" / "outcome.json").write_text("{}")
    one.shared.share_sweep(sweep)
    assert shared_folder.names("sweeps") == [], "it has no summary yet"
    for name in ("summary.json", "summary.csv", "summary.html"):
        (sweep / name).write_text(name)
    one.shared.share_sweep(sweep)
    assert bytes_of(find_folder(sweep.name, two.root)) == bytes_of(sweep)
    assert find_folder(f"{shared_folder.url}/sweeps/{sweep.name}", two.root) == two.outputs / "sweeps" / sweep.name
    with pytest.raises(UsageError, match="there is no such output"):
        find_folder("20260102-030405-0000", two.root)


def test_a_signature_follows_its_output(one: Machine, two: Machine, shared_folder: SharedFolder) -> None:
    folder = one.build()
    (folder / manifests.ATTESTATIONS).write_text("signed\n")
    assert not one.shared.share_signatures(folder), "the output isn't there"
    (folder / manifests.ATTESTATIONS).unlink()
    one.share(folder)
    (folder / manifests.ATTESTATIONS).write_text("signed\n")
    assert one.shared.share_signatures(folder)
    two.find(folder)
    assert bytes_of(two.outputs.joinpath(*folder.parts[-3:])) == bytes_of(folder)


def test_without_a_url_everything_is_as_it_was(tmp_path: Path) -> None:
    folder = publish(tmp_path)
    alone = SharedOutputs(tmp_path / "outputs")
    before = bytes_of(tmp_path)
    with alone.hold(key_of(folder), NOBODY.append):
        assert found(alone, folder) == "accepted"
        assert alone.share(folder, key_of(folder), NOBODY.append)
    assert not alone.share_signatures(folder)
    assert alone.bring("digits", "1.0.0", "0" * 12) is None
    assert alone.bring_sweep("20260102-030405-abcd") is None
    assert bytes_of(tmp_path) == before


SHARER = """
import sys
from pathlib import Path
from tests.test_shared_outputs import Machine, bytes_of, key_of
machine = Machine(Path(sys.argv[1]), sys.argv[2], sys.argv[3])
folders = [machine.build(seed) for seed in range(int(sys.argv[4]))]
machine.shared.bring_latest("digits")
print("ready", flush=True)
sys.stdin.readline()
for folder in folders:
    machine.share(folder)
    print((folder / "manifest.json").read_bytes().hex()[-4000:], flush=True)
"""


def sharers(tmp_path: Path, url: str, names: Sequence[str], outputs: int) -> list[subprocess.Popen[str]]:
    """Machines that have built the same keys and wait for a line to share them."""
    return at_the_line([sys.executable, "-c", SHARER, str(tmp_path), name, url, str(outputs)] for name in names)


@pytest.mark.slow
def test_of_machines_that_race_for_a_key_all_have_the_same_output(bucket: Bucket, tmp_path: Path) -> None:
    racing = sharers(tmp_path, bucket.url, ("first", "second", "third"), 3)
    held = [each.communicate("go\n", timeout=180)[0].split() for each in racing]
    assert [len(lines) for lines in held] == [3, 3, 3]
    for lines in zip(*held, strict=True):
        assert len(set(lines)) == 1
    latest = json.loads(bucket.read("digits/latest.json"))
    manifests_there = [
        name for name in bucket.names("digits") if name.count("/") == 3 and name.endswith("manifest.json")
    ]
    finished = [
        json.loads(bucket.read(name))["predicate"]["runDetails"]["metadata"]["finishedOn"] for name in manifests_there
    ]
    assert latest["finished"] == max(finished)


def verdict_after(number: int, tmp_path: Path, url: str) -> str | None:
    """What another machine finds of the output that was shared by a machine that was killed; the one before is whole.

    That machine shares it once more.
    """
    outputs = tmp_path / str(number) / "outputs"
    first, second = sorted((outputs / "digits" / "1.0.0").iterdir(), key=finished_on)
    other = Machine(tmp_path, f"survivor of {number}", f"{url}/{number}")
    assert other.find(first) == "accepted"
    verdict = other.find(second)
    assert SharedOutputs(outputs, f"{url}/{number}").share(second, key_of(second), NOBODY.append)
    assert other.find(second) == "accepted"
    assert bytes_of(other.outputs.joinpath(*second.parts[-3:])) == bytes_of(second)
    assert other.latest().name == second.name
    return verdict


def killed_sharers(*arguments: object) -> None:
    subprocess.run([sys.executable, "-m", "tests.share_until_killed", *map(str, arguments)], check=True)


@pytest.mark.slow
def test_a_machine_killed_at_any_object_of_an_upload_leaves_whole_outputs_alone(
    shared_folder: SharedFolder, tmp_path: Path
) -> None:
    killed_sharers(tmp_path / "machines", shared_folder.url)
    last = len(list((tmp_path / "machines").iterdir()))
    verdicts = [verdict_after(number, tmp_path / "machines", shared_folder.url) for number in range(1, last + 1)]
    of_two = [name for name in shared_folder.names(f"{last}/digits") if name.count("/") > 4]
    files = len(of_two) // 2
    assert verdicts[: files + 1] == [None] * (files + 1), "the manifest comes when every file is there"
    assert set(verdicts[files + 1 :]) == {"accepted"}


@pytest.mark.slow
def test_a_machine_killed_in_the_middle_of_an_upload_to_a_bucket_leaves_whole_outputs_alone(
    bucket: Bucket, tmp_path: Path
) -> None:
    killed_sharers(tmp_path, bucket.url, 6)
    assert verdict_after(6, tmp_path, bucket.url) is None


@pytest.mark.slow
def test_a_place_that_is_gone_is_a_fault_and_the_output_stays_here(
    bucket: Bucket, tmp_path: Path, lose_s3: Callable[[], None]
) -> None:
    machine = Machine(tmp_path, "one", bucket.url)
    folder = machine.build()
    lose_s3()
    with pytest.raises(OutputFault, match="is published here and not shared: EndpointConnectionError") as caught:
        machine.share(folder)
    assert str(folder) in caught.value.what
    assert found(SharedOutputs(machine.outputs), folder) == "accepted"
