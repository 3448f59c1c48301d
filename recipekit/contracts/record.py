"""The base of every record."""

from __future__ import annotations

import copyreg
from collections.abc import Iterator
from threading import Lock

import msgspec

copyreg.pickle(msgspec.UnsetType, lambda _: (msgspec.UnsetType, ()))  # else pickle looks in all modules for its name

_laying_out = Lock()
_laid_out: set[type] = set()


class Record(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of all records: frozen, keyword-only, strict about unknown fields."""


def lay_out_records() -> None:
    """Has msgspec look at every record that is known by now, before several threads use them.

    It does so by itself when a record is first converted, and two threads that come to the same one at the same time
    can bring the process down (a segmentation fault of msgspec 0.22).
    """
    with _laying_out:
        for record in set(_below(Record)) - _laid_out:
            msgspec.json.Decoder(record)
            _laid_out.add(record)


def _below(record: type[Record]) -> Iterator[type[Record]]:
    for each in record.__subclasses__():
        yield each
        yield from _below(each)
