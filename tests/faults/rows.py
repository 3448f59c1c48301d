"""The rows of the fault table: what goes wrong, which exit codes that may have, and what must be said or done."""

from __future__ import annotations

from typing import NamedTuple


class Row(NamedTuple):
    """One row: the fault, the exit codes that are right, and what must be said or done."""

    fault: str
    exits: tuple[int, ...]
    demand: str


ROWS = {
    1: Row("YAML syntax error", (2,), "file, line and column; no traceback"),
    2: Row("unknown key", (2,), "line, field path, nearest known key"),
    3: Row("value of a wrong type", (2,), "expected and found type"),
    4: Row("threshold NaN or infinite, or `min` above `max`", (2,), "field and allowed range"),
    5: Row("required field missing, or `???` left", (2,), "which, where to add it, an example"),
    6: Row("duplicate key", (2,), "both lines"),
    7: Row("`version: 1.10`, `name: on`, `name: 012`", (2,), "the value as parsed, and to quote it"),
    8: Row("alias bomb", (2,), "refused in a second and 200 MB"),
    9: Row("nesting 3,000 deep; a recipe of 50 MB", (2,), "the limit"),
    10: Row("a YAML tag that runs code", (2,), "the tag is refused, nothing has run"),
    11: Row("interpolation cycle, or of an unknown key", (2,), "the chain"),
    12: Row("`_target_` anywhere", (2,), "not allowed; nothing has run"),
    13: Row("`${oc.env:...}` of a secret", (2,), "the variable's name, never its value"),
    14: Row("bad override; `hydra.run.dir`", (2,), "the override as typed, the nearest key"),
    15: Row("name that escapes, is reserved, too long or none", (2,), "the allowed pattern"),
    16: Row("missing option; a recipe that is a folder, empty, or not UTF-8", (2,), "where was looked; the encoding"),
    17: Row("int8 without calibration data; options that contradict each other", (2,), "both fields"),
    18: Row("recipe for a newer language", (2,), "the version that is needed"),
    19: Row("model path missing, unreadable, a pipe or a device", (5,), "the path as written and as resolved"),
    20: Row("symbolic link out of the source", (5,), "its target"),
    21: Row("truncated or random model file", (5,), "not a readable file of its kind; never a hang"),
    22: Row("zip bomb as a model", (5,), "the ratio; bounded memory"),
    23: Row("zip with members that escape or repeat", (5,), "the member; nothing outside"),
    24: Row("Lambda layers anywhere, layers that load other models", (0, 5), "the layer; opt-in, recorded"),
    25: Row("Lambda in an H5 file", (5,), "that safe mode does not cover it"),
    26: Row("HDF5 links, virtual datasets, shape bomb", (5,), "refused before memory is taken"),
    27: Row("SavedModel that reads or writes files or runs Python", (5,), "the operators; opt-in"),
    28: Row("source changed during the run", (5,), "the digest before and after"),
    29: Row("plugin: fails, exits, prints, or isn't what it says", (0, 5), "its name, file and line"),
    30: Row("custom layer missing", (5,), "its class, and where to register it"),
    31: Row("dataset empty, short, of another type or shape, NaN, endless", (5,), "the sample, expected and found"),
    32: Row("dataset in another order when read again", (5,), "the first sample that differs"),
    33: Row("download: another digest, offline, redirected", (5,), "expected and found; no partial file"),
    34: Row("operator that TensorFlow Lite lacks", (4,), "the operators and the ways out"),
    35: Row("converter process crashes, is killed, or hangs", (4,), "the signal or the limit"),
    36: Row("flatbuffer of eight bytes, absurd dimensions", (4, 5), "the process died; never accepted"),
    37: Row("metric NaN, or its code fails", (4, 5), "never accepted"),
    38: Row("threshold missed", (3,), "value, limit; kept as rejected, `latest` unchanged"),
    39: Row("SIGKILL before each step on the disk", (-9,), "all or nothing; the next run works"),
    40: Row("SIGINT or SIGTERM in each phase", (130, 143), "no process and no staging left"),
    41: Row("disk full or broken at any call", (7,), "bytes needed and free"),
    42: Row("outputs read-only, not ours, on another file system; no file left to open", (7,), "path and owner"),
    43: Row("two runs of the same build", (0, 7), "the second waits; one output"),
    44: Row("holder of a lock killed; file system without locks", (0, 7), "the lock is free again; a clear error"),
    45: Row("output folder there: whole, empty, altered", (0, 3, 6, 7), "already built; otherwise never replaced"),
    46: Row("package below its floor or missing", (7,), "needed version, pip command"),
    47: Row("published file altered, removed, renamed", (6,), "each file, expected and found"),
    48: Row("extra file in an output", (6,), "the file"),
    49: Row("manifest edited, digests made anew", (6,), "bad signature, or a verdict that differs"),
    50: Row("signature missing, of another key, junk", (6, 2), "the key"),
    51: Row("malformed manifest", (6,), "what is wrong with it"),
    52: Row("reproduction where something differs", (6, 5), "what differs; never identical"),
    53: Row("secret in environment, URL, parameter, path", (2, 5), "none in any byte written"),
    54: Row("sweep of 20 whose children fail differently", (1, 2, 3, 4, 5, 7), "a record of each; resumed"),
}
