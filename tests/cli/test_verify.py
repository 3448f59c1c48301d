"""`recipekit verify` and `recipekit sign` as a user calls them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from recipekit.cli import main
from tests.processor_time import spent_by
from tests.signing_keys import write_keys
from tests.whole_outputs import publish


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with an accepted output and a rejected one; not to be written into."""
    project = tmp_path_factory.mktemp("published")
    publish(project)
    publish(project, seed=1, sqnr_db=14.0)
    return project


@pytest.fixture
def project(published: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the project, which is the current folder; keys lie in it."""
    folder = Path(shutil.copytree(published, tmp_path / "project", symlinks=True))
    monkeypatch.chdir(folder)
    monkeypatch.delenv("RECIPEKIT_RECIPES", raising=False)
    monkeypatch.delenv("RECIPEKIT_SIGNING_KEY", raising=False)
    monkeypatch.delenv("RECIPEKIT_SIGNING_PASSPHRASE", raising=False)
    write_keys(folder)
    write_keys(folder, "other")
    return folder


def outputs(project: Path) -> list[Path]:
    return sorted((project / "outputs" / "digits" / "1.0.0").iterdir())


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = main(list(arguments))
    said = capsys.readouterr()
    return code, said.out, said.err


# --- which output -------------------------------------------------------------------------------------------------


def test_an_output_is_named_by_path_by_latest_or_from_the_project(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    accepted = (project / "outputs" / "digits" / "latest").resolve()
    below = accepted.relative_to(project)
    for here, names in (
        (
            project,
            [str(accepted), str(below), "outputs/digits/latest", "digits/latest", f"digits/1.0.0/{accepted.name}"],
        ),
        (project / "recipes", ["digits/latest", str(below), f"../{below}"]),
        (accepted, ["."]),
        (tmp_path, [str(accepted), "project/outputs/digits/latest"]),
    ):
        monkeypatch.chdir(here)
        for name in names:
            code, out, err = run(capsys, "verify", name)
            assert (code, err) == (0, ""), name
            assert out.startswith("verified ")
            assert ": accepted, as its metrics and bounds say; 7 files and the records agree" in out


def test_the_projects_recipes_may_be_named(
    project: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(capsys, "verify", "digits/latest", "--recipes", "project/recipes")[0] == 0
    assert run(capsys, "verify", "digits/latest")[0] == 2


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("nowhere", "there is no such output"),
        ("outputs/digits/latest/model.tflite", "is no folder"),
        ("digits", "holds outputs and is none itself"),
    ],
)
def test_what_is_no_output_is_a_usage_error(
    project: Path, capsys: pytest.CaptureFixture[str], name: str, what: str
) -> None:
    code, out, err = run(capsys, "verify", name)
    assert (code, out) == (2, "")
    assert err.startswith(f"error RK101: {name}: {what}")
    assert "/latest" in err


# --- what is said -------------------------------------------------------------------------------------------------


def test_several_outputs_are_verified_and_the_verdict_of_each_is_told(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = run(capsys, "verify", *map(str, outputs(project)))
    assert code == 0
    assert sorted(line.partition(": ")[2].partition(",")[0] for line in out.splitlines() if "verified" in line) == [
        "accepted",
        "rejected",
    ]
    assert out.count("unsigned: ") == 2


def test_differences_are_an_error_with_an_id_a_line_each(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = outputs(project)[0]
    (output / "model.tflite").write_bytes(b"x")
    (output / ".gitignore").write_text("")
    code, out, err = run(capsys, "verify", *map(str, outputs(project)))
    assert code == 6
    assert out.count("verified ") == 1, "the other one is whole"
    assert err.splitlines() == [
        f"error RK601: outputs/digits/1.0.0/{output.name}: differs from what it says:",
        "  .gitignore: is not in the manifest, expected nothing, got a file",
        "  model.tflite: expected 2048 bytes, got 1 bytes",
        "  fix: fetch or build it anew; what is there is not what was published",
        "  more: recipekit explain RK601",
    ]


def test_many_differences_are_counted(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(100):
        (outputs(project)[0] / f"extra{number}").write_text("")
    code, _, err = run(capsys, "verify", str(outputs(project)[0]))
    assert code == 6
    assert "and 80 more; --format json shows all" in err
    code, out, _ = run(capsys, "verify", str(outputs(project)[0]), "--format", "json")
    assert (code, len(json.loads(out)[0]["differences"])) == (6, 100)


def test_the_document_for_machines_holds_all_of_it(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(capsys, "sign", "digits/latest", "--key", "key.priv.pem")
    (outputs(project)[0] / "x").write_text("")
    code, out, err = run(capsys, "verify", *map(str, outputs(project)), "--format", "json")
    assert (code, err) == (6, "")
    broken, whole = sorted(json.loads(out), key=lambda found: -found["exit_code"])
    assert broken["differences"] == [
        {"place": "x", "problem": "is not in the manifest", "expected": "nothing", "got": "a file"}
    ]
    assert {found["verdict"] for found in (broken, whole)} == {"accepted", "rejected"}
    assert {entry["file"] for found in (broken, whole) for entry in found["signatures"]} == {
        "attestations.intoto.jsonl"
    }
    assert whole["exit_code"] == 0
    assert all(len(found["build_key"]) == 64 and found["files"] == 7 for found in (broken, whole))


@pytest.mark.slow
def test_a_verification_takes_less_than_a_second_from_start_to_end(project: Path) -> None:
    main(["sign", "digits/latest", "--key", "key.priv.pem"])
    whole = spent_by(["-m", "recipekit.cli", "verify", "digits/latest", "--key", "key.pub.pem"]).seconds
    reading_schemas = spent_by(["-c", "import recipekit.faults"]).seconds  # what a library does at import is not ours
    assert whole - reading_schemas < 0.8


# --- signing ------------------------------------------------------------------------------------------------------


def test_what_was_signed_is_verified_with_the_key(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "sign", "digits/latest", "--key", "key.priv.pem", "--oms")
    assert (code, err) == (0, "")
    assert out.endswith(": attestations.intoto.jsonl, model.sig\n")
    assert run(capsys, "sign", "digits/latest", "--key", "key.priv.pem", "--oms")[1].endswith(
        "has this signature already\n"
    )
    code, out, err = run(capsys, "verify", "digits/latest", "--key", "key.pub.pem", "--require-signature")
    assert (code, err) == (0, "")
    assert out.count(": verified\n") == 2
    code, out, _ = run(capsys, "verify", "digits/latest")
    assert code == 0
    assert out.count("present, not checked: no key given") == 2
    assert "unsigned" not in out


def test_the_key_may_be_named_by_the_environment(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RECIPEKIT_SIGNING_KEY", "key.priv.pem")
    assert run(capsys, "sign", "digits/latest")[0] == 0
    assert run(capsys, "verify", "digits/latest", "--require-signature", "--key", "key.pub.pem")[0] == 0


def test_without_a_key_nothing_is_signed(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = run(capsys, "sign", "digits/latest")
    assert code == 2
    assert "add --key priv.pem, or set RECIPEKIT_SIGNING_KEY" in err


@pytest.mark.fault(50)
@pytest.mark.parametrize(
    ("arguments", "code", "what"),
    [
        (["--require-signature"], 2, "a signature can't be required without a key"),
        (["--require-signature", "--key", "other.pub.pem"], 6, "wrong key, expected a signature by the key "),
        (["--key", "other.pub.pem"], 6, "wrong key, expected a signature by the key "),
        (["--key", "key.priv.pem"], 2, "is a private key"),
        (["--key", "nowhere.pem"], 2, "there is no such key file"),
        (["--key", "edwards.pub.pem"], 2, "supported are the curves P-256, P-384"),
    ],
)
def test_who_must_have_signed(
    project: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    code: int,
    what: str,
    record_property: Callable[[str, object], None],
) -> None:
    write_keys(project, "edwards", "Ed25519")
    run(capsys, "sign", "digits/latest", "--key", "key.priv.pem")
    found, _, err = run(capsys, "verify", "digits/latest", *arguments)
    record_property("exit", found)
    assert found == code
    assert what in err
    assert "Traceback" not in err


def test_one_of_the_keys_given_is_enough(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(capsys, "sign", "digits/latest", "--key", "key.priv.pem")
    both = ["--key", "other.pub.pem", "--key", "key.pub.pem", "--require-signature"]
    assert run(capsys, "verify", "digits/latest", *both)[0] == 0


@pytest.mark.fault(50)
def test_an_unsigned_output_where_a_signature_is_required(
    project: Path, capsys: pytest.CaptureFixture[str], record_property: Callable[[str, object], None]
) -> None:
    code, _, err = run(capsys, "verify", "digits/latest", "--require-signature", "--key", "key.pub.pem")
    record_property("exit", code)
    assert code == 6
    assert "attestations.intoto.jsonl: is missing, expected a signature by the key " in err


def test_an_altered_output_is_not_signed(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (outputs(project)[0] / "report.html").write_text("")
    code, _, err = run(capsys, "sign", str(outputs(project)[0]), "--key", "key.priv.pem")
    assert code == 6
    assert "differs from what it says, and isn't signed" in err
    assert not (outputs(project)[0] / "attestations.intoto.jsonl").exists()


def test_a_sweep_is_not_signed_as_a_whole(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "outputs" / "sweeps" / "s1").mkdir(parents=True)
    (project / "outputs" / "sweeps" / "s1" / "summary.json").write_text("[]")
    code, _, err = run(capsys, "sign", "outputs/sweeps/s1", "--key", "key.priv.pem")
    assert code == 2
    assert "outputs/sweeps/s1: is a sweep, which has no manifest\n  fix: name its children's outputs" in err


def test_a_passphrase_comes_from_the_environment_or_a_terminal(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    write_keys(project, "secret", passphrase="open sesame")
    code, _, err = run(capsys, "sign", "digits/latest", "--key", "secret.priv.pem")
    assert code == 2
    assert "is encrypted, and nobody can be asked\n  fix: set RECIPEKIT_SIGNING_PASSPHRASE" in err
    monkeypatch.setenv("RECIPEKIT_SIGNING_PASSPHRASE", "close sesame")
    assert run(capsys, "sign", "digits/latest", "--key", "secret.priv.pem")[0] == 2
    monkeypatch.setenv("RECIPEKIT_SIGNING_PASSPHRASE", "open sesame")
    assert run(capsys, "sign", "digits/latest", "--key", "secret.priv.pem", "--oms")[0] == 0
    assert run(capsys, "verify", "digits/latest", "--key", "secret.pub.pem", "--require-signature")[0] == 0


def test_a_runs_key_is_read_before_anything_starts(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = run(capsys, "run", "recipe=nothing", "--sign", "--key", "nowhere.pem")
    assert (code, "there is no such key file" in err) == (2, True)
    code, _, err = run(capsys, "run", "recipe=nothing", "--oms")
    assert (code, "--key and --oms belong to --sign" in err) == (2, True)
