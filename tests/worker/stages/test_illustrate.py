from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from recipekit import digests
from recipekit.contracts import EXACT_SQNR_DB, EvaluationFigures, Figure, IllustrateRequest, LatencyRuns, Probe
from recipekit.contracts.figures import ClassCounts, ErrorHistogram, OutputFigures, ProbedOperator
from recipekit.worker.figures.collector import FigureCollector
from recipekit.worker.samples import NamedSample
from recipekit.worker.stages import illustrate


def evaluation(folder: Path, **changes: Any) -> str:
    """A file with the figures of a small classifier."""
    drawn = np.random.default_rng(0)
    expected = drawn.normal(0, 1, (40, 3))
    collector = FigureCollector({"scores": expected}, {})
    for index, scores in enumerate(expected):
        sample = NamedSample(index, str(index), {"image": drawn.uniform(0, 1, (8, 8, 3))}, index % 3)
        collector.add(sample, {"scores": scores + drawn.normal(0, 0.3, 3)})
    (output,) = collector.result()
    path = folder / "evaluation.json"
    figures = EvaluationFigures(outputs=(msgspec.structs.replace(output, **changes),))
    path.write_bytes(msgspec.json.encode(figures))
    return str(path)


def probe(**changes: Any) -> Probe:
    operators = tuple(
        ProbedOperator(
            op="CONV_2D", tensor=f"net/conv{at}/Relu;more", layer=f"conv{at}", bytes=at * 100, float32_bytes=at * 400,
            sqnr_db=30.0 - at,
        )
        for at in range(4)
    )  # fmt: skip
    return Probe(**{"operators": operators, "size": 2000, "samples": 16, **changes})


def drawn(folder: Path, **request: Any) -> list[Figure]:
    illustrations = illustrate.run(IllustrateRequest(**{"evaluation": "", **request}), folder)
    content = Path(illustrations.path).read_bytes()
    assert illustrations.sha256 == digests.of_bytes(content)
    figures = msgspec.json.decode(content, type=list[Figure])
    assert illustrations.count == len(figures)
    return figures


def by_section(figures: list[Figure]) -> dict[str, list[Figure]]:
    return {section: [one for one in figures if one.section == section] for section in {one.section for one in figures}}


def test_everything_that_is_known_is_drawn_or_tabled_with_its_finding(tmp_path: Path) -> None:
    runs = LatencyRuns(candidate=(0.1, 0.2, 0.3), float32=(0.2, 0.3, 0.9))
    figures = by_section(drawn(tmp_path, evaluation=evaluation(tmp_path), probe=probe(), runs=runs))
    assert {section: len(of) for section, of in figures.items()} == {
        "outputs": 2, "classes": 2, "worst": 1, "layers": 1, "size": 1, "latency": 1,
    }  # fmt: skip
    for figure in (one for of in figures.values() for one in of):
        assert figure.finding
        assert not figure.failure
        assert bool(figure.drawing) == (figure.section not in {"classes", "worst"})
        assert bool(figure.table) == (figure.section != "worst")
        assert figure.finding.replace("&", "&amp;") in figure.drawing or not figure.drawing
    assert all(picture.images for picture in figures["worst"][0].pictures)
    assert figures["classes"][0].table is not None
    assert [len(row) for row in figures["classes"][0].table.rows] == [4, 4, 4]


def test_the_worst_operator_comes_first_and_is_named(tmp_path: Path) -> None:
    (figure,) = by_section(drawn(tmp_path, probe=probe()))["layers"]
    assert "4 of 4 operators could be compared" in figure.finding
    assert "The worst is conv3 (CONV_2D) with 27.0 dB." in figure.finding
    assert figure.table is not None
    assert [row[0] for row in figure.table.rows] == ["conv3", "conv2", "conv1", "conv0"]


def test_sizes_are_those_of_layers_and_of_the_rest_of_the_file(tmp_path: Path) -> None:
    (figure,) = by_section(drawn(tmp_path, probe=probe()))["size"]
    assert figure.table is not None
    assert [(row[0], row[2], row[3]) for row in figure.table.rows] == [
        ("conv3", "1,200", "300"),
        ("conv2", "800", "200"),
        ("conv1", "400", "100"),
        ("Structure of the file", "—", "1,400"),
    ]
    assert figure.table.shares[:3] == (1.0, 2 / 3, 1 / 3)


def test_exact_operators_have_no_number_and_no_point(tmp_path: Path) -> None:
    operators = tuple(msgspec.structs.replace(one, sqnr_db=EXACT_SQNR_DB) for one in probe().operators)
    (figure,) = by_section(drawn(tmp_path, probe=probe(operators=operators)))["layers"]
    assert "All of them are exact." in figure.finding
    assert figure.drawing == ""


def test_many_classes_are_told_by_their_confused_pairs(tmp_path: Path) -> None:
    counts = ClassCounts(
        classes=100, float_counts=((7, 7, 5), (7, 9, 2), (8, 1, 3)), converted_counts=((7, 7, 7), (8, 8, 3))
    )
    figures = by_section(drawn(tmp_path, evaluation=evaluation(tmp_path, classes=counts)))["classes"]
    assert figures[0].table is not None
    assert figures[0].table.rows == (("8", "1", "3"), ("7", "9", "2"))
    assert "Most often confused: 8 taken for 1 (3 samples)." in figures[0].finding
    assert "100 %" in figures[1].finding


def test_a_reason_stands_where_nothing_could_be_drawn(tmp_path: Path) -> None:
    bare = probe(operators=tuple(msgspec.structs.replace(one, sqnr_db=None) for one in probe().operators))
    why = msgspec.structs.replace(bare, not_compared="LiteRT lacks FlexFFT")
    figures = drawn(tmp_path, evaluation=evaluation(tmp_path, failure="ValueError: odd"), probe=why)
    assert [(one.section, one.failure) for one in figures if one.failure] == [
        ("outputs", "ValueError: odd"),
        ("layers", "LiteRT lacks FlexFFT"),
    ]
    assert "size" in by_section(figures)


def test_a_figure_that_fails_leaves_the_others_alone(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    broken = evaluation(tmp_path, points=((float("nan"),) * 2,))  # JSON carries it as null
    figures = drawn(tmp_path, evaluation=broken, probe=probe())
    (failed,) = [one for one in figures if one.failure]
    assert failed.section == "outputs"
    assert {"layers", "size"} <= by_section(figures).keys()
    assert "Traceback" in capfd.readouterr().err


def test_one_run_and_equal_runs_are_told_in_no_picture(tmp_path: Path) -> None:
    assert drawn(tmp_path, runs=LatencyRuns(candidate=(0.5,), float32=(0.5,))) == []


def test_nothing_to_draw_gives_no_figure(tmp_path: Path) -> None:
    assert drawn(tmp_path) == []


def test_outputs_without_points_have_their_errors_alone(tmp_path: Path) -> None:
    figures = drawn(tmp_path, evaluation=evaluation(tmp_path, points=(), classes=None, worst=()))
    assert [figure.title for figure in figures] == ["Output 'scores': errors"]


def test_outputs_that_are_equal_are_said_to_be(tmp_path: Path) -> None:
    equal = ErrorHistogram(limit=0.0, counts=(3, 0))
    output = OutputFigures(output="y", values=3, points=((1.0, 1.0),) * 4, histogram=equal)
    path = tmp_path / "equal.json"
    path.write_bytes(msgspec.json.encode(EvaluationFigures(outputs=(output,), omitted=2)))
    figures = drawn(tmp_path, evaluation=str(path))
    assert figures[1].finding == "All 3 values are the same in both models."
    assert "2 more outputs" in figures[2].finding
