"""`recipekit cache`: what the stage store holds, and what of it may go."""

from __future__ import annotations

import json
import re
import sys
from argparse import ArgumentTypeError
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from recipekit.cli.arguments import Parser, make_parser, project_of
from recipekit.cli.waiting import waited_for
from recipekit.errors import UsageError
from recipekit.store import Collected, Store, StoreInfo

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
_BYTES = {"B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}
_DEFAULT_AGE = 30 * _SECONDS["d"]


def main(argv: list[str]) -> int:
    """Prints what the store holds, or collects garbage and prints what went."""
    options = _parser().parse_args(argv)
    if options.action == "info" and (options.older_than is not None or options.max_size is not None or options.dry_run):
        raise UsageError(
            "--older-than, --max-size and --dry-run belong to gc", where="command line", fix="use recipekit cache gc"
        )
    project = project_of(options)
    root = project.store
    if options.action == "info":
        info = Store(root).info()
        document, text = _info_document(root, project.shared_store, info), _info_text(root, project.shared_store, info)
    else:
        age = _DEFAULT_AGE if options.older_than is None and options.max_size is None else options.older_than
        with waited_for("cache gc"):
            gone = Store(root).collect(older_than=age, max_bytes=options.max_size, dry_run=options.dry_run)
        document, text = _gc_document(root, gone, dry_run=options.dry_run), _gc_text(gone, dry_run=options.dry_run)
    sys.stdout.write(json.dumps(document, indent=2) + "\n" if options.format == "json" else text)
    return 0


def _parser() -> Parser:
    parser = make_parser(
        "cache",
        "Say what the stage store holds, or remove what was long unused; never what a running job uses.",
        "recipekit cache gc --older-than 2w --max-size 10GiB --dry-run",
        overrides=False,
    )
    parser.add_argument("action", choices=["info", "gc"], help="info: count what there is; gc: remove entries")
    parser.add_argument(
        "--older-than",
        metavar="AGE",
        type=_duration,
        help="gc: remove what was last used that long ago: 90s, 30m, 12h, 30d, 2w (default: 30d, without --max-size)",
    )
    parser.add_argument(
        "--max-size",
        metavar="SIZE",
        type=_size,
        help="gc: remove what was unused the longest until the rest fits: 500MB, 10GiB (default: no limit)",
    )
    parser.add_argument("--dry-run", action="store_true", help="gc: only say what would go")
    parser.add_argument("--format", choices=["text", "json"], default="text", help="how to print the result")
    return parser


def _duration(text: str) -> float:
    return _measured(text, _SECONDS, "a duration such as 90s, 30m, 12h, 30d or 2w")


def _size(text: str) -> int:
    return int(_measured(text, _BYTES, "a size such as 500MB, 10GiB or 0B"))


def _measured(text: str, units: dict[str, int], wanted: str) -> float:
    match = re.fullmatch(r"(\d{1,12}(?:\.\d{1,12})?) ?([a-zA-Z]+)", text, re.ASCII)
    if match is None or match[2] not in units:
        raise ArgumentTypeError(f"expected {wanted}, got '{text}'")
    return float(match[1]) * units[match[2]]


def _info_document(root: Path, shared: str, info: StoreInfo) -> dict[str, Any]:
    return {
        "store": str(root),
        "shared_store": shared or None,
        "entries": info.entries,
        "bytes": info.bytes,
        "stages": {name: use._asdict() for name, use in info.stages.items()},
        "oldest_use": _moment(info.oldest_use),
        "newest_use": _moment(info.newest_use),
    }


def _info_text(root: Path, shared: str, info: StoreInfo) -> str:
    lines = [
        f"store    {root}",
        *([f"shared   {shared}"] if shared else []),
        f"entries  {info.entries}",
        f"size     {_in_words(info.bytes)}",
    ]
    if info.entries:
        width = max(map(len, info.stages))
        lines += [f"used     {_moment(info.oldest_use)} to {_moment(info.newest_use)}", "", "stages"]
        lines += [f"  {name:<{width}}  {use.entries:>6}  {_in_words(use.bytes)}" for name, use in info.stages.items()]
    return "\n".join(lines) + "\n"


def _gc_document(root: Path, gone: Collected, *, dry_run: bool) -> dict[str, Any]:
    return {
        "store": str(root),
        "dry_run": dry_run,
        "removed_entries": gone.entries,
        "removed_bytes": gone.bytes,
        "kept_in_use": gone.kept_in_use,
    }


def _gc_text(gone: Collected, *, dry_run: bool) -> str:
    entries = "1 entry" if gone.entries == 1 else f"{gone.entries} entries"
    kept = f"; kept {gone.kept_in_use} in use" if gone.kept_in_use else ""
    return f"{'would remove' if dry_run else 'removed'} {entries}, {_in_words(gone.bytes)}{kept}\n"


def _moment(seconds: float | None) -> str | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, timezone.utc).isoformat(timespec="seconds")


def _in_words(size: int) -> str:
    unit = next((unit for unit in ("GiB", "MiB", "KiB") if size >= _BYTES[unit]), "B")
    return f"{size / _BYTES[unit]:.1f} {unit}" if unit != "B" else f"{size} B"
