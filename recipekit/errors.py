"""Every error recipekit raises on purpose: one tree, a stable id and an exit code for each class.

    RecipekitError
    ├── InternalError             RK100  1  a defect of recipekit
    ├── UsageError                RK101  2  the command line
    ├── ProjectError              RK102  2  the recipes folder or the project settings
    ├── InvalidRecipe             RK201  2  faults found by the schema and the cross rules, all at once
    ├── CompositionError          RK202  2  files that don't compose: missing, unreadable, not YAML
    ├── ForbiddenKey              RK203  2  keys that would let a recipe run code or read secrets
    ├── SourceError               RK301  5  the model source
    ├── SourceChanged             RK302  5  an input that changed while it was being used
    ├── UnsafeSource              RK303  5  a source that would run code and isn't allowed to
    ├── CustomLayerError          RK304  5  a custom layer that is missing or broken
    ├── InputMismatch             RK305  5  an input of a recorded build that is gone or has changed
    ├── DatasetError              RK311  5  samples that don't fit
    ├── PluginError               RK321  5  code of a plugin or of the project that failed
    ├── ConversionError           RK401  4  the converter refused
    ├── UnsupportedOp             RK402  4  operators that TensorFlow Lite lacks
    ├── OptimizationError         RK405  4  pruning, clustering or training that failed, or that the result doesn't keep
    ├── EvaluationError           RK411  4  the converted model could not be measured
    ├── StageDied                 RK421  4  a worker process ended in the middle of a stage
    ├── StageTimeout              RK422  4  a stage took longer than allowed
    ├── StageMemory               RK423  4  a stage needed more memory than allowed
    ├── StageProcesses            RK424  4  a stage started more processes than allowed
    ├── ChildLost                 RK425  4  a sweep's child whose process or node was lost, or that took too long
    ├── NotAccepted               RK501  3  a model that its recipe doesn't accept, where a program insists
    ├── OutputAltered             RK601  6  a published output that is no longer what its manifest says
    ├── EnvironmentFault          RK701  7  a package that is missing or too old
    └── OutputFault               RK702  7  outputs that can't be written or read

A stage that ends without an answer exits with the code of its own failures: 5 while it reads a source or data, else 4.

It must not import anything of recipekit: every other module may import this one.
"""

from __future__ import annotations

from typing import ClassVar


class RecipekitError(Exception):
    """An expected failure: what happened, where, and the fix.

    Attributes:
        id: stable identifier, `RK` and three digits; it never changes its meaning.
        exit_code: what the command line exits with, the code of the error's family.
        what: what happened, one sentence without the full stop.
        where: a file with its line, a key path, a sample or a stage; empty where it says nothing.
        fix: what the user can do about it; empty where nothing is known.
        log: the file that holds more; empty where there is none.
    """

    id: ClassVar[str] = "RK100"
    exit_code: int = 1

    def __init__(self, what: str, *, where: str = "", fix: str = "", log: str = "") -> None:
        what, where, fix = (text.encode(errors="backslashreplace").decode() for text in (what, where, fix))
        super().__init__(what)
        self.what = what  # names that a damaged file gives may hold half characters, which no file can take
        self.where = where
        self.fix = fix
        self.log = log

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        cure = f"\n  fix: {self.fix}" if self.fix else ""
        more = f"\n  log: {self.log}" if self.log else ""
        return f"{place}{self.what}{cure}{more}"


class InternalError(RecipekitError):
    """A defect of recipekit itself."""


class UsageError(RecipekitError):
    """The command line asks for something that doesn't exist or doesn't fit."""

    id = "RK101"
    exit_code = 2


class ProjectError(RecipekitError):
    """The recipes folder or the project settings can't be used."""

    id = "RK102"
    exit_code = 2


class InvalidRecipe(RecipekitError):
    """A composed recipe breaks the schema or a cross rule.

    `what` lists every fault, a line each.
    """

    id = "RK201"
    exit_code = 2


