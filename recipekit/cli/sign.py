"""`recipekit sign`: vouch for an output that is whole."""

from __future__ import annotations

import sys
from pathlib import Path

from recipekit.audit.recorded_summary import is_sweep
from recipekit.audit.verification import verify_output
from recipekit.cli.arguments import any_project_of, make_parser, near
from recipekit.cli.signer import add_signer, read_signer
from recipekit.cli.waiting import counted
from recipekit.errors import OutputAltered, UsageError
from recipekit.outputs import SharedOutputs
from recipekit.outputs.lookup import find_folder
from recipekit.signing.signer import sign_output
from recipekit.sweeps import is_unfinished


def main(argv: list[str]) -> int:
    """Signs outputs, each after a look at all of it."""
    parser = make_parser(
        "sign",
        "Sign an output's manifest and verdict with your own key, after verifying it.",
        "recipekit sign mobilenet_int8/latest --key priv.pem",
        overrides=False,
    )
    parser.add_argument("outputs", nargs="+", metavar="OUTPUT", help="folder of an output, or NAME/latest")
    add_signer(parser)
    options = parser.parse_args(argv)
    folders = [find_folder(name, Path.cwd(), options.recipes) for name in options.outputs]
    for folder in (folder for folder in folders if is_sweep(folder) or is_unfinished(folder)):
        raise UsageError(
            "is a sweep, which has no manifest", where=str(near(folder)), fix="name its children's outputs"
        )
    key = read_signer(options)
    project = any_project_of(options)
    for folder in counted("sign", folders, "outputs"):
        if found := verify_output(folder).differences:
            lines = "\n  ".join(["differs from what it says, and isn't signed:", *map(str, found)])
            raise OutputAltered(lines, where=str(near(folder)), fix="fetch or build it anew, then sign it")
        written = sign_output(folder, key, model=options.oms)
        done = f"signed by the key {key.public.id}: {', '.join(written)}" if written else "has this signature already"
        shared = project is not None and SharedOutputs.of(project).share_signatures(folder)
        sys.stdout.write(f"{near(folder)}: {done}{', in the shared outputs, too' if shared else ''}\n")
    return 0
