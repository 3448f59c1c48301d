"""A sweep's children are those that Hydra itself would run, one by one, and cheap."""

from __future__ import annotations

import json
import re
import weakref
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from recipekit.compose import layers as layers_module
from recipekit.compose import rows as rows_module
from recipekit.compose.application import sweep
from recipekit.compose.composition import Composition, compose
from recipekit.compose.grid import children
from recipekit.errors import CompositionError, ForbiddenKey, RecipekitError, UsageError
from recipekit.project import Project
from tests.recipe_projects import RECIPE, recipe, write_project

SWEEPER = 'hydra: {mode: MULTIRUN, sweeper: {params: {seed: "1,2", converter: "none,int8"}}}\n'

FILES: dict[str, str | bytes] = {
    "digits.yaml": recipe("/acceptance: strict", "/converter: int8", body="seed: 1\nconverter: {input_type: uint8}\n"),
    "derived.yaml": "defaults:\n  - digits\n  - override /converter: float16\n  - _self_\nname: derived\n",
    "letters.yaml": RECIPE + "description: ${name} by ${seed} ${oc.env:RK_OPEN,closed}\nseed: 3\n",
    "swept.yaml": RECIPE + SWEEPER,
    "asking.yaml": RECIPE + "description: ${hydra:job.num}\n",
    "parallel.yaml": recipe("/hydra/launcher: joblib", "/converter: none"),
    "following.yaml": recipe("/converter: int8", "/acceptance: ${converter}", "/boards: m4", "/steps@x: ${boards}"),
    "lost.yaml": recipe("/converter: int8", "/acceptance: ${nothing}"),
    "acceptance/int8.yaml": "parity:\n  sqnr_db: {min: 8}\n",
    "acceptance/float16.yaml": "parity:\n  sqnr_db: {min: 16}\n",
    "steps/m4.yaml": "width: 4\n",
    "acceptance/strict.yaml": "parity:\n  sqnr_db: {min: 40}\nlatency: {p50_ms: {max: 3}}\n",
    "boards/m4.yaml": "# @package _global_\nseed: 4\n",
    "boards/m7.yaml": "# @package _global_\nseed: 7\n",
    "firm.yaml": recipe(
        "/converter: int8", "/boards: m4", body="converter: {quantization: int8, output_type: uint8}\n"
    ),
    "broken.yaml": "a: [",
    "evil.yaml": "x: {_target_: os.system}\n",
    "steps/wide.yaml": "preprocess: [{resize: [96, 96]}, {rescale: {scale: 0.5}}]\n",
}

SWEEPS: dict[str, tuple[str, ...]] = {
    "values and options": ("recipe=digits", "converter=int8,float16", "seed=range(2)"),
    "recipes": ("recipe=digits,derived,letters",),
    "a glob of recipes": ("recipe=glob(d*)", "seed=5"),
    "a glob that leaves some out": ("recipe=digits", "converter=glob(*,exclude=[int*,dyn*])"),
    "choices in another order": ("seed=choice(3,1)", "recipe=digits"),
    "a recipe's own sweep": ("recipe=swept",),
    "a recipe's own sweep, narrowed": ("recipe=swept", "seed=7"),
    "a recipe's own sweep, widened": ("recipe=swept", "converter=int16x8", "name=x,y"),
    "dict values, merged": ("recipe=digits", "acceptance={latency: {p50_ms: {max: 9}}},{parity: {rmse: {max: 1}}}"),
    "dict values for a group": ("recipe=digits", "converter={quantization: none},{input_type: int8}"),
    "lists replace": ("recipe=digits", "evaluation.dataset.preprocess=[],[{rescale: {scale: 2}}]"),
    "nested keys": ("recipe=digits", "acceptance.parity.sqnr_db.min=20,30.5", "a.b.c=x"),
    "a key below a plain value": ("recipe=digits", "name.first=x,y", "name.last=z"),
    "a key and one below it": ("recipe=digits", "a={b: 1},{c: 2}", "a.c=3,4"),
    "quoted commas": ("recipe=digits", "description='a, b','c=d','it\\'s'"),
    "null, booleans and numbers": ("recipe=digits", "source.sha256=null,true,1e3,012,-1,nan"),
    "an interpolation of a swept key": ("recipe=letters", "seed=1,2", "name=of_${seed}"),
    "an interpolation that is swept": ("recipe=letters", "name='${seed}','${nothing}','${oc.env:RK_SECRET}'"),
    "a missing value": ("recipe=letters", "name=fine,???"),
    "added keys": ("recipe=digits", "+artifacts.c_array=true,false", "++seed=2"),
    "deleted keys": ("recipe=digits", "seed=1,2", "~acceptance.latency", "acceptance.latency.p50_ms.max=4"),
    "deleted groups": ("recipe=digits", "seed=1,2", "~acceptance"),
    "user groups": ("recipe=digits", "+boards=m4,m7"),
    "a group placed elsewhere": ("recipe=digits", "+steps@evaluation.dataset=wide", "seed=1,2"),
    "options that follow another": ("recipe=following", "converter=int8,float16"),
    "hydra's own words": (
        "recipe=swept",
        "hydra.mode=MULTIRUN",
        "hydra/launcher=basic",
        "hydra.sweeper.max_batch_size=1",
    ),
    "nothing at all": ("recipe=digits", "seed=range(0)"),
    "one child": ("recipe=digits",),
    "options that beat a body": ("recipe=firm,digits", "converter=float16,[none,int16x8]", "acceptance=strict"),
    "a user's option that beats a body": ("recipe=firm", "boards=m7,m4", "converter.output_type=int8"),
    "the same key twice": ("recipe=digits", "seed=1,2", "seed=3,4"),
    "a launcher that a swept recipe chooses": ("recipe=parallel,digits",),
}

