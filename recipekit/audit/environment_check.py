"""This machine and installation against those of a recorded output, without a build."""

from __future__ import annotations

from recipekit.audit.components import Component, compared, environment_of, facts_of, level
from recipekit.audit.installed_files import InstalledFiles, check_installed
from recipekit.audit.recorded_inputs import recorded_recipe
from recipekit.audit.recorded_output import RecordedOutput
from recipekit.build import environment_of as environment_for
from recipekit.contracts import Record
from recipekit.surroundings import Surroundings


class EnvironmentCheck(Record, frozen=True, kw_only=True):
    """What is different here.

    Attributes:
        output: the recorded output's folder.
        level: of what a rebuild here promises: 1 equal bytes, 2 the same on another machine, 3 metrics alone.
        components: of the recorded environment and this one.
        installed: the files of the installed packages.
    """

    output: str
    level: int
    components: tuple[Component, ...]
    installed: InstalledFiles

    @property
    def exit_code(self) -> int:
        """6 where anything differs that a rebuild can't set, as it sets the environment variables; else 0."""
        return 6 if self.level > 1 or self.installed.altered else 0


def check_environment(recorded: RecordedOutput) -> EnvironmentCheck:
    """Compares machine, packages and variables, and hashes every installed file.

    Raises:
        InvalidRecipe: this recipekit doesn't know the recorded configuration's language.
    """
    recipe = recorded_recipe(recorded, recorded.config, recorded.folder)
    environment = environment_for(recipe, Surroundings(recorded.folder))
    components = compared(environment_of(recorded.definition), facts_of(environment))
    return EnvironmentCheck(
        output=str(recorded.folder),
        level=level(components),
        components=components,
        installed=check_installed(package.name for package in environment.packages),
    )
