"""Two hundred damaged copies of each format: refused as unreadable or harmless, and never more than a worker lost.

Those of `.keras` and of `.h5` are of two files each, one of Keras 3 and one of Keras 2.
"""

from __future__ import annotations

import itertools
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from recipekit.contracts import SURVEY, Stage
from recipekit.errors import StageDied
from recipekit.pool import Pool
from tests.built_models import built_once
from tests.models.built_flatbuffers import classifier
from tests.surveys import survey_of
from tests.untrusted.mutations import mutations
from tests.worker.float_sources import PROJECT, model

pytestmark = [pytest.mark.tensorflow, pytest.mark.slow, pytest.mark.fault(21)]

Record = Callable[[str, object], None]

COUNT = 200
SEED = 20


@pytest.fixture(scope="module")
def load_all(pool: Pool, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., list[dict[str, Any]]]:
    def load_all(
        kind: str, sound: Path | bytes, name: str, worker: str = "tensorflow", count: int = COUNT, **options: Any
    ) -> Any:
        """What becomes of each damaged copy; a worker that dies is one more outcome, and the next one goes on."""
        root = tmp_path_factory.mktemp("damaged")
        data = sound if isinstance(sound, bytes) else sound.read_bytes()
        places = [root / f"{number:03d}" for number in range(count)]
        for place, damaged in zip(places, mutations(data, count, SEED), strict=True):
            place.mkdir()
            path = place / name
            if name == "saved_model.pb":
                assert isinstance(sound, Path)
                path = place / "saved_model"
                shutil.copytree(sound.parent, path)
                (path / name).write_bytes(damaged)
            else:
                path.write_bytes(damaged)
            (place / "spec.json").write_bytes(msgspec.json.encode(model(kind, path, **options)))
        if kind == "keras":  # what its description refuses needs no TensorFlow, nor a new one where a worker dies
            load_each(pool, SURVEY, root, described=True)
            for told in root.glob("*/outcome.json"):
                if msgspec.json.decode(told.read_bytes())["exit"] == 0:
                    told.unlink()
        load_each(pool, SURVEY.on(worker), root)
        return [msgspec.json.decode((place / "outcome.json").read_bytes()) for place in places]

    return load_all


def load_each(pool: Pool, stage: Stage, root: Path, *, described: bool = False) -> None:
    """Loads what hasn't been loaded yet; where the worker dies, that is the outcome, and another one goes on."""
    for attempt in itertools.count():
        death = run(pool, stage, root, attempt, described)
        if death is None:
            return
        last = max(root.glob("*/outcome.json"))
        told = {"exit": death.exit_code, "what": f"died: {death.what}", "where": ""}
        last.write_bytes(msgspec.json.encode(told))


def run(pool: Pool, stage: Stage, root: Path, attempt: int, described: bool) -> StageDied | None:
    """Loads what hasn't been loaded yet, up to the end or to the death of the worker."""
    request = survey_of(PROJECT, "damaged.py:outcomes", folder=str(root), described=described)
    try:
        pool.run(stage, request, root.with_name(f"{root.name}-{described}-{attempt}"))
    except StageDied as error:
        return error
    return None


def judge(outcomes: list[dict[str, Any]], title: str, refused: int, record: Record) -> None:
    """All are harmless or refused for a reason that is typed, nearly all as unreadable, and enough of them at all."""
    for code in sorted({outcome["exit"] for outcome in outcomes} - {0}):
        record("exit", code)
    unforeseen = [outcome for outcome in outcomes if outcome["exit"] not in {0, 5}]
    assert unforeseen == []
    counts = Counter("loads" if not each["exit"] else each["what"].partition(":")[0] for each in outcomes)
    assert sum(counts.values()) - counts["loads"] >= refused, counts
    assert counts[f"is not a readable {title}"] >= refused * 0.8, counts


@pytest.mark.parametrize("name", ["two_inputs.keras", "legacy.keras", "two_inputs.h5", "legacy.h5"])
def test_a_damaged_keras_file(
    record_property: Record, load_all: Any, tmp_path_factory: pytest.TempPathFactory, name: str
) -> None:
    models = built_once("float_models", tmp_path_factory)
    outcomes = load_all("keras", models / name, f"model{Path(name).suffix}", count=COUNT // 2)
    judge(outcomes, "Keras file", 30, record_property)


def test_a_damaged_saved_model(
    record_property: Record, load_all: Any, tmp_path_factory: pytest.TempPathFactory
) -> None:
    models = built_once("float_models", tmp_path_factory)
    judge(
        load_all("saved_model", models / "two" / "saved_model.pb", "saved_model.pb"), "SavedModel", 60, record_property
    )


def test_a_damaged_frozen_graph(
    record_property: Record, load_all: Any, tmp_path_factory: pytest.TempPathFactory
) -> None:
    models = built_once("source_models", tmp_path_factory) / "graph_models"
    inputs = {"feed/left": (None, 8), "feed/right": (None, 8)}
    outcomes = load_all("frozen_graph", models / "scorer.pb", "g.pb", inputs=inputs, outputs=("scores", "total"))
    judge(outcomes, "GraphDef", 60, record_property)


def test_a_damaged_flatbuffer(record_property: Record, load_all: Any) -> None:
    judge(load_all("tflite", classifier("classify"), "m.tflite", worker="litert"), ".tflite", 60, record_property)