EVERYDAY = ("deleted keys",)


class Seen(NamedTuple):
    """All that can be asked of a child."""

    number: int
    recipe: str
    sweeps: bool
    overrides: tuple[str, ...]
    files: tuple[Path, ...]
    mapping: str
    origins: dict[tuple[str | int, ...], str]

    @classmethod
    def of(cls, number: int, child: Composition) -> Seen:
        try:
            mapping: Any = child.mapping
        except RecipekitError as error:
            mapping = (error.id, str(error))
        keys = (*paths(mapping), ("no", "such"), ("acceptance", "no"))
        return cls(
            number,
            child.recipe,
            child.sweeps,
            child.overrides,
            child.files,
            repr(mapping),  # the order of keys counts, and NaN equals itself
            {key: child.origin(key) for key in keys},
        )


def paths(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(found for key, item in inside for found in paths(item, (*path, key)))]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return write_project(tmp_path_factory.mktemp("grid"), FILES, env=("RK_OPEN",))


Swept = list[Seen] | tuple[str, str]
"""Every child of a sweep, or the error that kept it from beginning."""


def by_hydra(project: Project, *overrides: str) -> Swept:
    seen: list[Seen] = []
    try:
        sweep(project, overrides, project.root / "sweep", lambda child, number: seen.append(Seen.of(number, child)))
    except RecipekitError as error:
        return error.id, str(error)
    return seen


def by_grid(project: Project, *overrides: str) -> Swept:
    try:
        grid = children(project, overrides)
    except RecipekitError as error:
        return error.id, str(error)
    assert grid is not None
    seen = [Seen.of(number, child) for number, child in grid]
    assert len(grid) == len(seen)
    return seen


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name in EVERYDAY else pytest.mark.slow) for name in SWEEPS]
)
def test_the_children_are_hydra_s(project: Project, name: str) -> None:
    assert by_grid(project, *SWEEPS[name]) == by_hydra(project, *SWEEPS[name])


KEYS = st.sampled_from(["seed", "name", "a", "a.b", "a.b.c", "acceptance", "acceptance.parity", "source.path", "x.0"])
WORDS = st.text("ab ,:=[]{}'\"\\$~+@./#1", max_size=6)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_infinity=False) | WORDS,
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["b", "c", "parity"]), inner, max_size=2)
    ),
    max_leaves=4,
)


