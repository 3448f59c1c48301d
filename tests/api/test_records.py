"""What leaves with an output by the functions is what leaves by the verbs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import recipekit
from recipekit.cli import main
from recipekit.errors import OutputAltered, UsageError
from tests.signing_keys import write_keys
from tests.whole_outputs import publish


@pytest.fixture
def output(tmp_path: Path, elsewhere: Path) -> Path:
    """An accepted output of a project that the current folder is not in."""
    publish(tmp_path / "mine")
    return (tmp_path / "mine" / "outputs" / "digits" / "latest").resolve()


@pytest.fixture
def keys(tmp_path: Path) -> tuple[Path, Path]:
    return write_keys(tmp_path, "key", "P-256")


def test_what_was_signed_is_verified_by_the_other_half_of_the_key(output: Path, keys: tuple[Path, Path]) -> None:
    private, public = keys
    signed = recipekit.sign(output, key=private)
    assert (signed.output, signed.files, signed.is_shared) == (output, ("attestations.intoto.jsonl",), False)
    recipekit.verify(output, keys=[public], require_signature=True).require_verified()
    assert recipekit.sign(output, key=private).files == ()
    assert signed.key in signed._repr_markdown_()


def test_an_output_is_looked_up_in_the_project_that_is_named(output: Path, keys: tuple[Path, Path]) -> None:
    signed = recipekit.sign("digits/latest", key=keys[0], project=output.parents[3])
    assert signed.output.resolve() == output


def test_what_differs_from_what_it_says_is_not_signed(output: Path, keys: tuple[Path, Path]) -> None:
    before = sorted(path.name for path in output.iterdir())
    with (output / "model.tflite").open("ab") as model:
        model.write(b"more")
    with pytest.raises(OutputAltered, match="isn't signed"):
        recipekit.sign(output, key=keys[0])
    assert sorted(path.name for path in output.iterdir()) == before


def test_a_sweep_is_not_signed(tmp_path: Path, elsewhere: Path, keys: tuple[Path, Path]) -> None:
    (tmp_path / "sweep").mkdir()
    (tmp_path / "sweep" / "sweep.json").write_text("{}")
    with pytest.raises(UsageError, match="is a sweep"):
        recipekit.sign(tmp_path / "sweep", key=keys[0])


def test_an_encrypted_key_asks_for_its_passphrase(output: Path, tmp_path: Path) -> None:
    private, _ = write_keys(tmp_path, "locked", "P-256", passphrase="open sesame")
    with pytest.raises(UsageError, match="is encrypted"):
        recipekit.sign(output, key=private)
    assert recipekit.sign(output, key=private, passphrase="open sesame").files


@pytest.mark.parametrize("name", ["cyclonedx", "model-card"])
def test_an_export_is_what_the_verb_prints(output: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    text = recipekit.export(output, format=name)
    assert main(["export", str(output), "--format", name]) == 0
    assert capsys.readouterr().out == text
    if name == "cyclonedx":
        assert json.loads(text)["bomFormat"] == "CycloneDX"


def test_a_mistyped_format_is_told_with_the_nearest_one(output: Path) -> None:
    with pytest.raises(UsageError, match="did you mean 'model-card'"):
        recipekit.export(output, format="modelcard")
