"""The driver around dataset plugins: which samples it reads, how it records them, and what it refuses."""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recipekit import registry
from recipekit.contracts import DatasetContext, Sample, Signature
from recipekit.errors import DatasetError, InternalError, PluginError, UsageError
from recipekit.worker.sample_log import SampleLog, scalar
from recipekit.worker.samples import open_samples
from tests.properties import at_most
from tests.readings import Counted, dataset_spec, inputs, read

Define = Callable[[Callable[..., Any]], None]
VECTOR = inputs(x=("float32", (1, 3)))


@pytest.fixture
def define(monkeypatch: pytest.MonkeyPatch) -> Define:
    """Registers the dataset plugin `frames` for one test."""
    return lambda plugin: monkeypatch.setitem(registry._project["datasets"], "frames", plugin)


def vectors(index: int) -> np.ndarray[Any, Any]:
    return np.full(3, index, np.float32)


def stream(samples: Callable[[], Iterator[Any]]) -> Any:
    class Stream:
        def __iter__(self) -> Iterator[Any]:
            return samples()

    return Stream()


# --- which samples, in which order ----------------------------------------------------------------------------------


def test_samples_come_in_order_with_place_id_and_label(define: Define, tmp_path: Path) -> None:
    define(lambda context: Counted(3, vectors))
    samples, _ = read(dataset_spec("frames", tmp_path), tmp_path, VECTOR)
    assert [(sample.index, sample.id, sample.label) for sample in samples] == [(0, "s0", 0), (1, "s1", 1), (2, "s2", 2)]
    np.testing.assert_array_equal(samples[2].tensors["x"], [2, 2, 2])


