"""DSSE envelopes: a payload with the signatures over it, one line of JSON each.

The protocol: https://github.com/secure-systems-lab/dsse (version 1.0.0). It knows nothing of what a payload says.
"""

from __future__ import annotations

import base64
import json
from typing import Any, NamedTuple

from recipekit.manifest import strict_json
from recipekit.signing.keys import PrivateKey

PAYLOAD_TYPE = "application/vnd.in-toto+json"


class Signature(NamedTuple):
    """A signature, and which key made it; only a key can prove that it did."""

    key_id: str
    value: bytes


class Envelope(NamedTuple):
    """A payload of the type `PAYLOAD_TYPE` and its signatures."""

    payload: bytes
    signatures: tuple[Signature, ...]

    @property
    def message(self) -> bytes:
        """What is signed: the payload with its type, in DSSE's pre-authentication encoding."""
        return message(self.payload)

    def line(self) -> bytes:
        """The envelope as compact JSON with a line feed."""
        signatures = [{"keyid": key_id, "sig": base64.b64encode(value).decode()} for key_id, value in self.signatures]
        payload = base64.b64encode(self.payload).decode()
        document = {"payload": payload, "payloadType": PAYLOAD_TYPE, "signatures": signatures}
        return json.dumps(document, separators=(",", ":")).encode() + b"\n"


def message(payload: bytes) -> bytes:
    """DSSE's pre-authentication encoding of a payload of the type `PAYLOAD_TYPE`."""
    return b"DSSEv1 %d %b %d %b" % (len(PAYLOAD_TYPE), PAYLOAD_TYPE.encode(), len(payload), payload)


def sign(payload: bytes, key: PrivateKey) -> Envelope:
    """An envelope with one signature."""
    return Envelope(payload, (Signature(key.public.id, key.sign(message(payload))),))


def read(document: Any) -> Envelope:
    """The envelope in a JSON value.

    Raises:
        ValueError: it is something else, is of another payload type, or isn't signed.
    """
    if not isinstance(document, dict) or document.keys() != {"payload", "payloadType", "signatures"}:
        raise ValueError("it has not the three keys of a DSSE envelope")
    if document["payloadType"] != PAYLOAD_TYPE:
        raise ValueError(f"its payload is of the type {document['payloadType']!r:.80} instead of {PAYLOAD_TYPE}")
    signatures = document["signatures"]
    if not isinstance(signatures, list) or not signatures:
        raise ValueError("it holds no signature")
    return Envelope(_decoded(document["payload"]), tuple(map(_signature, signatures)))


def read_lines(data: bytes) -> list[Envelope]:
    """The envelopes of a bundle: one a line, each line ended by a line feed, and nothing around them.

    Raises:
        ValueError: the data is something else; the message names the line.
    """
    *lines, rest = data.split(b"\n")
    if rest or not lines:
        raise ValueError("it doesn't end with a line feed" if rest else "it is empty")
    return [_read_line(number, line) for number, line in enumerate(lines, start=1)]


def one_value(data: bytes) -> Any:
    """The value of a JSON text, strictly read, with nothing around it.

    Raises:
        ValueError, RecursionError: the text is something else.
    """
    if data != data.strip():
        raise ValueError("there are blanks around it")
    return strict_json(data.decode())


def _read_line(number: int, line: bytes) -> Envelope:
    try:
        return read(one_value(line))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"line {number}: {error}") from error


def _signature(document: Any) -> Signature:
    if not isinstance(document, dict) or not {"sig"} <= document.keys() <= {"sig", "keyid"}:
        raise ValueError("a signature has other keys than 'sig' and 'keyid'")
    if not isinstance(document.get("keyid", ""), str):
        raise ValueError("'keyid' is no text")  # noqa: TRY004  one error for whatever is wrong
    value = _decoded(document["sig"])
    if not value:
        raise ValueError("a signature is empty")
    return Signature(document.get("keyid", ""), value)


def _decoded(text: Any) -> bytes:
    """Bytes from base64 in either alphabet, as verifiers must take them; not in both, nor with bits beyond the end."""
    if not isinstance(text, str) or not text.isascii():
        raise ValueError("what should be base64 is something else")
    alphabet = b"-_" if set("-_") & set(text) else b"+/"
    data = base64.b64decode(text, alphabet, validate=True)
    if base64.b64encode(data, alphabet).decode() != text:
        raise ValueError("what should be base64 is spelt in another way than it is written")
    return data
