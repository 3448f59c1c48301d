"""The samples of a recorded build, read again and held against their digests before anything is built."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from recipekit.audit.recorded_inputs import FoundInputs, Places, dataset_places, mismatch, recorded_recipe
from recipekit.audit.recorded_output import RecordedOutput
from recipekit.contracts import DatasetSpec, SampleSet
from recipekit.errors import DatasetError, PluginError, SourceError
from recipekit.execution import Execution, Watcher
from recipekit.explanation import History
from recipekit.graph import file_parameters, survey
from recipekit.pipeline import Facilities
from recipekit.recipe import Recipe
from recipekit.same_samples import are_read_alike, first_difference
from recipekit.workspace import workspace

Section = tuple[str, ...]


class _Reader(NamedTuple):
    """Who reads a dataset, `calibration`, `evaluation` or the step of a training, and where the recipe says it."""

    name: str
    section: Section
    dataset: DatasetSpec


class _Reading(NamedTuple):
    """What came of reading a dataset at one place: a fault, or else the configuration that names it, and a note."""

    config: dict[str, Any]
    fault: str = ""
    note: str = ""


class FoundSamples(NamedTuple):
    """All samples as they were.

    Attributes:
        recipe: which reads them where they are now.
        notes: what is different about them all the same, for the user.
    """

    recipe: Recipe
    notes: tuple[str, ...]


def find_samples(
    recorded: RecordedOutput, inputs: FoundInputs, places: Places, facilities: Facilities, watcher: Watcher, level: int
) -> FoundSamples:
    """Reads every dataset, wherever it is found first with the recorded samples.

    Args:
        recorded: the output.
        inputs: from `find_inputs`.
        places: where to look.
        facilities: workers and a store of the rebuild's own.
        watcher: is told what happens.
        level: of the promise; at 3, other software may read the same samples to other values.

    Raises:
        InputMismatch: a dataset is gone, or gives other samples.
        InvalidRecipe: this recipekit doesn't know the configuration's language.
    """
    config, root = inputs.config, inputs.root
    readings = []
    with workspace(places.scratch / "outputs", recorded.recipe["name"]) as work:
        pool, lease, surroundings, *_ = facilities

        def read(reader: _Reader) -> SampleSet:
            history = History(places.scratch / "history")
            execution = Execution(pool, surroundings, lease, work, watcher, history)
            node = survey(reader.name, reader.dataset, ".".join(reader.section), surroundings)
            samples: SampleSet
            (samples,) = execution.demand(node)
            return samples

        for reader in _readers(recorded_recipe(recorded, config, root)):
            if reader.name in recorded.samples:
                readings.append(_reading(recorded, reader, FoundInputs(config, root), places, read, level))
                config = readings[-1].config
    faults = [reading.fault for reading in readings if reading.fault]
    if faults:
        raise mismatch(recorded, faults, places.root)
    notes = tuple(reading.note for reading in readings if reading.note)
    return FoundSamples(recorded_recipe(recorded, config, root), notes)


def _reading(
    recorded: RecordedOutput,
    reader: _Reader,
    inputs: FoundInputs,
    places: Places,
    read: Callable[[_Reader], SampleSet],
    level: int,
) -> _Reading:
    """The first reading that gives the recorded samples, or else what is wrong with the likeliest one."""
    failed = []
    parameters = file_parameters(reader.dataset.plugin)
    for option in dataset_places(_at(inputs.config, reader.section), parameters, places):
        config = copy.deepcopy(inputs.config)
        _at(config, reader.section[:-1])[reader.section[-1]] = option
        moved = next(it for it in _readers(recorded_recipe(recorded, config, inputs.root)) if it.name == reader.name)
        try:
            reading = _compared(recorded, reader.name, read(moved), config, level)
        except (DatasetError, PluginError, SourceError) as error:
            reading = _Reading(config, f"the {reader.name} samples can't be read: {error.where}: {error.what}")
        if not reading.fault:
            return reading
        failed.append(reading)
    return failed[0]._replace(config=inputs.config)


def _compared(recorded: RecordedOutput, name: str, read: SampleSet, config: dict[str, Any], level: int) -> _Reading:
    before = recorded.samples[name]
    if read.sha256 == before:
        return _Reading(config)
    listed, now = recorded.samples_file(name), Path(read.path)
    if level == 3 and are_read_alike(listed, now):
        return _Reading(config, note=f"the {name} samples are the same by name; other packages read other values there")
    difference = first_difference(listed, now)
    digests = f"sha256 {before} recorded, {read.sha256} now"
    return _Reading(config, fault=f"the {name} samples have changed: {digests}; {difference}")


def _readers(recipe: Recipe) -> Iterator[_Reader]:
    representative: Section = ("representative_dataset",)
    if recipe.calibration is not None:
        yield _Reader("calibration", representative, recipe.calibration)
    if recipe.evaluation.dataset is not None:
        own = "dataset" in recipe.resolved.get("evaluation", {})
        yield _Reader("evaluation", ("evaluation", "dataset") if own else representative, recipe.evaluation.dataset)
    for step, finetune in recipe.optimize.finetunes() if recipe.optimize else ():
        yield _Reader(step, ("optimize", step, "finetune", "dataset"), finetune.dataset)


def _at(config: dict[str, Any], section: Section) -> dict[str, Any]:
    for key in section:
        config = config[key]
    return config
