from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from recipekit import repository
from recipekit.repository import public_uri, repository_of


def git(root: Path, *arguments: str) -> bytes:
    identity = ["-c", "user.name=a", "-c", "user.email=a@example.invalid", "-c", "commit.gpgsign=false"]
    isolated = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    done = subprocess.run(["git", *identity, *arguments], cwd=root, check=True, capture_output=True, env=isolated)
    return done.stdout


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "recipe.yaml").write_text("seed: 1\n")
    (tmp_path / ".gitignore").write_text("outputs/\n")
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "-q", "-m", "first")
    return tmp_path


def test_a_clean_project_is_its_commit(project: Path) -> None:
    found = repository_of(project)

    assert found is not None
    assert found.commit == git(project, "rev-parse", "HEAD").decode().strip()
    assert (found.dirty, found.diff, found.diff_sha256, found.withheld, found.uri) == (False, b"", "", "", "")


def test_a_changed_file_makes_it_dirty_and_the_diff_is_pinned(project: Path) -> None:
    (project / "recipe.yaml").write_text("seed: 2\n")

    found = repository_of(project)

    assert found is not None
    assert found.dirty
    assert found.diff_sha256 == hashlib.sha256(git(project, "diff", "--full-index", "HEAD")).hexdigest()


def test_the_diff_on_a_checkout_of_the_commit_gives_the_dirty_tree(
    project: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    (project / "recipe.yaml").write_text("seed: 2\n")
    (project / "weights.bin").write_bytes(bytes(range(256)) * 8)
    git(project, "add", "weights.bin")
    found = repository_of(project)
    assert found is not None
    clone = tmp_path_factory.mktemp("clone")
    git(clone, "clone", "-q", str(project), ".")
    git(clone, "checkout", "-q", found.commit)
    (clone / ".git" / "repository.diff").write_bytes(found.diff)

    git(clone, "apply", ".git/repository.diff")

    for name in ("recipe.yaml", "weights.bin"):
        assert (clone / name).read_bytes() == (project / name).read_bytes()


def test_an_untracked_file_is_no_part_of_the_diff(project: Path) -> None:
    (project / ".env").write_text("API_TOKEN=planted\n")

    found = repository_of(project)

    assert found is not None
    assert (found.dirty, found.diff) == (True, b"")


@pytest.mark.parametrize(
    ("content", "withheld", "reason"),
    [
        ("password: correct4horse5battery\n", "secret", "hold what looks like a secret"),
        ("x" * (1 << 20), "size", "are too large"),
        ("seed: 2\n", "", ""),
    ],
)
def test_a_diff_with_a_secret_or_beyond_a_mebibyte_is_withheld(
    project: Path, content: str, withheld: str, reason: str
) -> None:
    (project / "recipe.yaml").write_text(content)

    found = repository_of(project)

    assert found is not None
    assert found.withheld == withheld
    assert reason in found.withheld_because
    assert "correct4horse" not in repr(found)


def test_a_staged_change_is_part_of_the_diff(project: Path) -> None:
    (project / "recipe.yaml").write_text("seed: 2\n")
    before = repository_of(project)
    git(project, "add", "-A")

    assert repository_of(project) == before


def test_an_untracked_file_makes_it_dirty_and_an_ignored_one_does_not(project: Path) -> None:
    (project / "outputs").mkdir()
    (project / "outputs" / "x").write_text("")
    clean = repository_of(project)
    (project / "new.yaml").write_text("")
    dirty = repository_of(project)

    assert clean is not None
    assert dirty is not None
    assert (clean.dirty, dirty.dirty) == (False, True)


def test_a_folder_below_the_repository_belongs_to_it(project: Path) -> None:
    (project / "sub").mkdir()

    assert repository_of(project / "sub") == repository_of(project)


def test_programs_named_by_the_configuration_do_not_run(project: Path) -> None:
    witness = project.parent / f"{project.name}-witness"
    script = project.parent / f"{project.name}-run.sh"
    script.write_text(f"#!/bin/sh\ntouch {witness}\n")
    script.chmod(0o755)
    for key in ("diff.external", "core.fsmonitor", "diff.bait.textconv"):
        git(project, "config", key, str(script))
    (project / ".git" / "info" / "attributes").write_text("*.yaml diff=bait\n")
    (project / "recipe.yaml").write_text("seed: 2\n")

    found = repository_of(project)

    assert found is not None
    assert found.diff_sha256
    assert not witness.exists()


def test_settings_that_change_how_a_diff_looks_do_not_change_the_facts(project: Path) -> None:
    (project / "recipe.yaml").write_text("seed: 2\n")
    before = repository_of(project)
    for setting in ("diff.noprefix=true", "diff.mnemonicPrefix=true", "color.ui=always", "diff.context=0"):
        git(project, "config", *setting.split("="))

    assert repository_of(project) == before


def test_looking_at_a_copy_of_a_repository_changes_nothing_in_it(
    project: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    copied = tmp_path_factory.mktemp("copies") / "project"
    shutil.copytree(project, copied)  # the index knows other inodes and times, which git likes to write down anew
    before = (copied / ".git" / "index").read_bytes()

    assert repository_of(copied) == repository_of(project)
    assert (copied / ".git" / "index").read_bytes() == before


def test_without_a_repository_or_a_commit_there_is_nothing_to_say(tmp_path: Path) -> None:
    assert repository_of(tmp_path) is None
    git(tmp_path, "init", "-q")
    assert repository_of(tmp_path) is None


def test_without_git_there_is_nothing_to_say(project: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))

    assert repository_of(project) is None


def test_a_git_that_hangs_is_given_up(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    binaries = project / "bin"
    binaries.mkdir()
    (binaries / "git").write_text("#!/bin/sh\nexec sleep 30\n")
    (binaries / "git").chmod(0o755)
    monkeypatch.setenv("PATH", f"{binaries}:{os.environ['PATH']}")
    monkeypatch.setattr(repository, "_TIMEOUT_SECONDS", 0.2)

    assert repository_of(project) is None


def test_variables_of_a_git_hook_do_not_lead_elsewhere(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_DIR", "/nonexistent")

    assert repository_of(project) is not None


def test_the_origin_is_recorded_without_credentials(project: Path) -> None:
    git(project, "remote", "add", "origin", "https://me:secret@example.invalid/r.git?token=secret")

    found = repository_of(project)

    assert found is not None
    assert found.uri == "git+https://example.invalid/r.git"


@pytest.mark.parametrize(
    ("url", "uri"),
    [
        ("https://example.invalid/r.git", "git+https://example.invalid/r.git"),
        ("https://token@example.invalid:8443/r.git#x", "git+https://example.invalid:8443/r.git"),
        ("git@example.invalid:team/r.git", "git+ssh://example.invalid/team/r.git"),
        ("ssh://git:pw@example.invalid:22/r.git", "git+ssh://example.invalid:22/r.git"),
        ("/srv/git/r.git", ""),
        ("../r.git", ""),
        ("file:///srv/git/r.git", ""),
        ("https://[broken", ""),
        ("https://example.invalid:port/r", ""),
        ("", ""),
    ],
)
def test_a_remote_becomes_a_public_uri(url: str, uri: str) -> None:
    assert public_uri(url) == uri