class CompositionError(RecipekitError):
    """The recipe's files don't compose: one is missing, unreadable or not YAML."""

    id = "RK202"
    exit_code = 2


class ForbiddenKey(RecipekitError):
    """A recipe holds a key that would let it run code or read secrets."""

    id = "RK203"
    exit_code = 2


class SourceError(RecipekitError):
    """The model source is missing, unreadable, or not what its kind says."""

    id = "RK301"
    exit_code = 5


class SourceChanged(RecipekitError):
    """An input had another digest after the run than before it."""

    id = "RK302"
    exit_code = 5


class UnsafeSource(RecipekitError):
    """Loading the source would run code that it carries, and the recipe doesn't allow that."""

    id = "RK303"
    exit_code = 5


class CustomLayerError(RecipekitError):
    """A custom layer is missing or can't be rebuilt, or what replaces a layer or an operator isn't its equal."""

    id = "RK304"
    exit_code = 5


class InputMismatch(RecipekitError):
    """An input of a recorded build is gone or has changed, so the build can't be carried out again."""

    id = "RK305"
    exit_code = 5


class DatasetError(RecipekitError):
    """A dataset is empty, short, or holds a sample that doesn't fit the model."""

    id = "RK311"
    exit_code = 5


class PluginError(RecipekitError):
    """Code of a plugin or of the project raised, exited, or isn't what its name promises."""

    id = "RK321"
    exit_code = 5


class ConversionError(RecipekitError):
    """The converter refused the model."""

    id = "RK401"
    exit_code = 4


class UnsupportedOp(RecipekitError):
    """The model uses operators that the chosen op sets lack."""

    id = "RK402"
    exit_code = 4


class OptimizationError(RecipekitError):
    """The model can't be pruned, clustered or trained as asked, or the result doesn't keep what was promised."""

    id = "RK405"
    exit_code = 4


class EvaluationError(RecipekitError):
    """The converted model can't be run, or what it computes can't be compared."""

    id = "RK411"
    exit_code = 4


class StageDied(RecipekitError):
    """A worker process ended in the middle of a stage."""

    id = "RK421"
    exit_code = 4


class StageTimeout(RecipekitError):
    """A stage took longer than its limit and its worker was ended."""

    id = "RK422"
    exit_code = 4


class StageMemory(RecipekitError):
    """A stage used more memory than its limit and its worker was ended."""

    id = "RK423"
    exit_code = 4


class StageProcesses(RecipekitError):
    """A stage started more processes than its limit and its worker was ended with all of them."""

    id = "RK424"
    exit_code = 4


class ChildLost(RecipekitError):
    """A child of a sweep whose process was killed, whose node was lost, or that took longer than its limit."""

    id = "RK425"
    exit_code = 4


class NotAccepted(RecipekitError):
    """A program insists on an accepted model, and the recipe's bounds reject this one or couldn't be judged."""

    id = "RK501"
    exit_code = 3


class OutputAltered(RecipekitError):
    """A published output differs from its manifest."""

    id = "RK601"
    exit_code = 6


class EnvironmentFault(RecipekitError):
    """The environment lacks a package, or has one below its floor."""

    id = "RK701"
    exit_code = 7


class OutputFault(RecipekitError):
    """An output or a work folder can't be written or read."""

    id = "RK702"
    exit_code = 7


def by_id() -> dict[str, type[RecipekitError]]:
    """Every error class by its id, as needed to rebuild an error that crossed a process boundary."""
    return {cls.id: cls for cls in RecipekitError.__subclasses__()}


def first_line(error: BaseException) -> str:
    """The first line of what an exception says; libraries write pages behind it."""
    return str(error).strip().partition("\n")[0]


def in_a_line(error: BaseException) -> str:
    """A library's exception for a sentence: its class, and the first line of what it says."""
    return f"{type(error).__name__}: {first_line(error)}"
