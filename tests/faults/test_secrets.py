"""Row 53: a secret never reaches an output, whichever way it comes, and a recipe that carries one is refused."""

from __future__ import annotations

import getpass
import socket
from pathlib import Path

import pytest

from tests.commands import Done, command
from tests.faults.standing import RECIPE, Standing

SECRET = "ghp_" + "s3Cr" * 10
LONG = "horse-battery-9-staple"

PLUGIN = """
import os, sys
import numpy as np

def samples(say="", fail=""):
    print("begin", say, os.environ.get("LEAK_TOKEN"), os.environ.get("OTHER_PASSWORD"), flush=True)
    print("warn", say, file=sys.stderr, flush=True)
    os.system("echo natively $LEAK_TOKEN $OTHER_PASSWORD")
    word = open("planted.txt").read() if os.path.exists("planted.txt") else ""
    print("planted", word)
    if fail == "raise":
        raise ValueError(f"the login {word} was refused")
    if fail == "leave":
        sys.stdout.flush()
        os._exit(3)
    return [np.full(64, n, np.float32) for n in range(12)]
"""

WITH_PLUGIN = RECIPE.replace("plugin: npz, path: data/samples.npz", "plugin: python, factory: 'leaky.py:samples'")


def nowhere(standing: Standing, done: Done, *secrets: str) -> None:
    """Asserts that no byte of what was written or printed holds a secret."""
    for secret in secrets:
        assert secret not in done.out + done.err
        for path in (standing.root / "outputs").rglob("*"):
            assert secret not in path.name
            if path.is_file() and not path.is_symlink():
                assert secret.encode() not in path.read_bytes(), path


@pytest.mark.slow
@pytest.mark.parametrize(
    ("line", "field"),
    [
        (f"description: use {SECRET}", "wrong.yaml:10: 'description' holds a GitHub token"),
        ("description: s3://AKIA" + "ABCDEFGH23456789/x", "'description' holds an AWS access key"),
        ("description: https://ann:horse-battery-9-staple@host.example/m", "'description' holds credentials in a URL"),
        (
            'description: "-----BEGIN RSA PRIVATE KEY-----\\nMIIEow\\n-----END RSA PRIVATE KEY-----"',
            "'description' holds a private key",
        ),
        ("description: it is horse-battery-9-staple", "the value of the environment variable 'MY_DB_PASSWORD'"),
        (
            f"representative_dataset: {{plugin: python, factory: 'x:y', kwargs: {{hub_token: {LONG}}}}}",
            "wrong.yaml:10: 'representative_dataset.kwargs.hub_token' holds a secret by its name 'hub_token'",
        ),
        (
            f"custom_layers: {{modules: [layers/{SECRET}.py]}}",
            "wrong.yaml:10: 'custom_layers.modules[0]' holds a GitHub token",
        ),
    ],
)
@pytest.mark.fault(53)
def test_a_recipe_that_carries_a_secret_is_refused_by_field(standing: Standing, line: str, field: str) -> None:
    standing.write({"recipes/wrong.yaml": f"{RECIPE}{line}\n"})
    done = standing.fails("recipe=wrong", code=2, says=["error RK203", field, "fix: take it out"], MY_DB_PASSWORD=LONG)
    nowhere(standing, done, SECRET, LONG, "MIIEow", "ABCDEFGH23456789")


@pytest.mark.slow
@pytest.mark.parametrize(
    "override",
    [
        f"description={SECRET}",
        f"+evaluation.dataset.password={LONG}",
        f"+evaluation.dataset={{password: {LONG}}}",
        f"description='https://ann:{LONG}@host.example/'",
        f"evaluation.dataset.password=={LONG}",
        f"sauce.password={LONG}",
        f"version={LONG}",
    ],
)
@pytest.mark.fault(53)
def test_a_secret_on_the_command_line_is_never_said_again(standing: Standing, override: str) -> None:
    done = standing.fails(
        "recipe=tiny", override, "--debug", code=2, says=["error RK"], traceback=True, MY_API_KEY=LONG
    )
    nowhere(standing, done, SECRET, LONG)
    swept = command(standing.root, ["run", "-m", "recipe=tiny", "seed=1,2", override], {"MY_API_KEY": LONG})
    assert swept.code == 2
    nowhere(standing, swept, SECRET, LONG)
    shown = command(standing.root, ["validate", "recipe=tiny", override, "--format", "json"], {"MY_API_KEY": LONG})
    assert shown.code == 2
    nowhere(standing, shown, SECRET, LONG)


