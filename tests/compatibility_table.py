"""The table of `docs/compatibility.md`: what each kind of network gives in each mode, as recipekit measured it.

A cell holds the decibels of the worst output against the float model, rounded, or why there is no candidate, in words
that come from recipekit's own error. Above 100 dB only rounding of float32 is left, which differs between processors.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from recipekit.outcome import Outcome

MODES = {
    "none": "float32",
    "float16": "float16",
    "dynamic_range": "dynamic range",
    "int8": "int8",
    "int8_float_fallback": "int8, float fallback",
    "int16x8": "int16x8",
    "ai_edge_int8": "AI Edge int8",
    "ai_edge_int8_float_fallback": "AI Edge int8, float fallback",
    "weight_only_int8": "AI Edge weight-only",
}
"""Heading of each preset of the group `converter`."""

DOCUMENT = Path(__file__).resolve().parents[1] / "docs" / "compatibility.md"
TOLERANCE_DB = 1
_ROUNDING_DB = 100
_INTEGER = {"int8", "int16x8", "ai_edge_int8"}
_SHOWN = 2
_BEGIN, _END = "<!-- measured: begin -->\n", "<!-- measured: end -->\n"
_NUMBER = re.compile(r"(-?\d+)\b(.*)")

Table = Mapping[str, Mapping[str, str]]


def cell(mode: str, outcome: Outcome) -> str:
    """What the table says of one conversion."""
    if outcome.failure is not None:
        return reason(outcome.failure.what)
    assert outcome.sqnr_db is not None
    assert outcome.measurement is not None
    left = outcome.measurement.census.float_op_names if mode in _INTEGER else ()
    return f"{_decibels(outcome.sqnr_db)}{f'; float: {_few(left)}' if left else ''}"


def reason(what: str) -> str:
    """A few words of an error's own."""
    float_ops = re.findall(r"\b([A-Z][A-Z0-9_]+) \(", what)
    if what.startswith("operators still compute in float") and float_ops:
        return f"float: {_few(sorted(set(float_ops)))}"
    kernel = re.match(r"(\w+) has no kernel with", what)
    if kernel:
        return f"no kernel: {kernel[1]}"
    lacking = re.findall(r"\btf\.(\w+)", what)
    if what.startswith("TensorFlow Lite lacks operators") and lacking:
        return f"lacks {_few(list(dict.fromkeys(lacking)))}"
    first = re.split(r"[,;:(]| of the tensor| of the model as", what, maxsplit=1)[0]
    return first.removeprefix("ai_edge_quantizer ").strip()


def render(table: Table, titles: Mapping[str, str]) -> str:
    """The table in Markdown."""
    lines = [["network", *MODES.values()], ["---"] * (len(MODES) + 1)]
    lines += [[titles[network], *(cells[mode] for mode in MODES)] for network, cells in table.items()]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def on_disk(titles: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """The cells that the document holds, by network and mode."""
    networks = {title: network for network, title in titles.items()}
    rows = [line.strip("| \n").split(" | ") for line in _measured().splitlines()[2:]]
    return {networks.get(title, title): dict(zip(MODES, cells, strict=True)) for title, *cells in rows}


def write(table: Table, titles: Mapping[str, str]) -> None:
    """Puts the table into the document."""
    before, begin, rest = DOCUMENT.read_text(encoding="utf-8").partition(_BEGIN)
    after = rest.partition(_END)[2]
    DOCUMENT.write_text(f"{before}{begin}{render(table, titles)}{_END}{after}", encoding="utf-8")


def differences(measured: Table, written: Table) -> Iterator[str]:
    """Each cell that says something else than what was measured; numbers may be a decibel apart."""
    for network in dict.fromkeys([*measured, *written]):
        for mode, heading in MODES.items():
            cells = [table.get(network, {}).get(mode, "nothing") for table in (written, measured)]
            if not _agree(*cells):
                yield f"{network}, {heading}: the document says '{cells[0]}', measured is '{cells[1]}'"


def _agree(written: str, measured: str) -> bool:
    numbers = [_NUMBER.fullmatch(text) for text in (written, measured)]
    if numbers[0] is None or numbers[1] is None:
        return written == measured
    apart = abs(int(numbers[0][1]) - int(numbers[1][1]))
    return apart <= TOLERANCE_DB and numbers[0][2] == numbers[1][2]


def _measured() -> str:
    return DOCUMENT.read_text(encoding="utf-8").partition(_BEGIN)[2].partition(_END)[0]


def _decibels(value: float) -> str:
    return f">{_ROUNDING_DB}" if value >= _ROUNDING_DB else str(round(value))


def _few(names: tuple[str, ...] | list[str]) -> str:
    more = f" +{len(names) - _SHOWN}" if len(names) > _SHOWN else ""
    return f"{', '.join(names[:_SHOWN])}{more}"
