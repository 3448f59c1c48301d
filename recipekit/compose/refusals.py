"""What Hydra and OmegaConf refuse, said in recipekit's errors: what is wrong, where, and what to write instead."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from hydra.core.global_hydra import GlobalHydra
from hydra.core.object_type import ObjectType
from hydra.errors import HydraException, MissingConfigException
from omegaconf.errors import OmegaConfBaseException

from recipekit.compose.folders import recipe_files, shown, user_groups
from recipekit.compose.reach import GROUPS
from recipekit.compose.session import hydra_for
from recipekit.errors import CompositionError, RecipekitError, UsageError
from recipekit.language import children, place
from recipekit.nearest import did_you_mean
from recipekit.project import Project


@contextmanager
def hydra_errors(project: Project) -> Iterator[None]:
    """Turns what Hydra and OmegaConf raise while composing into recipekit's errors."""
    try:
        yield
    except RecipekitError:
        raise
    except MissingConfigException as error:
        raise _missing(error, project) from error
    except (HydraException, OmegaConfBaseException) as error:
        raise recipekit_cause(error) or _not_composable(str(error) or str(error.__context__), project) from error


def recipekit_cause(error: BaseException | None) -> RecipekitError | None:
    """The error of ours that a library wrapped in its own, if there is one."""
    while error is not None and not isinstance(error, RecipekitError):
        error = error.__cause__ or error.__context__
    return error


def _missing(error: MissingConfigException, project: Project) -> RecipekitError:
    missing = (error.missing_cfg_file or "").removesuffix(".yaml")
    group, _, option = missing.rpartition("/")
    if not group or not option:
        return _not_composable(str(error), project)
    with hydra_for(project):
        loader = GlobalHydra.instance().config_loader()
        options = sorted(loader.get_group_options(group, results_filter=ObjectType.CONFIG))
    known = ["recipe", *GROUPS, *user_groups(project)]
    if not options and group not in known:
        what, fix = f"there is no group '{group}'{did_you_mean(group, known)}", f"use one of {', '.join(GROUPS)}"
    else:
        kind = "recipe" if group == "recipe" else f"option of '{group}'"
        what = f"there is no {kind} '{option}'{did_you_mean(option, options)}"
        fix = f"use one of {', '.join(options)}" if options else f"add the file {option}.yaml"
    return UsageError(what, where=_who_chose(group, option, project), fix=fix)


def _who_chose(group: str, option: str, project: Project) -> str:
    """The first line of the project's recipes that chooses an option, or the command line where none does."""
    choice = re.compile(
        rf"/{re.escape(group)}\s*:.*\b{re.escape(option)}\b" if group != "recipe" else rf"-\s*{re.escape(option)}\s*$"
    )
    for path in recipe_files(project).values():
        for number, line in enumerate(path.read_text(encoding="utf-8-sig", errors="replace").splitlines(), start=1):
            if choice.search(line):
                return f"{shown(path, project)}:{number}"
    return "command line"


def _not_composable(message: str, project: Project) -> RecipekitError:
    text = " ".join(message.split())
    if "You must specify 'recipe'" in text:
        return no_recipe(project, ())
    swept = re.match(r"(Ambiguous value for argument|Sweep parameters) '(.*?)'( requires|:? 1\.)", text)
    if swept:
        argument = swept[2]
        return UsageError(
            f"'{argument.lstrip('+')}' stands for several values", where="command line", fix="add -m to sweep over them"
        )
    if text.startswith(("Could not override", "Could not append", "Could not delete")):
        fix = "see the keys of the recipe with `recipekit show`"
        return UsageError(f"{text}{_nearest_key(text)}", where="command line", fix=fix)
    return CompositionError(text, where=str(project.recipes))


def _nearest_key(text: str) -> str:
    """The key of the language that was probably meant by the one that a text of Hydra's quotes."""
    quoted = re.search(r"'([\w.]+)'", text)
    *above, last = quoted[1].split(".") if quoted else [""]
    return did_you_mean(last, children(place(above)))


def no_recipe(project: Project, keys: Iterable[str]) -> UsageError:
    """The error that no recipe is chosen; a key such as `recpe` is taken for a mistyped one."""
    names = list(recipe_files(project))
    near = next(filter(None, (did_you_mean(key, ["recipe"]) for key in keys)), "")
    fix = f"add recipe=NAME, with one of {', '.join(names)}" if names else f"put a recipe into {project.recipes}"
    return UsageError(f"no recipe is chosen{near}", where="command line", fix=fix)
