"""Row 46: packages below their floor, or not there at all, played by stubs in front of the installed ones."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.commands import Done
from tests.faults.standing import Standing, older_hydra

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
MISSING = 'raise ModuleNotFoundError(f"No module named {__name__!r}", name=__name__)\n'


def run(standing: Standing, *arguments: str) -> Done:
    """Runs `recipekit run` in a fresh interpreter that finds the stubs first."""
    path = os.pathsep.join([str(standing.root / "stubs"), str(ROOT)])
    done = subprocess.run(
        [sys.executable, "-m", "recipekit.cli", "run", *arguments],
        cwd=standing.root,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    return Done(done.returncode, done.stdout, done.stderr, 0, 0)


def distribution(name: str, version: str) -> dict[str, str | bytes]:
    """A stub of an installed distribution: its metadata, and nothing to import; Hydra says its version itself, too."""
    header = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    metadata = f"stubs/{name.replace('-', '_')}-{version}.dist-info/METADATA"
    return {metadata: header, **({"stubs/hydra/__init__.py": older_hydra(version)} if name == "hydra-core" else {})}


@pytest.mark.parametrize(
    ("name", "version", "overrides", "says"),
    [
        pytest.param(
            "hydra-core",
            "1.3.2",
            [],
            [
                "hydra-core is installed in version 1.3.2, and recipekit needs",
                ">=1.3.8",
                'fix: pip install "hydra-core',
            ],
            marks=pytest.mark.fault(46),
        ),
        pytest.param(
            "keras",
            "3.12.0",
            ["source.kind=keras", "source.path=models/m.keras", "converter=none"],
            ["keras is installed in version 3.12.0, and recipekit needs", 'fix: pip install "keras>='],
            marks=pytest.mark.fault(46),
        ),
        pytest.param(
            "tensorflow",
            "2.15.0",
            ["source.kind=keras", "source.path=models/m.keras", "converter=none"],
            ["tensorflow is installed in version 2.15.0", 'fix: pip install "tensorflow<2.22,>=2.21"'],
            marks=pytest.mark.fault(46),
        ),
        pytest.param(
            "ai-edge-litert",
            "1.0",
            [],
            ["ai-edge-litert is installed in version 1.0", 'fix: pip install "ai-edge-litert<3,>=2.3"'],
            marks=pytest.mark.fault(46),
        ),
    ],
)
def test_a_package_below_its_floor_is_refused_with_the_command_that_helps(
    standing: Standing, name: str, version: str, overrides: list[str], says: list[str]
) -> None:
    standing.write({**distribution(name, version), "models/m.keras": b"PK"})
    done = run(standing, "recipe=tiny", *overrides)
    assert done.code == 7, done.out + done.err
    for part in ["error RK701: environment: ", *says]:
        assert part in done.err
    standing.stands(done)


@pytest.mark.parametrize(
    ("module", "overrides"),
    [
        pytest.param("hydra", [], marks=pytest.mark.fault(46)),
        pytest.param("ai_edge_litert", [], marks=pytest.mark.fault(46)),
        pytest.param(
            "tensorflow",
            ["source.kind=keras", "source.path=models/m.keras", "converter=none"],
            marks=[pytest.mark.fault(46)],
        ),
    ],
)
def test_a_package_that_is_missing_is_named_with_the_command_that_helps(
    standing: Standing, module: str, overrides: list[str]
) -> None:
    standing.write({f"stubs/{module}/__init__.py": MISSING, "models/m.keras": b"PK"})
    done = run(standing, "recipe=tiny", "seed=3", *overrides)
    assert done.code == 7, done.out + done.err
    assert module in done.err
    assert "fix: pip install" in done.err
    standing.stands(done)
    shutil.rmtree(standing.root / "stubs")
    assert run(standing, "recipe=tiny").code == 0
