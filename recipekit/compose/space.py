"""What a search varies, in Hydra's language of overrides: choices, ranges and intervals.

Hydra's own sweeper takes what can be listed. A search also takes `interval(a, b)`, and reads the tag `log`. How values
are picked is nothing that this module knows.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from decimal import Decimal
from typing import NamedTuple

from hydra.core.override_parser.types import IntervalSweep, Override, RangeSweep

from recipekit.errors import UsageError
from recipekit.nearest import did_you_mean

_TAGS = ("log",)
Value = str | int | float


class Choice(NamedTuple):
    """A key or group that takes one of several values.

    Attributes:
        key: as the study names it, without a prefix of Hydra's.
        element: as a row names it.
        texts: the values as an override spells them, in the order of the command line.
    """

    key: str
    element: str
    texts: tuple[str, ...]

    @property
    def size(self) -> int | None:
        """How many values there are."""
        return len(self.texts)

    @property
    def corner(self) -> tuple[Value, ...]:
        """Values to try whether they compose: each of them."""
        return self.texts

    def text(self, value: Value) -> str:
        """A value as an override spells it."""
        return str(value)

    def __str__(self) -> str:
        return f"choice({', '.join(self.texts)})"


class Numbers(NamedTuple):
    """A key that takes a number between two bounds, both of which belong to it.

    Attributes:
        key: as the study names it, without a prefix of Hydra's.
        element: as a row names it.
        low: the least value; whole numbers where it is an `int`.
        high: the greatest value.
        step: between two values; None for floats that take any.
        log: whether small values are as far from each other as great ones, by their ratio.
    """

    key: str
    element: str
    low: float
    high: float
    step: float | None
    log: bool

    @property
    def whole(self) -> bool:
        """Whether the values are whole numbers."""
        return isinstance(self.low, int)

    @property
    def size(self) -> int | None:
        """How many values there are; None where they can't be counted."""
        return None if self.step is None else round((self.high - self.low) / self.step) + 1

    @property
    def corner(self) -> tuple[Value, ...]:
        """A value to try whether it composes."""
        return (self.low,)

    def text(self, value: Value) -> str:
        """A value as an override spells it."""
        if self.whole or self.step is None:
            return repr(value)
        return repr(_stepped(self.low, round((float(value) - self.low) / self.step), self.step))

    def __str__(self) -> str:
        step = "" if self.step is None else f" by {self.step:g}"
        return f"{self.low:g} to {self.high:g}{step}{', log' if self.log else ''}"


Parameter = Choice | Numbers


def read_space(overrides: Iterable[Override]) -> list[Parameter | str]:
    """The rows of a search: what stays the same as the text of an override, and what varies as a parameter.

    Args:
        overrides: the sweep's; of several for the same key the last one counts, at the place of the first.

    Raises:
        UsageError: one of them stands for no values, or nothing varies.
    """
    found: dict[str, Parameter | str] = {}
    for override in overrides:
        element = override.get_key_element()
        varies = override.is_sweep_override()
        found[element] = _parameter(override) if varies else f"{element}={override.get_value_element_as_str()}"
    if all(isinstance(it, str) for it in found.values()):
        raise UsageError(
            "there is nothing to search: no override stands for several values",
            where="command line",
            fix="add one such as converter=int8,float16 or 'seed=int(interval(1, 9))', or hydra.sweeper.params",
        )
    return list(found.values())


def _parameter(override: Override) -> Parameter:
    value, element = override.value(), override.get_key_element()
    tags = set(getattr(value, "tags", ()))
    unknown = sorted(tags.difference(_TAGS))
    if unknown:
        raise _refused(override, f"the tag '{unknown[0]}' has no meaning{did_you_mean(unknown[0], _TAGS)}")
    key, log = element.lstrip("+"), "log" in tags
    if isinstance(value, IntervalSweep):
        low, high = value.start, value.end
        assert low is not None  # for type checkers: Hydra's parser wants both
        assert high is not None
        step = 1 if isinstance(low, int) else None
        return _checked(Numbers(key, element, low, high, step, log), override)
    if isinstance(value, RangeSweep):
        count = len(list(value.range()))
        if not count:
            raise _refused(override, "it holds no value")
        assert value.start is not None  # for type checkers: Hydra's parser wants it
        low, high = sorted((_stepped(value.start, 0, value.step), _stepped(value.start, count - 1, value.step)))
        return _checked(Numbers(key, element, low, high, abs(value.step), log), override)
    texts = tuple(dict.fromkeys(override.sweep_string_iterator()))
    if log:
        raise _refused(override, "the tag 'log' is for numbers between two bounds")
    if not texts:
        raise _refused(override, "it holds no value")
    return Choice(key, element, texts)


def _stepped(start: float, steps: int, step: float) -> float:
    """A value so many steps from another one, in decimal fractions: 0.1 and twice 0.1 is 0.3."""
    if isinstance(start, int) and isinstance(step, int):
        return start + steps * step
    return float(Decimal(repr(start)) + steps * Decimal(repr(step)))


def _checked(numbers: Numbers, override: Override) -> Numbers:
    if not (math.isfinite(numbers.low) and math.isfinite(numbers.high) and numbers.low <= numbers.high):
        raise _refused(override, "its first bound must be a number no greater than its second")
    if numbers.log and numbers.low <= 0:
        raise _refused(override, "the tag 'log' needs bounds above 0")
    if numbers.log and numbers.step not in {None, 1}:
        raise _refused(override, "the tag 'log' allows no steps")
    if numbers.log and numbers.step is not None and not numbers.whole:
        raise _refused(override, "the tag 'log' allows no steps")
    return numbers


def _refused(override: Override, why: str) -> UsageError:
    return UsageError(
        f"'{(override.input_line or '').lstrip('+')}' can't be searched: {why}",
        where="search",
        fix="write a,b,c or choice(a, b), range(from, to, step), interval(from, to), int(interval(from, to)), "
        "or tag(log, interval(from, to))",
    )
