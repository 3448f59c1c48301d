"""What follows what `run` publishes, whether one build or a sweep: signatures, reports for CI, MLflow, JSON.

What is asked for is looked at before anything starts; nothing of it is imported that isn't asked for.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from recipekit.cli.ci_output import CiOutput
from recipekit.cli.signer import read_signer
from recipekit.cli.tables import data_console
from recipekit.cli.waiting import waited_for
from recipekit.errors import UsageError
from recipekit.outcome import Outcome
from recipekit.outputs import SharedOutputs
from recipekit.project import Project

if TYPE_CHECKING:
    from recipekit.signing.keys import PrivateKey
    from recipekit.tracking import Tracker


class RunEnding:
    """What the options of a run ask for at its end.

    Attributes:
        options: of the command.
        console: where the result is shown.
        ci: what is written for CI systems.
    """

    def __init__(self, options: argparse.Namespace) -> None:
        """Reads the key that signs, decrypts it, and looks whether all that is asked for can be had.

        Raises:
            UsageError: a key is named and nothing is to be signed, there is none, or a file to be written is a folder.
            EnvironmentFault: an extra isn't installed.
        """
        self.options = options
        self._key = _key(options)
        self.ci = CiOutput(options)
        self._tracker = _tracker() if options.mlflow else None
        self.console = data_console(stderr=options.format == "json")

    def sign(self, project: Project, outcomes: Iterable[Outcome]) -> None:
        """Signs every output, whatever its verdict, which is signed with it."""
        if self._key is None:
            return
        from recipekit.signing.signer import sign_output  # noqa: PLC0415  see the module's docstring

        for folder in {Path(outcome.output): None for outcome in outcomes if outcome.output}:
            sign_output(folder, self._key, model=self.options.oms)
            SharedOutputs.of(project).share_signatures(folder)

    def track(self, log: Callable[[Tracker], str]) -> None:
        """Logs to MLflow, where that is asked for, and shows what is said of it."""
        if self._tracker is None:
            return
        with waited_for("mlflow"):
            told = log(self._tracker)
        self.console.print(told, highlight=False, markup=False, soft_wrap=True)


def _key(options: argparse.Namespace) -> PrivateKey | None:
    """The key that signs what comes of the run; None where none shall."""
    if options.sign:
        return read_signer(options)
    if options.key or options.oms:
        raise UsageError("--key and --oms belong to --sign", where="command line", fix="add --sign")
    return None


def _tracker() -> Tracker:
    from recipekit.tracking import Tracker  # noqa: PLC0415  see the module's docstring

    return Tracker()
