from __future__ import annotations

from typing import Any

import pytest

from recipekit.audit.components import compared
from recipekit.audit.file_comparison import FileComparison
from recipekit.audit.likely_causes import likely_causes

DIFFERENT = FileComparison(
    name="model.tflite", same=False, recorded_sha256="", now_sha256="", recorded_size=1, now_size=1, offset=0
)


def results(*left: str, processors: int = 2) -> dict[str, Any]:
    names = ("survey-calibration", "load", "lower", "calibrate", "quantize")
    stages = [{"name": name, "files": files} for name, files in zip(names, left, strict=True) if files]
    return {"stages": stages, "processors": processors}


def causes(platform: dict[str, Any], now: dict[str, Any]) -> tuple[str, ...]:
    parts = compared({"platform": platform}, {"platform": now})
    return likely_causes(parts, (DIFFERENT,), results("s", "", "l", "c", "q"), results("s", "", "l", "c", "q"))


def test_the_first_stage_that_left_other_files_is_named_with_those_that_did_not() -> None:
    (cause,) = likely_causes((), (DIFFERENT,), results("s", "", "l", "c", "q"), results("s", "", "l", "d", "r"))

    assert cause.startswith("'calibrate' is the first stage that left other files, while lower left the same")
    assert "not deterministic" in cause


def test_a_stage_that_is_explained_by_the_machine_is_not_called_nondeterministic() -> None:
    parts = compared({"platform": {"machine": "x86_64"}}, {"platform": {"machine": "aarch64"}})
    kind, stage = likely_causes(parts, (DIFFERENT,), results("s", "", "l", "c", "q"), results("s", "", "m", "c", "q"))

    assert "another kind of machine" in kind
    assert stage == "'lower' is the first stage that left other files"


def test_an_output_from_before_stages_left_digests_has_no_first_stage() -> None:
    assert likely_causes((), (DIFFERENT,), {"stages": [{"name": "lower"}]}, results("s", "", "l", "c", "q")) == ()


def test_another_number_of_processors_is_named_only_where_bytes_differ() -> None:
    one, other = results("", "", "", "", ""), results("", "", "", "", "", processors=8)

    assert likely_causes((), (DIFFERENT,), one, other) == (
        "another number of processors (2 recorded, 8 now), over which sums are split",
    )
    assert likely_causes((), (), one, other) == ()


def test_edited_packages_are_named() -> None:
    (cause, *_) = likely_causes((), (DIFFERENT,), results(*"abcde"), results(*"abcde"), ["numpy: a.py: sha256 1 2"])

    assert cause == "1 files of installed packages were edited, the first being numpy: a.py: sha256 1 2"


@pytest.mark.parametrize(
    ("now", "said"),
    [
        ({"machine": "x86_64", "cpuFeatures": ["avx2", "avx512f"]}, "other instruction sets, by which kernels"),
        ({"machine": "x86_64", "cpuFeatures": ["avx2"], "libc": "musl"}, "another C library"),
        ({"machine": "x86_64", "cpuFeatures": ["avx2"], "cpuModel": "B"}, "another processor with the same"),
    ],
)
def test_another_machine_is_told_by_what_reaches_its_arithmetic(now: dict[str, Any], said: str) -> None:
    (cause,) = causes({"machine": "x86_64", "cpuFeatures": ["avx2"]}, now)

    assert cause.startswith(said)
