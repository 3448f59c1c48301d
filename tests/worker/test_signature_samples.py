"""The readings of several signatures: one record and one log for all, in which each finds its own."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import msgspec
import numpy as np
import pytest

from recipekit.contracts import DatasetSpec, Signature, SurveyRequest
from recipekit.errors import DatasetError
from recipekit.worker.signature_samples import Batches, Readings, open_readings
from recipekit.worker.stages import survey
from tests.readings import dataset_spec, inputs

X = inputs(x=("float32", (None, 3)))
PAIR = inputs(left=("float32", (None, 2)), gain=("float32", ()))
SIGNATURES = {"first": X, "second/one": PAIR}


def npz(folder: Path, name: str, **arrays: object) -> DatasetSpec:
    np.savez(folder / name, **arrays)  # type: ignore[arg-type]
    return dataset_spec("npz", folder, params={"path": str(folder / name)})


@pytest.fixture
def spec(tmp_path: Path) -> DatasetSpec:
    first = npz(tmp_path, "x.npz", x=np.arange(6, dtype=np.float32).reshape(2, 3))
    pair = {"left": np.ones((3, 2), np.float32), "gain": np.arange(3, dtype=np.float32), "labels": np.arange(3)}
    return msgspec.structs.replace(first, signatures={"first": first, "second/one": npz(tmp_path, "p.npz", **pair)})


def read(spec: DatasetSpec, signatures: dict[str, Signature], folder: Path) -> Readings:
    folder.mkdir(exist_ok=True)
    readings = open_readings(spec, signatures, folder)
    assert len(list(readings)) == readings.sample_set().count
    return readings


def test_samples_come_by_signature_each_checked_against_its_own(spec: DatasetSpec, tmp_path: Path) -> None:
    samples = list(open_readings(spec, SIGNATURES, tmp_path))
    assert [sample.signature for sample in samples] == ["first"] * 2 + ["second/one"] * 3
    assert [set(sample.tensors) for sample in samples] == [{"x"}] * 2 + [{"left", "gain"}] * 3
    with pytest.raises(DatasetError) as caught:
        list(open_readings(spec, {"first": PAIR, "second/one": PAIR}, tmp_path))
    assert caught.value.where == "first: npz sample 0 ('0')"


def test_the_log_of_all_is_that_of_each_one_after_the_other(spec: DatasetSpec, tmp_path: Path) -> None:
    samples = read(spec, SIGNATURES, tmp_path / "all").sample_set()
    lines = Path(samples.path).read_bytes()
    assert [json.loads(line)["signature"] for line in lines.splitlines()] == ["first"] * 2 + ["second/one"] * 3
    assert samples.sha256 == hashlib.sha256(lines).hexdigest()
    parts = [samples.of(key) for key in SIGNATURES]
    assert lines == b"".join(Path(part.path).read_bytes() for part in parts)
    assert [part.count for part in parts] == [2, 3]
    assert [part.labelled for part in parts] == [False, True]
    assert (samples.count, samples.labelled) == (5, False)


def test_the_first_reading_gives_the_digests_of_every_later_one(spec: DatasetSpec, tmp_path: Path) -> None:
    (tmp_path / "survey").mkdir()
    surveyed = survey.run(SurveyRequest(dataset=spec), tmp_path / "survey")
    again = read(spec, SIGNATURES, tmp_path / "again").sample_set()
    assert surveyed.sha256 == again.sha256
    assert {key: surveyed.of(key).sha256 for key in SIGNATURES} == {key: again.of(key).sha256 for key in SIGNATURES}
    assert [tensor.name for tensor in surveyed.of("second/one").statistics] == ["left", "gain"]


def test_one_signature_leaves_no_trace_of_there_being_more(spec: DatasetSpec, tmp_path: Path) -> None:
    one = spec.of("first")
    samples = read(one, {"serving_default": X}, tmp_path / "one").sample_set()
    assert "signature" not in Path(samples.path).read_text()
    assert "signatures" not in msgspec.to_builtins(samples)
    assert "signatures" not in msgspec.to_builtins(one)
    assert samples.of("serving_default") is samples


def test_a_batch_of_one_leaves_inputs_without_dimensions_as_they_are(spec: DatasetSpec, tmp_path: Path) -> None:
    batches = Batches(SIGNATURES)
    last = list(open_readings(spec, SIGNATURES, tmp_path))[-1]
    assert {name: array.shape for name, array in batches.of_one(last).items()} == {"left": (1, 2), "gain": ()}
