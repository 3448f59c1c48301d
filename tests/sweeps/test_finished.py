"""A child need not run again if its output is there, under the name that its outcome gives it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from recipekit.errors import ChildLost
from recipekit.outcome import Failure, Outcome
from recipekit.sweeps import changed_inputs, finished_children

KEY = "0123456789ab" + "0" * 52
MODEL = {"uri": "file:models/m.keras", "digest": {"sha256": "1" * 64}, "annotations": {"role": "model-source"}}


def child(root: Path, number: int, **changes: Any) -> Outcome:
    """Writes the outcome of a child with an output that is there."""
    version = f"1.0.{number}"
    output = root / "digits" / version / KEY[:12]
    output.mkdir(parents=True)
    (output / "manifest.json").write_text("{}")
    outcome = Outcome(
        recipe="digits", number=number, status="accepted", seconds=1.0, name="digits", version=version, build_key=KEY
    )
    outcome = msgspec.structs.replace(outcome, **{"output": str(output), **changes})
    folder = root / "sweeps" / "s1" / str(number)
    folder.mkdir(parents=True)
    (folder / "outcome.json").write_bytes(msgspec.json.encode(outcome))
    return outcome


def test_children_with_an_output_that_is_there_are_finished(tmp_path: Path) -> None:
    ended = [child(tmp_path, 0), child(tmp_path, 1, status="rejected")]
    lost = Failure.of(ChildLost("was killed", fix="run it again"))
    child(tmp_path, 2, status="failed", failure=lost, output="", build_key="")
    gone = child(tmp_path, 3)
    (Path(gone.output) / "manifest.json").unlink()
    child(tmp_path, 4, output="/of/a/project/that/was/moved")
    child(tmp_path, 5, name="../escape")
    folder = tmp_path / "sweeps" / "s1"
    assert finished_children(folder, tmp_path) == {it.number: Path(it.output) for it in ended}


def output(root: Path, name: str, *dependencies: dict[str, Any]) -> Path:
    folder = root / name
    folder.mkdir()
    statement = {"predicate": {"buildDefinition": {"resolvedDependencies": list(dependencies)}}}
    (folder / "manifest.json").write_bytes(msgspec.json.encode(statement))
    return folder


@pytest.mark.parametrize(
    ("role", "named"),
    [("model-source", ["models/m.keras"]), ("package", ["m"]), ("recipe-file", []), ("recipe-repo", [])],
)
def test_an_input_with_another_digest_is_named_unless_the_copy_holds_it(
    tmp_path: Path, role: str, named: list[str]
) -> None:
    before = {**MODEL, "name": "m", "annotations": {"role": role}}
    after = {**before, "digest": {"sha256": "2" * 64}}
    first, second = output(tmp_path, "a", before), output(tmp_path, "b", after)
    assert changed_inputs([first], [second]) == named
    assert changed_inputs([first], [first]) == []
    assert changed_inputs([], [second]) == []


def test_inputs_of_children_that_have_others_are_not_compared(tmp_path: Path) -> None:
    samples = {"name": "calibration-samples", "digest": {"sha256": "3" * 64}, "annotations": {"role": "dataset"}}
    other = {**samples, "digest": {"sha256": "4" * 64}}
    first, second = output(tmp_path, "a", MODEL, samples), output(tmp_path, "b", other)
    broken = tmp_path / "c"
    broken.mkdir()
    (broken / "manifest.json").write_text("[")
    assert changed_inputs([first, broken], [second, broken, tmp_path / "nowhere"]) == []
