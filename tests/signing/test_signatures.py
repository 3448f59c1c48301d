"""Whoever vouches for an output can be checked by recipekit, and by libraries and tools that never heard of it."""

from __future__ import annotations

import base64
import errno
import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import json_format
from in_toto_attestation.predicates.test_result.v0 import test_result_pb2
from in_toto_attestation.v1 import statement_pb2
from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import VerificationError
from securesystemslib.signer import SSlibKey

from recipekit import fsio
from recipekit import manifest as manifests
from recipekit.audit.verification import verify_output
from recipekit.errors import EnvironmentFault, OutputAltered, OutputFault, UsageError
from recipekit.outputs import Outputs
from recipekit.signing.attestations import TEST_RESULT, verdict_statement
from recipekit.signing.checking import Signatures, Trust, check_signatures
from recipekit.signing.keys import PublicKey
from recipekit.signing.signer import sign_output
from tests.signing.conftest import Keys, make_keys
from tests.whole_outputs import publish

Tell = Callable[[str, object], None]


def check(output: Path, *keys: PublicKey, required: bool = False) -> Signatures:
    return check_signatures(output, (output / manifests.FILE).read_bytes(), Trust(keys, required))


def bundle(output: Path) -> Path:
    return output / manifests.ATTESTATIONS


def envelopes(output: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in bundle(output).read_text().splitlines()]


def wrongs(output: Path, *keys: PublicKey, required: bool = False) -> list[str]:
    return [str(difference) for difference in check(output, *keys, required=required).differences]


def exit_code(output: Path, *keys: PublicKey, required: bool = False) -> int:
    """What a verification of the whole output ends with."""
    return verify_output(output, Trust(keys, required)).exit_code


# --- what is signed -----------------------------------------------------------------------------------------------


def test_a_key_signs_the_manifest_and_the_verdict(output: Path, keys: Keys) -> None:
    before = {path: path.read_bytes() for path in output.rglob("*") if path.is_file()}
    assert sign_output(output, keys.private) == (manifests.ATTESTATIONS,)
    first, second = (base64.b64decode(envelope["payload"]) for envelope in envelopes(output))
    assert first == (output / manifests.FILE).read_bytes()
    assert json.loads(second) == verdict_statement(manifests.read(output))
    assert {
        path: path.read_bytes() for path in output.rglob("*") if path.is_file() and path != bundle(output)
    } == before
    found = check(output, keys.public, required=True)
    assert found.differences == ()
    assert [(report.key_id, report.verified) for report in found.reports] == [(keys.public.id, True)]
    assert sorted(path.name for path in output.parent.iterdir()) == [output.name], "nothing is left beside it"


@pytest.mark.parametrize("kind", ["P-256", "P-384"])
def test_securesystemslib_verifies_both_envelopes_and_no_others(tmp_path: Path, output: Path, kind: str) -> None:
    keys, others = make_keys(tmp_path, kind=kind), make_keys(tmp_path, "other", kind)
    sign_output(output, keys.private)
    for document in envelopes(output):
        envelope = Envelope.from_dict(document)
        assert set(envelope.verify([SSlibKey.from_crypto(keys.public.key, keys.public.id)], 1)) == {keys.public.id}
        with pytest.raises(VerificationError):
            envelope.verify([SSlibKey.from_crypto(others.public.key, keys.public.id)], 1)
        envelope.payload += b" "
        with pytest.raises(VerificationError):
            envelope.verify([SSlibKey.from_crypto(keys.public.key, keys.public.id)], 1)


def test_openssl_verifies_the_signature_over_the_manifest(output: Path, keys: Keys, tmp_path: Path) -> None:
    sign_output(output, keys.private)
    data = (output / manifests.FILE).read_bytes()
    (tmp_path / "message").write_bytes(b"DSSEv1 28 application/vnd.in-toto+json %d " % len(data) + data)
    (tmp_path / "sig").write_bytes(base64.b64decode(envelopes(output)[0]["signatures"][0]["sig"]))
    line = ["openssl", "dgst", "-sha256", "-verify", "key.pub.pem", "-signature", "sig", "message"]
    assert subprocess.run(line, cwd=tmp_path, capture_output=True, check=True).stdout == b"Verified OK\n"


