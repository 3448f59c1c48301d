"""The Optuna study of a sweep: it is asked for a child when one can begin, and told when that child has ended.

A trial has the number of its child. Each trial records the id of its sweep, so that a later driver of the same sweep
finds the trials that a lost one has left, and runs them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import NamedTuple

import msgspec
import optuna
from optuna.samplers import RandomSampler
from optuna.trial import FrozenTrial, Trial, TrialState

from recipekit import fsio
from recipekit.compose.composition import Composition
from recipekit.compose.searches import Search
from recipekit.errors import EnvironmentFault, RecipekitError
from recipekit.metrics import flat_metrics
from recipekit.outcome import Failure, Outcome
from recipekit.searching.identity import Identity, identify
from recipekit.searching.records import SWEEP, keep_end, recorded
from recipekit.searching.samplers import distributions, sampler_for
from recipekit.searching.settings import Settings, read_objectives, read_settings, unknown
from recipekit.searching.storage import open_storage, told
from recipekit.secrecy import redacted
from recipekit.studied import FILE, Studied, best_of

_ENDED = (TrialState.COMPLETE, TrialState.FAIL, TrialState.PRUNED)


class Kept(NamedTuple):
    """A study and where it is kept, in words."""

    study: optuna.Study
    shown: str


@contextmanager
def open_study(search: Search, folder: Path, left: Callable[[int], Outcome | None]) -> Iterator[Study]:
    """See `recipekit.searching.open_study`; what was found is written when the block ends, however it does."""
    if not hasattr(Trial, "set_constraint"):
        raise EnvironmentFault(
            f"optuna is installed in version {optuna.__version__}, and a search needs version 5 or later",
            where="environment",
            fix='pip install "optuna>=5"',
        )
    with _quiet():
        settings = read_settings(search.settings)
        objectives = read_objectives(settings, next(search.corners()).mapping)
        storage, shown = open_storage(settings.storage, folder, search.project.root)
        with told(shown):
            name = settings.study_name or folder.name
            directions = list(objectives.values())
            kept = optuna.create_study(storage=storage, study_name=name, directions=directions, load_if_exists=True)
            identity = Identity.of(search, objectives)
            seed = identify(kept, identity, settings.seed, shown)
        study = Study(search, settings, identity, seed, Kept(kept, shown), folder)
        study.take_up(left)
        try:
            yield study
        finally:
            study.write()


@contextmanager
def _quiet() -> Iterator[None]:
    """Lets Optuna log errors alone; progress is told by the sweep."""
    verbosity = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        yield
    finally:
        optuna.logging.set_verbosity(verbosity)


class Study:
    """The study of one sweep.

    Attributes:
        launcher: which one is to run the children; None for this process.
        at_once: how many may be under way at once in this process.
    """

    def __init__(
        self, search: Search, settings: Settings, identity: Identity, seed: int, kept: Kept, folder: Path
    ) -> None:
        """Takes an open study; asks for nothing yet.

        Args:
            search: what composes the children.
            settings: of the search.
            identity: what is searched.
            seed: of the sampler.
            kept: the study.
            folder: of the sweep.

        Raises:
            UsageError: the sampler can't take the parameters.
        """
        self.launcher = search.launcher
        self.at_once = settings.n_jobs
        self._search = search
        self._settings = settings
        self._identity = identity
        self._metrics = list(identity.objectives)
        self._seed = seed
        self._study, self._shown = kept
        self._folder = folder
        self._distributions = distributions(search.parameters, settings.sampler)
        self._running: dict[int, Trial] = {}
        self._again: list[Trial] = []
        self._note = ""
        self._turn = Lock()

    def take_up(self, left: Callable[[int], Outcome | None]) -> None:
        """Takes over the running trials of an earlier driver: ended children are told to Optuna, the others run again.

        Args:
            left: its outcome of a child, by number; None where there is none.

        Raises:
            OutputFault: the storage failed.
        """
        with told(self._shown):
            lost = [trial for trial in self._trials(TrialState.RUNNING) if self._is_ours(trial)]
            self._again = [Trial(self._study, trial._trial_id) for trial in lost]
        self._running = {trial.number: trial for trial in self._again}
        for trial in tuple(self._again):
            outcome = left(trial.number)
            if outcome is not None:
                self.ended(outcome)
            elif trial.params.keys() != self._distributions.keys():  # lost before all its values were chosen
                self._tell(self._running.pop(trial.number), None)
        self._again = [trial for trial in self._again if trial.number in self._running]

    def __len__(self) -> int:
        return max(0, self._settings.n_trials - len(self._trials(*_ENDED)))

    def __iter__(self) -> Iterator[tuple[int, Composition | Outcome]]:
        while (trial := self._next()) is not None:
            yield trial.number, self._child(trial)

    def ended(self, outcome: Outcome) -> None:
        """A child has ended, in whatever thread; one that isn't under way is nothing to the study.

        Raises:
            UsageError: it was measured, and an objective wasn't, nor has it ever been in this study.
            OutputFault: the storage failed.
        """
        measured = flat_metrics(outcome.measurement) if outcome.measurement is not None else {}
        missing = [metric for metric in self._metrics if metric not in measured]
        failure = outcome.failure
        error = redacted(f"{failure.id} {failure.what}") if failure else ""
        if missing and not error:
            error = f"not measured: {', '.join(missing)}"
        with self._turn, told(self._shown):
            trial = self._running.pop(outcome.number, None)
            if trial is None:
                return
            keep_end(trial, outcome, error)
            self._tell(trial, None if error else [measured[metric] for metric in self._metrics])
            measurable = failure is not None or any(it.state == TrialState.COMPLETE for it in self._trials())
        if missing and not measurable:
            fix = f"add `evaluation` or `artifacts` that measures it, or use one of {', '.join(measured)}"
            raise unknown(missing[0], list(measured), fix)

    def write(self) -> None:
        """Writes what was found to the sweep's folder.

        Raises:
            OutputFault: the file system refused, or the storage failed.
        """
        with told(self._shown):
            trials = tuple(recorded(trial, self._metrics) for trial in self._trials())
        found = Studied(
            name=self._study.study_name,
            storage=self._shown,
            sampler=self._settings.sampler,
            seed=self._seed,
            objectives=self._identity.objectives,
            parameters=self._identity.parameters,
            fixed=self._identity.fixed,
            note=self._note,
            best=best_of(trials, self._identity.objectives),
            trials=trials,
        )
        path, fresh = self._folder / FILE, self._folder / f".{FILE}"
        with fsio.reported(path):
            fresh.write_bytes(msgspec.json.format(msgspec.json.encode(found), indent=2) + b"\n")
            fresh.replace(path)  # an earlier driver's

    def _next(self) -> Trial | None:
        """The trial whose child can begin: one that an earlier driver has left, or a new one; None at the end."""
        with self._turn, told(self._shown):
            if self._again:
                return self._again.pop(0)
            trials = self._trials()
            ended = sum(trial.state in _ENDED for trial in trials)
            if ended + len(self._running) >= self._settings.n_trials:
                return None
            if self._exhausted(trials):
                return None
            self._study.sampler = sampler_for(self._settings, self._seed, len(trials))
            trial = self._study.ask(self._distributions)
            self._running[trial.number] = trial
            trial.set_user_attr(SWEEP, self._folder.name)
            return trial

    def _exhausted(self, trials: list[FrozenTrial]) -> bool:
        """Whether every combination has been tried, where they can be counted; then the note says so."""
        combinations = 1
        for parameter in self._search.parameters:
            if parameter.size is None:
                return False
            combinations *= parameter.size
        tried = {
            tuple(sorted(trial.params.items())) for trial in trials if len(trial.params) == len(self._distributions)
        }
        if len(tried) < combinations:
            return False
        self._note = (
            f"all {combinations:,} combinations have been tried, so the search ended after {len(trials):,} trials"
        )
        return True

    def _child(self, trial: Trial) -> Composition | Outcome:
        try:
            return self._search.child(trial.params)
        except RecipekitError as error:
            values = trial.params
            texts = [f"{it.key}={it.text(values[it.key])}" for it in self._search.parameters]
            return Outcome(
                recipe="",
                overrides=tuple(map(redacted, [*self._search.fixed, *texts])),
                number=trial.number,
                status="failed",
                seconds=0.0,
                failure=Failure.of(error),
            )

    def _tell(self, trial: Trial, values: list[float] | None) -> None:
        """Tells Optuna the values of a trial, or that it failed; it needs no sampler, so a random one is set."""
        self._study.sampler = RandomSampler()
        if values is None:
            self._study.tell(trial, state=TrialState.FAIL)
        else:
            self._study.tell(trial, values)

    def _trials(self, *states: TrialState) -> list[FrozenTrial]:
        return self._study.get_trials(deepcopy=False, states=states or None)

    def _is_ours(self, trial: FrozenTrial) -> bool:
        """Whether a trial's child is one of this sweep; in a journal of its own all are."""
        return self._settings.storage is None or trial.user_attrs.get(SWEEP) == self._folder.name
