"""Overrides: what users write, how Hydra is told, and what is not theirs to set."""

from __future__ import annotations

import re

import pytest
from hydra.errors import OverrideParseException
from hypothesis import given
from hypothesis import strategies as st

from recipekit.compose.overrides import parser, read_overrides
from recipekit.errors import ForbiddenKey, UsageError


@pytest.mark.parametrize(
    ("text", "for_hydra", "key", "is_group"),
    [
        ("seed=7", "++seed=7", "seed", False),
        ("acceptance.parity.sqnr_db.min=25", "++acceptance.parity.sqnr_db.min=25", None, False),
        ("+artifacts.c_array=true", "+artifacts.c_array=true", "artifacts.c_array", False),
        ("++seed=7", "++seed=7", "seed", False),
        ("~acceptance.latency", "~acceptance.latency", "acceptance.latency", False),
        ("recipe=digits", "recipe=digits", "recipe", True),
        ("converter=int8", "converter=int8", "converter", True),
        ("+converter=int8", "converter=int8", "converter", True),
        ("++converter=int8", "converter=int8", "converter", True),
        ("~acceptance", "~acceptance", "acceptance", True),
        ("boards=m4", "boards=m4", "boards", True),
        ("+boards=m4", "+boards=m4", "boards", True),
        ("hydra/launcher=joblib", "hydra/launcher=joblib", "hydra/launcher", True),
        ("hydra.launcher.n_jobs=2", "hydra.launcher.n_jobs=2", "hydra.launcher.n_jobs", False),
        ("hydra.sweeper.params.seed=1", "hydra.sweeper.params.seed=1", None, False),
        ("hydra.mode=MULTIRUN", "hydra.mode=MULTIRUN", "hydra.mode", False),
        ("hydraulics=1", "++hydraulics=1", "hydraulics", False),
    ],
)
def test_an_override_is_said_to_hydra_so_that_it_always_works(
    text: str, for_hydra: str, key: str | None, is_group: bool
) -> None:
    (read,) = read_overrides([text], ["boards"])
    assert (read.for_hydra, read.is_group) == (for_hydra, is_group)
    assert read.key == (key or text.partition("=")[0])


def test_an_override_is_kept_as_written_whether_or_not_it_was_forced() -> None:
    assert [read.text for read in read_overrides(["seed=1", "++seed=1", "+seed=1", "~seed"])] == [
        "seed=1",
        "seed=1",
        "+seed=1",
        "~seed",
    ]


def test_reading_what_hydra_was_told_changes_nothing() -> None:
    texts = [
        "seed=1,2",
        "+artifacts.c_array=true",
        "~acceptance.latency",
        "converter=int8",
        "+boards=m4",
        "a=[1,{b: c}]",
    ]
    told = [read.for_hydra for read in read_overrides(texts, ["boards"])]
    assert [read.for_hydra for read in read_overrides(told, ["boards"])] == told


@pytest.mark.parametrize("text", ["seed", "=1", "seed 1", "seed==[", "a=[1,2", "näme=1", ""])
def test_what_is_no_override_is_quoted_with_a_cure(text: str) -> None:
    with pytest.raises(UsageError, match="is not an override") as caught:
        read_overrides(["seed=1", text])
    assert caught.value.what.startswith(f"'{text}'")
    assert caught.value.where == "command line"
    assert "key=value" in caught.value.fix


@pytest.mark.parametrize(
    "text", ["digits_int8", "digits_int8.yaml", "recipes/digits_int8.yaml", "./recipes/digits_int8.yml"]
)
def test_a_recipe_that_is_named_without_its_key_is_told_with_it(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        read_overrides([text])
    assert caught.value.fix.startswith("write recipe=digits_int8 to choose that recipe; else write key=value")


@pytest.mark.parametrize(
    "text",
    [
        "hydra.run.dir=../x",
        "hydra.callbacks.evil.path=x",
        "++hydra.job_logging.handlers=x",
        "hydra/job_logging=default",
        "~hydra.job",
        "hydra={a: b}",
        "+bar@hydra.job_logging=evil",
        "+bar@_global_.hydra.callbacks=evil",
        "hydra/launcher@hydra.callbacks=joblib",
        "hydra.searchpath=[pkg://x]",
    ],
)
def test_hydra_s_own_configuration_is_refused(text: str) -> None:
    with pytest.raises(ForbiddenKey, match="is not yours to set") as caught:
        read_overrides([text], ["bar"])
    assert caught.value.where == f"command line: {text}"


@pytest.mark.parametrize("text", ["source._target_=os.system", "source={_target_: x}", "hydra.launcher._target_=x"])
def test_a_target_is_refused(text: str) -> None:
    with pytest.raises(ForbiddenKey, match="'_target_' is not allowed"):
        read_overrides([text])


def test_the_place_of_an_override_may_be_a_file() -> None:
    with pytest.raises(ForbiddenKey) as caught:
        read_overrides(["hydra.verbose=true"], (), "recipes/x.yaml:3")
    assert caught.value.where == "recipes/x.yaml:3: hydra.verbose=true"


@given(
    st.sampled_from(["seed", "++seed", "+a.b", "x_1.y", "boards@x", "~seed", "seed ", "a/b", "a[0]", "1", "$"]),
    st.integers()
    | st.floats()
    | st.sampled_from(["-0", "00", "012", "1.", ".5", "1_000", "1e5", "+3", "9" * 15, "0.10"]),
)
def test_a_number_is_read_as_hydra_reads_it_and_refused_in_its_words(head: str, number: float | str) -> None:
    text = f"{head}={number}"
    try:
        (expected,) = parser().parse_overrides([text])
    except OverrideParseException as error:
        reason = str(error).strip().partition("\n")[0]
        with pytest.raises(UsageError, match=re.escape(reason)):
            read_overrides([text])
    else:
        (read,) = read_overrides([text])
        assert repr(read.parsed) == repr(expected)  # NaN equals itself
