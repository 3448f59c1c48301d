"""Recipes that are wrong on purpose: each one's message, to the letter, and its exit code.

`tests/broken_recipes/<fault>.yaml` is paired with `<fault>.expected`: the exit code, then what is printed. After a
wanted change: `pytest tests/test_broken_recipes.py --update-goldens`, and read the difference.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from recipekit.cli import main

FOLDER = Path(__file__).parent / "broken_recipes"
FAULTS = sorted(path.stem for path in FOLDER.glob("*.yaml"))
ROOT = FOLDER.parents[1]


def test_there_are_enough_of_them() -> None:
    assert len(FAULTS) >= 20


@pytest.mark.parametrize("fault", FAULTS)
def test_a_broken_recipe_is_refused_with_its_message_and_leaves_nothing(
    fault: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, update_goldens: bool
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hunter2")
    code = main(["run", "--recipes", str(FOLDER), f"recipe={fault}"])
    printed = capsys.readouterr()
    said = printed.err.replace(str(ROOT), "ROOT")
    golden = FOLDER / f"{fault}.expected"
    if update_goldens:
        golden.write_text(f"exit {code}\n{said}")
    assert f"exit {code}\n{said}" == golden.read_text()
    assert code in {2, 5}
    assert "hunter2" not in printed.out + printed.err
    assert "Traceback" not in printed.err
    assert not (FOLDER.parent / "outputs").exists()


@pytest.mark.parametrize("fault", [fault for fault in FAULTS if "exit 2" in (FOLDER / f"{fault}.expected").read_text()])
def test_validate_finds_every_fault_that_a_run_refuses_as_invalid(
    fault: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(["validate", "--recipes", str(FOLDER), f"recipe={fault}", "--format", "json"])
    (result,) = json.loads(capsys.readouterr().out)
    assert code == result["exit_code"] == 2
    assert result["error"].splitlines()[0].replace(str(ROOT), "ROOT") in (FOLDER / f"{fault}.expected").read_text()
