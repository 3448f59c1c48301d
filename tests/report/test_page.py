from __future__ import annotations

import copy
import re
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone
from html.parser import HTMLParser
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Barrier
from typing import Any

import jinja2
import msgspec
import pytest

from recipekit import digests
from recipekit.acceptance import Acceptance, Bound, ModelIntent
from recipekit.contracts import EXACT_SQNR_DB, Figure, Illustrations, LayerWeights, Operator
from recipekit.contracts.figures import Picture, Table
from recipekit.gate import judge
from recipekit.manifest import build_definition
from recipekit.report import Making, render_run, rendering
from tests.small_builds import INPUTS
from tests.test_gate import MEASUREMENT

VOID = {"meta", "br", "img", "input", "wbr"}
EVERY_SECTION = Acceptance(
    parity={"sqnr_db": Bound(min=15), "argmax_agreement": Bound(min=0.98)},
    task={"top1_accuracy": Bound(min=0.9, max_drop=0.05, max_relative_drop=0.1)},
    size={"bytes": Bound(max=700_000), "ratio": Bound(max=0.4)},
    latency={"p50_ms": Bound(max=20)},
    model=ModelIntent(input_type="int8", select_tf_ops=False, custom_ops=True, float_ops=Bound(max=0)),
    confidence=0.95,
)
HOSTILE = "<script>alert('x')</script>\"'&{{ 7 * 7 }}"


def run_results(acceptance: Acceptance = EVERY_SECTION) -> dict[str, Any]:
    operators = (Operator(name="CONV_2D", version=3, count=1_200, kind="builtin"),)
    census = msgspec.structs.replace(MEASUREMENT.census, operators=operators)
    measurement = msgspec.structs.replace(MEASUREMENT, census=census)
    verdict = judge(acceptance, measurement)
    return {
        "schema": 1,
        "name": "digits_int8",
        "version": "1.0.0",
        "build_key": "ab" * 32,
        "verdict": verdict.status,
        "checks": msgspec.to_builtins(verdict.checks),
        "measurement": msgspec.to_builtins(measurement),
        "model": {"loader": "keras3", "reason": "the file is a Keras 3 archive", "parameters": 409_386},
        "stages": [{"name": "load", "seconds": 1.25}, {"name": "quantize", "seconds": 0.5}],
        "warnings": [],
    }


LAYERS = [
    {"name": "conv", "kind": "Conv2D", "fate": "kept", "into": "", "operators": {"CONV_2D": 1}},
    {"name": "mix", "kind": "Attention", "fate": "kept", "into": "", "operators": {"BATCH_MATMUL": 2, "SOFTMAX": 1}},
    {"name": "bn", "kind": "BatchNormalization", "fate": "folded", "into": "conv", "operators": {}},
    {"name": "drop", "kind": "Dropout", "fate": "removed", "into": "", "operators": {}},
]