def test_the_statements_parse_strictly_with_the_classes_of_in_toto(output: Path, keys: Keys) -> None:
    sign_output(output, keys.private)
    provenance, verdict = (
        json_format.Parse(base64.b64decode(envelope["payload"]), statement_pb2.Statement())
        for envelope in envelopes(output)
    )
    assert provenance.predicate_type == "https://slsa.dev/provenance/v1"
    assert verdict.predicate_type == TEST_RESULT
    result = json_format.ParseDict(json_format.MessageToDict(verdict.predicate), test_result_pb2.TestResult())
    assert result.result == "PASSED"
    assert "task.top1_accuracy.max_drop" in result.passed_tests
    assert [entry.name for entry in result.configuration] == ["recipe.yaml"]
    assert verdict.subject[0].digest["sha256"] == manifests.Artifact.of(output, "model.tflite").sha256


@pytest.mark.parametrize(
    ("changes", "result", "warned", "failed"),
    [
        ({}, "PASSED", [], []),
        ({"sqnr_db": 14.0}, "FAILED", [], ["parity.sqnr_db.min"]),
        ({"acceptance": {}}, "WARNED", [], []),
        (
            {"acceptance": {"parity": {"argmax_agreement": {"min": 0.97}}, "confidence": 0.95}},
            "FAILED",
            ["parity.argmax_agreement.min"],
            [],
        ),
        (
            {
                "acceptance": {
                    "parity": {"argmax_agreement": {"min": 0.97}},
                    "confidence": 0.95,
                    "on_inconclusive": "accept",
                }
            },
            "WARNED",
            ["parity.argmax_agreement.min"],
            [],
        ),
    ],
)
def test_only_what_was_accepted_without_a_doubt_has_passed(
    tmp_path: Path, changes: dict[str, Any], result: str, warned: list[str], failed: list[str]
) -> None:
    said = verdict_statement(manifests.read(publish(tmp_path, **changes)))["predicate"]
    assert (said["result"], said["warnedTests"], said["failedTests"]) == (result, warned, failed)


# --- who signed ---------------------------------------------------------------------------------------------------


def test_signing_twice_with_a_key_is_signing_once(output: Path, keys: Keys) -> None:
    sign_output(output, keys.private)
    before = bundle(output).read_bytes()
    assert sign_output(output, keys.private) == ()
    assert bundle(output).read_bytes() == before


def test_another_key_appends_its_envelopes(output: Path, keys: Keys, others: Keys) -> None:
    sign_output(output, keys.private)
    before = bundle(output).read_bytes()
    sign_output(output, others.private)
    assert bundle(output).read_bytes().startswith(before)
    for trusted in (keys, others):
        found = check(output, trusted.public, required=True)
        assert found.differences == ()
        assert {report.key_id: report.verified for report in found.reports} == {
            it.public.id: it is trusted for it in (keys, others)
        }
    assert all(report.verified for report in check(output, keys.public, others.public).reports)


def test_without_a_key_a_signature_is_present_and_not_checked(output: Path, keys: Keys) -> None:
    sign_output(output, keys.private)
    found = check(output)
    assert found.differences == ()
    assert [str(report) for report in found.reports] == [
        f"attestations.intoto.jsonl: signed by the key {keys.public.id}: present, not checked: no key given"
    ]


@pytest.mark.fault(50)
def test_a_required_signature_that_is_absent_is_a_difference(output: Path, keys: Keys, record_property: Tell) -> None:
    assert wrongs(output, keys.public) == []
    assert wrongs(output, keys.public, required=True) == [
        f"attestations.intoto.jsonl: is missing, expected a signature by the key {keys.public.id}, got nothing"
    ]
    record_property("exit", code := exit_code(output, keys.public, required=True))
    assert code == 6


