"""`recipekit report` as a user calls it."""

from __future__ import annotations

import json
import re
import shutil
import webbrowser
from pathlib import Path

import pytest

from recipekit import digests
from recipekit.cli import main
from recipekit.summary import as_csv, complete
from tests.sweep_rows import failed
from tests.whole_outputs import publish


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with two outputs and a sweep of them and of a child that failed; not to be written into."""
    project = tmp_path_factory.mktemp("published")
    publish(project)
    publish(project, seed=1, sqnr_db=14.0)
    folder = project / "outputs" / "sweeps" / "20260102-030405-abcd"
    (project / "outputs" / "sweeps" / "20260101-030405-abcd").mkdir(parents=True)
    folder.mkdir()
    outputs = sorted((project / "outputs" / "digits" / "1.0.0").iterdir())
    lines = [{**failed(number), "verdict": "accepted", "size": 100} for number in range(2)]
    lines = [{**line, "output": f"../../digits/1.0.0/{it.name}"} for line, it in zip(lines, outputs, strict=True)]
    rows = complete([*lines, failed(2)])
    (folder / "summary.json").write_text(digests.pretty_json(rows))
    (folder / "summary.csv").write_text(as_csv(rows))
    return project


@pytest.fixture
def project(published: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the project, which is the current folder."""
    folder = Path(shutil.copytree(published, tmp_path / "project", symlinks=True))
    monkeypatch.chdir(folder)
    monkeypatch.delenv("RECIPEKIT_RECIPES", raising=False)
    return folder


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = main(["report", *arguments])
    said = capsys.readouterr()
    return code, said.out, said.err


def test_the_page_of_an_output_is_named(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    latest = (project / "outputs" / "digits" / "latest").resolve()
    for name in ("digits/latest", f"digits/1.0.0/{latest.name}", str(latest)):
        assert run(capsys, name) == (0, f"{latest.relative_to(project)}/report.html\n", "")
    code, out, _ = run(capsys, "digits/latest", "--format", "json")
    assert (code, json.loads(out)) == (0, {"report": str(latest / "report.html"), "of": [str(latest)]})


def test_a_sweep_is_named_by_its_id_or_as_the_latest_and_gets_a_page_where_it_has_none(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = Path("outputs/sweeps/20260102-030405-abcd/summary.html")
    for name in ("latest", "20260102-030405-abcd", "sweeps/20260102-030405-abcd", str(page.parent)):
        assert run(capsys, name) == (0, f"{page}\n", "")
    assert "Sweep 20260102-030405-abcd" in page.read_text()
    page.write_text("mine")
    assert run(capsys, "latest")[0] == 0
    assert page.read_text() == "mine", "a page that is there is left alone"
    assert run(capsys, "latest", "--output", str(page))[0] == 0
    assert "Sweep 20260102-030405-abcd" in page.read_text()


def test_a_page_made_anew_is_the_published_one(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    published = (project / "outputs" / "digits" / "latest" / "report.html").read_bytes()
    assert run(capsys, "digits/latest", "--output", "page.html") == (0, "page.html\n", "")
    assert (project / "page.html").read_bytes() == published


def test_a_page_leads_to_its_reports_from_wherever_it_lies(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "docs").mkdir()
    assert run(capsys, "latest", "digits/latest", "--output", "docs/all.html")[0] == 0
    html = (project / "docs" / "all.html").read_text()
    links = set(re.findall(r'href="([^"]*)"', html))
    assert len(links) == 2
    assert all((project / "docs" / link).is_file() for link in links)
    assert "<h1>Comparison of 2</h1>" in html
    assert "summary.csv" not in html
    assert re.findall(r'<th scope="row" class="number">(\d+)</th>', html) == ["0", "1", "2", "3"]


def test_outputs_are_compared_by_what_they_have_recorded(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    outputs = sorted(f"digits/1.0.0/{it.name}" for it in (project / "outputs" / "digits" / "1.0.0").iterdir())
    assert run(capsys, *outputs, "--output", "both.html") == (0, "both.html\n", "")
    html = (project / "both.html").read_text()
    assert html.count("✓ Accepted") > 0
    assert html.count("✕ Rejected") > 0
    assert "parity.sqnr_db.min" in html


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (["nowhere"], "there is no such output"),
        (["digits"], "holds outputs and is none itself"),
        (["outputs/sweeps/20260101-030405-abcd"], "is neither an output nor a sweep"),
        (["digits/latest", "latest"], "add --output comparison.html"),
        (["digits/latest", "--output", "outputs/digits/latest/more.html"], "nothing is changed in it"),
    ],
)
def test_what_has_no_page_is_a_usage_error(
    project: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], what: str
) -> None:
    before = {path: path.read_bytes() for path in project.rglob("*") if path.is_file()}
    code, out, err = run(capsys, *arguments)
    assert (code, out) == (2, "")
    assert err.startswith("error RK101: ")
    assert what in err
    assert {path: path.read_bytes() for path in project.rglob("*") if path.is_file()} == before


def test_an_altered_output_gets_no_page(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "outputs" / "digits" / "latest" / "results.json").write_text("{}")
    code, out, err = run(capsys, "digits/latest", "--output", "page.html")
    assert (code, out) == (6, "")
    assert "results.json" in err
    assert not (project / "page.html").exists()


@pytest.mark.parametrize("text", ["[1]", '[{"number": 1}]', "{", '[{"number": 1, "number": 2}]'])
def test_a_broken_summary_is_named(project: Path, capsys: pytest.CaptureFixture[str], text: str) -> None:
    (project / "outputs" / "sweeps" / "20260102-030405-abcd" / "summary.json").write_text(text)
    code, out, err = run(capsys, "latest")
    assert (code, out) == (6, "")
    assert "is no summary of a sweep" in err


def test_the_page_is_opened_where_there_is_a_browser(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []

    def open_(address: str) -> bool:
        opened.append(address)
        return True

    monkeypatch.setattr(webbrowser, "open", open_)
    assert run(capsys, "digits/latest", "--open")[0] == 0
    assert opened == [((project / "outputs" / "digits" / "latest").resolve() / "report.html").as_uri()]
    monkeypatch.setattr(webbrowser, "open", lambda address: False)
    code, out, err = run(capsys, "digits/latest", "--open")
    assert (code, out.endswith("report.html\n")) == (7, True)
    assert "there is no browser" in err


def test_a_page_that_cannot_take_its_place_leaves_nothing_behind(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "page.html" / "in_the_way").mkdir(parents=True)
    before = sorted(project.iterdir())
    assert main(["report", "latest", "--output", "page.html"]) == 7
    assert "page.html" in capsys.readouterr().err
    assert sorted(project.iterdir()) == before
