"""What looks like a secret: found in a text or a recipe, named by its kind and place, and never shown.

The forms are those that providers publish so that scanners can find them, credentials in URLs, private keys, and values
that stand beside a name such as `password`. It must not import anything of recipekit, so that everything that writes or
prints may ask it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

WITHHELD = "[withheld]"
"""What stands in a text in the place of a secret."""

_FORMS = {
    "an AWS access key": r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b",
    "a GitHub token": r"\b(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{22,})",
    "a GitLab token": r"\bglpat-[A-Za-z0-9_-]{20,}",
    "a Hugging Face token": r"\bhf_[A-Za-z0-9]{30,}",
    "a Google API key": r"\bAIza[0-9A-Za-z_-]{35}",
    "a Slack token": r"\bxox[abeoprs]-[A-Za-z0-9-]{10,}",
    "a Stripe key": r"\b[rs]k_live_[A-Za-z0-9]{16,}",
    "a key of an API": r"\bsk-(?:[a-z]+-)*[A-Za-z0-9_-]{32,}",
    "a PyPI token": r"\bpypi-[A-Za-z0-9_-]{50,}",
    "a JSON web token": r"\beyJ[A-Za-z0-9_-]{10,300}\.eyJ[A-Za-z0-9_-]{10,2000}\.[A-Za-z0-9_-]*",
    "a private key": r"-----BEGIN [A-Z ]{0,20}PRIVATE KEY[A-Z ]{0,9}-----(?:[^-]{0,20000}-----END [A-Z ]{0,40}-----)?",
    "credentials in a URL": r"\b[A-Za-z][A-Za-z0-9+.-]{0,30}://(?:[^\s/:@\"']*:[^\s/@\"']+|(?<=http://|ttps://)[^\s/:@\"']+)@",
    "an authorization header": r"\b(?i:authorization[\"']?\s*[:=]\s*[\"']?(?:bearer|basic|token))\s+[^\s\"']+",
}
_KNOWN = "(?s)" + "|".join(f"(?P<f{at}>{form})" for at, form in enumerate(_FORMS.values()))
"""All of them. Patterns are texts, which `re` compiles where one is first looked for: few commands do, all are here."""

_KINDS = {f"f{at}": kind for at, kind in enumerate(_FORMS)}

_NAME = (
    r"(?:pass(?:word|wd|phrase)s?|secrets?|credentials?|api_?keys?"
    r"|(?:access|private|secret|account|auth|signing|encryption)_?keys?(?:_id)?"
    r"|(?:access|auth|api|bearer)?token)"
)
"""Names of settings whose value is a secret. A bare `key` isn't, nor are a tokenizer's `pad_token` and its like."""

_SECRET_NAME = rf"(?i)(?:\w+[_.-])??{_NAME}"
_OF_TOKENIZERS = r"(?i)(?:pad|unk|unknown|bos|eos|cls|sep|mask|start|end|first|last|max|num|blank|oov|special)_?token"
_ASSIGNED = (
    rf"(?i)(?<![\w.-])(?P<name>[\w.-]{{0,80}}?\b(?:\w{{1,40}}_)?{_NAME})"
    r"(?P<sign>\"?\s*[=:]\s*)(?P<value>\"[^\"\n]*\"|'[^'\n]*'|[^\s,;&)}\]\"']+)"
)
_LITERAL = r"(?=.*[0-9])(?=.*[A-Za-z])[A-Za-z0-9+/_.=~!@#$%^&*-]{12,}"
"""A value beside such a name in any text, such as source code, which also assigns what functions return."""

_WITHHELD_VARIABLE = (
    r"(?:TOKEN|SECRET|PASSWORD|PASSWD|PASSPHRASE|CREDENTIAL|KEY)S?(?:_ID)?$"
    r"|(?:^|_)(?:SECRET|PASSWORD|CREDENTIALS?|TOKEN)_|_PWD$"
)
_NAMES_A_FILE = {"GOOGLE_APPLICATION_CREDENTIALS"}
_SHORTEST = 6
"""Length of the shortest value of a variable that is looked for; shorter ones stand in any text."""

Path = tuple[str | int, ...]


class Finding(NamedTuple):
    """Something that looks like a secret.

    Attributes:
        kind: what it looks like, such as `an AWS access key`.
        line: of a text, from 1.
        column: of a text, from 1.
    """

    kind: str
    line: int
    column: int


class Suspect(NamedTuple):
    """A value of a recipe that looks like a secret: the keys that lead to it, and what it looks like."""

    path: Path
    kind: str


def findings(text: str) -> Iterator[Finding]:
    """What looks like a secret in a text of any kind, such as a diff, a log or a JSON file; in no order."""
    for match in re.finditer(_KNOWN, text):
        yield _found(_KINDS[match.lastgroup or ""], text, match.start())
    for match in re.finditer(_ASSIGNED, text):
        if not re.fullmatch(_OF_TOKENIZERS, _last(match["name"])) and _is_literal(match["value"]):
            yield _found(f"the value of '{_last(match['name'])}'", text, match.start("value"))


def suspects(value: Any, variables: Mapping[str, str] = os.environ) -> Iterator[Suspect]:
    """What looks like a secret in a recipe's data, keys included.

    Args:
        value: JSON-like data.
        variables: an environment; the values of its secret variables are looked for, too.
    """
    return _suspects(value, secret_variables(variables), ())


def redacted(text: str, variables: Mapping[str, str] = os.environ) -> str:
    """A text with each secret withheld: known forms, what is assigned to a secret's name, and values of variables."""
    for value in sorted(secret_variables(variables).values(), key=len, reverse=True):
        text = text.replace(value, WITHHELD)
    return re.sub(_ASSIGNED, _withheld, re.sub(_KNOWN, WITHHELD, text))


