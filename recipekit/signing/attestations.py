"""The bundle of attestations: an output's manifest and its verdict, each signed by every key that vouches for it.

The manifest is an in-toto Statement already and is signed as it stands. The verdict is a second, short Statement of the
predicate https://in-toto.io/attestation/test-result/v0.1, which follows from the manifest, so that tools which know
nothing of recipekit can ask whether a model passed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from recipekit import manifest as manifests
from recipekit.outputs import Difference
from recipekit.signing import envelope
from recipekit.signing.envelope import Envelope
from recipekit.signing.keys import PrivateKey, PublicKey
from recipekit.signing.report import SignatureReport

TEST_RESULT = "https://in-toto.io/attestation/test-result/v0.1"

_MANIFEST = "manifest"
_VERDICT = "verdict"


def verdict_statement(manifest: dict[str, Any]) -> dict[str, Any]:
    """The verdict of an output as a test result over its artifacts, configured by `recipe.yaml`.

    Only an accepted output has passed; with an inconclusive check, or without any bound, it has with a warning.
    """
    results = manifests.results(manifest)
    named: dict[str, list[str]] = {"passedTests": [], "warnedTests": [], "failedTests": []}
    for check in results["checks"]:
        open_question = check["passed"] is None or check.get("verdict") == "inconclusive"
        kind = "warnedTests" if open_question else "passedTests" if check["passed"] else "failedTests"
        named[kind].append(check["name"])
    flawless = named["passedTests"] and not named["warnedTests"] and not named["failedTests"]
    passed = "PASSED" if flawless else "WARNED"
    recipe = manifests.recorded_files(manifest).get(manifests.RECIPE)
    return {
        "_type": manifest["_type"],
        "subject": [{"name": entry["name"], "digest": entry["digest"]} for entry in manifest["subject"]],
        "predicateType": TEST_RESULT,
        "predicate": {
            "result": passed if results["verdict"] == "accepted" else "FAILED",
            "configuration": [{"name": manifests.RECIPE, "digest": {"sha256": recipe[0]}}] if recipe else [],
            **named,
        },
    }


def signed(bundle: bytes, manifest: bytes, key: PrivateKey) -> bytes:
    """A bundle with a key's envelopes behind those that are there; the same bundle if they are there already.

    Args:
        bundle: a valid one, or nothing.
        manifest: the bytes of a valid manifest.
        key: that vouches for it.

    Raises:
        ValueError: the bundle is none.
    """
    public = key.public
    there = envelope.read_lines(bundle) if bundle else []
    missing = [payload for payload in _payloads(manifest) if not any(_is_signed(one, payload, public) for one in there)]
    return bundle + b"".join(envelope.sign(payload, key).line() for payload in missing)


def check(bundle: bytes, manifest: bytes, keys: Iterable[PublicKey]) -> Iterator[Difference | SignatureReport]:
    """What is wrong with a bundle, and what is known of each key that signed it.

    Args:
        bundle: the file's bytes.
        manifest: the bytes of the output's manifest, a valid one.
        keys: that are trusted; without one no signature can be checked.
    """
    place = manifests.ATTESTATIONS
    try:
        envelopes = envelope.read_lines(bundle)
    except ValueError as error:
        yield Difference(place=place, problem=f"is no bundle of DSSE envelopes: {error}")
        return
    kinds = _payloads(manifest)
    signers: dict[str, list[str]] = {}
    for number, one in enumerate(envelopes, start=1):
        if one.payload not in kinds:
            expected = "the output's manifest, or the verdict in it"
            yield Difference(
                place=f"{place} line {number}", problem="signs something else", expected=expected, got="other bytes"
            )
        for signature in one.signatures:
            signers.setdefault(signature.key_id, []).append(kinds.get(one.payload, ""))
    for key_id, signed_kinds in signers.items():
        if sorted(signed_kinds) != [_MANIFEST, _VERDICT]:
            got = " and ".join(filter(None, signed_kinds)) or "neither"
            yield Difference(
                place=f"{place} key {key_id}", expected=f"{_MANIFEST} and {_VERDICT}, each signed once", got=got
            )
    yield from _checked_signers(envelopes, {key.id: key for key in keys})


def _checked_signers(
    envelopes: Iterable[Envelope], trusted: Mapping[str, PublicKey]
) -> Iterator[Difference | SignatureReport]:
    """What the trusted keys say of the signatures; an id is nothing but a claim, so each key is tried on each."""
    states: dict[str, bool | None] = {}
    for number, one in enumerate(envelopes, start=1):
        for signature in one.signatures:
            actual = next((key.id for key in trusted.values() if key.signed(one.message, signature.value)), None)
            claimed = signature.key_id
            if actual != claimed and (actual is not None or claimed in trusted):
                yield Difference(
                    place=f"{manifests.ATTESTATIONS} line {number}",
                    problem="bad signature",
                    expected=f"one by the key {claimed or 'that it names'}",
                    got=f"one by the key {actual}" if actual else "one that it didn't make",
                )
                states[claimed] = False
            elif states.get(claimed) is not False:
                states[claimed] = True if actual else None
    for key_id, state in states.items():
        if state is not False:
            yield SignatureReport.of(manifests.ATTESTATIONS, key_id, verified=bool(state), keys=trusted)


def _payloads(manifest: bytes) -> dict[bytes, str]:
    """The two payloads of a manifest's bundle, in its order, and what each of them is."""
    statement = verdict_statement(manifests.strict_json(manifest.decode()))
    verdict = json.dumps(statement, sort_keys=True, separators=(",", ":"))  # holds neither numbers nor what isn't ASCII
    return {manifest: _MANIFEST, verdict.encode(): _VERDICT}


def _is_signed(one: Envelope, payload: bytes, key: PublicKey) -> bool:
    return one.payload == payload and any(key.signed(one.message, signature.value) for signature in one.signatures)
