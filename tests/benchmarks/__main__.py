"""Side-by-side benchmarks of recipekit and hand-written scripts.

python -m tests.benchmarks                              everything, five rounds: about an hour
python -m tests.benchmarks --scenario cold --rounds 3   one scenario
python -m tests.benchmarks --quick                      whether it all works: one round, small sweeps
python -m tests.benchmarks --write                      what `make bench` does: also into docs/performance.md
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.benchmarks import results
from tests.benchmarks.agreement import Disagreement
from tests.benchmarks.machine import Machine
from tests.benchmarks.measuring import CommandFailed
from tests.benchmarks.project import REPOSITORY
from tests.benchmarks.results import Report
from tests.benchmarks.rounds import measure
from tests.benchmarks.scenarios import FULL, LARGE, QUICK, SAMPLES, Scenario, scenarios
from tests.benchmarks.table import render, replace_between_markers

DOCUMENT = REPOSITORY / "docs" / "performance.md"
RECORD = Path(__file__).with_name("results.json")


def main(argv: Sequence[str]) -> int:
    """Measures, prints the tables, and records them where that is asked for."""
    size = QUICK if "--quick" in argv else FULL
    offered = {scenario.name: scenario for scenario in scenarios(size)}
    options = _parser(sorted(offered)).parse_args(argv)
    chosen = [offered[name] for name in offered if name in (options.scenario or offered)]
    report = Report(Machine.here(), {})
    with tempfile.TemporaryDirectory(prefix="recipekit-bench-") as scratch:
        files = {SAMPLES: Path(scratch, "calibration.npz"), LARGE: Path(scratch, "large.keras")}
        _write_files(files, size.streamed, chosen)
        for scenario in chosen:
            try:
                result = measure(scenario, 1 if options.quick else options.rounds, files, _tell)
            except (CommandFailed, Disagreement) as error:
                _tell(f"{scenario.name}: {error}")
                return 1
            report.results[scenario.name] = result
            if options.write:
                report = _record(report)
    sys.stdout.write(render(report) + "\n")
    return 0


def _parser(names: Sequence[str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--scenario", action="append", choices=names, help="only this one; may be repeated")
    parser.add_argument("--rounds", type=int, default=5, help="how often each side runs (default: 5)")
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--quick", action="store_true", help="one round, small sweeps; the numbers mean little")
    mode.add_argument("--write", action="store_true", help=f"record in {RECORD.name} and docs/{DOCUMENT.name}")
    return parser


def _write_files(files: Mapping[str, Path], samples: int, chosen: Sequence[Scenario]) -> None:
    """Writes what the chosen scenarios read, each by a program of its own."""
    writers = {
        SAMPLES: ("tests.benchmarks.samples_file", str(files[SAMPLES]), str(samples)),
        LARGE: ("tests.benchmarks.large_model", str(files[LARGE])),
    }
    for word, (module, *arguments) in writers.items():
        if any(word in argument for scenario in chosen for argument in scenario.recipekit):
            subprocess.run([sys.executable, "-m", module, *arguments], cwd=REPOSITORY, check=True)


def _record(report: Report) -> Report:
    """Adds what was recorded of other scenarios on this machine, and writes it all down, in the order of the table."""
    whole = results.merged(results.read(RECORD), report)
    order = [scenario.name for scenario in scenarios(FULL)]
    whole = Report(whole.machine, {name: whole.results[name] for name in order if name in whole.results})
    results.write(RECORD, whole)
    document = DOCUMENT.read_text(encoding="utf-8")
    DOCUMENT.write_text(replace_between_markers(document, render(whole)), encoding="utf-8")
    return whole


def _tell(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
