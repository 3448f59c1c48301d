"""One line of a diagnosis."""

from __future__ import annotations

from typing import Literal

from recipekit.contracts import Record
from recipekit.errors import RecipekitError


class Finding(Record, frozen=True, kw_only=True):
    """What was looked at and how it stands.

    Attributes:
        topic: what was looked at.
        state: `ok`, `warning` for what may do harm or needs a word in the recipe, `fault` for what will fail.
        text: what was found, one sentence without the full stop.
        fix: what to do; empty where nothing is to be done.
        exit_code: of a fault, the code that a run would end with; else 0.
    """

    topic: str
    state: Literal["ok", "warning", "fault"]
    text: str
    fix: str = ""
    exit_code: int = 0


def ok(topic: str, text: str) -> Finding:
    """Nothing to be done."""
    return Finding(topic=topic, state="ok", text=text)


def warning(topic: str, text: str, fix: str) -> Finding:
    """Something to know or to say."""
    return Finding(topic=topic, state="warning", text=text, fix=fix)


def fault(topic: str, text: str, fix: str, exit_code: int) -> Finding:
    """Something that will fail."""
    return Finding(topic=topic, state="fault", text=text, fix=fix, exit_code=exit_code)


def of_error(topic: str, error: RecipekitError) -> Finding:
    """An expected error as a finding."""
    text = f"{error.where}: {error.what}" if error.where and error.where != topic else error.what
    return fault(topic, text, error.fix, error.exit_code)
