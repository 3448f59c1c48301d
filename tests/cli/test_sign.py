"""`recipekit sign` where nobody has a key yet."""

from __future__ import annotations

import pytest

from recipekit.cli import main
from recipekit.project import Project
from tests.published_outputs import publish


def test_without_a_key_it_says_how_one_is_made(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("RECIPEKIT_SIGNING_KEY", raising=False)
    assert main(["sign", str(publish(project.outputs))]) == 2
    said = capsys.readouterr().err
    assert "error RK101: command line: there is no key to sign with" in said
    assert "`openssl ecparam -name prime256v1 -genkey -noout -out priv.pem`" in said
