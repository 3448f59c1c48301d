"""OpenSSF Model Signing: one signature over every file of an output, made and checked by the package of that name.

The file is a Sigstore bundle with a DSSE envelope; see https://github.com/sigstore/model-transparency. The package
looks at every file again, so that a signature stands for the folder and not for a digest that somebody noted down.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from recipekit import digests
from recipekit import manifest as manifests
from recipekit.errors import OutputAltered
from recipekit.outputs import Difference
from recipekit.signing import envelope
from recipekit.signing.keys import PrivateKey, PublicKey
from recipekit.signing.packages import of_extra
from recipekit.signing.report import SignatureReport

_USER = "an OpenSSF model signature"


def require_package() -> None:
    """Makes sure that signing will be possible, before anything is written.

    Raises:
        EnvironmentFault: the extra `oms` isn't installed.
    """
    with of_extra("oms", _USER):
        import model_signing  # noqa: F401, PLC0415


def sign(folder: Path, key: PrivateKey) -> bytes:
    """The signature over all of a folder's files but `model.sig` itself.

    Raises:
        EnvironmentFault: the extra `oms` isn't installed.
        OutputAltered: the folder holds what can't be signed.
    """
    with of_extra("oms", _USER):
        from model_signing import hashing, signing  # noqa: PLC0415
    password: Any = key.passphrase.encode() if key.passphrase is not None else None
    signer = signing.Config().use_elliptic_key_signer(private_key=key.path, password=password)
    signer.set_hashing_config(
        hashing.Config().set_ignored_paths(paths=[manifests.MODEL_SIGNATURE], ignore_git_paths=False)
    )
    with TemporaryDirectory() as elsewhere:
        signature = Path(elsewhere, manifests.MODEL_SIGNATURE)
        try:
            signer.sign(folder, signature)
        except ValueError as error:
            raise OutputAltered(f"can't be signed: {error}", where=str(folder)) from error
        return signature.read_bytes()


def check(folder: Path, keys: Iterable[PublicKey]) -> Iterator[Difference | SignatureReport]:
    """What is wrong with `model.sig`, or what is known of the key that made it.

    Args:
        folder: of the output.
        keys: that are trusted; without one the signature can't be checked.

    Raises:
        EnvironmentFault: there is a key to check with, and the extra `oms` isn't installed.
    """
    place = manifests.MODEL_SIGNATURE
    try:
        hint = _key_hint((folder / place).read_bytes())
    except (ValueError, RecursionError) as error:
        yield Difference(place=place, problem=f"is no OpenSSF model signature: {error}")
        return
    trusted = {digests.of_bytes(key.pem): key for key in keys}  # as the package names a key
    key = trusted.get(hint)
    if key is None:
        yield SignatureReport.of(place, f"pem:{hint}", verified=False, keys=trusted)
        return
    with of_extra("oms", _USER):
        from model_signing import verifying  # noqa: PLC0415
    try:
        with TemporaryDirectory() as elsewhere:
            pem = Path(elsewhere, "key.pem")
            pem.write_bytes(key.pem)
            verifying.Config().use_elliptic_key_verifier(public_key=pem).verify(folder, folder / place)
    except Exception as error:  # noqa: BLE001  the package raises whatever its libraries do
        reason = str(error).replace("\n", " ") or type(error).__name__
        yield Difference(place=place, problem=f"bad signature by the key {key.id}: {reason}")
    else:
        yield SignatureReport.of(place, key.id, verified=True, keys=trusted)


def _key_hint(data: bytes) -> str:
    """What a signature says about its key; the envelope in it is read, too, since the package reads it less strictly.

    Raises:
        ValueError, RecursionError: the data is no such signature.
    """
    document = envelope.one_value(data)
    try:
        envelope.read(document["dsseEnvelope"])
        hint = document["verificationMaterial"]["publicKey"]["hint"]
    except (KeyError, TypeError) as error:
        raise ValueError(f"it lacks {error}") from error
    if not isinstance(hint, str):
        raise ValueError("its key has no name")  # noqa: TRY004
    return hint
