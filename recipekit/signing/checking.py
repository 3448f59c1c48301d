"""All signatures of an output against the keys that are trusted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from recipekit import manifest as manifests
from recipekit.errors import UsageError
from recipekit.outputs import Difference
from recipekit.signing import attestations, model_signature
from recipekit.signing.keys import PublicKey, load_public
from recipekit.signing.report import SignatureReport


class Trust(NamedTuple):
    """Whose signatures count, and whether there must be one.

    Attributes:
        keys: that are trusted; without one, signatures are only looked at for what they sign.
        required: whether an output without a signature by one of them is refused.
    """

    keys: tuple[PublicKey, ...] = ()
    required: bool = False


def read_trust(keys: Iterable[Path], *, required: bool) -> Trust:
    """Reads the public keys that somebody trusts.

    Args:
        keys: PEM files.
        required: whether an output without a signature by one of them is refused.

    Raises:
        UsageError: there is no key to check a required signature with, or one can't be used.
        EnvironmentFault: the extra `sign` isn't installed.
    """
    files = tuple(keys)
    if required and not files:
        raise UsageError(
            "a signature can't be required without a key to check it with",
            where="command line",
            fix="add --key pub.pem, the public key of whoever signs",
        )
    return Trust(tuple(map(load_public, files)), required)


class Signatures(NamedTuple):
    """What is wrong with an output's signatures, and what is known of the others."""

    differences: tuple[Difference, ...]
    reports: tuple[SignatureReport, ...]


def check_signatures(folder: Path, manifest: bytes, trust: Trust) -> Signatures:
    """Looks at every signature of an output.

    With a trusted key, each file of signatures must hold one that is proved by one of the keys.

    Args:
        folder: of the output; its files of signatures are regular ones.
        manifest: the bytes of its manifest, a valid one.
        trust: whose signatures count.

    Raises:
        EnvironmentFault: there is a key to check with, and a package for it is missing.
        OSError: a file can't be read.
    """
    found: list[Difference | SignatureReport] = []
    bundle = folder / manifests.ATTESTATIONS
    there = {name for name in manifests.SIGNATURES if (folder / name).is_file()}
    if manifests.ATTESTATIONS in there:
        found += attestations.check(bundle.read_bytes(), manifest, trust.keys)
    if manifests.MODEL_SIGNATURE in there:
        found += model_signature.check(folder, trust.keys)
    reports = tuple(entry for entry in found if isinstance(entry, SignatureReport))
    wrong = [entry for entry in found if isinstance(entry, Difference)]
    wrong += _unproved(there, reports, wrong, trust)
    return Signatures(tuple(wrong), reports)


def _unproved(
    there: set[str], reports: tuple[SignatureReport, ...], wrong: list[Difference], trust: Trust
) -> Iterator[Difference]:
    """Files of signatures that no trusted key has signed, where there is one and nothing worse was said."""
    wanted = " or ".join(f"the key {key.id}" for key in trust.keys)
    for name in sorted(there) if trust.keys else ():
        signers = [report for report in reports if report.file == name]
        if signers and not any(report.verified for report in signers):
            got = ", ".join(f"one by the key {report.key_id or '(unnamed)'}" for report in signers)
            yield Difference(place=name, problem="wrong key", expected=f"a signature by {wanted}", got=got)
        elif not signers and not any(difference.place.startswith(name) for difference in wrong):
            yield Difference(place=name, expected=f"a signature by {wanted}", got="none")
    if trust.required and not there:
        place = manifests.ATTESTATIONS
        yield Difference(place=place, problem="is missing", expected=f"a signature by {wanted}", got="nothing")
