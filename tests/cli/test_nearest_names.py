"""Whatever has a name may be mistyped: each kind is answered with the nearest one that there is."""

from __future__ import annotations

import pytest

from recipekit.cli import main
from recipekit.project import Project

RANDOM = "evaluation.dataset={plugin: random, inputs: {x: [1]}, allow_random: true, dtype: flaot32}"

MISTYPED = {
    "command": (["validte"], "validate"),
    "recipe": (["validate", "recipe=digts"], "digits"),
    "recipe of a run": (["run", "recipe=letter"], "letters"),
    "recipe of show": (["show", "recipe=leters"], "letters"),
    "recipe to compare": (["diff", "digts", "letters"], "digits"),
    "the key of the recipe": (["show", "recip=digits"], "recipe"),
    "the key of a recipe to check": (["validate", "recpe=digits"], "recipe"),
    "group": (["validate", "recipe=digits", "convertor=int8"], "converter"),
    "option of a group": (["validate", "recipe=digits", "converter=itn8"], "int8"),
    "option of the project's group": (["validate", "recipe=digits", "+boards=m44"], "m4"),
    "launcher": (["validate", "recipe=digits", "hydra/launcher=bsic"], "basic"),
    "section": (["validate", "recipe=digits", "acceptence.confidence=0.9"], "acceptance"),
    "section taken away": (["validate", "recipe=digits", "~acceptence"], "acceptance"),
    "key": (["validate", "recipe=digits", "converter.input_typ=int8"], "input_type"),
    "key of a branch": (["validate", "recipe=digits", "evaluation.dataset.splt=test"], "split"),
    "key of a bound": (["validate", "recipe=digits", "acceptance.size.ratio.maxi=1"], "max"),
    "parity metric": (["validate", "recipe=digits", "acceptance.parity.sqnr.min=1"], "sqnr_db"),
    "task metric": (["validate", "recipe=digits", "evaluation.metrics.top1_acuracy={}"], "top1_accuracy"),
    "metric of a bound": (
        ["validate", "recipe=digits", "evaluation.metrics.f1={}", "acceptance.task.f11.min=1"],
        "f1",
    ),
    "dataset plugin": (["validate", "recipe=digits", "evaluation.dataset.plugin=digts"], "digits"),
    "source": (["validate", "recipe=digits", "source.kind=kreas"], "keras"),
    "engine": (["validate", "recipe=digits", "converter.engine=tflite_convert"], "tflite_converter"),
    "scheme": (["validate", "recipe=digits", "converter.quantization=flaot16"], "float16"),
    "element type": (["validate", "recipe=digits", "converter.input_type=flaot32"], "float32"),
    "element type of data": (["validate", "recipe=digits", RANDOM], "float32"),
    "op set": (["validate", "recipe=digits", "converter.supported_ops=[TFLITE_BUILTIN]"], "TFLITE_BUILTINS"),
    "algorithm": (
        ["validate", "recipe=digits", "converter=dynamic_int4", "converter.algorithm=octva"],
        "octav",
    ),
    "value of a dataset": (["validate", "recipe=digits", "evaluation.dataset.split=tets"], "test"),
    "interpolation": (["validate", "recipe=digits", "description='${versoin}'"], "version"),
    "output": (["verify", "digts/latest"], "digits"),
    "place of an output": (["verify", "digits/lates"], "digits/latest"),
    "option of a command": (["run", "recipe=digits", "--explian"], "--explain"),
    "option with a value": (["list", "--formt", "json"], "--format"),
    "value of an option": (["list", "--format", "jsn"], "json"),
    "format of an export": (["export", "digits/latest", "--format", "cyclondx"], "cyclonedx"),
    "action": (["cache", "inof"], "info"),
    "shell": (["completion", "bsh"], "bash"),
    "error id": (["explain", "RK3111"], "RK311"),
}


@pytest.mark.parametrize("kind", MISTYPED)
def test_a_mistyped_name_of_any_kind_gets_the_nearest(
    kind: str, project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    output = project.outputs / "digits" / "1.0.0" / "0123456789ab"
    output.mkdir(parents=True)
    (project.outputs / "digits" / "latest").symlink_to("1.0.0/0123456789ab")
    arguments, meant = MISTYPED[kind]
    assert main(arguments) == 2
    assert f"did you mean '{meant}'?" in capsys.readouterr().err


def test_a_project_setting_gets_the_nearest(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    (project.root / "pyproject.toml").write_text("[tool.recipekit]\nstage_timout = 3\n")
    assert main(["list"]) == 2
    assert "did you mean 'stage_timeout'?" in capsys.readouterr().err
