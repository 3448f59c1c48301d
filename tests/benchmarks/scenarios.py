"""What is measured: each scenario with its command, its script, and what it is held against. It runs nothing."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from tests.benchmarks.results import Target
from tests.benchmarks.variants import CALIBRATED_TEN, INT8, TWELVE, Variant

SAMPLES = "{samples}"
"""Stands in arguments for the path of the large calibration file."""

LARGE = "{large}"
"""Stands in arguments for the path of the large model."""

_SCRIPTS = "tests.benchmarks.scripts."
_CONVERT_ONCE = f"{_SCRIPTS}convert_once"
_NO_TARGET = Target()
_START_UP_SECONDS = 1.0
"""What a sweep may take besides 20 ms a child: imports and the first composition."""

_SCALES = ("few", "many")
"""Names of the two sizes at which the driver's memory is looked at."""

_OUTPUTS = 100
"""Outputs that a sweep finds again and again: ten thousand would take ten gigabytes."""

_COLD = Target(ratio=1.0, memory_ratio=1.15)


class Script(NamedTuple):
    """One run of a hand-written script: its module and its options, without the model and the output folder."""

    module: str
    options: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """One comparison.

    Attributes:
        name: for the command line.
        title: what is done, for the table.
        recipekit: arguments of the command.
        before: arguments of commands that run before it in the same project and aren't counted.
        scripts: what a user without recipekit runs instead, one after the other; empty for nothing to compare with.
        script_seconds_of: a scenario with scripts, to extrapolate from, where running them all would take too long.
        target: what it is built for.
        children: how many variants are built.
        hundred_recipes: whether the project holds a hundred recipes instead of the repository's.
        memory: whether peak memory is compared, too.
        driver: whether the memory of the driver alone, which is the largest process, is shown.
    """

    name: str
    title: str
    recipekit: tuple[str, ...]
    before: tuple[tuple[str, ...], ...] = ()
    scripts: tuple[Script, ...] = ()
    script_seconds_of: str = ""
    target: Target = _NO_TARGET
    children: int = 1
    hundred_recipes: bool = False
    memory: bool = False
    driver: bool = False


class Size(NamedTuple):
    """How large the large scenarios are.

    Attributes:
        twelve: the schemes of the sweep.
        ten: the calibrated schemes of the sweep over calibration sets.
        sets: how many samples these have.
        streamed: how many samples the large calibration set has.
        thresholds: how many children the sweep has that runs no stage.
        scales: how many children the sweeps have whose driver's memory is looked at.
    """

    twelve: tuple[Variant, ...]
    ten: tuple[Variant, ...]
    sets: tuple[int, ...]
    streamed: int
    thresholds: int
    scales: tuple[int, ...]


FULL = Size(TWELVE, CALIBRATED_TEN, tuple(range(20, 201, 20)), 10_000, 1_000, (1_000, 10_000))
QUICK = Size(TWELVE[:3], CALIBRATED_TEN[:2], (20, 40), 300, 50, (20, 100))

_RUN = ("run", "recipe=mobilenet_int8")
_RUN_VARIANTS = ("run", "recipe=variants")
_RUN_BY_HAND = (Script(_CONVERT_ONCE, INT8.arguments()),)


def scenarios(size: Size) -> tuple[Scenario, ...]:
    """Every scenario, in the order of the table."""
    return (*_single_runs(), *_sweeps(size), _streamed(size.streamed), _large(), *_start_up())


def _single_runs() -> tuple[Scenario, ...]:
    return (
        Scenario(
            name="cold",
            title="cold run, int8",
            recipekit=_RUN,
            scripts=_RUN_BY_HAND,
            target=_COLD,
            memory=True,
        ),
        Scenario(
            name="unchanged",
            title="run again, nothing changed",
            recipekit=_RUN,
            before=(_RUN,),
            scripts=_RUN_BY_HAND,
        ),
        Scenario(
            name="threshold",
            title="run again, a threshold changed",
            recipekit=(*_RUN, "acceptance.parity.sqnr_db.min=26"),
            before=(_RUN,),
            scripts=_RUN_BY_HAND,
            target=Target(seconds=1.5),
        ),
        _changed_scheme(Variant("int8", "uint8")),
        _changed_scheme(Variant("int16x8", "int16")),
        _changed_scheme(Variant("float16")),
    )


def _changed_scheme(variant: Variant) -> Scenario:
    return Scenario(
        name=f"scheme_{variant.name}",
        title=f"run again, the scheme changed from int8 to {variant.name}",
        recipekit=(*_RUN_VARIANTS, f"converter={variant.name}"),
        before=((*_RUN_VARIANTS, f"converter={INT8.name}"),),
        scripts=(Script(_CONVERT_ONCE, variant.arguments()),),
    )


