"""`recipekit sign`: vouch for an output that is whole."""

from __future__ import annotations

import sys
from pathlib import Path

from recipekit.audit.vouching import require_output, vouch
from recipekit.cli.arguments import any_project_of, make_parser, near
from recipekit.cli.signer import add_signer, read_signer
from recipekit.cli.waiting import counted
from recipekit.outputs.lookup import find_folder


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
    for folder in folders:
        require_output(folder, str(near(folder)))
    key = read_signer(options)
    project = any_project_of(options)
    for folder in counted("sign", folders, "outputs"):
        vouched = vouch(folder, key, project, model=options.oms, shown=str(near(folder)))
        written = ", ".join(vouched.files)
        done = f"signed by the key {vouched.key}: {written}" if written else "has this signature already"
        sys.stdout.write(f"{near(folder)}: {done}{', in the shared outputs, too' if vouched.is_shared else ''}\n")
    return 0