@pytest.mark.slow
@pytest.mark.fault(53)
def test_what_a_plugin_prints_and_raises_is_cleaned_and_variables_stay_with_the_parent(standing: Standing) -> None:
    standing.write({"leaky.py": PLUGIN, "recipes/leaky.yaml": WITH_PLUGIN, "planted.txt": SECRET})
    variables = {"LEAK_TOKEN": "tok-en-12345", "OTHER_PASSWORD": LONG, "HOME": "/home/alice-hostile"}
    done = standing.run("recipe=leaky", **variables)
    assert done.code == 0, done.err
    nowhere(standing, done, SECRET, LONG, "tok-en-12345")
    (log,) = (standing.root / "outputs").glob("tiny/1.0.0/*/logs/survey-evaluation.txt")
    assert "begin  None None" in log.read_text()
    assert "planted [withheld]" in log.read_text()
    for fail, code in (("raise", 5), ("leave", 5)):
        failed = standing.run("recipe=leaky", f"+evaluation.dataset.kwargs.fail={fail}", **variables)
        assert failed.code == code, failed.err
        assert "[withheld]" in failed.err
        nowhere(standing, failed, SECRET, LONG, "tok-en-12345")
        standing.codes.append(failed.code)


@pytest.mark.slow
def test_a_listed_variable_reaches_the_plugin_and_no_log(standing: Standing) -> None:
    standing.write({"leaky.py": PLUGIN, "recipes/leaky.yaml": WITH_PLUGIN})
    standing.write({"pyproject.toml": '[tool.recipekit]\nenv = ["LEAK_TOKEN"]\n'})
    done = standing.run("recipe=leaky", LEAK_TOKEN="tok-en-12345", OTHER_PASSWORD=LONG)
    assert done.code == 0, done.err
    nowhere(standing, done, LONG, "tok-en-12345")
    (log,) = (standing.root / "outputs").glob("tiny/1.0.0/*/logs/survey-evaluation.txt")
    assert "begin  [withheld] None" in log.read_text()


@pytest.mark.slow
def test_an_output_names_neither_the_user_nor_the_machine_nor_a_place_on_it(standing: Standing) -> None:
    hostile = {"HOME": "/home/alice-hostile", "USER": "alice-hostile", "LOGNAME": "alice-hostile"}
    done = standing.run("recipe=tiny", "seed=5", HOSTNAME="alice-hostile", **hostile)
    assert done.code == 0, done.err
    (output,) = {path.parent for path in standing.root.glob("outputs/tiny/1.0.0/*/manifest.json")}
    texts = {path: path.read_text() for path in output.rglob("*") if path.is_file() and path.suffix != ".tflite"}
    for word in ("alice-hostile", str(standing.root), str(Path.home()), str(standing.root.parent)):
        assert not [path for path, text in texts.items() if word in text], word
    manifest = texts[output / "manifest.json"]
    assert socket.gethostname() not in manifest
    assert getpass.getuser() == "root" or getpass.getuser() not in manifest
    assert "sys.argv" not in manifest


@pytest.mark.slow
@pytest.mark.fault(53)
def test_a_sweep_records_no_secret_of_a_child(standing: Standing) -> None:
    arguments = ["run", "-m", "recipe=tiny", f"description=fine,{SECRET}"]
    done = command(standing.root, arguments, {"MY_API_KEY": LONG})
    assert done.code == 2, done.err
    nowhere(standing, done, SECRET, LONG)
    (summary,) = (standing.root / "outputs" / "sweeps").glob("*/summary.json")
    assert "'description' holds a GitHub token" in summary.read_text()
    standing.codes.append(done.code)
