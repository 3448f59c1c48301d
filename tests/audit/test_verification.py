"""An output is whole or every difference is named, whoever made it and whatever was done to it."""

from __future__ import annotations

import json
import os
import shutil
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from recipekit import manifest as manifests
from recipekit.audit.verification import UNSIGNED, Verification, verify_output
from tests.whole_outputs import KEY_OFFSET, forge, publish

ALIASES = "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 60))
"""A text whose value, written out, has 2^60 entries."""

Record = Callable[[str, object], None]


def named(found: Verification) -> list[str]:
    return [str(difference) for difference in found.differences]


def test_a_published_output_is_whole_and_unsigned(output: Path) -> None:
    found = verify_output(output)
    assert (found.exit_code, found.verdict, found.differences) == (0, "accepted", ())
    assert found.files == len([path for path in output.rglob("*") if path.is_file()]) - 1
    assert found.build_key.startswith(output.name)
    assert found.notes == (UNSIGNED,)


def test_a_rejected_output_is_whole_too_and_its_verdict_is_told(tmp_path: Path) -> None:
    found = verify_output(publish(tmp_path, sqnr_db=14.0))
    assert (found.exit_code, found.verdict) == (0, "rejected")


def test_an_output_without_bounds_is_whole(tmp_path: Path) -> None:
    assert verify_output(publish(tmp_path, acceptance={})).differences == ()


def test_a_verification_takes_no_time(output: Path) -> None:
    verify_output(output)
    started = time.process_time()
    verify_output(output)
    assert time.process_time() - started < 0.1


def test_a_verification_changes_nothing(output: Path) -> None:
    before = {path: path.stat() for path in output.rglob("*")}
    verify_output(output)
    assert {path: path.stat().st_mtime_ns for path in output.rglob("*")} == {
        path: status.st_mtime_ns for path, status in before.items()
    }


def flip_a_byte(output: Path) -> None:
    data = bytearray((output / "model.tflite").read_bytes())
    data[100] ^= 1
    (output / "model.tflite").write_bytes(data)


def remove(output: Path) -> None:
    (output / "report.html").unlink()


def rename(output: Path) -> None:
    (output / "logs" / "load.txt").rename(output / "logs" / "other.txt")


@pytest.mark.fault(47)
@pytest.mark.parametrize(
    ("alter", "lines"),
    [
        (flip_a_byte, ["model.tflite: expected sha256 "]),
        (remove, ["report.html: is missing, expected a file of "]),
        (
            rename,
            ["logs/load.txt: is missing, expected a file of 7 bytes, got nothing", "logs/other.txt: is not in the"],
        ),
    ],
)
def test_a_changed_removed_or_renamed_file_is_named_with_what_was_expected(
    output: Path, alter: Callable[[Path], None], lines: list[str], record_property: Record
) -> None:
    alter(output)
    found = verify_output(output)
    record_property("exit", found.exit_code)
    assert found.exit_code == 6
    assert len(named(found)) == len(lines)
    assert all(said.startswith(line) for said, line in zip(named(found), lines, strict=True))


def git(output: Path) -> None:
    (output / ".git").mkdir()
    (output / ".git" / "x").write_text("x")


def gitignore(output: Path) -> None:
    (output / ".gitignore").write_text("*")


def link(output: Path) -> None:
    (output / "latest").symlink_to("model.tflite")


def link_to_a_folder(output: Path) -> None:
    (output / "logs").rename(output.parent / "logs")
    (output / "logs").symlink_to(output.parent / "logs")


def empty_folder(output: Path) -> None:
    (output / "a" / "b").mkdir(parents=True)


def pipe(output: Path) -> None:
    os.mkfifo(output / "pipe")


def listening(output: Path) -> None:
    here = Path.cwd()
    os.chdir(output)  # a socket's path is short
    try:
        with socket.socket(socket.AF_UNIX) as end:
            end.bind("s")
    finally:
        os.chdir(here)


def unprintable(output: Path) -> None:
    (output / os.fsdecode(b"\x1b[2J\xff\n")).write_text("")


def linked_signature(output: Path) -> None:
    (output / "model.sig").symlink_to("results.json")


