"""What an interrupted build leaves behind, and how to go on, in words."""

from __future__ import annotations

from recipekit.cli.arguments import near
from recipekit.cli.screen import Screen
from recipekit.project import Project

GO_ON = "  go on: the same command again; what is kept is found and not made anew"


def kept_of_run(screen: Screen, project: Project, *, rebuild: bool = False) -> str:
    """What is kept of one build: nothing where every stage is made anew and kept nowhere."""
    published = "the running build published nothing"
    if rebuild:
        return f"{published}; with --rebuild no stage is kept, so the same command starts again"
    if not screen.kept:
        return f"{published} and kept no stage; the same command starts again"
    stages = "1 stage" if len(screen.kept) == 1 else f"{len(screen.kept)} stages"
    return f"{published}\n  kept: {stages} in {near(project.store)}: {', '.join(screen.kept)}\n{GO_ON}"
