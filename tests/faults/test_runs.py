"""Faults of inputs, plugins, workers and thresholds, met in the middle of a run."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.commands import command
from tests.faults.standing import OLDER, RECIPE, Standing, picture

fault = pytest.mark.fault

DATASET = """
import os, signal, sys, time
import numpy as np
from pathlib import Path
from recipekit.contracts import Sample
from recipekit.registry import register

POINTS = np.random.default_rng(3).normal(size=(24, 64)).astype(np.float32)

def misbehave(do):
    match do:
        case "raise": raise ValueError("the camera is unplugged")
        case "exit": sys.exit(0)
        case "leave": os._exit(0)
        case "kill": os.kill(os.getpid(), signal.SIGKILL)
        case "orphan": os.kill(os.getppid(), signal.SIGKILL)
        case "segfault": os.kill(os.getpid(), signal.SIGSEGV)
        case "abort": os.abort()
        case "hang": time.sleep(600)
        case "meddle":
            with Path("models/m.tflite").open("ab") as stream:
                stream.write(b"!")
    return {
        "nan": POINTS * np.nan, "infinite": POINTS * np.inf, "short": POINTS[:0], "wide": POINTS[:, :8],
        "doubles": POINTS.astype(np.float64), "words": np.full(24, "x"),
    }.get(do, POINTS)

def samples(do="", second=""):
    print("print", "all over", "the place", flush=True)
    marker = Path(f"read-{os.getppid()}-{second}")
    if second and marker.exists():
        misbehave(second)
    marker.touch()
    return list(misbehave(do))
