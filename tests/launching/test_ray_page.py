"""docs/ray.md: its commands run as far as one machine goes, and its tables are those of the launcher."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from recipekit.launching.ray import head
from recipekit.launching.ray.terms import Terms
from tests.launching.faulty_children import write_children
from tests.launching.ray_cluster import RayCluster, ray_files, until
from tests.launching.test_ray import rows, sweep
from tests.pages import blocks, commands, page

TEXT = page("ray.md")
ALONE, *ON_A_CLUSTER = [command.arguments[3:] for command in commands(TEXT)]


def test_every_command_is_a_sweep_of_the_same_recipe() -> None:
    assert all(command.arguments[:3] == ["run", "-m", "recipe=tiny"] for command in commands(TEXT))
    assert len(ON_A_CLUSTER) == 3


@pytest.mark.slow
def test_on_one_machine_a_ray_of_its_own_starts_and_leaves_nothing(tmp_path: Path) -> None:
    write_children(tmp_path / "project")
    (tmp_path / "home").mkdir()
    own, before = RayCluster("", tmp_path / "mark", ""), set(ray_files())
    done = sweep(tmp_path / "project", *ALONE, variables={"HOME": str(tmp_path / "home"), **own.mark})
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("accepted") >= 2
    until(lambda: not own.processes(), 30)
    assert not [*(tmp_path / "home").iterdir()]
    assert set(ray_files()) <= before


def on(head: RayCluster, arguments: list[str]) -> list[str]:
    """A command's arguments with the address of a head that is there."""
    here = [re.sub(r"address=(auto|FIRST_MACHINE:6379)$", f"address={head.address}", it) for it in arguments]
    assert here != arguments
    return here


@pytest.mark.slow
@pytest.mark.parametrize("arguments", ON_A_CLUSTER[:2], ids=["address", "resources"])
def test_on_a_cluster_its_commands_do_what_they_say(ray_head: RayCluster, tmp_path: Path, arguments: list[str]) -> None:
    write_children(tmp_path / "project")
    done = sweep(tmp_path / "project", *on(ray_head, arguments), variables=ray_head.variables)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("accepted") >= 2


@pytest.mark.slow
def test_a_project_that_is_sent_to_the_nodes_gives_the_outputs_that_it_gives_here(
    ray_head: RayCluster, tmp_path: Path
) -> None:
    project = tmp_path / "project"
    write_children(project)
    arguments = on(ray_head, ON_A_CLUSTER[2])
    assert "hydra.launcher.runtime_env.working_dir=." in arguments
    done = sweep(project, *arguments, variables=ray_head.variables)
    assert done.returncode == 0, done.stdout + done.stderr
    there = rows(project)
    assert {row["verdict"] for row in there.values()} == {"accepted"}
    for row in there.values():
        assert (project / "outputs/sweeps/x" / row["output"] / "model.tflite").resolve().is_file()
    here = sweep(project, next(it for it in arguments if it.startswith("seed=")), variables={})
    assert here.stdout.count("already built") == len(there) == 2, (
        "the keys are the same, though the project was elsewhere"
    )
    assert {it: row["build_key"] for it, row in rows(project).items()} == {
        it: row["build_key"] for it, row in there.items()
    }


@pytest.mark.slow
def test_what_it_says_of_ray_start_and_tokens_are_commands_of_ray() -> None:
    from ray.scripts import scripts  # noqa: PLC0415  a second and a half for the one test that needs it

    lines = [line.partition("#")[0] for block in blocks(TEXT, "sh") for line in block.splitlines()]
    said = [shlex.split(line)[1:] for line in lines if line.startswith("ray ")]
    assert [words[0] for words in said] == ["start", "start", "get-auth-token"]
    for name, *options in said:
        known = {option for parameter in scripts.cli.commands[name].params for option in parameter.opts}
        assert {option.partition("=")[0] for option in options} <= known


def test_its_settings_are_those_that_there_are() -> None:
    rows = re.findall(r"^\| (`[^|]*`) \|[^|]*\|[^|]*\|$", TEXT, re.MULTILINE)
    named = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    assert named == set(Terms.__struct_fields__)


def test_what_it_quotes_of_refusals_is_what_is_said() -> None:
    source = Path(head.__file__).read_text(encoding="utf-8")
    quoted = re.findall(r"^\| `([^`]+)` \| [^|]*\|$", TEXT, re.MULTILINE)
    assert len(quoted) == 5
    assert all(f'"{what}"' in source for what in quoted)
