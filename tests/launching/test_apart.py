"""What a child says that works in folders of its own: its sweep reads it as if it had worked in the sweep's."""

from __future__ import annotations

import socket
from pathlib import Path

import msgspec

from recipekit.errors import StageDied
from recipekit.launching.apart import as_seen_there
from recipekit.outcome import Failure, Outcome
from recipekit.project import Project
from tests.recipe_projects import write_project

ENDED = Outcome(recipe="digits", status="accepted", seconds=1.0)


def projects(folder: Path) -> tuple[Project, Project]:
    there = write_project(folder / "driver", {})
    return msgspec.structs.replace(there, outputs=folder / "node"), there


def test_an_output_is_where_the_sweep_s_own_process_will_have_it(tmp_path: Path) -> None:
    here, there = projects(tmp_path)
    built = msgspec.structs.replace(ENDED, output=str(here.outputs / "digits" / "1.0.0" / "0123456789ab"))
    told = as_seen_there(built, here, there)
    assert told == msgspec.structs.replace(built, output=str(there.outputs / "digits" / "1.0.0" / "0123456789ab"))
    assert as_seen_there(ENDED, here, there) == ENDED


def test_a_log_is_named_with_the_machine_that_has_it(tmp_path: Path) -> None:
    here, there = projects(tmp_path)
    failure = Failure.of(StageDied("was killed", log="/node/.work/log.txt"))
    told = as_seen_there(msgspec.structs.replace(ENDED, status="failed", failure=failure), here, there)
    assert told.failure == msgspec.structs.replace(failure, log=f"{socket.gethostname()}:/node/.work/log.txt")
    without = msgspec.structs.replace(ENDED, status="failed", failure=msgspec.structs.replace(failure, log=""))
    assert as_seen_there(without, here, there) == without
