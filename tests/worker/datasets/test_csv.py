"""The dataset `csv`: columns to inputs, rows by their place in the file."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recipekit.contracts import DatasetContext, Sample
from recipekit.errors import DatasetError
from recipekit.worker.datasets.csv import CsvDataset
from tests.properties import at_most


def open_csv(folder: Path, text: str | bytes, **params: Any) -> list[Sample]:
    (folder / "data.csv").write_bytes(text if isinstance(text, bytes) else text.encode())
    dataset = CsvDataset(DatasetContext(folder, 0), path="data.csv", **params)
    return [dataset[index] for index in range(len(dataset))]


def test_without_columns_all_but_the_label_are_one_bare_array(tmp_path: Path) -> None:
    samples = open_csv(tmp_path, "a,b,y\n1,2.5,0\n-3,4e1,1\n", label="y")
    assert isinstance(samples[1].tensors, np.ndarray)
    assert samples[1].tensors.dtype == np.float32
    assert samples[1].tensors.tolist() == [-3, 40]
    assert [(sample.id, sample.label) for sample in samples] == [("line 2", 0), ("line 3", 1)]


def test_columns_may_be_chosen_and_ordered(tmp_path: Path) -> None:
    samples = open_csv(tmp_path, "a,b,c\n1,2,3\n", columns=["c", "a"])
    assert np.asarray(samples[0].tensors).tolist() == [3, 1]


def test_inputs_are_vectors_of_their_columns(tmp_path: Path) -> None:
    (sample,) = open_csv(tmp_path, "a,b,c\n1,2,3\n", inputs={"left": ["a", "b"], "right": ["c"]}, dtype="int16")
    assert isinstance(sample.tensors, dict)
    assert {name: array.tolist() for name, array in sample.tensors.items()} == {"left": [1, 2], "right": [3]}
    assert sample.tensors["left"].dtype == np.int16


@settings(max_examples=at_most(60), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    notes=st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")), min_size=1, max_size=6),
    delimiter=st.sampled_from(",;\t"),
    ending=st.sampled_from(["\n", "\r\n"]),
    quoting=st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]),
    bom=st.sampled_from([b"", b"\xef\xbb\xbf"]),
)
def test_whatever_a_csv_writer_writes_is_read(
    tmp_path: Path, notes: list[str], delimiter: str, ending: str, quoting: Any, bom: bytes
) -> None:
    stream = io.StringIO(newline="")
    if any("\r" in note for note in notes):
        quoting = csv.QUOTE_ALL  # the writer of older Pythons leaves a lone carriage return bare, which is no CSV
    writer = csv.writer(stream, delimiter=delimiter, lineterminator=ending, quoting=quoting)
    writer.writerow(["note", "x"])
    writer.writerows([[f"n{note}", index] for index, note in enumerate(notes)])
    samples = open_csv(tmp_path, bom + stream.getvalue().encode(), columns=["x"], label="note", delimiter=delimiter)
    assert [np.asarray(sample.tensors).tolist() for sample in samples] == [[index] for index in range(len(notes))]
    assert [sample.label for sample in samples] == [f"n{note}" for note in notes]


def test_lines_are_counted_over_line_breaks_inside_quotes(tmp_path: Path) -> None:
    samples = open_csv(tmp_path, 'y,x\n"a\nb",1\n\nc,2', label="y")
    assert [(sample.id, sample.label) for sample in samples] == [("line 2", "a\nb"), ("line 5", "c")]


@pytest.mark.parametrize(("text", "label"), [("7", 7), ("7.5", 7.5), ("cat", "cat")])
def test_a_label_is_an_integer_else_a_number_else_text(text: str, label: object, tmp_path: Path) -> None:
    (sample,) = open_csv(tmp_path, f"x,y\n1,{text}\n", label="y")
    assert sample.label == label
    assert type(sample.label) is type(label)


@pytest.mark.parametrize(
    ("field", "dtype"),
    [
        ("", "float32"),
        ("abc", "float32"),
        ("1_000", "float32"),
        ("1e39", "float32"),
        ("1.5", "int8"),
        ("128", "int8"),
        ("-1", "uint8"),
    ],
)
def test_a_field_that_is_no_number_is_named_with_its_line_and_column(field: str, dtype: str, tmp_path: Path) -> None:
    with pytest.raises(DatasetError) as caught:
        open_csv(tmp_path, f"a,b\n1,1\n1,{field}\n", dtype=dtype)
    assert caught.value.what == f"column 'b' holds {field!r}, which is not {dtype}"
    assert caught.value.where == f"{tmp_path / 'data.csv'}:3"


def test_what_is_not_finite_is_left_to_the_driver(tmp_path: Path) -> None:
    (sample,) = open_csv(tmp_path, "a,b\nnan,-inf\n")
    np.testing.assert_array_equal(np.asarray(sample.tensors), [np.nan, -np.inf])


@pytest.mark.parametrize(
    ("text", "message", "line"),
    [
        ("a,b\n1,2\n1\n", "expected 2 fields, got 1", 3),
        ("a,b\n1,2\n1,2,3\n", "expected 2 fields, got 3", 3),
        ("a,a\n1,2\n", "the column 'a' twice", 1),
        ("\na,b\n", "the header is empty", 1),
        ('a,b\n1,2\n1,"2', "not CSV", 3),
        (b"a,b\n1,2\n1,\xff\n", "UTF-8", 3),
        ("a,b\r1,2\r", "not CSV", 1),
    ],
)
def test_a_row_that_can_not_be_read_is_named_with_its_line(text: str, message: str, line: int, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=message) as caught:
        open_csv(tmp_path, text)
    assert caught.value.where == f"{tmp_path / 'data.csv'}:{line}"


def test_a_missing_label_is_named_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="column 'y' holds no label") as caught:
        open_csv(tmp_path, "x,y\n1,2\n1,\n", label="y")
    assert caught.value.where.endswith("data.csv:3")


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"columns": ["width"]}, "no column 'width'; did you mean 'widths'"),
        ({"label": "width"}, "no column 'width'"),
        ({"inputs": {"x": ["width"]}}, "no column 'width'"),
        ({"columns": ["widths"], "inputs": {"x": ["widths"]}}, "not both"),
        ({"dtype": "float23"}, "did you mean 'float32'"),
        ({"dtype": "bool"}, "no element type"),
    ],
)
def test_parameters_that_do_not_fit_are_refused(params: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=message):
        open_csv(tmp_path, "widths,b\n1,2\n", **params)


def test_a_missing_or_empty_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="there is no such file"):
        CsvDataset(DatasetContext(tmp_path, 0), path="data.csv")
    with pytest.raises(DatasetError, match="can't be read"):
        open_csv(tmp_path, "")
