"""Runs a child on a machine that shares the outputs' URL, but no folder, with the sweep's own process.

The child works in folders of this machine, and the sweep's copy of the recipes is sent with it. Its outcome names the
output by the path that it has at the sweep's own process, where it is downloaded as soon as somebody asks for it.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from recipekit import fsio
from recipekit.errors import EnvironmentFault, OutputFault
from recipekit.launching.parcel import recipes_in, unpack
from recipekit.launching.task import Task
from recipekit.outcome import Outcome
from recipekit.project import Project

_FIX = "set RECIPEKIT_OUTPUTS=FOLDER there before `ray start`, or for all nodes in hydra.launcher.runtime_env.env_vars"


def is_apart(task: Task) -> bool:
    """Whether this machine doesn't have the sweep's folder where its own process has it, or keeps outputs elsewhere."""
    project, sweep = task.job.project, task.settings.sweep
    elsewhere = bool(project.shared_outputs) and project.on_this_machine().outputs != project.outputs
    return elsewhere or (sweep is not None and not (project.sweeps / sweep.id).is_dir())


@contextmanager
def settled(parcel: bytes, root: Path) -> Iterator[Task]:
    """A task with this machine's folders in the place of those that it doesn't share.

    Args:
        parcel: of `pack`.
        root: where the project is here.

    Raises:
        EnvironmentFault: there is no folder for outputs here, and none can be made.
    """
    with TemporaryDirectory(prefix="recipekit-") as copied:
        for name, content in recipes_in(parcel).items():
            file = Path(copied, name)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
        task = unpack(parcel, root, Path(copied))
        project = task.job.project.on_this_machine()
        _require_outputs(project)
        yield task._replace(job=task.job._replace(project=project))


def as_seen_there(outcome: Outcome, here: Project, there: Project) -> Outcome:
    """What became of a child, in paths of the sweep's own process; a log is said to be on this machine.

    Args:
        outcome: in paths of this machine.
        here: the project with this machine's folders.
        there: the project with those of the sweep's own process.
    """
    output, failure = outcome.output, outcome.failure
    if output:
        output = str(there.outputs / Path(output).relative_to(here.outputs))
    if failure is not None and failure.log:
        failure = msgspec.structs.replace(failure, log=f"{socket.gethostname()}:{failure.log}")
    return msgspec.structs.replace(outcome, output=output, failure=failure)


def _require_outputs(project: Project) -> None:
    try:
        with fsio.reported(project.outputs):
            fsio.make_folders(project.outputs)
    except OutputFault as fault:
        what = f"the node has no outputs folder, and can't make one: {fault.what}"
        raise EnvironmentFault(what, where=str(project.outputs), fix=_FIX) from fault
