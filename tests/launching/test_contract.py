"""What every launcher promises, launcher by launcher and fault by fault; tests/golden/launchers.md shows it.

A sweep of each launcher holds a child for each fault between two sound ones. A launcher joins by one
line of `LAUNCHERS`. While one waits for the child that takes too long, the next one's sweep begins: limits of time may
then be far above what a sound child needs on a busy machine. Those whose limits are minutes begin first, together.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import psutil
import pytest

from recipekit.outcome import worst_exit_code
from tests.commands import Running
from tests.launching.conftest import DO, Site, site
from tests.launching.ray_cluster import until

pytestmark = pytest.mark.slow

GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "launchers.md"


class Launching(NamedTuple):
    """How the children of a sweep are launched.

    Attributes:
        overrides: that choose it and its limit of time.
        engine: the fixture that gives the variables of what has to be around it.
        settings: of the project.
        without: faults that it doesn't have, and why.
        minutes: whether its limit is counted in minutes, not in seconds.
    """

    overrides: tuple[str, ...] = ()
    engine: str = "no_engine"
    settings: str = ""
    without: Mapping[str, str] = {}
    minutes: bool = False


FAULTS = {
    "raise": "its dataset raises",
    "worker": "a stage's worker is killed",
    "job": "its process is killed by SIGKILL",
    "hang": "it takes too long",
}
"""What children do to themselves, in words."""

LAUNCHERS = {
    "basic": Launching(
        settings="stage_timeout = 20", without={"job": "is the sweep's own process: the same command goes on"}
    ),
    "joblib": Launching(("hydra/launcher=joblib", "hydra.launcher.n_jobs=2", "hydra.launcher.timeout=20")),
    "recipekit_submitit, local": Launching(
        ("hydra/launcher=recipekit_submitit", "hydra.launcher.cluster=local", "hydra.launcher.timeout_min=1"),
        minutes=True,
    ),
    "recipekit_submitit, SLURM": Launching(
        (
            "hydra/launcher=recipekit_submitit",
            "hydra.launcher.timeout_min=2",
            "+hydra.launcher.slurm_signal_delay_s=30",
        ),
        engine="slurm",
        minutes=True,
    ),
    "recipekit_ray": Launching(
        ("hydra/launcher=recipekit_ray", "hydra.launcher.timeout_seconds=20", "hydra.launcher.num_cpus=0.5"),
        engine="ray_variables",
    ),
}


class Swept(NamedTuple):
    """A sweep that has ended: its site, its exit code, what it printed, its rows by what the child was told to do."""

    site: Site
    code: int
    said: str
    rows: dict[str, dict[str, Any]]
    left: list[psutil.Process]


Begun = tuple[Site, Running]


@pytest.fixture(scope="module")
def begun(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Begun]]:
    """A sweep by each launcher; each of seconds begins when of the others only children that hang still run."""
    sweeps: dict[str, Begun] = {}
    with ExitStack() as held:

        def begin(name: str) -> Callable[[], None]:
            how = LAUNCHERS[name]
            place = site(tmp_path_factory, request.getfixturevalue(how.engine), how.settings)
            children = ["first", *(fault for fault in FAULTS if fault not in how.without), "last"]
            process = held.enter_context(place.sweep(f"{DO}={','.join(children)}", *how.overrides))
            sweeps[name] = place, process
            return lambda: _wait_for(len(children) - 1, place.root, process)

        patient = [begin(name) for name, how in LAUNCHERS.items() if how.minutes]
        request.getfixturevalue("ray_variables")  # its head starts meanwhile
        for wait in patient:
            wait()
        for name in (name for name, how in reversed(LAUNCHERS.items()) if not how.minutes):
            begin(name)()
        yield sweeps


def _wait_for(count: int, root: Path, process: Running) -> None:
    """Waits until so many children have ended, or the sweep itself."""
    until(lambda: process.poll() is not None or len([*root.glob("outputs/sweeps/*/*/outcome.json")]) >= count, 300)


@pytest.fixture(scope="module")
def swept(begun: dict[str, Begun]) -> Callable[[str], Swept]:
    """What has become of a launcher's sweep."""

    @cache
    def sweep(name: str) -> Swept:
        place, process = begun[name]
        said = "".join(process.communicate(timeout=300))
        (summary,) = place.root.glob("outputs/sweeps/*/summary.json")
        rows = {row["overrides"][0].partition("=")[2]: row for row in json.loads(summary.read_text())}
        return Swept(place, process.returncode, said, rows, place.processes())

    return sweep


def table() -> dict[str, str]:
    """The golden table's line of each launcher."""
    lines = GOLDEN.read_text().splitlines()[2:] if GOLDEN.exists() else []
    return {line.split(" | ")[0].removeprefix("| "): line for line in lines}


def shown(name: str, rows: dict[str, dict[str, Any]]) -> str:
    """A launcher's line of the table: what is said of each child that fails."""
    cells = [LAUNCHERS[name].without.get(fault) or _words(rows[fault]["error"]) for fault in FAULTS]
    return f"| {' | '.join([name, *cells])} |"


def _words(error: str) -> str:
    first_sentence = re.split(r"\. |\n", error)[0]
    said = re.sub(r"\S*cloud\.py:\d+: ", "", first_sentence).strip().rstrip(":.")
    return re.sub(r"process \d+", "process N", said)


@pytest.mark.parametrize("name", LAUNCHERS)
@pytest.mark.parametrize("fault", FAULTS)
def test_a_child_that_goes_wrong_is_one_failed_row_with_its_reason(
    name: str, fault: str, swept: Callable[[str], Swept]
) -> None:
    if fault in LAUNCHERS[name].without:
        assert fault not in swept(name).rows
        return
    row = swept(name).rows[fault]
    assert (row["verdict"], row["recipe"], row["output"]) == ("failed", "cloud", "")
    expected = {"raise": {"RK321"}, "worker": {"RK421"}, "job": {"RK425"}, "hang": {"RK422", "RK425"}}[fault]
    assert row["error"].split()[0] in expected
    assert len(row["error"]) > 20, "it says why"


@pytest.mark.parametrize("name", LAUNCHERS)
def test_every_other_result_is_kept_the_worst_child_decides_and_nothing_is_left(
    name: str, swept: Callable[[str], Swept]
) -> None:
    place, code, said, rows, left = swept(name)
    assert sorted(row["number"] for row in rows.values()) == list(range(2 + len(FAULTS) - len(LAUNCHERS[name].without)))
    (folder,) = (place.root / "outputs" / "sweeps").iterdir()
    for sound in ("first", "last"):
        assert rows[sound]["verdict"] == "accepted", said
        assert (folder / rows[sound]["output"] / "model.tflite").is_file()
    assert code == worst_exit_code([row["exit_code"] for row in rows.values()]) == 5
    assert "Traceback" not in said
    assert left == []
    assert not list(place.root.glob("outputs/.submitit/*/children"))
    assert not list(place.root.glob("outputs/sweeps/*/.children"))


@pytest.mark.parametrize("name", LAUNCHERS)
def test_the_table_of_launchers_and_faults_shows_what_was_said(
    name: str, swept: Callable[[str], Swept], update_goldens: bool
) -> None:
    line = shown(name, swept(name).rows)
    if update_goldens:
        known = {**table(), name: line}
        head = [f"| launcher | {' | '.join(FAULTS.values())} |", f"|{'---|' * (1 + len(FAULTS))}"]
        lines = [known[each] for each in LAUNCHERS if each in known]
        GOLDEN.write_text("\n".join([*head, *lines]) + "\n")
    assert table()[name] == line
