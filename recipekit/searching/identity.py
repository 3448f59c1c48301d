"""What a study searches, stored in the study: whoever continues it must search the same."""

from __future__ import annotations

import secrets
from typing import Any

import msgspec
from optuna import Study

from recipekit.compose.searches import Search
from recipekit.contracts import Record
from recipekit.errors import UsageError
from recipekit.secrecy import redacted
from recipekit.studied import Direction

_ATTRIBUTE = "recipekit"


class Identity(Record, frozen=True, kw_only=True):
    """What may not change during a study; secrets are withheld.

    Attributes:
        objectives: metrics and which way they get better, in the order of a trial's values.
        parameters: what varies, by key, in words.
        fixed: the overrides that all trials share.
    """

    objectives: dict[str, Direction]
    parameters: dict[str, str]
    fixed: tuple[str, ...]

    @classmethod
    def of(cls, search: Search, objectives: dict[str, Direction]) -> Identity:
        """The identity of a search with these objectives."""
        parameters = {parameter.key: redacted(str(parameter)) for parameter in search.parameters}
        return cls(objectives=objectives, parameters=parameters, fixed=tuple(map(redacted, search.fixed)))


def identify(study: Study, identity: Identity, seed: int | None, shown: str) -> int:
    """Says what a new study searches; of one that is there, makes sure that it searches the same.

    Args:
        study: new or not.
        identity: of this search.
        seed: of the sampler; None for any.
        shown: the storage in words.

    Returns:
        The seed; where any will do, the one that the study began with.

    Raises:
        UsageError: the study searches something else, or is none of recipekit's.
    """
    if _ATTRIBUTE not in study.user_attrs and not study.get_trials(deepcopy=False):
        drawn = secrets.randbits(32) if seed is None else seed
        study.set_user_attr(_ATTRIBUTE, {**msgspec.to_builtins(identity), "seed": drawn})
    kept: dict[str, Any] = dict(study.user_attrs.get(_ATTRIBUTE, {}))
    first = kept.pop("seed", 0)
    difference = _difference(kept, identity)
    if difference:
        raise UsageError(
            f"the study '{study.study_name}' in {shown} {difference}",
            where="hydra.sweeper.study_name",
            fix="name another study, or search what this one does",
        )
    return int(first if seed is None else seed)


def _difference(kept: dict[str, Any], identity: Identity) -> str:
    """In which way a study differs from a search, in words; empty for none."""
    try:
        there = msgspec.convert(kept, Identity)
    except msgspec.ValidationError:
        return "was not made by recipekit"
    if list(there.objectives.items()) != list(identity.objectives.items()):
        return f"has other objectives: {_listed(there.objectives)} there, {_listed(identity.objectives)} here"
    for key in dict.fromkeys([*there.parameters, *identity.parameters]):
        one, other = there.parameters.get(key, "not varied"), identity.parameters.get(key, "not varied")
        if one != other:
            return f"searches another space: '{key}' is {one} there, {other} here"
    if there.fixed != identity.fixed:
        return (
            f"has other overrides: {' '.join(there.fixed) or 'none'} there, {' '.join(identity.fixed) or 'none'} here"
        )
    return ""


def _listed(objectives: dict[str, Direction]) -> str:
    return ", ".join(f"{metric}: {direction}" for metric, direction in objectives.items())
