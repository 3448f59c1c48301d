"""`recipekit schema`: the JSON Schema of recipes, and what an editor needs to complete, explain and check them."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from recipekit import fsio
from recipekit.cli.arguments import make_parser, near, project_of
from recipekit.editors.files import FOLDER, editor_schemas, editor_settings
from recipekit.language import recipe_schema
from recipekit.project import Project
from recipekit.schema import Part


def main(argv: list[str]) -> int:
    """Prints the schema, or writes those for an editor and prints how to use them."""
    parser = make_parser(
        "schema",
        "Print the JSON Schema of recipes, or write what an editor needs; docs/editors.md tells more.",
        "recipekit schema --editor",
        overrides=False,
    )
    parser.add_argument(
        "--editor",
        action="store_true",
        help=f"write schemas for this project's files into {FOLDER}/, say how to use them",
    )
    options = parser.parse_args(argv)
    if not options.editor:
        sys.stdout.write(_text(recipe_schema()))
        return 0
    project = project_of(options)
    _write(project)
    sys.stdout.write(_advice(project))
    return 0


def _write(project: Project) -> None:
    """Writes the schemas, which git is told to ignore: they are made anew from what is installed."""
    folder = project.root / FOLDER
    with fsio.reported(folder):
        folder.mkdir(exist_ok=True)
        (folder / ".gitignore").write_text("*\n", encoding="utf-8")
        for name, schema in editor_schemas(project).items():
            (folder / f"{name}.schema.json").write_text(_text(schema), encoding="utf-8")


def _advice(project: Project) -> str:
    settings = json.dumps({"yaml.schemas": editor_settings(project)}, indent=2)
    return f"""\
wrote {near(project.root / FOLDER) or Path(FOLDER)}: schemas of recipes and of each group's option files

VS Code with the YAML extension: put this into .vscode/settings.json.
{settings}

Any editor with yaml-language-server: put this line on top of a recipe.
# yaml-language-server: $schema=../{FOLDER}/recipe.schema.json
"""


def _text(schema: Part) -> str:
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
