"""The model card is what Hugging Face reads, and holds what was recorded and nothing else."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from recipekit.audit.recorded import read_recorded
from recipekit.exports import Published, model_card
from tests.published_outputs import TARGET, Output, publish

GOLDEN = Path(__file__).parents[1] / "golden" / "exports" / "model_card.md"


USUAL = Output()


def card(root: Path, output: Output = USUAL) -> str:
    return model_card(Published(*read_recorded(publish(root, output))))


def test_the_front_matter_is_what_hugging_face_reads(tmp_path: Path) -> None:
    hub = pytest.importorskip("huggingface_hub", reason="it comes with the extra huggingface")
    text = card(tmp_path)
    read = hub.ModelCard(text, ignore_metadata_errors=False).data
    assert read.library_name == "litert"
    (result,) = read.eval_results
    assert (result.metric_type, result.metric_value, result.task_type) == ("top1_accuracy", 0.96, "other")
    assert hub.ModelCardData(**yaml.safe_load(text.split("---")[1])).eval_results == read.eval_results


def test_what_was_not_run_has_no_model_index_and_says_why(tmp_path: Path) -> None:
    text = card(tmp_path, replace(Output(), measured=False, checks=(), verdict="not-judged"))
    assert "model-index" not in text
    assert "The model was not run: evaluation.runtime is none." in text
    assert "no bound was set" in text


def test_what_a_target_s_compiler_reports_stands_in_a_section_of_its_own(tmp_path: Path) -> None:
    text = card(tmp_path, Output(target=TARGET))
    assert "## Target\n\nvela 5.2.0 for Ethos_U55_128, Ethos_U55_High_End_Embedded, Shared_Sram: estimates" in text
    assert "| SRAM, KiB | 51.5 |\n" in text
    assert "| Flash, KiB | 1,234.25 |\n" in text
    assert "| Operators on the CPU | 2 (GATHER, SOFTMAX) |\n" in text
    assert "## Target" not in card(tmp_path / "other")


def test_text_of_a_recipe_breaks_no_table_and_no_fence(tmp_path: Path) -> None:
    text = card(tmp_path, Output().with_config(description="a | b\n```\n# head"))
    fence = text.index("````yaml")
    assert text.index("````", fence + 8) > text.index("seed: 7")


def test_a_card_is_that_of_the_golden_file(tmp_path: Path, update_goldens: bool) -> None:
    text = card(tmp_path)
    if update_goldens:
        GOLDEN.write_text(text, encoding="utf-8")
    assert text == GOLDEN.read_text(encoding="utf-8")