def _sweeps(size: Size) -> tuple[Scenario, ...]:
    twelve = len(size.twelve)
    sweep = ("run", "-m", "recipe=variants", _converters(size.twelve))
    sets = f"representative_dataset.samples={','.join(map(str, size.sets))}"
    hundred = len(size.ten) * len(size.sets)
    return (
        Scenario(
            name="sweep_12",
            title=f"sweep of {twelve} schemes; {twelve} scripts",
            recipekit=sweep,
            scripts=tuple(Script(_CONVERT_ONCE, variant.arguments()) for variant in size.twelve),
            target=Target(ratio=0.1),
            children=twelve,
        ),
        Scenario(
            name="sweep_12_loop",
            title=f"sweep of {twelve} schemes; one script that loops",
            recipekit=sweep,
            scripts=(Script(f"{_SCRIPTS}convert_loop", tuple(_loop_options(size.twelve))),),
            children=twelve,
            memory=True,
        ),
        Scenario(
            name="sweep_100",
            title=f"sweep of {hundred}: {len(size.ten)} schemes by {len(size.sets)} sizes of the calibration set",
            recipekit=(
                "run",
                "-m",
                "recipe=variants",
                _converters(size.ten),
                sets,
            ),
            script_seconds_of="sweep_12",
            children=hundred,
        ),
        _thresholds(size.thresholds, built=False),
        _thresholds(size.thresholds, built=True),
        *(_scaled(count, name, built=True) for count, name in zip(size.scales, _SCALES, strict=True)),
        *(_scaled(count, name, built=False) for count, name in zip(size.scales, _SCALES, strict=True)),
    )


def _thresholds(count: int, *, built: bool) -> Scenario:
    """A sweep whose children run no stage, so that its time is what the driver itself costs."""
    sweep = ("run", "-m", "recipe=mobilenet_int8", f"acceptance.parity.sqnr_db.min=range(0,{count * 0.02:g},0.02)")
    return Scenario(
        name=f"driver_{'built' if built else 'new'}",
        title=f"sweep of {count} thresholds, {'every output there already' if built else 'every stage found'}",
        recipekit=sweep,
        before=(sweep if built else _RUN,),
        target=Target(seconds=_START_UP_SECONDS + count * 0.02),
        children=count,
    )


def _scaled(count: int, name: str, *, built: bool) -> Scenario:
    """A sweep for its driver's memory: the outputs of a few children, found again and again, or an output for each."""
    outputs = min(count, _OUTPUTS) if built else count
    thresholds = f"acceptance.parity.sqnr_db.min=range(0,20,{20 / outputs:g})"
    sweep = ("run", "-m", "recipe=mobilenet_int8", thresholds)
    repeated = f"seed=choice({','.join(['0'] * (count // outputs))})"
    return Scenario(
        name=f"{'found' if built else 'published'}_{name}",
        title=f"sweep of {count:,}, {f'the outputs of {outputs} found' if built else 'every one published'}",
        recipekit=(*sweep, repeated if built else "seed=0"),
        before=((*sweep, "seed=0") if built else _RUN,),
        target=Target(seconds=_START_UP_SECONDS + count * 0.02),
        children=count,
        driver=True,
    )


def _converters(variants: Sequence[Variant]) -> str:
    return f"converter={','.join(variant.name for variant in variants)}"


def _loop_options(variants: Sequence[Variant]) -> list[str]:
    return [part for variant in variants for part in ("--scheme", f"{variant.name}={shlex.join(variant.arguments())}")]


def _streamed(samples: int) -> Scenario:
    return Scenario(
        name="streamed",
        title=f"cold run, int8, {samples:,} calibration samples streamed from a file",
        recipekit=(
            "run",
            "recipe=streamed",
            f"converter={INT8.name}",
            f"representative_dataset.path={SAMPLES}",
            f"representative_dataset.samples={samples}",
        ),
        scripts=(
            Script(
                f"{_SCRIPTS}calibrate_many",
                ("--calibration", SAMPLES, "--calibration-samples", str(samples), *INT8.arguments()),
            ),
        ),
        target=_COLD,
        memory=True,
    )


def _large() -> Scenario:
    return Scenario(
        name="large",
        title="cold run, int8, a model of 180 MB",
        recipekit=("run", "recipe=variants", f"converter={INT8.name}", f"source.path={LARGE}"),
        scripts=(Script(_CONVERT_ONCE, (*INT8.arguments(), "--model", LARGE)),),
        target=Target(memory_ratio=1.15),
        memory=True,
    )


def _start_up() -> tuple[Scenario, ...]:
    return (
        Scenario(name="help", title="`recipekit --help`", recipekit=("--help",), target=Target(seconds=0.1)),
        Scenario(
            name="validate_1",
            title="`recipekit validate` of one recipe",
            recipekit=("validate", "recipe=mobilenet_int8"),
            target=Target(seconds=0.5),
        ),
        Scenario(
            name="validate_100",
            title="`recipekit validate --all` of 100 recipes",
            recipekit=("validate", "--all"),
            hundred_recipes=True,
            target=Target(seconds=3.0),
        ),
    )
