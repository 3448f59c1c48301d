"""A real notebook: a kernel runs its cells, and results show themselves in their outputs."""

from __future__ import annotations

import shutil
from typing import Any

import pytest

from tests.built_models import built_once

pytestmark = [pytest.mark.tensorflow, pytest.mark.slow]

CELLS = (
    "import recipekit",
    "run = recipekit.run('tiny')\nrun",
    "recipekit.sweep('tiny', overrides=['acceptance.size.bytes.max=10,100000'])",
    "recipekit.inspect(run.model)",
    "recipekit.run('tiny', overrides=['acceptance.size.bytes.max=10'], progress=True).require_accepted()",
)


@pytest.fixture(scope="module")
def outputs(tmp_path_factory: pytest.TempPathFactory) -> list[Any]:
    """The outputs of each cell, run in the tiny project by a kernel."""
    import nbformat  # noqa: PLC0415  takes seconds, which the everyday loop spares
    from nbclient import NotebookClient  # noqa: PLC0415

    folder = tmp_path_factory.mktemp("notebook")
    tiny = shutil.copytree(built_once("tiny_classifier", tmp_path_factory), folder / "tiny")
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in CELLS])
    client = NotebookClient(
        notebook, timeout=300, kernel_name="python3", allow_errors=True, resources={"metadata": {"path": str(tiny)}}
    )
    client.execute()
    nbformat.validate(notebook)
    (folder / "executed.ipynb").write_text(nbformat.writes(notebook))
    return [cell.outputs for cell in notebook.cells]


def html(cell: list[Any]) -> str:
    (shown,) = [output for output in cell if output.output_type == "execute_result"]
    assert shown.data.keys() >= {"text/html", "text/markdown", "text/plain"}
    return str(shown.data["text/html"])


def test_nothing_is_shown_but_results(outputs: list[Any]) -> None:
    assert outputs[0] == []
    assert [[output.output_type for output in cell] for cell in outputs[1:4]] == [["execute_result"]] * 3


def test_a_run_shows_its_verdict_its_checks_and_a_link_that_leads_to_the_report(outputs: list[Any]) -> None:
    text = html(outputs[1])
    assert "✓ Accepted" in text
    assert "<td>parity.sqnr_db.min</td>" in text
    assert 'href="outputs/tiny/' in text


def test_a_sweep_shows_a_row_for_each_child(outputs: list[Any]) -> None:
    text = html(outputs[2])
    assert text.count("✓ Accepted") == 1
    assert text.count("✕ Rejected") == 1


def test_a_file_shows_its_tensors_and_operators(outputs: list[Any]) -> None:
    text = html(outputs[3])
    assert "<td>FULLY_CONNECTED</td>" in text
    assert "<td>int8</td>" in text


def test_a_rejection_is_an_error_with_every_check_and_progress_goes_to_standard_error(outputs: list[Any]) -> None:
    (error,) = [output for output in outputs[4] if output.output_type == "error"]
    assert error.ename == "NotAccepted"
    assert "size.bytes.max: got" in error.evalue
    assert any(output.get("name") == "stderr" for output in outputs[4])