@pytest.mark.fault(50)
@pytest.mark.parametrize("model", [False, True])
def test_a_signature_by_another_key_is_a_difference_that_names_both(
    output: Path, keys: Keys, others: Keys, model: bool, record_property: Tell
) -> None:
    sign_output(output, keys.private, model=model)
    found = wrongs(output, others.public)
    assert len(found) == 1 + model
    for said in found:
        assert f"wrong key, expected a signature by the key {others.public.id}, got one by the key " in said
    assert keys.public.id in found[0]
    record_property("exit", code := exit_code(output, others.public))
    assert code == 6


def edited_bundle(output: Path, edit: Callable[[list[dict[str, Any]]], object]) -> None:
    those = envelopes(output)
    edit(those)
    bundle(output).write_text("".join(json.dumps(one) + "\n" for one in those))


def swap_signatures(those: list[dict[str, Any]]) -> None:
    those[0]["signatures"], those[1]["signatures"] = those[1]["signatures"], those[0]["signatures"]


def name_another_key(those: list[dict[str, Any]]) -> None:
    for one in those:
        one["signatures"][0]["keyid"] = "0" * 64


def name_no_key(those: list[dict[str, Any]]) -> None:
    for one in those:
        del one["signatures"][0]["keyid"]


def sign_something_else(those: list[dict[str, Any]]) -> None:
    those[0]["payload"] = base64.b64encode(b"{}").decode()


@pytest.mark.fault(50)
@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (lambda those: those.pop(), "expected manifest and verdict, each signed once, got manifest"),
        (lambda those: those.append(those[0]), "expected manifest and verdict, each signed once, got manifest and"),
        (swap_signatures, "line 1: bad signature, expected one by the key"),
        (name_another_key, "line 1: bad signature, expected one by the key 000"),
        (name_no_key, "line 2: bad signature, expected one by the key that it names"),
        (sign_something_else, "line 1: signs something else"),
        (lambda those: those.clear(), "is no bundle of DSSE envelopes: it is empty"),
        (lambda those: those[0]["signatures"].clear(), "is no bundle of DSSE envelopes: line 1: it holds no signature"),
        (lambda those: those[1]["signatures"][0].update(sig=""), "line 2: a signature is empty"),
        (lambda those: those[1]["signatures"][0].update(sig="AAAA"), "line 2: bad signature"),
    ],
)
def test_a_bundle_that_was_tampered_with_is_named(
    output: Path, keys: Keys, edit: Callable[[list[dict[str, Any]]], object], said: str, record_property: Tell
) -> None:
    sign_output(output, keys.private)
    edited_bundle(output, edit)
    found = wrongs(output, keys.public)
    assert any(said in line for line in found), found
    record_property("exit", code := exit_code(output, keys.public))
    assert code == 6


@pytest.mark.fault(49)
def test_a_manifest_that_was_edited_after_signing_is_told_even_without_a_key(
    output: Path, keys: Keys, record_property: Tell
) -> None:
    sign_output(output, keys.private)
    path = output / manifests.FILE
    path.write_text(path.read_text().replace('"invocationId": "', '"invocationId": "1'))
    expected = ["attestations.intoto.jsonl line 1: signs something else, expected the output's manifest"]
    assert [line[: len(expected[0])] for line in wrongs(output)][:1] == expected
    assert wrongs(output, keys.public)
    record_property("exit", code := exit_code(output))
    assert code == 6


def test_names_that_a_stranger_wrote_into_a_manifest_break_nothing(output: Path, keys: Keys) -> None:
    sign_output(output, keys.private)
    path = output / manifests.FILE
    text = path.read_text()
    for name in (r"\ud800", r"\u001b[2J", "ü"):
        path.write_text(text.replace('"name": "parity.sqnr_db.min"', f'"name": "{name}"'))
        assert path.read_text() != text
        assert len(wrongs(output, keys.public)) > 1