class Page(HTMLParser):
    """A page as a list of elements with their attributes, and the text of each element by tag."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[tuple[str, ...], str]] = []
        self.feed(html)
        self.close()
        assert self.open == [], f"never closed: {self.open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag, f"</{tag}> closes something else"

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.texts.append((tuple(self.open), data.strip()))

    @property
    def words(self) -> str:
        """Everything that a reader sees, with single spaces."""
        return " ".join(" ".join(text.split()) for path, text in self.texts if "style" not in path)

    def tags(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


FIGURES = (
    Figure(
        section="outputs",
        title="Output 'logits': errors",
        finding="56 % lie at zero.",
        drawing='<svg class="plot" role="img" aria-label="errors"><path d="M0 0h1" stroke="var(--bad)" /></svg>',
        table=Table(caption="Values by error", columns=("Error#", "Values#"), rows=(("0 to 1", "9"),)),
    ),
    Figure(
        section="worst",
        title="Worst samples",
        finding="One.",
        pictures=(Picture(title="a.png", images=(("AAAA", "Input 'image'"),), facts=(("Label", "7"),)),),
    ),
    Figure(
        section="classes",
        title="Confusion matrix",
        finding="All right.",
        table=Table(caption="By label", columns=("Label", "0#", "1#"), rows=(("0", "5", "·"),), heat=((9, 0),)),
        is_table=True,
    ),
    Figure(
        section="size",
        title="Size by layer",
        finding="conv is the largest.",
        table=Table(caption="By layer", columns=("Layer", "Bytes#"), rows=(("conv", "9"),), shares=(0.5,)),
    ),
    Figure(section="layers", title="Errors along the model", finding="", failure="LiteRT lacks FlexFFT"),
)


def drawn(folder: Path, *figures: Figure) -> Illustrations:
    """Figures as the stage leaves them."""
    path = folder / "figures.json"
    path.write_bytes(msgspec.json.encode(figures))
    return Illustrations(path=str(path), sha256=digests.of_file(path), count=len(figures))


def making() -> Making:
    """How an output was made: the build definition of the tests of manifests."""
    return Making(
        definition=build_definition(INPUTS),
        recipe=[(("source", "path"), "model.keras", "recipes/a.yaml:3"), (("seed",), 7, "command line: seed=7")],
        output="outputs/digits_int8/1.0.0/abababababab",
        option="digits",
        started=datetime(2026, 5, 4, 3, 2, 1, tzinfo=timezone.utc),
    )


def full_page() -> str:
    with TemporaryDirectory() as folder:
        return render_run(
            run_results(), "name: digits_int8\n", making(), drawn(Path(folder), *FIGURES), ("no such op",)
        )


PAGES: dict[str, Callable[[], str]] = {
    "run": lambda: render_run(run_results(), "name: digits_int8\n"),
    "full run": full_page,
    "bare run": lambda: render_run(
        run_results() | {"verdict": "not-judged", "checks": [], "measurement": None, "stages": []}, ""
    ),
}


@pytest.mark.parametrize("page", PAGES)
def test_a_page_is_well_formed_and_says_what_it_is(page: str) -> None:
    html = PAGES[page]()
    parsed = Page(html)
    assert html.startswith("<!doctype html>")
    assert [name for name, _ in parsed.elements].count("h1") == 1
    assert parsed.tags("html") == [{"lang": "en"}]
    assert any(path[-1] == "title" for path, _ in parsed.texts)


@pytest.mark.parametrize("page", PAGES)
def test_a_page_asks_for_nothing_from_outside(page: str) -> None:
    html = PAGES[page]()
    parsed = Page(html)
    requesting = {"srcset", "action", "data", "poster", "background"}
    assert [(tag, name) for tag, attributes in parsed.elements for name in attributes if name in requesting] == []
    assert not {"script", "link", "iframe", "object", "embed"} & {tag for tag, _ in parsed.elements}
    ids = {f"#{attributes['id']}" for _, attributes in parsed.elements if "id" in attributes}
    assert {attributes["href"] for _, attributes in parsed.elements if "href" in attributes} <= ids
    assert all((attributes["src"] or "").startswith("data:") for attributes in parsed.tags("img"))
    assert re.search(r"https?:|url\(|@import", html) is None
    assert any("default-src 'none'" in (meta.get("content") or "") for meta in parsed.tags("meta"))


@pytest.mark.parametrize("page", ["run", "full run"])
def test_every_table_has_a_caption_and_every_heading_cell_a_scope(page: str) -> None:
    parsed = Page(PAGES[page]())
    assert len(parsed.tags("table")) == len(parsed.tags("caption")) > 0
    assert {cell.get("scope") for cell in parsed.tags("th")} == {"col", "row"}


@pytest.mark.parametrize("page", ["run", "full run"])
def test_every_row_has_as_many_cells_as_its_table_has_columns(page: str) -> None:
    for table in re.findall(r"<table.*?</table>", PAGES[page](), flags=re.DOTALL):
        head, *rows = (len(re.findall(r"<t[hd][ >]", row)) for row in table.split("<tr>")[1:])
        assert set(rows) == {head}


def test_every_check_stands_there_with_its_bound_and_verdict() -> None:
    results = run_results()
    words = Page(render_run(results, "")).words
    assert len(results["checks"]) == 12
    for check in results["checks"]:
        assert check["name"] in words
    assert "parity.sqnr_db.min ✓ pass ≥ 15 20 5 — output 'logits'" in words
    assert "size.bytes.max ✓ pass ≤ 700,000 300,000 400,000 —" in words
    assert "model.float_ops.max ✕ fail ≤ 0 2 -2 — FFT, SOFTMAX" in words
    assert "model.select_tf_ops ✓ pass none none — —" in words
    assert "model.custom_ops ✓ pass allowed present — — MyOp" in words
    assert "model.input_type ✓ pass int8 int8 — —" in words
    assert re.search(r"argmax_agreement\.min \? inconclusive ≥ 0\.98 0\.97 -0\.01 0\.\d+ to 0\.\d+", words)


@pytest.mark.parametrize(
    ("bounds", "banner"),
    [
        (EVERY_SECTION, "✕ Rejected 10 of 12 checks passed, 1 failed, 1 inconclusive."),
        (Acceptance(size={"ratio": Bound(max=0.4)}), "✓ Accepted 1 of 1 checks passed."),
        (Acceptance(), "✓ Accepted No bound was judged."),
    ],
)
def test_the_banner_tells_the_verdict_and_counts_the_checks(bounds: Acceptance, banner: str) -> None:
    assert banner in Page(render_run(run_results(bounds), "")).words


def test_what_was_measured_is_shown() -> None:
    words = Page(render_run(run_results(), "seed: 0\n")).words
    assert "logits 20.00 0.99 0.25 0.05 0.08 0.3 0.97" in words
    assert "top1_accuracy higher 0.97 0.95 0.02" in words
    assert "mae lower 2 2.5 0.5" in words
    assert "Size, bytes 1,000,000 300,000 0.300" in words
    assert "Latency p50, ms 5.000 6.000 1.200" in words


def test_a_latency_of_microseconds_keeps_its_digits() -> None:
    results = run_results()
    for key, share in (("latency", 1e-3), ("float32_latency", 2e-3)):
        results["measurement"][key] = {
            name: 5 * share if name.endswith("_ms") else value for name, value in results["measurement"][key].items()
        }
    words = Page(render_run(results, "seed: 0\n")).words
    assert "Latency p50, ms 0.01 0.005 0.500" in words
    assert "image input int8 1 x 8 x 8 x 1 0.1 3" in words
    assert "CONV_2D 3 1,200 builtin" in words
    assert "Operators in float 2: FFT, SOFTMAX Custom operators MyOp Select TF operators none" in words
    assert "load 1.250 quantize 0.500 all 1.750" in words
    assert "Loader keras3 Why this one the file is a Keras 3 archive Weights 409,386" in words
    assert words.endswith("The resolved recipe seed: 0")


def test_an_exact_output_has_no_number_of_decibels() -> None:
    results = run_results()
    results["measurement"]["parity"]["logits"]["sqnr_db"] = EXACT_SQNR_DB
    assert "logits exact 0.99" in Page(render_run(results, "")).words


def test_without_a_benchmark_the_page_says_so() -> None:
    results = run_results(Acceptance())
    results["measurement"] |= {"latency": None, "float32_latency": None}
    words = Page(render_run(results, "")).words
    assert "Latency was not measured." in words
    assert "Latency p50" not in words


def test_a_candidate_that_was_not_measured_is_not_judged() -> None:
    words = Page(PAGES["bare run"]()).words
    assert "? Not judged No bound was judged." in words
    assert "The converted model was not measured." in words


def test_what_allow_unsafe_let_run_is_shown() -> None:
    results = run_results()
    results["model"]["unsafe_parts"] = ["'net/double' is a Lambda layer"]
    assert "Allowed by allow_unsafe 'net/double' is a Lambda layer" in Page(render_run(results, "")).words


def test_warnings_are_listed() -> None:
    words = Page(render_run(run_results() | {"warnings": ["no bound", "few samples"]}, "")).words
    assert "Warnings no bound few samples" in words


def hostile(value: Any) -> Any:
    """The same structure with markup in every free text and in every name that a user or a model chooses."""
    if isinstance(value, dict):
        chosen = {"logits", "top1_accuracy", "mae"}
        return {HOSTILE + key if key in chosen else key: hostile(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [hostile(inner) for inner in value]
    verdicts = {"accepted", "rejected", "pass", "fail", "inconclusive"}
    return HOSTILE if isinstance(value, str) and value not in verdicts else value


def test_names_with_markup_are_shown_as_text() -> None:
    html = render_run(hostile(run_results() | {"warnings": ["few samples"]}), HOSTILE)
    words = Page(html).words
    assert "<script" not in html
    assert words.count(HOSTILE) == html.count("&lt;script&gt;") > 30
    assert f"Warnings {HOSTILE}" in words
    assert f"{HOSTILE}logits 20.00" in words
    assert words.endswith(f"The resolved recipe {HOSTILE}")


def test_optimized_layers_are_shown_with_what_was_asked_for_and_only_where_there_are_some() -> None:
    assert "Pruned and clustered layers" not in render_run(run_results(), "")
    layer = LayerWeights(
        layer="stem",
        tensor="stem/Conv2D",
        dtype="int8",
        count=144,
        sparsity=0.515625,
        distinct_values=40,
        distinct_values_per_channel=7,
        encoded=False,
        promised_sparsity=0.5,
    )
    results = run_results()
    results["measurement"]["optimized_layers"] = msgspec.to_builtins((layer,))
    texts = [text for _, text in Page(render_run(results, "")).texts]
    assert {"stem", "int8", "0.515625", "0.5", "7", "dense"} <= set(texts)


@pytest.mark.parametrize("missing", ["name", "model", "warnings", "measurement"])
def test_results_that_lack_something_are_not_shown_with_a_gap(missing: str) -> None:
    results = copy.deepcopy(run_results())
    del results[missing]
    with pytest.raises((KeyError, jinja2.UndefinedError), match=missing):
        render_run(results, "")


def test_the_same_results_give_the_same_page() -> None:
    assert render_run(run_results(), "a: 1") == render_run(run_results(), "a: 1")


def test_the_fate_of_each_layer_is_a_row() -> None:
    html = render_run({**run_results(), "layers": LAYERS}, "")
    assert "4 Keras layers: 2 kept, 1 folded, 1 removed" in html
    for cells in (
        "<td>CONV_2D</td>",
        "<td>2 BATCH_MATMUL, SOFTMAX</td>",
        "<td>folded into conv</td>",
        "<td>removed</td>",
    ):
        assert cells in html


def test_results_without_layers_have_no_such_section() -> None:
    assert "Keras layers" not in render_run(run_results(), "")


def test_what_a_target_s_compiler_reports_is_shown_with_what_it_leaves_to_the_cpu() -> None:
    results = run_results()
    page = render_run(results, "name: digits_int8\n")
    assert "vela 5.2.0 for Ethos_U55_128" in page
    assert "Left to the CPU: GATHER, SOFTMAX." in page
    assert "Golden vectors" not in page
    del results["measurement"]["target"]
    assert "Ethos" not in render_run(results, "name: digits_int8\n")


def test_golden_vectors_are_shown_with_how_far_this_machine_is_from_them() -> None:
    results = run_results()
    results["measurement"]["golden_vectors"] = {"vectors": 8, "host_lsb": {"a": 3}, "host_abs_error": {"b": 0.25}}
    page = render_run(results, "name: digits_int8\n")
    assert "8 vectors hold the outputs of the reference kernels" in page
    assert '<code>a</code></th><td class="number">3</td>' in page
    assert '<code>b</code></th><td class="number">—</td><td class="number">0.25</td>' in page


def test_figures_stand_where_their_numbers_do() -> None:
    words = Page(full_page()).words
    parts = [
        "Parity with the float model",
        "56 % lie at zero.",
        "Worst samples",
        "Label 7",
        "Task metrics",
        "All right.",
        "Size and latency",
        "conv is the largest.",
        "Errors by layer",
        "Could not be drawn: LiteRT lacks FlexFFT",
        "What the file holds",
    ]
    assert sorted(parts, key=words.rindex) == parts
    assert "Numbers: Values by error Values by error Error Values 0 to 1 9" in words


def test_a_stage_that_failed_is_told_among_the_warnings() -> None:
    assert "Warnings Could not be drawn: no such op" in Page(full_page()).words


def test_what_is_not_drawn_for_want_of_labels_is_said(tmp_path: Path) -> None:
    without = [figure for figure in FIGURES if figure.section != "classes"]
    page = render_run(run_results(), "", None, drawn(tmp_path, *without))
    assert "There is no confusion matrix: the labels are not classes of an output." in Page(page).words


def test_how_it_was_made_is_told_from_the_recipe_to_the_packages() -> None:
    words = Page(full_page()).words
    assert "recipekit verify outputs/digits_int8/1.0.0/abababababab" in words
    assert "recipekit reproduce outputs/digits_int8/1.0.0/abababababab" in words
    assert "recipekit run recipe=digits" in words
    assert 'source.path "model.keras" recipes/a.yaml:3 seed 7 command line: seed=7' in words
    assert "Built 2026-05-04 03:02:01 UTC" in words
    for dependency in build_definition(INPUTS)["resolvedDependencies"]:
        assert next(iter(dependency["digest"].values())) in words


def test_figures_of_the_same_bytes_are_read_once(tmp_path: Path) -> None:
    illustrations = drawn(tmp_path, *FIGURES)
    before = render_run(run_results(), "", None, illustrations)
    Path(illustrations.path).unlink()
    assert render_run(run_results(), "", None, illustrations) == before


def test_figures_with_markup_are_shown_as_text(tmp_path: Path) -> None:
    figures = [hostile(msgspec.to_builtins(figure)) for figure in FIGURES]
    named = [
        msgspec.convert({**figure, "section": old.section, "drawing": ""}, Figure)
        for figure, old in zip(figures, FIGURES, strict=True)
    ]
    html = render_run(run_results(), "", None, drawn(tmp_path, *named))
    assert "<script" not in html
    assert html.count("&lt;script&gt;") > 12


def test_threads_that_begin_together_compile_each_template_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiled: list[str | None] = []
    compile_one = jinja2.Environment.compile

    def counted(environment: Any, source: Any, name: str | None = None, *rest: Any) -> Any:
        compiled.append(name)
        return compile_one(environment, source, name, *rest)

    monkeypatch.setattr(jinja2.Environment, "compile", counted)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))  # no process has compiled any
    rendering.templates.cache_clear()
    results = run_results()
    barrier = Barrier(4)

    def render(_: int) -> str:
        barrier.wait()
        return render_run(results, "name: digits_int8\n")

    with ThreadPoolExecutor(4) as threads:
        pages = set(threads.map(render, range(4)))
    assert len(pages) == 1
    assert "run.html" in compiled
    assert len(compiled) == len(set(compiled))
