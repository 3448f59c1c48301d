"""A first recipe is written whole or not at all, and over nobody's file."""

from __future__ import annotations

from pathlib import Path

import pytest

from recipekit.drafting.placement import Placement
from recipekit.errors import OutputFault, UsageError


def files(root: Path) -> dict[str, bytes]:
    return {it.relative_to(root).as_posix(): it.read_bytes() if it.is_file() else b"" for it in root.rglob("*")}


def refuse() -> None:
    raise UsageError("wrong")


def placement(root: Path, *, force: bool = False) -> Placement:
    return Placement(root, root / "recipes", force=force)


def test_a_new_project_gets_a_recipe_and_keeps_outputs_out_of_git(tmp_path: Path) -> None:
    plan = placement(tmp_path)
    plan.add_recipe("a", "name: a\n")
    assert files(tmp_path) == {}
    assert plan.write(lambda: None) == ["recipes/a.yaml", ".gitignore"]
    assert files(tmp_path) == {"recipes": b"", "recipes/a.yaml": b"name: a\n", ".gitignore": b"outputs/\n"}


def test_what_turns_out_wrong_leaves_nothing_behind(tmp_path: Path) -> None:
    model = tmp_path / "elsewhere" / "m.keras"
    model.parent.mkdir()
    model.write_bytes(b"PK")
    root = tmp_path / "project"
    plan = placement(root)
    plan.add_copy(model)
    plan.add_recipe("a", "name: a\n")
    with pytest.raises(UsageError, match="wrong"):
        plan.write(refuse)
    assert not root.exists()
    assert model.read_bytes() == b"PK"


def test_a_recipe_is_replaced_on_demand_alone_and_put_back_where_that_fails(tmp_path: Path) -> None:
    (tmp_path / "recipes").mkdir()
    (tmp_path / "recipes" / "a.yaml").write_text("mine\n")
    before = files(tmp_path)
    with pytest.raises(UsageError, match="is there already"):
        placement(tmp_path).add_recipe("a", "new\n")
    plan = placement(tmp_path, force=True)
    plan.add_recipe("a", "new\n")
    with pytest.raises(UsageError, match="wrong"):
        plan.write(refuse)
    assert files(tmp_path) == before
    assert plan.write(lambda: None) == ["recipes/a.yaml"]
    assert files(tmp_path) == {**before, "recipes/a.yaml": b"new\n"}


def test_a_model_is_copied_whole_and_never_over_another(tmp_path: Path) -> None:
    folder = tmp_path / "elsewhere" / "saved"
    (folder / "variables").mkdir(parents=True)
    (folder / "saved_model.pb").write_bytes(b"pb")
    plan = placement(tmp_path / "project")
    target = plan.add_copy(folder)
    assert plan.write(lambda: None) == ["models/saved"]
    assert files(target) == files(folder)
    with pytest.raises(UsageError, match="is there already"):
        placement(tmp_path / "project").add_copy(folder)


def test_a_folder_in_the_way_is_an_error_that_says_where(tmp_path: Path) -> None:
    (tmp_path / "recipes").write_text("a file\n")
    plan = placement(tmp_path)
    plan.add_recipe("a", "name: a\n")
    with pytest.raises(OutputFault, match="recipes"):
        plan.write(lambda: None)
    assert files(tmp_path) == {"recipes": b"a file\n"}
