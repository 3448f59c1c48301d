"""Outputs to look at afterwards, each made once and copied by the tests that change it."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from recipekit.pool import Pool
from tests.built_models import built_once
from tests.e2e.conftest import run_here
from tests.test_repository import git
from tests.whole_outputs import publish

RECIPE = """# @package _global_
defaults:
  - /converter: int8
  - _self_
name: archived
version: "1.0.0"
seed: 3
source: {kind: keras, path: models/tiny.keras, input_shapes: {point: [1, 8]}}
custom_layers: {modules: [layers/gain.py]}
representative_dataset: {plugin: two_clouds, modules: [plugins/two_clouds.py], count: 30, first: 1000}
evaluation:
  dataset: {plugin: npz, path: data/points.npz}
  benchmark: null
acceptance:
  parity: {sqnr_db: {min: 15}}
"""


class Published(NamedTuple):
    """A project and the output of its recipe `archived`; tests copy what they change."""

    project: Path
    output: Path


@pytest.fixture(scope="session")
def published(tmp_path_factory: pytest.TempPathFactory, pool: Pool) -> Published:
    project = tmp_path_factory.mktemp("recorded") / "project"
    shutil.copytree(built_once("tiny_classifier", tmp_path_factory), project)
    (project / "data").mkdir()
    points = np.random.default_rng(5).normal(size=(40, 8)).astype(np.float32)
    np.savez(project / "data" / "points.npz", point=points)
    (project / "recipes" / "archived.yaml").write_text(RECIPE)
    (project / ".gitignore").write_text("outputs/\n")
    git(project, "init", "-q")
    git(project, "add", "-A")
    git(project, "commit", "-q", "-m", "first")
    (project / "recipes" / "archived.yaml").write_text(RECIPE.replace("seed: 3", "seed: 4"))
    outcome = run_here(project, pool, "recipe=archived", "description=Two clouds")
    assert outcome.status == "accepted"
    return Published(project, Path(outcome.output))


@pytest.fixture
def copied(published: Published, tmp_path: Path) -> Published:
    """A copy of the project without its outputs, and a copy of the output beside it."""
    project, output = tmp_path / "project", tmp_path / "copies" / "output"
    shutil.copytree(published.project, project, ignore=shutil.ignore_patterns("outputs"))
    shutil.copytree(published.output, output)
    return Published(project, output)


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with one accepted output; not to be written into."""
    project = tmp_path_factory.mktemp("published")
    publish(project)
    return project


@pytest.fixture
def output(whole: Path, tmp_path: Path) -> Path:
    """The output in a copy of the project."""
    project = shutil.copytree(whole, tmp_path / "project", symlinks=True)
    return (project / "outputs" / "digits" / "latest").resolve()
