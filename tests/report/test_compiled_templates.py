"""Templates are compiled once for all processes, and a folder that can't be had costs nothing but time."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import jinja2
import pytest

from recipekit.report import rendering
from recipekit.report.compiled_templates import compiled_templates


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The system's temporary folder, for one test; each begins with templates that no process has compiled."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    rendering.templates.cache_clear()
    yield tmp_path
    rendering.templates.cache_clear()


def compilations(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The templates that are compiled from now on."""
    compiled: list[str] = []
    compile_template = jinja2.Environment.compile

    def noted(self: jinja2.Environment, source: str, name: str, filename: str) -> object:
        compiled.append(name)
        return compile_template(self, source, name, filename)

    monkeypatch.setattr(jinja2.Environment, "compile", noted)
    return compiled


def test_a_template_is_compiled_by_the_first_process_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled = compilations(monkeypatch)
    for _ in ("the first process", "the second"):
        rendering.templates.cache_clear()
        rendering.templates().get_template("notebook.html")
    assert compiled == ["notebook.html"]


def test_a_changed_template_is_compiled_again(tmp_path: Path) -> None:
    (tmp_path / "page").write_text("before")
    loader = jinja2.FileSystemLoader(tmp_path)

    def page() -> str:
        return jinja2.Environment(loader=loader, bytecode_cache=compiled_templates()).get_template("page").render()

    assert page() == "before"
    (tmp_path / "page").write_text("after")
    assert page() == "after"


@pytest.mark.parametrize("damage", [b"", b"j2", b"\0" * 4096])
def test_a_damaged_file_is_compiled_again(temporary: Path, monkeypatch: pytest.MonkeyPatch, damage: bytes) -> None:
    rendering.templates().get_template("notebook.html")
    (kept,) = temporary.glob("*/*.cache")
    kept.write_bytes(damage)
    compiled = compilations(monkeypatch)
    rendering.templates.cache_clear()
    rendering.templates().get_template("notebook.html")
    assert compiled == ["notebook.html"]


def test_the_folder_is_the_users_alone(temporary: Path) -> None:
    rendering.templates().get_template("notebook.html")
    (folder,) = temporary.iterdir()
    assert folder.stat().st_mode & 0o777 == 0o700


def test_where_another_folder_stands_in_the_way_nothing_is_kept(temporary: Path) -> None:
    rendering.templates().get_template("notebook.html")
    (folder,) = temporary.iterdir()
    folder.rename(temporary / "elsewhere")
    folder.symlink_to(temporary / "elsewhere")
    assert compiled_templates() is None


def test_a_folder_that_cant_be_written_costs_no_page(temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    templates = rendering.templates()
    (folder,) = temporary.iterdir()
    folder.rmdir()
    compiled = compilations(monkeypatch)
    templates.get_template("notebook.html")
    assert compiled == ["notebook.html"]
