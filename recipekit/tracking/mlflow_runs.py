"""MLflow runs of published outputs, in the store and experiment that MLflow's own environment variables name."""

from __future__ import annotations

import importlib.metadata
import logging
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from recipekit.errors import EnvironmentFault, RecipekitError, in_a_line
from recipekit.outcome import Outcome
from recipekit.tracking.entries import BUILD_KEY, FILES, entries_of

_DEFAULT = "Default"
_NOTE_LENGTH = 5000
_PER_BATCH = 100
_PARENT = "mlflow.parentRunId"


class Tracker:
    """Logs outcomes; MLflow is imported when the first one is."""

    def __init__(self) -> None:
        """Looks whether MLflow is there, before anything takes time.

        Raises:
            EnvironmentFault: it isn't installed.
        """
        try:
            importlib.metadata.version("mlflow")
        except importlib.metadata.PackageNotFoundError as error:
            raise EnvironmentFault(
                "--mlflow needs the package mlflow", where="--mlflow", fix="pip install 'recipekit[mlflow]'"
            ) from error

    def log_run(self, outcome: Outcome) -> str:
        """Logs one output; one that was found and is logged already isn't logged again.

        Returns:
            What was done, in words.

        Raises:
            EnvironmentFault: MLflow failed; the output is published.
        """
        with _failing_safely([outcome]):
            runs = _Runs()
            if _is_logged(runs, outcome):
                return f"{runs.place}: this build is logged already"
            run = runs.log(outcome)
            return f"{runs.place}: logged as run {run}"

    def log_sweep(self, outcomes: Sequence[Outcome], folder: Path) -> str:
        """Logs a sweep as a run with a nested one for each child that isn't logged yet.

        Returns:
            What was done, in words.

        Raises:
            EnvironmentFault: MLflow failed; the outputs are published.
        """
        with _failing_safely(outcomes):
            runs = _Runs()
            fresh = [place for place, outcome in enumerate(outcomes) if not _is_logged(runs, outcome)]
            if not fresh:
                return f"{runs.place}: every child of this sweep is logged already"
            tags = {"recipekit.sweep": folder.name, "recipekit.children": str(len(outcomes))}
            with runs.under_way(f"sweep {folder.name}", tags) as parent:
                for place in fresh:
                    runs.log(outcomes[place], parent, folder.name)
                for path in sorted(folder.glob("summary.*")):
                    runs.client.log_artifact(parent, str(path))
            return f"{runs.place}: logged as run {parent} with {len(fresh)} of {len(outcomes)} children"


class _Runs:
    """The runs of one experiment."""

    def __init__(self) -> None:
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")  # nothing is sent that nobody asked for
        import mlflow  # noqa: PLC0415  takes seconds, and only those who ask for it pay them

        for noisy in ("mlflow", "alembic"):
            logging.getLogger(noisy).setLevel(logging.WARNING)
        self.client: Any = mlflow.MlflowClient()
        name = os.environ.get("MLFLOW_EXPERIMENT_NAME") or _DEFAULT
        number = os.environ.get("MLFLOW_EXPERIMENT_ID")
        experiment = self.client.get_experiment(number) if number else self.client.get_experiment_by_name(name)
        self._experiment: str = experiment.experiment_id if experiment else self.client.create_experiment(name)
        self.place = f"MLflow experiment '{experiment.name if experiment else name}'"

    def find(self, build_key: str) -> bool:
        """Whether a run that came to its end has logged this build."""
        query = f"tags.`{BUILD_KEY}` = '{build_key}' and attributes.status = 'FINISHED'"
        return bool(self.client.search_runs([self._experiment], filter_string=query, max_results=1))

    def log(self, outcome: Outcome, parent: str = "", sweep: str = "") -> str:
        """Logs an output, or a child that has none, and gives the run's id."""
        nested = {_PARENT: parent, "recipekit.sweep": sweep} if parent else {}
        if outcome.failure is not None:
            why = {"recipekit.error": outcome.failure.id, "mlflow.note.content": outcome.failure.what[:_NOTE_LENGTH]}
            name = " ".join((outcome.recipe, *outcome.overrides)).strip()
            with self.under_way(name, {**nested, **why}, end="FAILED") as run:
                return run
        folder = Path(outcome.output)
        entries = entries_of(folder)
        with self.under_way(entries.name, {**entries.tags, **nested}) as run:
            self._log_values(run, entries.parameters, entries.metrics)
            for file in FILES:
                self.client.log_artifact(run, str(folder / file))
        return run

    @contextmanager
    def under_way(self, name: str, tags: dict[str, str], end: str = "FINISHED") -> Iterator[str]:
        """A run that ends when the block does, as failed where that raises: then the build isn't taken for logged."""
        begun = self.client.create_run(
            self._experiment, run_name=name, tags={"mlflow.source.name": "recipekit", **tags}
        )
        run = str(begun.info.run_id)
        try:
            yield run
        except BaseException:
            with suppress(Exception):  # a store that is gone can't be told either
                self.client.set_terminated(run, "FAILED")
            raise
        self.client.set_terminated(run, end)

    def _log_values(self, run: str, parameters: dict[str, str], metrics: dict[str, float]) -> None:
        from mlflow.entities import Metric, Param  # noqa: PLC0415  as above

        params = [Param(key, value) for key, value in parameters.items()]
        now = self.client.get_run(run).info.start_time
        values = [Metric(key, value, now, 0) for key, value in metrics.items()]
        for at in range(0, max(len(params), len(values)), _PER_BATCH):
            self.client.log_batch(run, values[at : at + _PER_BATCH], params[at : at + _PER_BATCH])


def _is_logged(runs: _Runs, outcome: Outcome) -> bool:
    return outcome.already_built and runs.find(outcome.build_key)


@contextmanager
def _failing_safely(outcomes: Sequence[Outcome]) -> Iterator[None]:
    """Turns whatever MLflow, its store or its server raises into a fault that says what is published all the same."""
    try:
        yield
    except RecipekitError:
        raise
    except Exception as error:
        where = [outcome.output for outcome in outcomes if outcome.output]
        published = f"{where[0]} is" if len(where) == 1 else f"{len(where)} outputs are"
        raise EnvironmentFault(
            f"MLflow failed: {in_a_line(error)}; {published} published all the same",
            where="--mlflow",
            fix="correct MLFLOW_TRACKING_URI or its server, then run the same command again: what is built is found"
            " and logged",
        ) from error
