"""Two readings of a dataset are the same, or the first sample that differs is named."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from recipekit import digests
from recipekit.contracts import SampleSet
from recipekit.errors import DatasetError
from recipekit.same_samples import require_same_samples


def reading(path: Path, *samples: tuple[str, str]) -> SampleSet:
    """A reading of samples given as (id, digest of the one tensor)."""
    lines = [json.dumps({"id": name, "tensors": {"x": {"sha256": sha256 * 64}}}) for name, sha256 in samples]
    path.write_text("".join(f"{line}\n" for line in lines))
    return SampleSet(path=str(path), sha256=digests.of_file(path), count=len(samples), labelled=False)


def test_equal_readings_pass(tmp_path: Path) -> None:
    first = reading(tmp_path / "1", ("a", "1"), ("b", "2"))
    require_same_samples(first, reading(tmp_path / "2", ("a", "1"), ("b", "2")), "digits")


@pytest.mark.parametrize(
    ("later", "said"),
    [
        ([("b", "2"), ("a", "1")], "sample 0 was 'a' (111111111111), then 'b' (222222222222)"),
        ([("a", "1"), ("b", "3")], "sample 1 was 'b' (222222222222), then 'b' (333333333333)"),
        ([("a", "1")], "sample 1 was 'b' (222222222222), then not there"),
        ([("a", "1"), ("b", "2"), ("c", "3")], "sample 2 was not there, then 'c' (333333333333)"),
        ([], "sample 0 was 'a' (111111111111), then not there"),
    ],
)
def test_the_first_sample_that_differs_is_named(tmp_path: Path, later: list[tuple[str, str]], said: str) -> None:
    first = reading(tmp_path / "1", ("a", "1"), ("b", "2"))
    with pytest.raises(DatasetError) as caught:
        require_same_samples(first, reading(tmp_path / "2", *later), "frames")
    assert said in caught.value.what
    assert caught.value.where == "frames"