def spelled(value: Any) -> str:
    """A value in the grammar of overrides."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {spelled(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(spelled, value)) + "]"
    if isinstance(value, str):
        return json.dumps(value) if value.endswith("\\") else f"'{value}'".replace("'", "\\'")[1:-2].join("''")
    return str(value).lower() if isinstance(value, bool) else "null" if value is None else str(value)


@pytest.mark.slow
@settings(max_examples=25, phases=(Phase.explicit, Phase.generate))  # Hydra is slow to shrink
@given(st.lists(st.tuples(KEYS, VALUES), min_size=1, max_size=4))
def test_a_child_is_what_hydra_composes_of_the_same_overrides(project: Project, pairs: list[tuple[str, Any]]) -> None:
    overrides = ["recipe=digits", *(f"{key}={spelled(value)}" for key, value in pairs)]
    try:
        expected = by_hydra(project, *overrides)
    except (ValueError, TypeError, AssertionError):  # Hydra's own, where it doesn't expect such an override
        assert isinstance(by_grid(project, *overrides), tuple)
    else:
        assert by_grid(project, *overrides) == expected


REFUSED: dict[str, tuple[tuple[str, ...], type[RecipekitError], str]] = {
    "an option": (("recipe=digits", "converter=none,flot16"), UsageError, "did you mean 'float16'"),
    "a recipe": (("recipe=digits,nobody",), UsageError, "no recipe 'nobody'"),
    "a file": (("recipe=digits,broken",), CompositionError, "is not YAML"),
    "code": (("recipe=digits,evil",), ForbiddenKey, "'_target_' is not allowed"),
    "a key to delete": (("recipe=letters", "seed=1,2", "~acceptance.latency"), UsageError, "Could not delete"),
    "no recipe": (("seed=1,2",), UsageError, "no recipe is chosen"),
    "an interval": (("recipe=digits", "seed=interval(0,1)"), CompositionError, "does not support sweep type"),
    "a value that is none": (("recipe=digits", "name='${a','b'"), CompositionError, "token recognition error"),
    "an option of nothing": (("recipe=lost", "seed=1,2"), CompositionError, "Error resolving interpolation"),
    "a number for an option": (("recipe=digits", "converter=none,5"), UsageError, "names no option of 'converter'"),
    "a key of Hydra's": (("recipe=digits", "hydra.run.dir=x", "seed=1,2"), ForbiddenKey, "not yours to set"),
    "a word for an index": (("recipe=digits", "a=[1]", "a.b=1,2"), UsageError, "Could not override"),
    "a word for an index on the way": (("recipe=digits", "a=[]", "a.b.c=1,2"), UsageError, "Could not override"),
    "a sweep over Hydra's": (("recipe=digits", "hydra.mode=RUN,MULTIRUN"), CompositionError, "not supported"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_one_child_cannot_be_composed_of_refuses_them_all(project: Project, name: str) -> None:
    overrides, error, said = REFUSED[name]
    with pytest.raises(error, match=re.escape(said)):
        children(project, overrides)


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [
        name
        for name in REFUSED
        if name not in {"a number for an option", "a word for an index", "a word for an index on the way"}
    ],
)
def test_hydra_refuses_the_same(project: Project, name: str) -> None:
    overrides, _, _ = REFUSED[name]
    assert by_grid(project, *overrides) == by_hydra(project, *overrides)


@pytest.mark.slow
@pytest.mark.parametrize(
    "overrides",
    [
        ("recipe=asking", "seed=1,2"),
        ("recipe=digits", "seed=1,2", "description=of_${hydra:job.num}"),
    ],
)
def test_what_only_hydra_knows_is_left_to_it(project: Project, overrides: tuple[str, ...]) -> None:
    assert children(project, overrides) is None


def test_a_launcher_of_hydra_s_is_named_and_left_to_hydra(project: Project) -> None:
    grid = children(project, ["recipe=parallel", "seed=1,2"])
    assert grid is not None
    assert [child.mapping["seed"] for _, child in grid] == [1, 2]
    assert grid.rows == [["recipe=parallel", "++seed=1"], ["recipe=parallel", "++seed=2"]]
    assert grid.launcher is not None
    assert grid.launcher.target.endswith(".JoblibLauncher")
    assert (grid.launcher.settings, grid.launcher.is_ours) == ({}, False)


def test_a_launcher_of_ours_is_named_with_its_settings(project: Project) -> None:
    chosen = ["hydra/launcher=recipekit_submitit", "hydra.launcher.slurm_setup=[module load python]"]
    grid = children(project, ["recipe=digits", "seed=1,2", *chosen, "+hydra.launcher.slurm_reservation=night"])
    assert grid is not None
    assert grid.launcher is not None
    assert (grid.launcher.target, grid.launcher.is_ours) == ("recipekit.launching.submitit.Submitit", True)
    settings = grid.launcher.settings
    assert (settings["slurm_setup"], settings["slurm_reservation"]) == (["module load python"], "night")
    assert (settings["cluster"], settings["timeout_min"]) == (None, 60)


@pytest.mark.slow
def test_a_child_is_composed_when_its_turn_comes(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    laid = 0

    def counted(texts: Sequence[str]) -> layers_module.Layers:
        nonlocal laid
        laid += 1
        return layers_module.merge_layers(texts)

    monkeypatch.setattr(rows_module, "merge_layers", counted)
    grid = children(project, ["recipe=digits", "converter=none,int8", "seed=range(300)"])
    assert grid is not None
    alive: weakref.WeakSet[Composition] = weakref.WeakSet()
    for _, child in grid:
        alive.add(child)
        assert child.mapping["seed"] in range(300)
        assert len(alive) <= 2  # this one, and the loop's name for the one before it
    assert (len(grid), laid) == (600, 2)


def test_a_value_that_one_child_cannot_resolve_is_that_childs_fault_alone(project: Project) -> None:
    grid = children(project, ["recipe=letters", "description=fine,'${oc.env:UNLISTED}'"])
    assert grid is not None
    (_, fine), (_, wrong) = grid
    assert fine.mapping["description"] == "fine"
    with pytest.raises(ForbiddenKey, match="UNLISTED") as caught:
        _ = wrong.mapping
    assert caught.value.where == "command line: description='${oc.env:UNLISTED}'"


def test_a_single_run_is_composed_as_a_sweep_of_one(project: Project) -> None:
    grid = children(project, ["recipe=digits", "converter=float16", "seed=9"])
    assert grid is not None
    ((_, child),) = grid
    alone = compose(project, ["recipe=digits", "converter=float16", "seed=9"])
    assert (child.mapping, child.overrides, child.files) == (alone.mapping, alone.overrides, alone.files)
