"""`recipekit verify`: is an output what it says, and who vouches for it."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import msgspec

from recipekit.audit.sweep_verification import verify_folder
from recipekit.audit.verification import Verification
from recipekit.ci.annotations import Annotation
from recipekit.ci.suites import Case, Suite
from recipekit.ci.summary import suite_summary
from recipekit.cli.arguments import make_parser, near
from recipekit.cli.ci_output import CiOutput, add_ci
from recipekit.cli.messages import told
from recipekit.cli.waiting import waited_for
from recipekit.errors import OutputAltered
from recipekit.outputs.lookup import find_folder
from recipekit.signing.checking import read_trust

_MOST_SHOWN = 20


def main(argv: list[str]) -> int:
    """Verifies outputs, and of a sweep its summary and every child's."""
    options = _read(argv)
    trust = read_trust(options.key, required=options.require_signature)
    ci = CiOutput(options)
    folders = [find_folder(name, Path.cwd(), options.recipes) for name in options.outputs]
    found: list[Verification] = []
    with waited_for("verify", "outputs") as count:
        for folder in count.each(folders):
            found += verify_folder(folder, trust, count.each)
    if options.format == "json":
        sys.stdout.write(json.dumps(list(map(_document, found))) + "\n")
    else:
        for verification in found:
            _print(verification)
    if ci.is_asked_for:
        suite = Suite("verify", tuple(map(_case, found)))
        ci.write("verify", [suite], suite_summary(suite), filter(None, map(_annotation, found)))
    return max(verification.exit_code for verification in found)


def _read(argv: list[str]) -> argparse.Namespace:
    parser = make_parser(
        "verify",
        "Check an output: every file by its digest, every record, the verdict from its metrics, signatures.",
        "recipekit verify mobilenet_int8/latest --require-signature --key pub.pem",
        overrides=False,
    )
    parser.add_argument("outputs", nargs="+", metavar="OUTPUT", help="folder of an output or a sweep, or NAME/latest")
    parser.add_argument(
        "--key", metavar="PEM", type=Path, action="append", default=[], help="public key to trust; may be repeated"
    )
    parser.add_argument("--require-signature", action="store_true", help="refuse an output that no --key has signed")
    parser.add_argument("--format", choices=["text", "json"], default="text", help="how to print the result")
    add_ci(parser)
    return parser.parse_args(argv)


def _case(found: Verification) -> Case:
    name = str(near(Path(found.output)))
    if not found.differences:
        return Case(name, detail="\n".join((found.summary, *map(str, found.signatures), *found.notes)))
    said = [str(difference) for difference in found.differences]
    return Case(name, "failed", said[0], "\n".join(said), OutputAltered.id)


def _annotation(found: Verification) -> Annotation | None:
    """An output lies outside of what GitHub shows code of, so its annotation has no place."""
    case = _case(found)
    return Annotation(f"{OutputAltered.id} {case.name}", case.detail) if found.differences else None


def _document(verification: Verification) -> dict[str, Any]:
    return {**msgspec.to_builtins(verification), "exit_code": verification.exit_code}


def _print(found: Verification) -> None:
    name = near(Path(found.output))
    if found.differences:
        shown = [str(difference) for difference in found.differences[:_MOST_SHOWN]]
        if len(found.differences) > len(shown):
            shown.append(f"and {len(found.differences) - len(shown):,} more; --format json shows all")
        fix = "fetch or build it anew; what is there is not what was published"
        error = OutputAltered("\n  ".join(["differs from what it says:", *shown]), where=str(name), fix=fix)
        sys.stderr.write(told(error))
        return
    notes = found.notes if found.verdict else ()
    lines = [f"verified {name}: {found.summary}", *map(str, found.signatures), *notes]
    sys.stdout.write("\n  ".join(lines) + "\n")
