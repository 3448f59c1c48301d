"""Rows 1 to 18: recipes and command lines that are wrong, each refused at its place before anything is done."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.standing import RECIPE, Standing

pytestmark = pytest.mark.slow  # half a hundred processes of their own

fault = pytest.mark.fault

BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join(['*' + before] * 9)}]\n" for before, name in zip("abcdefg", "bcdefgh", strict=True)
)


def with_line(line: str) -> str:
    return f"{RECIPE}{line}\n"


def edited(old: str, new: str) -> str:
    assert old in RECIPE
    return RECIPE.replace(old, new)


def named(name: str) -> str:
    return edited("name: tiny", f"name: {name}")


def refused(standing: Standing, recipe: str | bytes, *says: str) -> None:
    standing.write({"recipes/wrong.yaml": recipe})
    done = standing.fails("recipe=wrong", code=2, says=says)
    assert done.out == ""


@pytest.mark.parametrize(
    ("recipe", "says"),
    [
        pytest.param(with_line("a: ["), ["wrong.yaml:11:1: is not YAML", "fix: "], marks=fault(1), id="open list"),
        pytest.param(named("tiny: x"), ["wrong.yaml:5:11: is not YAML", "fix: "], marks=fault(1), id="two colons"),
        pytest.param(
            with_line("converter: {quantisation: int8}"),
            ["wrong.yaml:10: unknown key 'converter.quantisation'; did you mean 'quantization'?"],
            marks=fault(2),
            id="unknown key",
        ),
        pytest.param(
            edited("path: data/samples.npz", 'path: data/samples.npz, samples: "many"'),
            ["wrong.yaml:8: 'evaluation.dataset.samples' must be an integer or null, got a string (\"many\")"],
            marks=fault(3),
            id="wrong type",
        ),
        pytest.param(
            edited("min: 20", "min: .nan"),
            ["wrong.yaml:9: 'acceptance.parity.sqnr_db.min' must be a finite number, got nan"],
            marks=fault(4),
            id="threshold nan",
        ),
        pytest.param(
            edited("min: 20", "min: -.inf"),
            ["'acceptance.parity.sqnr_db.min' must be a finite number, got -inf"],
            marks=fault(4),
            id="threshold infinite",
        ),
        pytest.param(
            edited("{min: 20}", "{min: 20, max: 10}"),
            ["wrong.yaml:9: 'acceptance.parity.sqnr_db' can't be met: min 20 is above max 10"],
            marks=fault(4),
            id="thresholds crossed",
        ),
        pytest.param(
            edited("name: tiny\n", ""),
            ["'name' is missing (slug; names the output folder): add it, such as 'name: mobilenet_int8'"],
            marks=fault(5),
            id="no name",
        ),
        pytest.param(
            named("???"),
            ["wrong.yaml:5: 'name' has no value", "fix: write a value there, or give one on the command line: name="],
            marks=fault(5),
            id="name left open",
        ),
        pytest.param(
            with_line("name: other"),
            ["wrong.yaml:10: the key 'name' stands there twice, in the lines 5 and 10", "fix: keep one"],
            marks=fault(6),
            id="key twice",
        ),
        pytest.param(
            edited('"1.0.0"', "1.10"),
            ["wrong.yaml:6: 'version' must be a string, got a number (1.1): put it in quotes"],
            marks=fault(7),
            id="version a number",
        ),
        pytest.param(
            named("on"),
            ["wrong.yaml:5: 'name' must be a string, got a boolean (true): put it in quotes"],
            marks=fault(7),
            id="name a boolean",
        ),
        pytest.param(
            named("012"),
            ["wrong.yaml:5: 'name' must be a string, got an integer (10): put it in quotes"],
            marks=fault(7),
            id="name octal",
        ),
        pytest.param(
            with_line("description: ${seed}\nseed: ${description}"),
            ["wrong.yaml:10: 'description' has no value", "description -> seed -> description", "fix: "],
            marks=fault(11),
            id="cycle",
        ),
        pytest.param(
            with_line("description: ${nothing.here}"),
            ["wrong.yaml:10: 'description' has no value: Interpolation key 'nothing.here' not found", "fix: "],
            marks=fault(11),
            id="unknown interpolation",
        ),
        pytest.param(
            edited("ai_edge_dynamic_range", "ai_edge_int8"),
            ["'converter.quantization' int8 needs calibration data: add a 'representative_dataset'"],
            marks=fault(17),
            id="no calibration",
        ),
        pytest.param(
            with_line("converter: {engine: tflite_converter, quantization: float16, weight_bits: 4}"),
            [
                "wrong.yaml:10: 'converter.weight_bits' has no meaning with engine: tflite_converter",
                "wrong.yaml:10: 'converter.weight_bits' has no meaning with quantization: float16",
            ],
            marks=fault(17),
            id="contradictions",
        ),
        pytest.param(
            with_line("schema_version: 99"),
            ["wrong.yaml:10: 'schema_version' 99 is too new: this recipekit reads up to 1; upgrade recipekit"],
            marks=fault(18),
            id="newer language",
        ),
    ],
)
def test_a_wrong_recipe_is_refused_at_its_place(standing: Standing, recipe: str, says: list[str]) -> None:
    refused(standing, recipe, *says)


@fault(8)
def test_an_alias_bomb_is_refused_before_it_goes_off(standing: Standing) -> None:
    assert len(BOMB) < 500
    standing.write({"recipes/wrong.yaml": BOMB})
    done = standing.fails("recipe=wrong", code=2, says=["holds more than 10,000 values", "fix: "], within=1)
    assert done.peak_mib < 200


@pytest.mark.parametrize(
    ("recipe", "limit"),
    [
        pytest.param("name: " + "[" * 3000 + "]" * 3000 + "\n", "nested more than 64 deep", marks=fault(9), id="deep"),
        pytest.param(f"# {'x' * 50_000_000}\n{RECIPE}", "longer than 1,048,576 characters", marks=fault(9), id="long"),
    ],
)
def test_a_recipe_beyond_a_limit_is_told_the_limit(standing: Standing, recipe: str, limit: str) -> None:
    refused(standing, recipe, limit, "fix: ")


@pytest.mark.parametrize(
    ("line", "says"),
    [
        pytest.param(
            "description: !!python/object/apply:os.system ['touch marker']",
            ["wrong.yaml:10:14", "apply:os.system", "fix: take the tag away"],
            marks=fault(10),
            id="tag",
        ),
        pytest.param(
            "description: {_target_: pathlib.Path.write_text, self: marker, data: x}",
            ["wrong.yaml:10: '_target_' is not allowed", "fix: name a registered plugin"],
            marks=fault(12),
            id="target in the body",
        ),
        pytest.param(
            "hydra: {callbacks: {evil: {_target_: shutil.copy, src: pyproject.toml, dst: marker}}}",
            ["wrong.yaml:10: '_target_' is not allowed"],
            marks=fault(12),
            id="target of a callback",
        ),
        pytest.param(
            "hydra: {job_logging: {handlers: {x: {(): shutil.copy, src: pyproject.toml, dst: marker}}}}",
            ["wrong.yaml:10: 'hydra.job_logging' is not allowed", "fix: "],
            marks=fault(12),
            id="logging handler",
        ),
    ],
)
def test_a_recipe_runs_no_code(standing: Standing, line: str, says: list[str]) -> None:
    standing.write({"pyproject.toml": "[tool.recipekit]\n"})
    refused(standing, with_line(line), *says)
    assert not list(standing.root.rglob("marker"))


@pytest.mark.parametrize("listed", [False, True])
@fault(13)
def test_a_secret_variable_is_never_read(standing: Standing, listed: bool) -> None:
    if listed:
        standing.write({"pyproject.toml": '[tool.recipekit]\nenv = ["AWS_SECRET_ACCESS_KEY"]\n'})
    standing.write({"recipes/wrong.yaml": with_line("description: ${oc.env:AWS_SECRET_ACCESS_KEY}")})
    done = standing.fails(
        "recipe=wrong",
        code=2,
        says=["wrong.yaml:10: the recipe reads the environment variable 'AWS_SECRET_ACCESS_KEY'", "fix: "],
        AWS_SECRET_ACCESS_KEY="open-sesame",
    )
    assert "open-sesame" not in done.out + done.err


@pytest.mark.parametrize(
    ("override", "says"),
    [
        pytest.param("q.ww=1", ["command line: q.ww=1: unknown key 'q'"], marks=fault(14), id="unknown section"),
        pytest.param(
            "converter.quantisation=int8",
            ["command line: converter.quantisation=int8: unknown key", "did you mean 'quantization'?"],
            marks=fault(14),
            id="unknown key",
        ),
        pytest.param("seed==,", ["command line: 'seed==,' is not an override", "fix: "], marks=fault(14), id="grammar"),
        pytest.param(
            "hydra.run.dir=../x",
            ["command line: hydra.run.dir=../x: 'hydra.run.dir' is not yours to set", "fix: "],
            marks=fault(14),
            id="hydra's folder",
        ),
        pytest.param(
            "+evil={_target_: pathlib.Path.touch, self: marker}",
            ["'_target_' is not allowed", "fix: "],
            marks=fault(12),
            id="target",
        ),
        pytest.param("name=a/../../b", ["command line: name=a/../../b: 'name' must be a slug"], marks=fault(15)),
    ],
)
def test_a_wrong_override_is_quoted(standing: Standing, override: str, says: list[str]) -> None:
    standing.fails("recipe=tiny", override, code=2, says=says)
    assert not list(standing.root.parent.rglob("marker"))
    assert not (standing.root.parent / "x").exists()


@pytest.mark.parametrize(
    "name",
    ["a/../../b", "/etc/x", ".", "..", '"a\\0b"', "x" * 256, "CON", "Tiny", "a..b", "-x", '""', '"é"', '"a b"'],
)
@fault(15)
def test_a_name_that_can_not_be_a_folder_s_is_told_the_pattern(standing: Standing, name: str) -> None:
    refused(standing, named(name), "wrong.yaml:5: 'name' must be a slug of at most 64 lower-case letters, digits")


@pytest.mark.parametrize("name", ["con", "nul.x", "com1", "latest", "sweeps"])
@fault(15)
def test_a_reserved_name_is_refused(standing: Standing, name: str) -> None:
    refused(standing, named(name), f"wrong.yaml:5: 'name' must not be '{name}', which is reserved")


@pytest.mark.parametrize(
    ("recipe", "says"),
    [
        pytest.param(
            edited("ai_edge_dynamic_range", "ai_edge_int9"),
            ["wrong.yaml:3: there is no option of 'converter' 'ai_edge_int9'", "did you mean 'ai_edge_int8'", "fix: "],
            marks=fault(16),
            id="option",
        ),
        pytest.param(
            edited("/converter", "/convert"),
            ["wrong.yaml:3: there is no group 'convert'; did you mean 'converter'?", "fix: use one of source"],
            marks=fault(16),
            id="group",
        ),
        pytest.param(b"", ["'name' is missing", "'source' is missing"], marks=fault(16), id="empty"),
        pytest.param(
            RECIPE.encode() + "# \u00e9\n".encode("latin-1"),
            ["is not UTF-8 text", "fix: save it as UTF-8"],
            marks=fault(16),
            id="latin-1",
        ),
    ],
)
def test_what_is_no_recipe_or_chooses_what_is_not_there_is_named(
    standing: Standing, recipe: str | bytes, says: list[str]
) -> None:
    refused(standing, recipe, *says)


@fault(16)
def test_a_recipe_that_is_a_folder_is_not_there(standing: Standing) -> None:
    Path(standing.root, "recipes", "wrong.yaml").mkdir()
    standing.fails("recipe=wrong", code=2, says=["command line: there is no recipe 'wrong'", "fix: use one of tiny"])


def test_a_byte_order_mark_is_no_fault(standing: Standing) -> None:
    standing.write({"recipes/tiny.yaml": b"\xef\xbb\xbf" + RECIPE.encode()})
    assert standing.run("recipe=tiny").code == 0


def test_after_any_refusal_the_recipe_runs(standing: Standing) -> None:
    refused(standing, BOMB, "10,000 values")
    standing.recovers()