@lru_cache(maxsize=1024)
def is_secret_name(key: str) -> bool:
    """Whether what stands under a key must be a secret."""
    return re.fullmatch(_SECRET_NAME, key) is not None and re.fullmatch(_OF_TOKENIZERS, key) is None


@lru_cache(maxsize=1024)
def is_secret_variable(name: str) -> bool:
    """Whether an environment variable holds a secret, by its name."""
    return re.search(_WITHHELD_VARIABLE, name.upper()) is not None and name not in _NAMES_A_FILE


def secret_variables(variables: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The secret variables of an environment whose values can be told from other words."""
    return {
        name: value
        for name, value in variables.items()
        if is_secret_variable(name)
        and len(value) >= _SHORTEST
        and not (value.isalpha() and name.upper().endswith(("KEY", "KEYS")))  # the name of a column, say
    }


def _suspects(value: Any, secrets: Mapping[str, str], path: Path) -> Iterator[Suspect]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from (Suspect(path, f"{kind} as a key") for kind in _kinds(str(key), secrets))
            if isinstance(item, str) and item and is_secret_name(str(key)):
                yield Suspect((*path, key), f"a secret by its name '{key}'")
            else:
                yield from _suspects(item, secrets, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _suspects(item, secrets, (*path, index))
    elif isinstance(value, str):
        yield from (Suspect(path, kind) for kind in _kinds(value, secrets))


def _kinds(text: str, secrets: Mapping[str, str]) -> Iterator[str]:
    yield from _known_kinds(text)
    for name, value in secrets.items():
        if value in text:
            yield f"the value of the environment variable '{name}'"


@lru_cache(maxsize=1024)
def _known_kinds(text: str) -> tuple[str, ...]:
    """Known forms of secrets in a key or value; the recipes of a sweep have most of theirs in common."""
    return tuple(_KINDS[match.lastgroup or ""] for match in re.finditer(_KNOWN, text))


def _found(kind: str, text: str, at: int) -> Finding:
    return Finding(kind, text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at))


def _is_literal(value: str) -> bool:
    return re.fullmatch(_LITERAL, value.strip("\"'")) is not None


def _last(name: str) -> str:
    return name.rpartition(".")[2]


def _withheld(match: re.Match[str]) -> str:
    code = match["sign"].endswith("= ") and not _is_literal(match["value"])
    if code or re.fullmatch(_OF_TOKENIZERS, _last(match["name"])) or WITHHELD in match["value"]:
        return match[0]
    return f"{match['name']}{match['sign']}{WITHHELD}"
