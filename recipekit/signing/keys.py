"""Keys of a user's own: read from PEM files, named by a digest, refused where not every verifier takes them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from recipekit import digests
from recipekit.errors import UsageError
from recipekit.signing.packages import of_extra

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePrivateKey, EllipticCurvePublicKey

CURVES = {"secp256r1": "P-256", "secp384r1": "P-384"}
"""Supported curves, OpenSSL's name to NIST's: what DSSE verifiers and OpenSSF Model Signing both take."""

_SUPPORTED = f"use an EC key of {' or '.join(CURVES.values())}: openssl ecparam -name prime256v1 -genkey -noout"
_USER = "a signature"


class PublicKey(NamedTuple):
    """What a signature is checked with.

    Attributes:
        id: SHA-256 of the key's DER form (SubjectPublicKeyInfo), in hex.
        key: the library's.
    """

    id: str
    key: EllipticCurvePublicKey

    @property
    def pem(self) -> bytes:
        """The key's PEM form."""
        from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat  # noqa: PLC0415  of an extra

        return self.key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    def signed(self, message: bytes, signature: bytes) -> bool:
        """Whether a signature over a message is this key's."""
        from cryptography.exceptions import InvalidSignature  # noqa: PLC0415  of an extra

        try:
            self.key.verify(signature, message, _algorithm(self.key))
        except InvalidSignature:
            return False
        return True


class PrivateKey(NamedTuple):
    """What signs.

    Attributes:
        path: of its PEM file.
        passphrase: of that file; None where it isn't encrypted.
        key: the library's.
    """

    path: Path
    passphrase: str | None
    key: EllipticCurvePrivateKey

    @property
    def public(self) -> PublicKey:
        """The other half."""
        return _public(self.path, self.key.public_key())

    def sign(self, message: bytes) -> bytes:
        """An ECDSA signature in DER form; another one at each call."""
        return self.key.sign(message, _algorithm(self.key.public_key()))


def load_public(path: Path) -> PublicKey:
    """A public key.

    Raises:
        UsageError: the file is missing, holds no public key in PEM form, or one of another kind than `CURVES`.
        EnvironmentFault: the extra `sign` isn't installed.
    """
    data = _read(path)
    with of_extra("sign", _USER):
        from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415
        from cryptography.hazmat.primitives.serialization import load_pem_public_key  # noqa: PLC0415
    try:
        key = load_pem_public_key(data)
    except (ValueError, UnsupportedAlgorithm) as error:
        if b"PRIVATE KEY-----" in data:
            fix = f"make it: openssl pkey -in {path} -pubout"
            raise UsageError(
                "is a private key; a signature is checked with the public one", where=str(path), fix=fix
            ) from None
        raise UsageError(f"holds no public key in PEM form: {error}", where=str(path), fix=_SUPPORTED) from error
    return _public(path, key)


def load_private(path: Path, passphrase: Callable[[], str]) -> PrivateKey:
    """A private key.

    Args:
        path: of its PEM file.
        passphrase: asked for one if the file is encrypted.

    Raises:
        UsageError: the file is missing, holds no private key in PEM form, or one of another kind than `CURVES`, or the
            passphrase is wrong.
        EnvironmentFault: the extra `sign` isn't installed.
    """
    data = _read(path)
    with of_extra("sign", _USER):
        from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415
        from cryptography.hazmat.primitives.serialization import load_pem_private_key  # noqa: PLC0415
    word = None
    try:
        try:
            key = load_pem_private_key(data, None)
        except TypeError:  # it is encrypted
            word = passphrase()
            key = load_pem_private_key(data, word.encode())
    except (TypeError, ValueError, UnsupportedAlgorithm) as error:  # the first for an empty passphrase
        if word is not None:
            fix = "type it again, or correct RECIPEKIT_SIGNING_PASSPHRASE"
            raise UsageError("can't be decrypted with this passphrase", where=str(path), fix=fix) from None
        what = "is a public key" if b"PUBLIC KEY-----" in data else f"holds no private key in PEM form: {error}"
        raise UsageError(what, where=str(path), fix=_SUPPORTED) from None
    _public(path, key.public_key())
    return PrivateKey(path, word, key)  # type: ignore[arg-type]  # the curve of its other half was looked at


def _read(path: Path) -> bytes:
    if not path.is_file():
        raise UsageError("there is no such key file", where=str(path), fix="name a file that holds a key in PEM form")
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"can't be read: {error.strerror}", where=str(path), fix="make it readable for you") from error


def _public(path: Path, key: Any) -> PublicKey:
    """A key of a curve that is supported."""
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey  # noqa: PLC0415
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat  # noqa: PLC0415

    if not isinstance(key, EllipticCurvePublicKey) or key.curve.name not in CURVES:
        kind = (
            key.curve.name if isinstance(key, EllipticCurvePublicKey) else type(key).__name__.removesuffix("PublicKey")
        )
        raise UsageError(
            f"is a key of the kind {kind}; supported are the curves {', '.join(CURVES.values())}",
            where=str(path),
            fix=_SUPPORTED,
        )
    return PublicKey(digests.of_bytes(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)), key)


def _algorithm(key: EllipticCurvePublicKey) -> ECDSA:
    """ECDSA with the hash that the curve's size calls for, as DSSE verifiers and OpenSSF Model Signing expect it."""
    from cryptography.hazmat.primitives.asymmetric.ec import ECDSA  # noqa: PLC0415
    from cryptography.hazmat.primitives.hashes import SHA256, SHA384  # noqa: PLC0415

    return ECDSA(SHA256() if key.curve.name == "secp256r1" else SHA384())
