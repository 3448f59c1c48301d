"""What looks like a secret in a text: keys and tokens of known forms, and values that are called a secret.

It errs on the side of finding one, since what it finds is left out of a record and not destroyed. It knows nothing of
where a text comes from.
"""

from __future__ import annotations

import re

_PATTERNS = {
    "a private key": r"-----BEGIN [A-Z ]*PRIVATE KEY( BLOCK)?-----",
    "an AWS access key": r"\b(AKIA|ASIA)[0-9A-Z]{16}\b",
    "a GitHub token": r"\b(gh[pousr]_[A-Za-z0-9]{36,}|github_pat_\w{22,})",
    "a GitLab token": r"\bglpat-[\w-]{20,}",
    "a Hugging Face token": r"\bhf_[A-Za-z0-9]{30,}",
    "a Slack token": r"\bxox[abeoprs]-[\w-]{10,}",
    "a Google API key": r"\bAIza[\w-]{35}",
    "a package index token": r"\bpypi-[\w-]{50,}",
    "a JSON web token": r"\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.",
    "a password in a URL": r"://[^/\s:@]*:[^/\s:@]+@",
    "a password": r"(?i)(password|passwd|passphrase|secret)\w*['\"]?\s*[:=]\s*['\"]?[^\s'\"(){}<$]{6,}(?![\w(.])",
    "a key or token": r"(?i)(token|api_?key|access_?key|credential)s?['\"]?\s*[:=]\s*['\"]?(?=\S*\d)[\w+/=-]{16,}",
}
_COMPILED = {name: re.compile(pattern) for name, pattern in _PATTERNS.items()}


def find_secret(text: str) -> str | None:
    """What the first thing in a text that looks like a secret seems to be; None where nothing does."""
    return next((name for name, pattern in _COMPILED.items() if pattern.search(text)), None)