@pytest.mark.fault(48)
@pytest.mark.parametrize(
    ("add", "line"),
    [
        (git, ".git/x: is not in the manifest, expected nothing, got a file"),
        (gitignore, ".gitignore: is not in the manifest, expected nothing, got a file"),
        (link, "latest: is not in the manifest, expected nothing, got a symbolic link"),
        (link_to_a_folder, "logs: is not in the manifest, expected nothing, got a symbolic link"),
        (empty_folder, "a/b: is not in the manifest, expected nothing, got an empty folder"),
        (pipe, "pipe: is not in the manifest, expected nothing, got a named pipe"),
        (listening, "s: is not in the manifest, expected nothing, got a socket"),
        (unprintable, r"\x1b[2J\udcff\n: is not in the manifest, expected nothing, got a file"),
        (linked_signature, "model.sig: is not in the manifest, expected nothing, got a symbolic link"),
    ],
)
def test_whatever_the_manifest_does_not_record_is_named_with_its_kind(
    output: Path, add: Callable[[Path], None], line: str, record_property: Record
) -> None:
    add(output)
    found = verify_output(output)
    record_property("exit", found.exit_code)
    assert found.exit_code == 6
    assert line in named(found)


@pytest.mark.slow
def test_folders_nested_deeper_than_calls_may_be_are_walked(output: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(output)
    for _ in range(1200):
        Path("d").mkdir()
        os.chdir("d")
    try:
        (said,) = named(verify_output(output))
    finally:
        for _ in range(1200):  # nothing else could remove them later
            os.chdir("..")
            Path("d").rmdir()
    assert said.endswith("d/d: is not in the manifest, expected nothing, got an empty folder")


@pytest.mark.parametrize("make", [os.mkfifo, Path.mkdir, lambda path: path.symlink_to("results.json")])
@pytest.mark.parametrize("name", ["model.tflite", "manifest.json", "results.json"])
def test_a_file_of_another_kind_is_named_and_not_opened(output: Path, name: str, make: Callable[[Path], None]) -> None:
    (output / name).unlink()
    make(output / name)
    found = verify_output(output)
    assert found.exit_code == 6
    assert any(said.startswith(f"{name}: is not a regular file") for said in named(found)) or (
        name == "manifest.json" and "is not a regular file" in named(found)[0]
    )


def test_a_folder_without_a_manifest_is_not_verified(output: Path) -> None:
    (output / "manifest.json").unlink()
    assert named(verify_output(output)) == ["manifest.json: has no manifest.json"]


def test_two_outputs_that_changed_places_are_told_by_their_keys(tmp_path: Path) -> None:
    one, other = publish(tmp_path, seed=1), publish(tmp_path, seed=2)
    one.rename(tmp_path / "aside")
    other.rename(one)
    (tmp_path / "aside").rename(other)
    assert [f"the folder's name: expected {other.name}, got {one.name}"] == named(verify_output(one))


def test_an_output_may_be_kept_under_another_name(output: Path, tmp_path: Path) -> None:
    assert verify_output(shutil.copytree(output, tmp_path / "a-model")).differences == ()


# --- edited records whose digests were computed anew --------------------------------------------------------------


def a_verdict(manifest: dict[str, Any], results: dict[str, Any]) -> None:
    manifests.results(manifest)["verdict"] = results["verdict"] = "accepted"


def only_the_manifests_verdict(manifest: dict[str, Any], results: dict[str, Any]) -> None:
    manifests.results(manifest)["verdict"] = "accepted"


def the_checks_too(manifest: dict[str, Any], results: dict[str, Any]) -> None:
    a_verdict(manifest, results)
    for check in (*results["checks"], *manifests.results(manifest)["checks"]):
        if check["name"] == "parity.sqnr_db.min":
            check.update(value=20.25, margin=5.25, verdict="pass")
        if "passed" in check:
            check["passed"] = True


def the_manifests_metric(manifest: dict[str, Any], results: dict[str, Any]) -> None:
    the_checks_too(manifest, results)
    manifests.results(manifest)["metrics"]["parity"]["logits"]["sqnr_db"] = 20.25


def the_bound(manifest: dict[str, Any], results: dict[str, Any]) -> None:
    a_verdict(manifest, results)
    parameters = manifest["predicate"]["buildDefinition"]["externalParameters"]
    parameters["resolvedConfig"]["acceptance"]["parity"]["sqnr_db"]["min"] = 5
    for check in (*results["checks"], *manifests.results(manifest)["checks"]):
        if check["name"] == "parity.sqnr_db.min":
            check.update(limit=5.0, margin=9.0, verdict="pass")
        if "passed" in check:
            check["passed"] = True


@pytest.mark.fault(49)
@pytest.mark.parametrize(
    ("edit", "line"),
    [
        (only_the_manifests_verdict, "manifest.json verdict: expected rejected, got accepted"),
        (a_verdict, "results.json verdict: expected rejected, got accepted"),
        (the_checks_too, "results.json check parity.sqnr_db.min: expected"),
        (the_manifests_metric, "manifest.json metrics: expected"),
        (the_bound, "recipe.yaml: expected the resolved configuration"),
    ],
)
def test_a_forged_verdict_is_not_the_one_that_follows_from_what_was_measured(
    tmp_path: Path, edit: Callable[[dict[str, Any], dict[str, Any]], None], line: str, record_property: Record
) -> None:
    output = publish(tmp_path, sqnr_db=14.0)
    forge(output, edit, rekeyed=edit is the_bound)
    found = verify_output(output)
    record_property("exit", found.exit_code)
    assert found.exit_code == 6
    assert any(said.startswith(line) for said in named(found)), named(found)
    assert all(str(difference).count("expected") for difference in found.differences)


def test_a_model_that_names_another_build_is_none_of_this_one(output: Path) -> None:
    model = bytearray((output / "model.tflite").read_bytes())
    model[KEY_OFFSET : KEY_OFFSET + 64] = b"f" * 64
    (output / "model.tflite").write_bytes(model)
    forge(output, lambda manifest, results: None)
    (line,) = named(verify_output(output))
    assert line.startswith(f"model.tflite build key: expected {output.name}")


def everything(manifest: dict[str, Any], results: dict[str, Any]) -> None:
    the_manifests_metric(manifest, results)
    results["measurement"]["parity"]["logits"]["sqnr_db"] = 20.25


def test_of_an_unsigned_output_that_was_forged_throughout_it_is_said_that_nobody_vouches(tmp_path: Path) -> None:
    output = publish(tmp_path, sqnr_db=14.0)
    forge(output, everything)
    found = verify_output(output)
    assert (found.exit_code, found.verdict, found.notes) == (0, "accepted", (UNSIGNED,))


def no_bounds(manifest: dict[str, Any], results: dict[str, Any]) -> None:
    del manifest["predicate"]["buildDefinition"]["externalParameters"]["resolvedConfig"]["acceptance"]


def bounds_of_nothing(manifest: dict[str, Any], results: dict[str, Any]) -> None:
    parameters = manifest["predicate"]["buildDefinition"]["externalParameters"]
    parameters["resolvedConfig"]["acceptance"]["task"] = {"bleu": {"min": 1}}


def no_size(manifest: dict[str, Any], results: dict[str, Any]) -> None:
    results["measurement"]["float32_size"] = 0
    manifests.results(manifest)["metrics"]["size"]["float32Bytes"] = 0


@pytest.mark.parametrize("edit", [no_bounds, bounds_of_nothing, no_size])
def test_a_verdict_that_nothing_leads_to_is_a_difference(
    output: Path, edit: Callable[[dict[str, Any], dict[str, Any]], None]
) -> None:
    forge(output, edit, rekeyed=True)
    assert any(said.startswith("verdict: can't be recomputed: ") for said in named(verify_output(output)))


def other_size(manifest: dict[str, Any], results: dict[str, Any]) -> None:
    results["measurement"]["size"] = 5
    manifests.results(manifest)["metrics"]["size"]["bytes"] = 5


def other_samples(manifest: dict[str, Any], results: dict[str, Any]) -> None:
    results["measurement"]["samples"]["sha256"] = "0" * 64


def other_time(manifest: dict[str, Any], results: dict[str, Any]) -> None:
    manifests.results(manifest)["timingsSeconds"]["load"] = 0.5


def other_name(manifest: dict[str, Any], results: dict[str, Any]) -> None:
    results["name"] = "letters"


def one_check_more(manifest: dict[str, Any], results: dict[str, Any]) -> None:
    results["checks"].append(results["checks"][0])


def no_measurement(manifest: dict[str, Any], results: dict[str, Any]) -> None:
    results["measurement"] = None


def another_schema(manifest: dict[str, Any], results: dict[str, Any]) -> None:
    results["schema"] = 2


@pytest.mark.parametrize(
    ("edit", "line"),
    [
        (other_size, "results.json measurement.size: expected 2048, got 5"),
        (other_samples, "results.json measurement.samples: expected "),
        (other_time, 'manifest.json timingsSeconds: expected {"load": 1.25}, got {"load": 0.5}'),
        (other_name, "results.json name: expected digits, got letters"),
        (one_check_more, "results.json checks: expected 6 of them, got 7"),
        (no_measurement, "results.json: is not what recipekit writes"),
        (another_schema, "results.json schema: expected 1, got 2"),
    ],
)
def test_records_that_contradict_each_other_are_named(
    output: Path, edit: Callable[[dict[str, Any], dict[str, Any]], None], line: str
) -> None:
    forge(output, edit)
    assert any(said.startswith(line) for said in named(verify_output(output))), named(verify_output(output))


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a: [", "recipe.yaml: is not readable"),
        ("!!python/object/apply:os.system [true]", "recipe.yaml: is not readable"),
        ("{}", "recipe.yaml: expected the resolved configuration"),
        (ALIASES, "recipe.yaml: expected the resolved configuration"),
    ],
)
def test_a_recipe_that_is_not_the_recorded_one_is_named(output: Path, text: str, line: str) -> None:
    (output / "recipe.yaml").write_text(text)
    forge(output, lambda manifest, results: None)
    assert named(verify_output(output))[0].startswith(line)