# --- writing ------------------------------------------------------------------------------------------------------


def test_a_signed_output_is_found_by_a_run_as_before(output: Path, keys: Keys) -> None:
    key = manifests.results(manifests.read(output))["buildKey"]
    sign_output(output, keys.private, model=True)
    assert Outputs(output.parents[2]).find("digits", "1.0.0", key) == "accepted"


def test_junk_in_the_place_of_a_bundle_is_not_overwritten(output: Path, keys: Keys) -> None:
    bundle(output).write_text("junk")
    with pytest.raises(OutputAltered, match="is no bundle of DSSE envelopes"):
        sign_output(output, keys.private)
    assert bundle(output).read_text() == "junk"


@pytest.mark.parametrize(("module", "name"), [(fsio, "write_bytes"), (os, "fsync"), (os, "replace")])
def test_a_disk_that_refuses_leaves_the_old_bundle_and_nothing_else(
    output: Path, keys: Keys, others: Keys, monkeypatch: pytest.MonkeyPatch, module: object, name: str
) -> None:
    sign_output(output, keys.private)
    before = {path.relative_to(output.parent) for path in output.parent.rglob("*")}, bundle(output).read_bytes()

    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(module, name, refuse)
        with pytest.raises(OutputFault, match="No space left on device") as caught:
            sign_output(output, others.private)
    assert caught.value.exit_code == 7
    assert (
        {path.relative_to(output.parent) for path in output.parent.rglob("*")},
        bundle(output).read_bytes(),
    ) == before


def test_what_a_killed_process_left_beside_the_output_is_in_nobodys_way(output: Path, keys: Keys) -> None:
    left = output.parent / f".{output.name}.{manifests.ATTESTATIONS}"
    left.write_text("half")
    sign_output(output, keys.private)
    assert check(output, keys.public).differences == ()
    assert not left.exists()


