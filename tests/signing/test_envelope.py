"""Envelopes as the protocol has them, and nothing that only looks like one."""

from __future__ import annotations

import base64
import json
import re
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recipekit.signing.envelope import Envelope, Signature, message, one_value, read, read_lines
from tests.signing.conftest import Keys

ENVELOPE = Envelope(b'{"a": 1}', (Signature("k1", b"\x01\x02"), Signature("k2", b"\xfb\xff")))
LINE = ENVELOPE.line()


def test_the_message_is_the_protocols() -> None:
    assert message(b"hello world") == b"DSSEv1 28 application/vnd.in-toto+json 11 hello world"


@given(
    st.lists(st.tuples(st.binary(), st.lists(st.tuples(st.text("0af"), st.binary(min_size=1)), min_size=1)), min_size=1)
)
def test_a_bundle_comes_back_as_it_was_written(envelopes: list[tuple[bytes, list[tuple[str, bytes]]]]) -> None:
    those = [Envelope(payload, tuple(Signature(*one) for one in signatures)) for payload, signatures in envelopes]
    assert read_lines(b"".join(one.line() for one in those)) == those


def test_the_other_alphabet_of_base64_is_read_too() -> None:
    document = json.loads(LINE)
    document["signatures"][1]["sig"] = base64.urlsafe_b64encode(b"\xfb\xff").decode()
    assert read(document) == ENVELOPE


def altered(**changes: Any) -> bytes:
    return json.dumps({**json.loads(LINE), **changes}).encode() + b"\n"


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"", "it is empty"),
        (LINE[:-1], "doesn't end with a line feed"),
        (LINE + b"\n", "line 2: "),
        (LINE + b" \n", "line 2: there are blanks around it"),
        (b" " + LINE, "line 1: there are blanks around it"),
        (LINE + LINE + b"x\n", "line 3: "),
        (b"[" * 100_000 + b"\n", "line 1: "),
        (b"\xff\n", "line 1: "),
        (b'{"payload": "", "payload": ""}\n', "stands there twice"),
        (b"[]\n", "the three keys of a DSSE envelope"),
        (altered(more=1), "the three keys of a DSSE envelope"),
        (altered(payloadType="text/plain"), "of the type 'text/plain'"),
        (altered(signatures=[]), "it holds no signature"),
        (altered(signatures={}), "it holds no signature"),
        (altered(signatures=[1]), "other keys than 'sig' and 'keyid'"),
        (altered(signatures=[{"keyid": "k"}]), "other keys than 'sig' and 'keyid'"),
        (altered(signatures=[{"keyid": 1, "sig": "AQI="}]), "'keyid' is no text"),
        (altered(signatures=[{"keyid": "k", "sig": ""}]), "a signature is empty"),
        (altered(signatures=[{"keyid": "k", "sig": 1}]), "base64"),
        (altered(payload="AQI"), "line 1: "),
        (altered(payload="AQJ="), "spelt in another way"),
        (altered(payload="A\nQI="), "line 1: "),
        (altered(payload="ü"), "base64"),
        (altered(payload="-+A="), "line 1: "),
    ],
)
def test_what_is_no_bundle_is_refused_with_the_line(data: bytes, what: str) -> None:
    with pytest.raises(ValueError, match=re.escape(what)):
        read_lines(data)


@given(st.binary())
def test_no_bytes_are_more_than_wrong(data: bytes) -> None:
    with suppress(ValueError):
        pytest.fail(f"{read_lines(data)} is no accident")


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-9, 9) | st.text("abc"),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab"), inner, max_size=3),
    )
)
def test_a_value_is_read_as_it_was_written(value: Any) -> None:
    assert one_value(json.dumps(value).encode()) == value


def test_a_signature_is_over_the_message(keys: Keys) -> None:
    assert keys.public.signed(b"DSSEv1 28 application/vnd.in-toto+json 1 x", keys.private.sign(message(b"x")))
