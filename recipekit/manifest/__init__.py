"""The manifest of an output: an in-toto Statement v1 with SLSA Provenance v1, made from frozen facts and read strictly.

SLSA's split is the split of determinism. `buildDefinition` holds everything that decides the bytes, and its digest is
the build key by which an output is found again. `runDetails` holds what happened this time.

The package does no work of a build: it neither collects facts nor judges, and the only file it opens is a manifest.
"""

from recipekit.manifest.definition import (
    UNKEYED_PARAMETERS,
    UNKEYED_ROLES,
    BuildInputs,
    Dependency,
    RecipeIdentity,
    Toolchain,
    build_definition,
    build_key,
)
from recipekit.manifest.names import ATTESTATIONS, FILE, MODEL, MODEL_SIGNATURE, RECIPE, REPORT, RESULTS, SIGNATURES
from recipekit.manifest.reading import finished_on, is_accepted, parse, read, recorded_files, results
from recipekit.manifest.statement import Artifact, RunDetails, Sweep, encode, statement
from recipekit.manifest.strict import strict_items, strict_json

__all__ = [
    "ATTESTATIONS",
    "FILE",
    "MODEL",
    "MODEL_SIGNATURE",
    "RECIPE",
    "REPORT",
    "RESULTS",
    "SIGNATURES",
    "UNKEYED_PARAMETERS",
    "UNKEYED_ROLES",
    "Artifact",
    "BuildInputs",
    "Dependency",
    "RecipeIdentity",
    "RunDetails",
    "Sweep",
    "Toolchain",
    "build_definition",
    "build_key",
    "encode",
    "finished_on",
    "is_accepted",
    "parse",
    "read",
    "recorded_files",
    "results",
    "statement",
    "strict_items",
    "strict_json",
]