def test_two_who_sign_at_once_both_have_signed(output: Path, tmp_path: Path) -> None:
    signers = [make_keys(tmp_path, f"key{number}") for number in range(6)]
    threads = [threading.Thread(target=sign_output, args=(output, keys.private)) for keys in signers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = check(output, *(keys.public for keys in signers))
    assert found.differences == ()
    assert {report.key_id for report in found.reports if report.verified} == {keys.public.id for keys in signers}


def test_nothing_of_a_private_key_is_in_an_output(output: Path, keys: Keys) -> None:
    sign_output(output, keys.private, model=True)
    number = keys.private.key.private_numbers().private_value
    raw = number.to_bytes(32, "big")
    forms = [raw, raw.hex().encode(), str(number).encode(), *keys.private.path.read_bytes().splitlines()[1:-1]]
    forms += [encode(raw).rstrip(b"=") for encode in (base64.b64encode, base64.urlsafe_b64encode)]
    for path in output.rglob("*"):
        data = path.read_bytes() if path.is_file() else b""
        assert str(keys.private.path).encode() not in data
        assert [form for form in forms if form in data] == []


# --- OpenSSF Model Signing ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["P-256", "P-384"])
def test_a_model_signature_is_verified_here_and_by_its_own_library(tmp_path: Path, output: Path, kind: str) -> None:
    from model_signing import verifying  # noqa: PLC0415  takes half a second

    keys = make_keys(tmp_path, kind=kind)
    assert sign_output(output, keys.private, model=True) == (manifests.ATTESTATIONS, manifests.MODEL_SIGNATURE)
    found = check(output, keys.public, required=True)
    assert found.differences == ()
    assert [(report.file, report.verified) for report in found.reports] == [
        (manifests.ATTESTATIONS, True),
        (manifests.MODEL_SIGNATURE, True),
    ]
    signature = output / manifests.MODEL_SIGNATURE
    verifying.Config().use_elliptic_key_verifier(public_key=tmp_path / "key.pub.pem").verify(output, signature)
    assert sign_output(output, keys.private, model=True) == ()


@pytest.mark.slow
def test_what_the_command_of_that_library_signed_is_verified(output: Path, keys: Keys) -> None:
    arguments = [f"{output}", "--private_key", f"{keys.private.path}", "--signature", f"{output / 'model.sig'}"]
    line = [sys.executable, "-m", "model_signing", "sign", "key", *arguments]
    subprocess.run(line, check=True, capture_output=True)
    assert check(output, keys.public, required=True).differences == ()


def test_an_encrypted_key_makes_model_signatures_too(output: Path, tmp_path: Path) -> None:
    from recipekit.signing.keys import load_private, load_public  # noqa: PLC0415
    from tests.signing_keys import write_keys  # noqa: PLC0415

    private, public = write_keys(tmp_path, "secret", passphrase="word")
    sign_output(output, load_private(private, lambda: "word"), model=True)
    assert check(output, load_public(public), required=True).differences == ()


def test_a_model_signature_covers_every_file_the_attestations_too(output: Path, keys: Keys, others: Keys) -> None:
    sign_output(output, keys.private, model=True)
    for name in ("model.tflite", "logs/load.txt", manifests.FILE, manifests.ATTESTATIONS):
        before = (output / name).read_bytes()
        (output / name).write_bytes(before + b"\n")
        assert any(line.startswith("model.sig: bad signature") for line in wrongs(output, keys.public)), name
        (output / name).write_bytes(before)
    with pytest.raises(UsageError, match="covers the attestations") as caught:
        sign_output(output, others.private)
    assert "--oms" in caught.value.fix
    assert wrongs(output, keys.public) == []
    sign_output(output, others.private, model=True)
    assert wrongs(output, others.public) == []


@pytest.mark.parametrize("place", range(0, 1000, 90))
def test_a_changed_byte_of_a_model_signature_is_found(output: Path, keys: Keys, place: int) -> None:
    sign_output(output, keys.private, model=True)
    path = output / manifests.MODEL_SIGNATURE
    data = bytearray(path.read_bytes())
    data[place * len(data) // 1000] ^= 4
    path.write_bytes(data)
    assert any(line.startswith("model.sig: ") for line in wrongs(output, keys.public))


@pytest.mark.fault(50)
@pytest.mark.parametrize("data", [b"", b"junk", b"{}", b"[]", b"\xff", b"[" * 100_000, b'{"a": 1, "a": 1}'])
def test_junk_is_no_model_signature_with_a_key_or_without(
    output: Path, keys: Keys, data: bytes, record_property: Tell
) -> None:
    (output / manifests.MODEL_SIGNATURE).write_bytes(data)
    for those in ((), (keys.public,)):
        (said,) = wrongs(output, *those)
        assert said.startswith("model.sig: is no OpenSSF model signature: ")
    record_property("exit", code := exit_code(output, keys.public))
    assert code == 6


def test_blanks_around_a_model_signature_are_tampering(output: Path, keys: Keys) -> None:
    sign_output(output, keys.private, model=True)
    with (output / manifests.MODEL_SIGNATURE).open("ab") as stream:
        stream.write(b"\n")
    assert wrongs(output) == ["model.sig: is no OpenSSF model signature: there are blanks around it"]


def test_without_the_extra_a_model_signature_is_neither_made_nor_taken_for_checked(
    output: Path, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    signed = shutil.copytree(output, output.parent / "copy")
    sign_output(signed, keys.private, model=True)
    monkeypatch.setitem(sys.modules, "model_signing", None)
    for use in (lambda: sign_output(output, keys.private, model=True), lambda: check(signed, keys.public)):
        with pytest.raises(EnvironmentFault) as caught:
            use()
        assert (caught.value.exit_code, caught.value.fix) == (7, "pip install 'recipekit[oms]'")
    assert not bundle(output).exists(), "nothing is written before it is known that all can be"
    assert check(signed).differences == ()