"""

PYTHON = RECIPE.replace("plugin: npz, path: data/samples.npz", "plugin: python, factory: 'cloud.py:samples'")
REGISTERED = RECIPE.replace("plugin: npz, path: data/samples.npz", "plugin: mine, modules: [plugins/mine.py]")
CALIBRATED = PYTHON.replace("ai_edge_dynamic_range", "ai_edge_int8") + (
    "representative_dataset: {plugin: python, factory: 'cloud.py:samples', kwargs: {second: segfault}}\n"
)


@pytest.mark.slow
@fault(28)
def test_a_source_that_changes_during_the_run_is_told_by_its_digests(standing: Standing) -> None:
    standing.write({"cloud.py": DATASET, "recipes/wrong.yaml": PYTHON})
    standing.fails(
        "recipe=wrong",
        "evaluation.dataset.kwargs.do=meddle",
        code=5,
        says=["error RK302", "models/m.tflite", "before", "fix: "],
    )
    standing.recovers()


CLASS = "@register('datasets', 'mine')\nclass Mine:\n    def __init__(self, context):\n"


def registered(body: str) -> dict[str, str | bytes]:
    head = "from recipekit.registry import register\nimport numpy as np\nimport os, sys\n\n"
    return {"plugins/mine.py": head + body, "recipes/wrong.yaml": REGISTERED}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("body", "says"),
    [
        pytest.param(
            "import nothing_like_this\n",
            ["plugins/mine.py:5", "raised ModuleNotFoundError: No module named 'nothing_like_this'"],
            marks=fault(29),
            id="import error",
        ),
        pytest.param("def broken(:\n", ["plugins/mine.py:5", "SyntaxError"], marks=fault(29), id="syntax"),
        pytest.param(
            "print('a' * 10)\nsys.exit(0)\n",
            ["plugins/mine.py:6", "importing 'plugins/mine.py' called sys.exit(0)", "fix: let it return or raise"],
            marks=fault(29),
            id="exit at import",
        ),
        pytest.param(
            CLASS + "        raise OSError('no camera')\n",
            ["plugins/mine.py:8", "'mine' raised OSError: no camera"],
            marks=fault(29),
            id="raises",
        ),
        pytest.param(
            CLASS + "        sys.exit(0)\n",
            ["plugins/mine.py:8", "'mine' called sys.exit(0)"],
            marks=fault(29),
            id="exits with success",
        ),
        pytest.param(
            CLASS + "        os._exit(0)\n",
            ["evaluation.dataset", "code of a plugin or of the project has ended the worker process", "status 0"],
            marks=fault(29),
            id="leaves at once",
        ),
        pytest.param(
            "@register('datasets', 'mine')\ndef mine():\n    return []\n",
            ["dataset 'mine': does not take these parameters: too many positional arguments", "fix: "],
            marks=fault(29),
            id="wrong signature",
        ),
        pytest.param(
            "@register('datasets', 'npz')\ndef npz(context):\n    return []\n",
            ["datasets has a plugin 'npz' already", "fix: choose another name"],
            marks=fault(29),
            id="name clash",
        ),
        pytest.param(
            "@register('datasets', 'mine')\ndef mine(context):\n    return 7\n",
            ["'mine'"],
            marks=fault(29),
            id="a number",
        ),
    ],
)
def test_a_plugin_that_fails_is_named_with_its_line(standing: Standing, body: str, says: list[str]) -> None:
    standing.write(registered(body))
    standing.fails("recipe=wrong", code=5, says=says)


@pytest.mark.slow
@fault(29)
def test_a_plugin_that_prints_disturbs_nothing(standing: Standing) -> None:
    standing.write({"cloud.py": DATASET, "recipes/wrong.yaml": PYTHON})
    done = standing.run("recipe=wrong", "--format", "json")
    assert done.code == 0
    assert json.loads(done.out)["status"] == "accepted"
    assert "all over" not in done.out + done.err
    (log,) = standing.root.glob("outputs/tiny/1.0.0/*/logs/survey-evaluation.txt")
    assert "print all over the place" in log.read_text()
    standing.codes.append(done.code)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("second", "says"),
    [
        pytest.param("segfault", ["RK421", "was ended by SIGSEGV in the stage 'calibrate'"], marks=fault(35)),
        pytest.param("kill", ["RK421", "was ended by SIGKILL in the stage 'calibrate'"], marks=fault(35)),
        pytest.param("abort", ["RK421", "was ended by SIGABRT in the stage 'calibrate'"], marks=fault(35)),
        pytest.param("hang", ["RK422", "the stage 'calibrate' took longer than 6 s"], marks=fault(35)),
    ],
)
def test_a_worker_that_dies_or_hangs_while_converting_is_one_error(
    standing: Standing, second: str, says: list[str]
) -> None:
    standing.write({"cloud.py": DATASET, "recipes/wrong.yaml": CALIBRATED})
    standing.write({"pyproject.toml": "[tool.recipekit]\nstage_timeout = 6\n"})
    standing.fails(
        "recipe=wrong",
        f"representative_dataset.kwargs.second={second}",
        code=4,
        says=[*says, "its last words:", "all over", "try that stage alone: "],
        within=30,
    )
    if second == "segfault":
        standing.recovers()


METRIC = """
import math, sys

class Odd:
    higher_is_better = True
    def __init__(self, do):
        self.do = do
    def score(self, labels, outputs, weights):
        if self.do == "raise":
            raise ZeroDivisionError("no sample of that class")
        if self.do == "exit":
            sys.exit(0)
        return math.nan if self.do == "nan" else "much"
    def hits(self, labels, outputs):
        return None
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("do", "code", "says"),
    [
        pytest.param("nan", 4, ["RK411", "is nan for the float model", "fix: "], marks=fault(37)),
        pytest.param("raise", 5, ["RK321", "metric.py:10", "raised ZeroDivisionError"], marks=fault(37)),
        pytest.param("exit", 5, ["RK321", "metric.py:12", "called sys.exit(0)"], marks=fault(37)),
        pytest.param("word", 5, ["RK321", "raised ValueError"], marks=fault(37)),
    ],
)
def test_a_metric_that_is_no_number_is_never_accepted(standing: Standing, do: str, code: int, says: list[str]) -> None:
    metric = f"benchmark: null, metrics: {{'metric.py:Odd': {{do: {do}}}}}"
    standing.write({"metric.py": METRIC, "recipes/wrong.yaml": RECIPE.replace("benchmark: null", metric)})
    standing.fails("recipe=wrong", code=code, says=says)


