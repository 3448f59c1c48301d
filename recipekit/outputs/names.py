"""What the folders of outputs and sweeps are called: `<name>/<version>/<key>`, `<name>/latest`, `sweeps/<id>`."""

from __future__ import annotations

LATEST = "latest"
"""The link to the accepted output of a name that was finished last."""

KEY = r"[0-9a-f]{12}"
"""Pattern of the name of an output's folder."""

SWEEP_ID = r"[0-9]{8}-[0-9]{6}-[0-9a-f]{4}"
"""Pattern of the id of a sweep, which is the name of its folder."""


def short_key(build_key: str) -> str:
    """The name of an output's folder: the first twelve digits of its build key."""
    return build_key[:12]