@pytest.mark.fault(51)
@pytest.mark.parametrize(
    ("name", "old", "new", "what"),
    [
        ("manifest.json", '"_type":', '"_type": 1, "_type":', "'_type' stands there twice"),
        ("manifest.json", '"size": 2048', '"size": NaN', "NaN is not JSON"),
        ("manifest.json", '"load": 1.25', '"load": 1e999', "too large a number"),
        ("manifest.json", "/build/v1", "/build/v2", "of version 2 and this recipekit reads version 1"),
        ("manifest.json", '"name": "model.tflite"', '"name": "/etc/passwd"', "/etc/passwd"),
        ("manifest.json", '"name": "model.tflite"', '"name": "../x"', "../x"),
        ("manifest.json", "{", "[" * 100_000, "is not a valid manifest"),
    ],
)
def test_a_manifest_is_read_strictly(
    output: Path, name: str, old: str, new: str, what: str, record_property: Record
) -> None:
    text = (output / name).read_text()
    assert old in text
    (output / name).write_text(text.replace(old, new, 1))
    found = verify_output(output)
    record_property("exit", found.exit_code)
    assert found.exit_code == 6
    assert what in named(found)[0]


@pytest.mark.parametrize("data", [b'{"a": 1, "a": 1}', b"NaN", b"\xff", b"[" * 100_000, b"", b"[]", b"null"])
def test_results_are_read_strictly(output: Path, data: bytes) -> None:
    forge(output, lambda manifest, results: None)
    (output / "results.json").write_bytes(data)
    manifest = json.loads((output / "manifest.json").read_text())
    entry = next(it for it in manifest["predicate"]["runDetails"]["byproducts"] if it["name"] == "results.json")
    entry["digest"]["sha256"] = manifests.Artifact.of(output, "results.json").sha256
    entry["annotations"]["size"] = len(data)
    (output / "manifest.json").write_bytes(manifests.encode(manifest))
    (said,) = named(verify_output(output))
    assert said.startswith(("results.json: is not valid JSON", "results.json: is not what recipekit writes"))