@settings(max_examples=at_most(40), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(count=st.integers(1, 40), seed=st.integers(0, 2**32 - 1), data=st.data())
def test_a_shuffled_choice_is_the_beginning_of_one_permutation(
    define: Define, tmp_path: Path, count: int, seed: int, data: st.DataObject
) -> None:
    define(lambda context: Counted(count, vectors))
    some = data.draw(st.integers(1, count))
    whole, _ = read(dataset_spec("frames", tmp_path, shuffle=True, seed=seed), tmp_path)
    part, _ = read(dataset_spec("frames", tmp_path, shuffle=True, seed=seed, samples=some), tmp_path)
    assert sorted(sample.label for sample in whole) == list(range(count))
    assert [sample.id for sample in part] == [sample.id for sample in whole[:some]]


def test_the_order_is_the_same_on_every_machine(define: Define, tmp_path: Path) -> None:
    define(lambda context: Counted(8, vectors))
    samples, _ = read(dataset_spec("frames", tmp_path, shuffle=True, seed=7), tmp_path)
    assert [sample.label for sample in samples] == [0, 6, 7, 2, 4, 5, 1, 3]


def test_the_plugin_is_told_the_root_and_the_seed(define: Define, tmp_path: Path) -> None:
    told: list[DatasetContext] = []

    def frames(context: DatasetContext) -> Counted:
        told.append(context)
        return Counted(1, vectors)

    define(frames)
    open_samples(dataset_spec("frames", tmp_path, seed=5), None, tmp_path)
    assert told == [DatasetContext(tmp_path, 5)]


def test_modules_may_register_the_plugin(define: Define, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    define(lambda context: Counted(1, vectors))  # undone with everything that the module adds under the same name
    (tmp_path / "frames_of_the_project.py").write_text(
        "import numpy as np\n"
        "from recipekit.contracts import Sample\n"
        "from recipekit.registry import register\n"
        "@register('datasets', 'frames')\n"
        "def frames(context):\n"
        "    return [Sample('only', np.zeros(3, np.float32))]\n"
    )
    spec = dataset_spec("frames", tmp_path, modules=("frames_of_the_project.py",))
    samples, _ = read(spec, tmp_path, VECTOR)
    assert [sample.id for sample in samples] == ["only"]


def test_fewer_samples_than_asked_for_is_an_error(define: Define, tmp_path: Path) -> None:
    define(lambda context: Counted(3, vectors))
    with pytest.raises(DatasetError, match="expected 5, got 3") as caught:
        open_samples(dataset_spec("frames", tmp_path, samples=5), None, tmp_path)
    assert caught.value.where == "frames"


@pytest.mark.parametrize("samples", [None, 4])
def test_an_empty_dataset_is_an_error(define: Define, tmp_path: Path, samples: int | None) -> None:
    define(lambda context: Counted(0, vectors))
    with pytest.raises(DatasetError, match="has no samples"):
        open_samples(dataset_spec("frames", tmp_path, samples=samples), None, tmp_path)


# --- streams --------------------------------------------------------------------------------------------------------


def test_an_endless_stream_is_read_only_as_far_as_asked(define: Define, tmp_path: Path) -> None:
    drawn: list[int] = []

    def endless() -> Iterator[Sample]:
        for index in itertools.count():
            drawn.append(index)
            yield Sample(str(index), vectors(index))

    define(lambda context: stream(endless))
    samples, _ = read(dataset_spec("frames", tmp_path, samples=4), tmp_path, VECTOR)
    assert [sample.id for sample in samples] == ["0", "1", "2", "3"]
    assert drawn == [0, 1, 2, 3]


def test_a_stream_without_a_number_of_samples_is_refused(define: Define, tmp_path: Path) -> None:
    define(lambda context: stream(lambda: iter([Sample("a", vectors(0))])))
    with pytest.raises(DatasetError, match="does not know its length") as caught:
        open_samples(dataset_spec("frames", tmp_path), None, tmp_path)
    assert "`samples`" in caught.value.fix


def test_a_stream_can_not_be_shuffled(define: Define, tmp_path: Path) -> None:
    define(lambda context: stream(lambda: iter([Sample("a", vectors(0))])))
    with pytest.raises(DatasetError, match="can't be shuffled") as caught:
        open_samples(dataset_spec("frames", tmp_path, samples=1, shuffle=True), None, tmp_path)
    assert "shuffle: false" in caught.value.fix


@pytest.mark.parametrize(("available", "message"), [(0, "has no samples"), (2, "expected 3, got 2")])
def test_a_stream_that_ends_early_is_an_error(define: Define, tmp_path: Path, available: int, message: str) -> None:
    define(lambda context: stream(lambda: (Sample(str(i), vectors(i)) for i in range(available))))
    reading = open_samples(dataset_spec("frames", tmp_path, samples=3), None, tmp_path)
    with pytest.raises(DatasetError, match=message):
        list(reading)


# --- code that fails ------------------------------------------------------------------------------------------------


def test_an_unknown_plugin_is_answered_with_the_nearest_name(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="did you mean 'image_folder'"):
        open_samples(dataset_spec("image_foldr", tmp_path), None, tmp_path)


@pytest.mark.parametrize("params", [{"siz": 3}, {}, {"size": 3, "context": 1}])
def test_parameters_that_a_plugin_does_not_take_are_answered_with_those_it_does(
    define: Define, tmp_path: Path, params: dict[str, Any]
) -> None:
    def frames(context: DatasetContext, size: int, colour: str = "grey") -> Counted:
        return Counted(size, vectors)

    define(frames)
    with pytest.raises(PluginError) as caught:
        open_samples(dataset_spec("frames", tmp_path, params=params), None, tmp_path)
    assert caught.value.fix == "it accepts size, colour"
    assert ("did you mean 'size'" in caught.value.what) == ("siz" in params)


@pytest.mark.parametrize("error", [RuntimeError("boom"), SystemExit(0), IndexError("boom"), StopIteration()])
def test_a_plugin_that_fails_on_a_sample_is_named_with_its_line(
    define: Define, tmp_path: Path, error: BaseException
) -> None:
    def make(index: int) -> Any:
        if index == 2:
            raise error
        return vectors(index)

    define(lambda context: Counted(4, make))
    with pytest.raises(PluginError, match="frames sample 2") as caught:
        read(dataset_spec("frames", tmp_path), tmp_path)
    assert "test_samples.py:" in caught.value.where


def test_a_plugin_that_fails_to_start_is_named(define: Define, tmp_path: Path) -> None:
    def frames(context: DatasetContext) -> Counted:
        raise KeyError("boom")

    define(frames)
    with pytest.raises(PluginError, match="the dataset 'frames' raised KeyError"):
        open_samples(dataset_spec("frames", tmp_path), None, tmp_path)


def test_what_is_neither_a_sequence_nor_a_stream_is_refused(define: Define, tmp_path: Path) -> None:
    define(lambda context: 3)
    with pytest.raises(PluginError, match="is a int"):
        open_samples(dataset_spec("frames", tmp_path), None, tmp_path)


def test_what_is_not_a_sample_is_refused(define: Define, tmp_path: Path) -> None:
    define(lambda context: [vectors(0)])
    with pytest.raises(PluginError, match="gave ndarray, not a Sample"):
        read(dataset_spec("frames", tmp_path), tmp_path)


# --- what a signature asks of a sample --------------------------------------------------------------------------------


def refusal(define: Define, folder: Path, tensors: Any, signature: Signature) -> DatasetError:
    define(lambda context: Counted(2, lambda index: tensors))
    with pytest.raises(DatasetError) as caught:
        read(dataset_spec("frames", folder), folder, signature)
    assert caught.value.where == "frames sample 0 ('s0')"
    return caught.value


@pytest.mark.parametrize("name", ["", "x"])
def test_the_tensor_of_a_model_with_one_input_needs_no_name(define: Define, tmp_path: Path, name: str) -> None:
    define(lambda context: Counted(1, lambda index: {name: vectors(index)}))
    samples, _ = read(dataset_spec("frames", tmp_path), tmp_path, VECTOR)
    assert list(samples[0].tensors) == ["x"]


def test_tensors_come_in_the_order_of_the_signature(define: Define, tmp_path: Path) -> None:
    define(lambda context: Counted(1, lambda index: {"b": vectors(0), "a": vectors(1)}))
    signature = inputs(a=("float32", (1, 3)), b=("float32", (1, 3)))
    samples, _ = read(dataset_spec("frames", tmp_path), tmp_path, signature)
    assert list(samples[0].tensors) == ["a", "b"]


def test_a_bare_array_for_two_inputs_is_refused(define: Define, tmp_path: Path) -> None:
    error = refusal(define, tmp_path, vectors(0), inputs(a=("float32", (1, 3)), b=("float32", (1, 3))))
    assert "2 inputs: a, b" in error.what


def test_missing_and_unknown_inputs_are_listed_with_the_nearest_name(define: Define, tmp_path: Path) -> None:
    signature = inputs(image=("float32", (1, 3)), mask=("float32", (1, 3)))
    error = refusal(define, tmp_path, {"imag": vectors(0), "mask": vectors(0)}, signature)
    assert error.what == (
        "lacks the input 'image', holds 'imag', which is no input of the model; did you mean 'image'?"
    )


def test_a_sample_with_a_wrong_shape_is_named(define: Define, tmp_path: Path) -> None:
    error = refusal(define, tmp_path, np.zeros((3, 2), np.float32), VECTOR)
    assert "expected (3), got (3, 2)" in error.what


def test_a_batch_dimension_is_called_by_its_name(define: Define, tmp_path: Path) -> None:
    error = refusal(define, tmp_path, np.zeros((1, 3), np.float32), VECTOR)
    assert "extra leading batch dimension: expected shape (3), got (1, 3)" in error.what


@pytest.mark.parametrize("length", [1, 5])
def test_a_dynamic_dimension_takes_any_length(define: Define, tmp_path: Path, length: int) -> None:
    define(lambda context: Counted(1, lambda index: np.zeros((length, 2), np.float32)))
    samples, _ = read(dataset_spec("frames", tmp_path), tmp_path, inputs(x=("float32", (None, None, 2))))
    assert samples[0].tensors["x"].shape == (length, 2)


def test_a_scalar_input_takes_a_scalar(define: Define, tmp_path: Path) -> None:
    define(lambda context: Counted(1, lambda index: np.float32(4)))
    samples, _ = read(dataset_spec("frames", tmp_path), tmp_path, inputs(x=("float32", (1,))))
    assert samples[0].tensors["x"].shape == ()


def test_a_wrong_element_type_is_answered_with_the_step_that_cures_it(define: Define, tmp_path: Path) -> None:
    error = refusal(define, tmp_path, np.zeros(3, np.float64), VECTOR)
    assert "expected float32, got float64" in error.what
    assert "{cast: float32}" in error.fix


def test_strings_of_any_length_fit_a_string_input(define: Define, tmp_path: Path) -> None:
    define(lambda context: Counted(1, lambda index: np.array(["a", "bcd"])))
    samples, _ = read(dataset_spec("frames", tmp_path), tmp_path, inputs(x=("str", (1, 2))))
    assert samples[0].tensors["x"].tolist() == ["a", "bcd"]


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("position", [(0, 0), (1, 2)])
def test_a_value_that_is_not_finite_is_found(
    define: Define, tmp_path: Path, value: float, position: tuple[int, int]
) -> None:
    array = np.zeros((2, 3), np.float32)
    array[position] = value
    error = refusal(define, tmp_path, array, inputs(x=("float32", (1, 2, 3))))
    assert error.what == f"the input 'x' holds {value} at ({position[0]}, {position[1]})"


@pytest.mark.parametrize(
    ("tensors", "message"),
    [
        ({}, "holds no tensor"),
        ({3: np.zeros(3)}, "names a tensor 3"),
        (np.array([{}, []], dtype=object), "element type object"),
        ([[1.0], [1.0, 2.0]], "is not an array"),
        (np.array(["2020-01-01"], dtype="datetime64[D]"), "element type datetime64"),
    ],
)
def test_what_no_model_takes_is_refused_without_a_signature_too(
    define: Define, tmp_path: Path, tensors: Any, message: str
) -> None:
    define(lambda context: Counted(1, lambda index: tensors))
    with pytest.raises(DatasetError, match=message):
        read(dataset_spec("frames", tmp_path), tmp_path)


# --- the record -----------------------------------------------------------------------------------------------------


def test_the_record_holds_a_canonical_line_a_sample(define: Define, tmp_path: Path) -> None:
    define(lambda context: Counted(2, vectors))
    _, reading = read(dataset_spec("frames", tmp_path), tmp_path)
    record = reading.sample_set()
    data = Path(record.path).read_bytes()
    digest = hashlib.sha256(np.ones(3, "<f4").tobytes()).hexdigest()
    assert data.splitlines()[1].decode() == (
        f'{{"id":"s1","label":1,"tensors":{{"":{{"dtype":"float32","sha256":"{digest}","shape":[3]}}}}}}'
    )
    assert (record.count, record.labelled) == (2, True)
    assert record.sha256 == hashlib.sha256(data).hexdigest()


def test_a_reading_with_a_signature_gives_the_same_record_as_one_without(define: Define, tmp_path: Path) -> None:
    define(lambda context: Counted(3, vectors))
    _, plain = read(dataset_spec("frames", tmp_path), tmp_path / "plain")
    _, checked = read(dataset_spec("frames", tmp_path), tmp_path / "checked", VECTOR)
    assert plain.sample_set().sha256 == checked.sample_set().sha256


def test_the_record_depends_on_values_and_not_on_their_layout(define: Define, tmp_path: Path) -> None:
    array = np.arange(6, dtype=np.float32).reshape(2, 3)
    digests = set()
    for layout in (array, np.asfortranarray(array), array.astype(">f4"), np.repeat(array, 2, axis=1)[:, ::2]):
        define(lambda context, layout=layout: Counted(1, lambda index: layout))
        _, reading = read(dataset_spec("frames", tmp_path), tmp_path)
        digests.add(reading.sample_set().sha256)
    assert len(digests) == 1


def test_the_record_shows_what_preprocessing_made(define: Define, tmp_path: Path) -> None:
    define(lambda context: Counted(1, vectors))
    _, reading = read(dataset_spec("frames", tmp_path, preprocess=({"cast": "int8"},)), tmp_path)
    assert json.loads(Path(reading.sample_set().path).read_text())["tensors"][""]["dtype"] == "int8"


def test_a_set_with_one_missing_label_is_not_labelled(define: Define, tmp_path: Path) -> None:
    define(lambda context: [Sample("a", vectors(0), 1), Sample("b", vectors(0))])
    _, reading = read(dataset_spec("frames", tmp_path), tmp_path)
    assert not reading.sample_set().labelled


def test_a_reading_that_stopped_has_no_record(define: Define, tmp_path: Path) -> None:
    define(lambda context: Counted(3, vectors))
    reading = open_samples(dataset_spec("frames", tmp_path), None, tmp_path)
    iterator = iter(reading)
    next(iterator)
    with pytest.raises(InternalError):
        reading.sample_set()
    list(iterator)
    assert reading.sample_set().count == 3


def test_a_second_iteration_starts_anew(define: Define, tmp_path: Path) -> None:
    define(lambda context: Counted(3, vectors))
    reading = open_samples(dataset_spec("frames", tmp_path), None, tmp_path)
    first = [sample.id for sample in reading], reading.sample_set()
    second = [sample.id for sample in reading], reading.sample_set()
    assert first == second


def test_an_id_that_is_not_text_is_refused(define: Define, tmp_path: Path) -> None:
    define(lambda context: [Sample("\udcff", vectors(0))])
    with pytest.raises(DatasetError, match="not Unicode text"):
        read(dataset_spec("frames", tmp_path), tmp_path)


@pytest.mark.parametrize("label", [{"box": object()}, [[1], [2, 3]], object()])
def test_a_label_that_could_change_unnoticed_is_refused(define: Define, tmp_path: Path, label: object) -> None:
    define(lambda context: [Sample("s0", vectors(0), 0), Sample("s1", vectors(1), label)])
    with pytest.raises(DatasetError, match=r"label of type .* can't be recorded") as caught:
        read(dataset_spec("frames", tmp_path), tmp_path, VECTOR)
    assert "sample 1 ('s1')" in caught.value.where


@pytest.mark.parametrize(
    ("label", "other"),
    [([1, 2], [1, 3]), (np.zeros(3, np.float32), np.ones(3, np.float32)), (float("nan"), 1.0), (2**60, 2**60 + 1)],
)
def test_a_changed_label_changes_the_record_whatever_its_form(tmp_path: Path, label: object, other: object) -> None:
    digests = set()
    for value in (label, other):
        with SampleLog(tmp_path / "samples.jsonl") as log:
            log.add("s", value, {"": np.zeros(1, np.float32)}, "s")
        digests.add(log.record().sha256)
    assert len(digests) == 2


@pytest.mark.parametrize(
    ("label", "value"),
    [
        (np.int64(3), 3),
        (np.array(2.5), 2.5),
        (True, True),
        ("cat", "cat"),
        (np.str_("cat"), "cat"),
        (np.array([1, 2]), None),
        (float("nan"), None),
        (2**53, None),
        (None, None),
    ],
)
def test_a_label_is_recorded_where_it_is_one_json_value(label: object, value: object) -> None:
    recorded = scalar(label)
    assert recorded == value
    assert type(recorded) is type(value)
