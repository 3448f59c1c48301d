"""Records in several threads, which msgspec takes in when they are first used, and on their way between processes."""

from __future__ import annotations

import pickle
import subprocess
import sys

import msgspec
import pytest

from recipekit.contracts import DatasetSpec

CONVERTED_AT_ONCE = """
import sys
from threading import Barrier, Thread
import msgspec
from recipekit.contracts import Record, lay_out_records

FIELDS = "\\n".join(f"    f{at}: int | None = None" for at in range(40))
OUTER = "\\n".join(f"    g{at}: 'Inner | None' = None" for at in range(40))
ANSWER = {f"g{at}": {"f3": 1} for at in range(40)}
sys.setswitchinterval(1e-6)
for _ in range(60):
    exec(f"class Inner(Record, frozen=True):\\n{FIELDS}\\nclass Outer(Record, frozen=True):\\n{OUTER}")
    barrier = Barrier(4)

    def convert(kind=Outer):
        barrier.wait()
        assert msgspec.convert(ANSWER, kind).g7.f3 == 1

    PREPARE
    threads = [Thread(target=convert) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
"""


@pytest.mark.slow
def test_records_that_are_laid_out_are_converted_by_several_threads_at_once() -> None:
    program = CONVERTED_AT_ONCE.replace("PREPARE", "lay_out_records()")
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_what_a_record_leaves_unset_travels_by_its_type_as_pickle_would_look_for_its_name_in_every_module() -> None:
    dataset = DatasetSpec(
        plugin="digits",
        params={},
        samples=None,
        shuffle=False,
        seed=0,
        preprocess=(),
        modules=(),
        project_root="/",
    )
    packed = pickle.dumps(dataset)
    assert b"UnsetType" in packed
    assert b"UNSET" not in packed
    assert pickle.loads(packed).signatures is msgspec.UNSET
