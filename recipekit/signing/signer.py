"""Signing a published output: nothing in it changes but its files of signatures, each in one step."""

from __future__ import annotations

from pathlib import Path

from recipekit import fsio
from recipekit import manifest as manifests
from recipekit.errors import OutputAltered, UsageError
from recipekit.signing import attestations, model_signature
from recipekit.signing.keys import PrivateKey
from recipekit.signing.report import SignatureReport


def sign_output(folder: Path, key: PrivateKey, *, model: bool = False) -> tuple[str, ...]:
    """Signs an output's manifest and verdict, and on demand all its files.

    An envelope of another key stays; a model signature, which is one key's alone, gives way.

    Args:
        folder: of an output that is whole, as its caller has made sure.
        key: that vouches for it.
        model: whether to write an OpenSSF model signature, too.

    Returns:
        Names of the files that were written; none where the key's signatures are there already.

    Raises:
        UsageError: a model signature covers the bundle, which is about to change, and no new one is asked for.
        OutputAltered: the output can't be read, or its bundle is none.
        EnvironmentFault: an extra isn't installed.
        OutputFault: the file system refused.
    """
    if model:
        model_signature.require_package()
    with fsio.reported(folder), fsio.held(folder) as descriptor:
        manifests.read(folder)
        manifest = (folder / manifests.FILE).read_bytes()
        bundle = folder / manifests.ATTESTATIONS
        before = bundle.read_bytes() if bundle.is_file() else b""
        try:
            after = attestations.signed(before, manifest, key)
        except ValueError as error:
            fix = "remove the file if it isn't yours, and sign again"
            raise OutputAltered(f"is no bundle of DSSE envelopes: {error}", where=str(bundle), fix=fix) from error
        signature = folder / manifests.MODEL_SIGNATURE
        if after != before and signature.exists():
            if not model:
                fix = "add --oms, so that it is made anew; its key gives way to yours"
                raise UsageError(
                    "covers the attestations, which another signature would change", where=str(signature), fix=fix
                )
            fsio.remove_file(signature)  # it would be wrong from the next step on
        if after != before:
            fsio.replace_file(folder, descriptor, manifests.ATTESTATIONS, after)
        if model and not _is_signed(folder, key):
            fsio.replace_file(folder, descriptor, manifests.MODEL_SIGNATURE, model_signature.sign(folder, key))
            return (*((manifests.ATTESTATIONS,) if after != before else ()), manifests.MODEL_SIGNATURE)
    return (manifests.ATTESTATIONS,) if after != before else ()


def _is_signed(folder: Path, key: PrivateKey) -> bool:
    """Whether the model signature is there, and the key's, and right."""
    if not (folder / manifests.MODEL_SIGNATURE).exists():
        return False
    found = list(model_signature.check(folder, [key.public]))
    return all(isinstance(entry, SignatureReport) and entry.verified for entry in found)
