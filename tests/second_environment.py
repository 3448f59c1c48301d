"""Every shipped recipe built here, and built again byte for byte by a second environment: `make reproduce`.

The second environment is a clone of this repository's HEAD in a folder of its own, with a virtual environment that is
made from the lock there and then. Nothing of this one reaches it but the outputs, which are copied.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]


def main() -> int:
    """Prints a line a recipe; returns 0 if every output was reproduced identically."""
    options = _options()
    with tempfile.TemporaryDirectory(prefix="recipekit-second-") as folder:
        place = Path(folder)
        clone = place / "clone"
        _run(["git", "clone", "--quiet", "--no-hardlinks", str(ROOT), str(clone)], place)
        python = options.environment / "bin" / "python" if options.environment else _environment(place, clone)
        install = [str(python), "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--editable"]
        _run([*install, str(clone)], place)
        outputs = _built(place)
        results = [_reproduced(python, clone, output) for output in outputs]
    equal = sum(found["status"] == "identical" and found["level"] == 1 for found in results)
    _say(f"{equal} of {len(results)} outputs are identical, byte for byte, in the same environment made anew")
    return 0 if equal == len(results) else 6


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--environment", type=Path, help="a virtual environment that was made from the lock, to spare making one"
    )
    return parser.parse_args()


def _environment(place: Path, clone: Path) -> Path:
    """The Python of a virtual environment that holds what the clone's lock names, each package by its hash."""
    began = time.monotonic()
    python = place / "environment" / "bin" / "python"
    _run([sys.executable, "-m", "venv", str(python.parents[1])], place)
    install = [str(python), "-m", "pip", "install", "--quiet"]
    _run([*install, "--require-hashes", "--requirement", ".lock/requirements.txt"], clone)
    _say(f"a second environment, made from the lock in {time.monotonic() - began:.0f} s")
    return python


def _built(place: Path) -> list[Path]:
    """Copies of the outputs of all shipped recipes, built here from a copy of them; one that sweeps is left out."""
    project = place / "project"
    shutil.copytree(ROOT / "recipes", project / "recipes")
    began = time.monotonic()
    chosen = "recipe=glob(mobilenet_*, exclude=mobilenet_schemes)"
    _run([sys.executable, "-m", "recipekit.cli", "run", "-m", chosen], project, {"PYTHONPATH": str(ROOT)})
    copies = []
    for latest in sorted((project / "outputs").glob("*/latest")):
        copies.append(place / "outputs" / latest.parent.name)
        shutil.copytree(latest.resolve(), copies[-1])
    shutil.rmtree(project)
    _say(f"{len(copies)} outputs, built here in {time.monotonic() - began:.0f} s")
    return copies


def _reproduced(python: Path, clone: Path, output: Path) -> dict[str, Any]:
    """What the second environment says of an output, from the clone as its project."""
    arguments = ["reproduce", str(output), "--project", str(clone), "--format", "json"]
    command = [str(python), "-m", "recipekit.cli", *arguments]
    done = subprocess.run(command, cwd=clone, env=_variables(), capture_output=True, text=True, check=False)
    if done.returncode not in (0, 6):
        raise SystemExit(f"{output.name}: {done.stderr}")
    found: dict[str, Any] = json.loads(done.stdout)
    different = [part["name"] for part in found["components"] if part["recorded"] != part["now"]]
    (model,) = found["files"]
    _say(
        f"{output.name:<24} {found['status']:<10} {model['now_size']:>9,} bytes  {model['now_sha256'][:12]}"
        f"  {found['seconds']:5.1f} s  {', '.join(different) or 'every component the same'}"
    )
    return found


def _run(command: list[str], folder: Path, variables: dict[str, str] | None = None) -> None:
    env = {**_variables(), **(variables or {})}
    subprocess.run(command, cwd=folder, env=env, stdout=subprocess.DEVNULL, check=True)


def _variables() -> dict[str, str]:
    """This process's environment without what would lead Python back to this repository."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
