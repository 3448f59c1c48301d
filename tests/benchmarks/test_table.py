from pathlib import Path

import msgspec
import pytest

from tests.benchmarks.machine import Machine, processor
from tests.benchmarks.results import Report, Result, Runs, Target, merged, read, write
from tests.benchmarks.table import BEGIN, END, figure, render, replace_between_markers, spread

MACHINE = Machine(
    processor="Some CPU",
    cores=2,
    memory_gib=24,
    system="Linux x86_64",
    python="3.11.7",
    packages={"tensorflow": "2.21.0"},
)


def result(
    ours: tuple[float, ...] = (2.0,),
    theirs: tuple[float, ...] = (4.0,),
    target: Target | None = None,
    *,
    memory: tuple[float, float] = (0.0, 0.0),
    children: int = 1,
    script_seconds_of: str = "",
) -> Result:
    def runs(seconds: tuple[float, ...], mib: float) -> Runs:
        return Runs(seconds, tuple(100.0 for _ in seconds), (mib,) if mib else ())

    return Result(
        title="some run",
        target=target or Target(),
        children=children,
        recipekit=runs(ours, memory[0]),
        script=runs(theirs, memory[1]) if theirs else None,
        script_seconds_of=script_seconds_of,
    )


def rows(**results: Result) -> list[list[str]]:
    """Cells of every row, heads and rules left out."""
    lines = [line for line in render(Report(MACHINE, results)).splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if "some run" in line]


def test_a_row_compares_medians() -> None:
    ((_, ours, theirs, ratio, *_),) = rows(a=result((1.0, 2.0, 9.0), (4.0, 3.0, 5.0)))

    assert ours == "2.00 (1.00 to 9.00)"
    assert theirs == "4.00 (3.00 to 5.00)"
    assert ratio == "0.500 x"


@pytest.mark.parametrize(
    ("target", "asked", "met"),
    [
        (Target(), "", ""),
        (Target(ratio=0.5), "at most 0.5 x", "yes"),
        (Target(ratio=0.49), "at most 0.49 x", "**no**"),
        (Target(seconds=2.0), "at most 2 s", "yes"),
        (Target(seconds=1.5), "at most 1.5 s", "**no**"),
        (Target(ratio=1.0, seconds=1.0), "at most 1 x, at most 1 s", "**no**"),
    ],
)
def test_a_target_is_met_or_not(target: Target, asked: str, met: str) -> None:
    ((*_, said, verdict),) = rows(a=result((2.0,), (4.0,), target))

    assert (said, verdict) == (asked, met)


def test_a_ratio_that_nobody_measured_meets_nothing() -> None:
    ((*_, verdict),) = rows(a=result((2.0,), (), Target(ratio=1.0)))

    assert verdict == "not measured"


def test_scripts_too_many_to_run_are_extrapolated_and_it_says_so() -> None:
    few = result((1.0,), (24.0,), children=12)
    many = result((10.0,), (), children=100, script_seconds_of="few")

    _, (_, ours, theirs, ratio, *_) = rows(few=few, many=many)

    assert ours == "10.0, 0.100 each"
    assert theirs == "200, extrapolated"
    assert ratio == "0.0500 x"


def test_memory_has_rows_of_its_own_where_both_sides_were_sampled() -> None:
    compared = result(target=Target(memory_ratio=1.15), memory=(1200.0, 1000.0))

    time_row, memory_row = rows(a=compared)

    assert len(time_row) == 6
    assert memory_row[1:6] == ["1200", "1000", "1.20 x", "at most 1.15 x", "**no**"]
    assert len(rows(a=result())) == 1


def test_the_driver_of_a_large_sweep_has_a_row_with_its_memory() -> None:
    large = msgspec.structs.replace(result(theirs=(), children=10_000), driver=True)

    time_row, driver_row = rows(a=large)

    assert time_row[1] == "2.00, 0.000200 each"
    assert driver_row == ["some run", "100", "10,000"]


def test_the_machine_is_described() -> None:
    assert "Some CPU, 2 cores, 24 GiB of memory" in render(Report(MACHINE, {}))


@pytest.mark.parametrize(
    ("value", "text"),
    [(123.4, "123"), (99.96, "100"), (12.34, "12.3"), (1.234, "1.23"), (0.1234, "0.123"), (0.01, "0.0100")],
)
def test_figures_have_three_digits(value: float, text: str) -> None:
    assert figure(value).rstrip(".") == text


def test_one_round_has_no_spread() -> None:
    assert spread((2.0,)) == "2.00"
    assert spread(()) == ""


def test_only_what_stands_between_the_markers_is_replaced() -> None:
    document = f"before\n{BEGIN}\nold\n{END}\nafter\n"

    once = replace_between_markers(document, "new")

    assert once == f"before\n{BEGIN}\nnew\n{END}\nafter\n"
    assert replace_between_markers(once, "new") == once


@pytest.mark.parametrize("document", ["", BEGIN, END, f"{END}\n{BEGIN}", f"{BEGIN}{END}{BEGIN}", f"{BEGIN}{END}{END}"])
def test_a_document_without_its_two_markers_is_refused(document: str) -> None:
    with pytest.raises(ValueError, match="needs one line"):
        replace_between_markers(document, "new")


def test_a_report_survives_its_file(tmp_path: Path) -> None:
    report = Report(MACHINE, {"a": result(target=Target(ratio=1.0), memory=(1.0, 2.0)), "b": result(theirs=())})

    write(tmp_path / "results.json", report)

    assert read(tmp_path / "results.json") == report
    assert read(tmp_path / "nothing.json") is None


def test_new_results_replace_those_of_the_same_scenario_alone() -> None:
    old = Report(MACHINE, {"a": result((1.0,)), "b": result((1.0,))})
    new = Report(MACHINE, {"b": result((2.0,))})

    assert merged(old, new).results == {"a": result((1.0,)), "b": result((2.0,))}
    assert merged(None, new) == new


def test_results_of_another_machine_are_dropped() -> None:
    other = Report(Machine.here(), {"a": result()})

    assert merged(other, Report(MACHINE, {})).results == {}


def test_the_processor_is_named_as_the_system_names_it(tmp_path: Path) -> None:
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text("processor\t: 0\nmodel name\t: Some CPU @ 3 GHz\nmodel name\t: other\n")

    assert processor(cpuinfo) == "Some CPU @ 3 GHz"
    assert processor(tmp_path / "none")
