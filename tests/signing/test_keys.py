"""Keys: two curves, everything else refused by name, and no file read for more than it is."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from recipekit.errors import EnvironmentFault, UsageError
from recipekit.signing.keys import load_private, load_public
from tests.signing_keys import write_keys


def nobody() -> str:
    raise AssertionError("a passphrase was asked for")


@pytest.mark.parametrize("kind", ["P-256", "P-384"])
def test_what_one_half_signs_the_other_one_confirms_and_nothing_else(tmp_path: Path, kind: str) -> None:
    private, public = write_keys(tmp_path, kind=kind)
    signing, checking = load_private(private, nobody), load_public(public)
    signature = signing.sign(b"text")
    assert checking.signed(b"text", signature)
    assert not checking.signed(b"texT", signature)
    assert not checking.signed(b"text", signature[:-1])
    assert not checking.signed(b"text", b"")
    assert signing.public.id == checking.id


def test_a_key_is_named_as_openssl_and_sha256sum_name_it(tmp_path: Path) -> None:
    _, public = write_keys(tmp_path)
    line = f"openssl pkey -pubin -in {public} -outform DER | sha256sum"
    named = subprocess.run(["sh", "-c", line], capture_output=True, text=True, check=True).stdout.split()[0]
    assert load_public(public).id == named


@pytest.mark.fault(50)
@pytest.mark.parametrize(
    ("kind", "name"),
    [("Ed25519", "Ed25519"), ("RSA", "RSA"), ("P-521", "secp521r1"), ("secp256k1", "secp256k1")],
)
def test_keys_that_not_every_verifier_takes_are_refused_by_name(
    tmp_path: Path, kind: str, name: str, record_property: Callable[[str, object], None]
) -> None:
    private, public = write_keys(tmp_path, kind=kind)
    with pytest.raises(UsageError, match=f"of the kind {name}; supported are the curves P-256, P-384") as caught:
        load_public(public)
    assert caught.value.where == str(public)
    with pytest.raises(UsageError, match=f"of the kind {name}") as caught:
        load_private(private, nobody)
    record_property("exit", caught.value.exit_code)
    assert caught.value.exit_code == 2
    assert "openssl ecparam -name prime256v1 -genkey" in caught.value.fix


def test_an_encrypted_key_asks_for_its_passphrase(tmp_path: Path) -> None:
    private, public = write_keys(tmp_path, passphrase="open sesame ü")
    assert load_public(public).signed(b"x", load_private(private, lambda: "open sesame ü").sign(b"x"))
    for wrong in ("close sesame", ""):
        with pytest.raises(UsageError, match="can't be decrypted with this passphrase"):
            load_private(private, lambda word=wrong: word)  # type: ignore[misc]  # mypy doesn't see the default


def test_the_halves_are_told_apart(tmp_path: Path) -> None:
    private, public = write_keys(tmp_path)
    with pytest.raises(UsageError, match="is a private key") as caught:
        load_public(private)
    assert caught.value.fix == f"make it: openssl pkey -in {private} -pubout"
    with pytest.raises(UsageError, match="is a public key"):
        load_private(public, nobody)


@pytest.mark.parametrize(
    "data", [b"", b"junk", b"\xff\x00", b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"]
)
def test_junk_is_no_key(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "key.pem").write_bytes(data)
    with pytest.raises(UsageError, match="holds no public key in PEM form"):
        load_public(tmp_path / "key.pem")
    with pytest.raises(UsageError):
        load_private(tmp_path / "key.pem", nobody)


def test_a_key_that_is_not_there_is_named(tmp_path: Path) -> None:
    for load in (load_public, lambda path: load_private(path, nobody)):
        with pytest.raises(UsageError, match="there is no such key file") as caught:
            load(tmp_path)
        assert caught.value.where == str(tmp_path)


def test_a_key_that_openssl_made_is_taken_with_its_parameters(tmp_path: Path) -> None:
    path = tmp_path / "ec.pem"
    line = ["openssl", "ecparam", "-name", "prime256v1", "-genkey", "-out", str(path)]
    subprocess.run(line, check=True, capture_output=True)
    assert path.read_text().startswith("-----BEGIN EC PARAMETERS")
    assert load_private(path, nobody).sign(b"x")


def test_without_the_extra_the_fix_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    private, public = write_keys(tmp_path)
    monkeypatch.setitem(sys.modules, "cryptography.exceptions", None)
    for load in (lambda: load_public(public), lambda: load_private(private, nobody)):
        with pytest.raises(EnvironmentFault) as caught:
            load()
        assert (caught.value.exit_code, caught.value.fix) == (7, "pip install 'recipekit[sign]'")
