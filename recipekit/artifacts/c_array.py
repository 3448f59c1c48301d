"""A file as a C array that firmware links: named as `xxd -i NAME.tflite` names it, aligned as TensorFlow Lite asks.

The source compiles as C11 and as C++11, whatever its ending says.
"""

from __future__ import annotations

import re

from recipekit.contracts import BUILD_KEY_ENTRY

_ROW = 16
_WIDTH = len("0x00,")


def identifier(name: str) -> str:
    """A recipe's name as the beginning of identifiers in C and C++."""
    cleaned = re.sub(r"[^0-9A-Za-z]+", "_", name).strip("_")
    return f"model_{cleaned}" if cleaned[:1].isdigit() else cleaned


def c_header(array: str, comment: str, key: str) -> str:
    """The header that declares the array and its length.

    Args:
        array: name of the array.
        comment: what it holds, in a few words.
        key: the build that it comes from.
    """
    guard = f"{array.upper()}_H_"
    return f"""\
{_opening(comment, key)}
#ifndef {guard}
#define {guard}

#ifdef __cplusplus
extern "C" {{
#endif

/* Aligned to 16 bytes. */
extern const unsigned char {array}[];
extern const unsigned int {array}_len;

#ifdef __cplusplus
}}
#endif

#endif /* {guard} */
"""


def c_source(array: str, comment: str, key: str, header: str, data: bytes) -> str:
    """The source that defines the array.

    Args:
        array: name of the array.
        comment: what it holds, in a few words.
        key: the build that it comes from.
        header: file name of the header.
        data: what the array holds; one byte at least.
    """
    spelled = "0x" + data.hex(",").replace(",", ",0x") + ","
    width = _ROW * _WIDTH
    rows = "\n".join(spelled[at : at + width] for at in range(0, len(spelled), width))
    return f"""\
{_opening(comment, key)}
#include "{header}"

#ifndef __cplusplus
#include <stdalign.h>
#endif

alignas(16) const unsigned char {array}[] = {{
{rows}
}};
const unsigned int {array}_len = {len(data)};
"""


def bytes_of(source: str) -> bytes:
    """The bytes that the array of a source holds, as `c_source` wrote it."""
    rows = source.partition("[] = {\n")[2].partition("\n};")[0]
    return bytes.fromhex(rows.replace("0x", "").replace(",", "").replace("\n", ""))


def _opening(comment: str, key: str) -> str:
    return f"/* {comment}\n * {BUILD_KEY_ENTRY}: {key}\n * Written by recipekit; it is replaced by the next build. */"
