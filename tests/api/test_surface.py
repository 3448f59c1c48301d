"""What `import recipekit` offers is a contract: these names, these signatures, no import before one is used."""

from __future__ import annotations

import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import recipekit
from recipekit import api

GOLDEN = Path(__file__).parents[1] / "golden" / "api.txt"


def members(cls: type) -> list[str]:
    """Public fields, properties and methods that recipekit's own classes give a class."""
    own = [base for base in cls.__mro__ if base.__module__.startswith("recipekit.")]
    names = {name for base in own for name in (*vars(base), *vars(base).get("__annotations__", {}))}
    return sorted(name for name in names if not name.startswith("_"))


def surface() -> str:
    """Every name with its signature; of a class its public members, too."""
    lines = []
    for name in recipekit.__all__:
        found = getattr(recipekit, name)
        if inspect.isclass(found):
            lines.append(f"class {name}: {', '.join(members(found))}")
        elif callable(found):
            lines.append(f"{name}{inspect.signature(found)}")
    return "\n".join(lines) + "\n"


def test_the_package_offers_what_its_api_does() -> None:
    assert [name for name in recipekit.__all__ if name != "__version__"] == api.__all__


def test_the_surface_is_the_recorded_one(update_goldens: bool) -> None:
    if update_goldens:
        GOLDEN.write_text(surface())
    assert surface() == GOLDEN.read_text()


@pytest.mark.parametrize("name", [name for name in recipekit.__all__ if not name.startswith("__")])
def test_every_name_says_what_it_is(name: str) -> None:
    found = getattr(recipekit, name)
    assert inspect.getdoc(found)
    for member, value in vars(found).items() if inspect.isclass(found) else ():
        if not member.startswith("_") and (inspect.isfunction(value) or isinstance(value, property)):
            assert inspect.getdoc(value), f"{name}.{member}"


def test_options_are_given_by_name_alone() -> None:
    for name in recipekit.__all__:
        found = getattr(recipekit, name)
        if inspect.isfunction(found):
            parameters = inspect.signature(found).parameters.values()
            with_default = [parameter for parameter in parameters if parameter.default is not parameter.empty]
            assert {parameter.kind for parameter in with_default} <= {inspect.Parameter.KEYWORD_ONLY}, name


def test_importing_it_imports_nothing_of_others() -> None:
    script = (
        "import sys; before = set(sys.modules); import recipekit; "
        "print(*sorted({name.partition('.')[0] for name in set(sys.modules) - before} - set(sys.stdlib_module_names)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["recipekit"]


def test_dir_names_what_is_not_imported_yet() -> None:
    assert set(recipekit.__all__) <= set(dir(recipekit))


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'convert'"):
        recipekit.convert  # noqa: B018


def test_no_function_has_the_name_of_a_module_that_would_take_its_place() -> None:
    package = Path(recipekit.__file__).parent
    modules = {path.stem for path in package.iterdir() if path.suffix == ".py" or path.is_dir()}
    assert not modules & set(recipekit.__all__)


def test_the_package_is_marked_as_typed() -> None:
    assert (Path(recipekit.__file__).parent / "py.typed").is_file()
