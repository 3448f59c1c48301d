"""Rows 41 and 42: a disk that is full, broken, read-only or not ours, at any call of a publication and of a run."""

from __future__ import annotations

import errno
import itertools
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import msgspec
import pytest

from recipekit.errors import OutputFault
from recipekit.outputs import Outputs
from tests.faults.refusing import ERRORS, Refuser, refusing
from tests.faults.standing import Standing, forget, left_in_staging, picture
from tests.faults.whole_runs import Attempt
from tests.small_builds import key_of_seed, write_output

OLD, NEW, OTHER = 1, 2, 3
ROOT = Path(__file__).parents[2]
CHOICES = max(map(len, ERRORS.values()))


def publish(root: Path, seed: int, model: bytes = b"old", *, replace: bool = False) -> None:
    outputs = Outputs(root)
    with outputs.hold(key_of_seed(seed), print), outputs.stage(needed=10) as staged:
        write_output(staged, seed, model)
        outputs.publish(staged, "digits", "1.0.0", key_of_seed(seed), replace=replace)


@pytest.mark.parametrize(
    ("seed", "choice", "lasting"),
    [*((NEW, choice, False) for choice in range(CHOICES)), (OLD, 3, False), (NEW, 0, True), (OLD, 0, True)],
)
@pytest.mark.slow
@pytest.mark.fault(41)
@pytest.mark.fault(42)
def test_whatever_call_of_a_publication_is_refused_all_or_nothing_is_there(
    tmp_path: Path, seed: int, choice: int, lasting: bool, record_property: Callable[[str, object], None]
) -> None:
    start = tmp_path / "project"
    with refusing(Refuser(start, 0, 0)):  # spares the waits for the disk
        publish(start / "outputs", OTHER)
        publish(start / "outputs", OLD)
    before = picture(start)
    kinds = set()
    for number in itertools.count(1):
        project = Path(shutil.copytree(start, tmp_path / str(number), symlinks=True))
        refuser = Refuser(project, number, choice, lasting=lasting)
        with refusing(refuser), suppress(OutputFault):
            publish(project / "outputs", seed, b"new", replace=seed == OLD)
        if not refuser.refused:
            break
        kinds.add(refuser.refused.partition(" ")[0])
        seen = picture(project)
        lost = [name for name in before if name not in seen and not name.endswith("latest")]
        assert not lost or (lasting and seed == OLD), f"{refuser.refused}: {lost}"

        with refusing(Refuser(project, 0, 0)):
            publish(project / "outputs", seed, b"new", replace=True)
        assert left_in_staging(project) == [], refuser.refused
        after = picture(project)
        assert {name for name in before if name not in after} == set()
        assert Outputs(project / "outputs").find("digits", "1.0.0", key_of_seed(seed)) == "accepted"
        shutil.rmtree(project)
    assert kinds == set(ERRORS)
    record_property("exit", OutputFault.exit_code)


@pytest.mark.slow
@pytest.mark.fault(41)
@pytest.mark.fault(42)
def test_whatever_call_of_a_run_is_refused_it_says_so_and_the_next_run_works(
    standing: Standing, tmp_path: Path
) -> None:
    base = tmp_path / "attempts"
    forget(standing.root, "measure")
    command = [sys.executable, "-m", "tests.faults.whole_runs", "refuse", str(standing.root), str(base)]
    subprocess.run([*command, "run", "recipe=tiny"], check=True, cwd=ROOT, capture_output=True, text=True)
    attempts = msgspec.json.decode((base / "attempts.json").read_bytes(), type=list[Attempt])
    assert len(attempts) > 50
    for number, attempt in enumerate(attempts, start=1):
        place = f"{number}: {attempt.refused}: {attempt.said}"
        assert attempt.code in {0, 7}, place
        assert "Traceback" not in attempt.said, place
        seen = picture(base / str(number))
        kept = {name: data for name, data in seen.items() if not name.startswith(("tiny/1.0.0/", "tiny/latest"))}
        assert kept == {name: data for name, data in standing.before.items() if name != "tiny/latest"}, place
        if attempt.code == 7:
            assert "error RK702" in attempt.said, place
            assert os.strerror(attempt.error) in attempt.said, place
            if attempt.error in {errno.ENOSPC, errno.EDQUOT}:
                assert "bytes needed" in attempt.said, place
                assert " free" in attempt.said, place
            else:
                assert "fix: " in attempt.said, place
            standing.codes.append(7)
        assert attempt.then == 0, place
        assert left_in_staging(base / f"{number}.then") == [], place
        assert (base / f"{number}.then" / "outputs" / "tiny" / "latest" / "model.tflite").is_file(), place
    assert {attempt.code for attempt in attempts[:-1]} == {0, 7}
    assert attempts[-1].code == 0


@pytest.mark.fault(41)
def test_too_little_space_is_noticed_before_anything_is_written(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    with (
        pytest.raises(
            OutputFault, match=r"too little space: 1,000,000,000,000,000 bytes needed, [\d,]+ free"
        ) as caught,
        Outputs(tmp_path / "outputs").stage(10**15),
    ):
        pass
    assert not (tmp_path / "outputs").exists()
    record_property("exit", caught.value.exit_code)