@pytest.mark.slow
@fault(38)
def test_a_missed_threshold_is_kept_as_rejected_and_never_latest(standing: Standing) -> None:
    done = standing.run("recipe=tiny", "acceptance.parity.sqnr_db.min=200")
    assert done.code == 3
    (line,) = [line for line in done.out.splitlines() if "parity.sqnr_db.min" in line and "200" in line]
    assert "fail" in line
    assert "rejected" in done.out
    standing.stands(done, new=["tiny/1.0.0/"])
    (results,) = standing.root.glob("outputs/tiny/1.0.0/*/results.json")
    assert json.loads(results.read_text())["verdict"] == "rejected"
    assert (results.parent / "model.tflite").is_file()
    again = standing.run("recipe=tiny", "acceptance.parity.sqnr_db.min=200")
    assert (again.code, "already built, rejected" in again.out) == (3, True)
    standing.recovers()


def the_output(standing: Standing) -> Path:
    (manifest,) = standing.root.glob("outputs/tiny/0.9.0/*/manifest.json")
    return manifest.parent


@fault(45)
def test_a_whole_output_is_found(standing: Standing) -> None:
    done = standing.run("recipe=tiny", OLDER)
    assert (done.code, "already built, accepted" in done.out) == (0, True)
    standing.stands(done)


@fault(45)
def test_an_empty_folder_in_an_outputs_place_is_never_filled(standing: Standing) -> None:
    output = the_output(standing)
    shutil.rmtree(output)
    output.mkdir()
    standing.before = picture(standing.root)
    standing.fails("recipe=tiny", OLDER, code=7, says=[str(output), "an empty folder", "recipekit verify", "--rebuild"])
    assert not list(output.iterdir())


@pytest.mark.slow
@pytest.mark.parametrize("name", ["model.tflite", "results.json", "manifest.json", "recipe.yaml", "report.html"])
@fault(45)
def test_an_altered_output_is_never_trusted_nor_replaced_unasked(standing: Standing, name: str) -> None:
    file = the_output(standing) / name
    data = file.read_bytes()
    file.write_bytes(data[: len(data) // 2] + bytes([data[len(data) // 2] ^ 1]) + data[len(data) // 2 + 1 :])
    standing.before = picture(standing.root)
    standing.fails("recipe=tiny", OLDER, code=6, says=["error RK601", str(file.parent)])
    if name == "model.tflite":
        assert standing.run("recipe=tiny", OLDER, "--rebuild").code == 0
        assert file.read_bytes() == data


@pytest.mark.slow
@fault(54)
def test_each_of_twenty_children_that_fail_differently_leaves_a_record(standing: Standing) -> None:
    failing = {"raise": 5, "exit": 5, "leave": 5, "kill": 5, "segfault": 5, "abort": 5, "hang": 5, "nan": 2}
    failing |= {"infinite": 5, "short": 5, "wide": 5, "doubles": 5, "words": 5}
    fine = ["a", "b", "c", "d", "e", "f", "g"]
    standing.write({"cloud.py": DATASET, "recipes/tiny.yaml": PYTHON})
    standing.write({"pyproject.toml": "[tool.recipekit]\nstage_timeout = 8\n"})
    values = ",".join([*failing, *fine])
    arguments = ["run", "-m", "recipe=tiny", f"evaluation.dataset.kwargs.do={values}", "--format", "json"]
    done = command(standing.root, arguments, seconds=300)
    assert done.code == 2, done.err
    standing.stands(done, new=["tiny/1.0.0/", "tiny/latest"])

    (summary,) = standing.root.glob("outputs/sweeps/*/summary.json")
    rows = json.loads(summary.read_text())
    assert [row["number"] for row in rows] == list(range(20))
    assert [row["exit_code"] for row in rows] == [*failing.values(), *[0] * len(fine)]
    for row in rows:
        child = json.loads((summary.parent / str(row["number"]) / "outcome.json").read_text())
        if row["exit_code"]:
            assert child["failure"]["id"].startswith("RK")
            assert child["failure"]["what"]
        else:
            assert (summary.parent / row["output"] / "manifest.json").is_file()

    published = picture(standing.root)
    resumed = command(standing.root, [*arguments[:-3], f"evaluation.dataset.kwargs.do={','.join(['raise', *fine])}"])
    assert resumed.code == 5
    assert resumed.out.count("already built") == len(fine)
    after = picture(standing.root)
    assert {name: after[name] for name in published} == published
