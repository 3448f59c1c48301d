"""`recipekit export`: an output's record in other people's formats."""

from __future__ import annotations

import sys
from pathlib import Path

from recipekit import fsio
from recipekit.audit.recorded import read_recorded
from recipekit.cli.arguments import make_parser
from recipekit.errors import UsageError
from recipekit.exports import FORMATS, Published
from recipekit.outputs.lookup import find_folder


def main(argv: list[str]) -> int:
    """Writes the chosen format to a file, or prints it."""
    parser = make_parser(
        "export",
        "Write an output's record as CycloneDX ML-BOM or model card; docs/inspect.md says what they hold.",
        "recipekit export mobilenet_int8/latest --format model-card -o README.md",
        overrides=False,
    )
    parser.add_argument("output", metavar="OUTPUT", help="the folder of an output, or its place below the outputs")
    parser.add_argument("--format", choices=list(FORMATS), required=True, help="what to write")
    parser.add_argument("-o", "--output-file", metavar="FILE", type=Path, help="where to (default: standard output)")
    options = parser.parse_args(argv)
    folder = find_folder(options.output, Path.cwd(), options.recipes)
    output = Published(*read_recorded(folder))
    text = FORMATS[options.format](output)
    if options.output_file is None:
        sys.stdout.write(text)
        return 0
    if options.output_file.resolve().is_relative_to(folder):
        raise UsageError(
            "an output holds what its manifest lists, and nothing is added to it",
            where=str(options.output_file),
            fix="write the file outside of the output's folder",
        )
    with fsio.reported(options.output_file):
        options.output_file.write_text(text, encoding="utf-8")
    return 0
