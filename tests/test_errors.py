"""The error tree is a contract: scripts rely on its ids and exit codes."""

from __future__ import annotations

import re

import pytest

from recipekit import errors
from recipekit.errors import RecipekitError, UsageError, by_id, in_a_line

CLASSES = sorted(RecipekitError.__subclasses__(), key=lambda cls: cls.id)

FAMILIES = {"1": {1, 2}, "2": {2}, "3": {5}, "4": {4}, "5": {3}, "6": {6}, "7": {7}}
"""Exit codes by the first digit of an id; RK1xx holds the internal error and the command line."""


def documented() -> dict[str, tuple[str, int]]:
    """Id and exit code of every class in the module's own tree."""
    rows = re.findall(r"── (\w+)\s+(RK\d{3})\s+(\d)  ", errors.__doc__ or "")
    return {name: (error_id, int(code)) for name, error_id, code in rows}


def test_the_documented_tree_is_the_tree() -> None:
    assert documented() == {cls.__name__: (cls.id, cls.exit_code) for cls in CLASSES}


def test_ids_are_unique_and_well_formed() -> None:
    ids = [cls.id for cls in CLASSES]
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"RK[1-7]\d\d", error_id) for error_id in ids)


@pytest.mark.parametrize("cls", CLASSES)
def test_an_exit_code_is_its_family_s(cls: type[RecipekitError]) -> None:
    assert cls.exit_code in FAMILIES[cls.id[2]]
    assert (cls.exit_code == 1) == (cls.id == "RK100")


@pytest.mark.parametrize("cls", CLASSES)
def test_an_error_is_found_again_by_its_id(cls: type[RecipekitError]) -> None:
    rebuilt = by_id()[cls.id]("what", where="here", fix="that")
    assert type(rebuilt) is cls
    assert (rebuilt.what, rebuilt.where, rebuilt.fix) == ("what", "here", "that")


def test_the_tree_is_flat_so_that_by_id_knows_every_class() -> None:
    assert not [cls for parent in CLASSES for cls in parent.__subclasses__()]


def test_a_message_has_place_fact_and_fix_and_leaves_out_what_is_empty() -> None:
    assert str(UsageError("it broke", where="a.yaml:3", fix="mend it")) == "a.yaml:3: it broke\n  fix: mend it"
    assert str(UsageError("it broke")) == "it broke"


def test_what_a_library_raises_fits_in_a_line() -> None:
    assert in_a_line(ValueError("\n  no such op: Erf\n  in the graph\n")) == "ValueError: no such op: Erf"
    assert in_a_line(KeyError()) == "KeyError: "
