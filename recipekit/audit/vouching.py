"""Vouching for an output: whoever signs stands for all of it, so all of it is looked at first."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from recipekit.audit.recorded_summary import is_sweep
from recipekit.audit.verification import verify_output
from recipekit.errors import OutputAltered, UsageError
from recipekit.outputs import SharedOutputs
from recipekit.project import Project
from recipekit.signing.keys import PrivateKey
from recipekit.signing.signer import sign_output
from recipekit.sweeps import is_unfinished


class Vouched(NamedTuple):
    """What became of an output that was to be signed.

    Attributes:
        key: the key's id.
        files: names of the files that were written; none where the key's signatures were there already.
        is_shared: whether the output in the project's shared place has the signatures, too.
    """

    key: str
    files: tuple[str, ...]
    is_shared: bool


def require_output(folder: Path, shown: str) -> None:
    """Refuses what can't be signed whatever it holds.

    Args:
        folder: that somebody asked to sign.
        shown: how messages name it.

    Raises:
        UsageError: it is a sweep's.
    """
    if is_sweep(folder) or is_unfinished(folder):
        raise UsageError("is a sweep, which has no manifest", where=shown, fix="name its children's outputs")


def vouch(folder: Path, key: PrivateKey, project: Project | None, *, model: bool, shown: str) -> Vouched:
    """Verifies an output and signs it, here and in the project's shared place.

    Args:
        folder: the output's.
        key: that vouches for it.
        project: whose shared place is meant; None for none.
        model: whether to write an OpenSSF model signature over all files, too.
        shown: how messages name the folder.

    Raises:
        OutputAltered: it isn't what it says.
        UsageError: a model signature is in the way.
        EnvironmentFault: an extra isn't installed.
        OutputFault: the file system refused.
    """
    if found := verify_output(folder).differences:
        lines = "\n  ".join(["differs from what it says, and isn't signed:", *map(str, found)])
        raise OutputAltered(lines, where=shown, fix="fetch or build it anew, then sign it")
    files = sign_output(folder, key, model=model)
    return Vouched(key.public.id, files, project is not None and SharedOutputs.of(project).share_signatures(folder))
