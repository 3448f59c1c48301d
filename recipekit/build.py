"""What a build is made of: its declared inputs with their digests, and the definition that the build key is made from.

Nothing here runs a stage. Code of plugins and custom layers is pinned without being imported.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from recipekit import digests, extras, registry
from recipekit.compose.written import Written
from recipekit.contracts import DatasetSpec, SampleSet, metric_files
from recipekit.environment import Environment
from recipekit.errors import EnvironmentFault, SourceError
from recipekit.inputs import Input, pin, pin_code
from recipekit.manifest import BuildInputs, Dependency, RecipeIdentity, Toolchain, build_definition
from recipekit.project import Project
from recipekit.recipe import Recipe
from recipekit.surroundings import Surroundings

_CONVERTERS = {"tflite_converter": "tf.lite.TFLiteConverter", "ai_edge_quantizer": "ai_edge_quantizer.Quantizer"}


class Job(NamedTuple):
    """One recipe to build, and where it came from.

    Attributes:
        project: the project it belongs to.
        recipe: the checked recipe.
        option: its name on the command line.
        overrides: of the command line, the recipe's choice left out.
        file: its own file.
        files: every file that it was composed of.
        origins: gives its values with where each was written; nothing for a recipe that was read from an output.
    """

    project: Project
    recipe: Recipe
    option: str
    overrides: tuple[str, ...]
    file: Path
    files: tuple[Path, ...]
    origins: Callable[[], Sequence[Written]] = tuple


def pin_inputs(job: Job, surroundings: Surroundings) -> tuple[Input, ...]:
    """Pins the model source, recipe files, files of metrics and artifacts, and all code that isn't recipekit's own.

    Args:
        job: what is built.
        surroundings: of the build; files that it knows are read again only where their status changed.

    Raises:
        SourceError: an input is missing or unreadable, or the source isn't the one that the recipe pins.
        PluginError: an address leads to no code.
        EnvironmentFault: a package that only some recipes need isn't installed.
    """
    _require_packages(job.recipe, surroundings)
    root, source, known = job.project.root, job.recipe.model.source, surroundings.known_files
    pinned = []
    if source.path:
        spelled = job.recipe.resolved["source"]
        declared = spelled.get("path") or spelled["weights"]
        _require_no_way_out(declared, root)
        model = pin("model-source", "model", declared, root, known, place=Path(source.path))
        _require_pin(model, job.recipe.source_sha256)
        pinned.append(model)
    pinned += [
        pin("recipe-file", name, name, root, known, place=path)
        for path in job.files
        if _is_users(path)
        for name in [_shown(path, job.project)]
    ]
    pinned += [
        pin("dataset", path, path, root, known)
        for path in sorted({*_metric_files(job.recipe), *artifact_files(job.recipe)})
    ]
    pinned += [pin_code(role, address, root, known) for role, address in sorted(set(_code(job.recipe)))]
    return tuple(pinned)


def define(
    job: Job, pinned: tuple[Input, ...], samples: Mapping[str, SampleSet], surroundings: Surroundings
) -> dict[str, Any]:
    """The build definition.

    Args:
        job: what is built.
        pinned: from `pin_inputs`.
        surroundings: of the build.
        samples: the readings of the job's datasets by role: `calibration-samples`, `evaluation-samples`, and
            `<step>-samples` for each training of `optimize`.

    Raises:
        InvalidRecipe: the configuration holds a number that JSON can't carry exactly.
    """
    recipe = job.recipe
    variables, repository = surroundings.variables, surroundings.repository
    dependencies = [
        *map(Dependency.of_input, pinned),
        *(
            Dependency.of_samples(_role(name), name.removesuffix("-samples"), read.sha256, read.count)
            for name, read in samples.items()
        ),
        *([Dependency.of_repository(repository)] if repository else []),
    ]
    return build_definition(
        BuildInputs(
            recipe=RecipeIdentity(
                name=recipe.name,
                version=recipe.version,
                path=_shown(job.file, job.project),
                sha256=digests.of_file(job.file),
                schema_version=recipe.resolved["schema_version"],
            ),
            overrides=job.overrides,
            resolved_config=recipe.resolved,
            seeds={"global": recipe.seed},
            toolchain=Toolchain(
                converter=_CONVERTERS.get(recipe.converter.engine, recipe.converter.engine),
                flags=msgspec.to_builtins(recipe.converter),
                determinism={name: variables[name] for name in ("PYTHONHASHSEED", "TF_DETERMINISTIC_OPS")},
                threads={"interpreter": recipe.evaluation.benchmark.threads if recipe.evaluation.benchmark else 1},
            ),
            dependencies=dependencies,
            environment=environment_of(recipe, surroundings),
        )
    )


def environment_of(recipe: Recipe, surroundings: Surroundings) -> Environment:
    """Machine and installation, with the packages that only some recipes need."""
    return surroundings.environment_with(_extras(recipe))


def _require_packages(recipe: Recipe, surroundings: Surroundings) -> None:
    """Refuses a recipe that asks for what only an extra's package can do, where that isn't installed."""
    training = "'optimize' with training, clustering or quantization-aware training"
    for extra, package, place, what in (
        (extras.of_optimization(recipe.optimize), "tensorflow-model-optimization", "optimize", training),
        (extras.of_artifacts(recipe.artifacts), "ethos-u-vela", "artifacts.vela", "'artifacts.vela'"),
    ):
        if extra and package not in surroundings.packages_of(extra):
            raise EnvironmentFault(
                f"{what} needs the package {package}", where=place, fix=f"pip install 'recipekit[{','.join(extra)}]'"
            )


def _role(samples: str) -> str:
    """The manifest's word for a reading; it has none of its own for a training."""
    return samples if samples in {"calibration-samples", "evaluation-samples"} else "dataset"


def _require_pin(model: Input, expected: str | None) -> None:
    if expected is not None and model.digest != expected:
        raise SourceError(
            f"is not the source that the recipe pins: {model.algorithm} {model.digest}, expected {expected}",
            where=model.path,
            fix="restore the file, or set source.sha256 to the new digest",
        )


def _require_no_way_out(declared: str, root: Path) -> None:
    """Refuses a relative path that links lead out of the project: naming the target itself allows it."""
    target = (root / declared).resolve()
    if not Path(declared).is_absolute() and ".." not in Path(declared).parts and not target.is_relative_to(root):
        raise SourceError(
            f"is a link out of the project, to {target}",
            where=declared,
            fix=f"put the model into the project, or name the target if you mean it: source.path: {target}",
        )


def _code(recipe: Recipe) -> Iterator[tuple[str, str]]:
    """Role and address of all code that isn't recipekit's own."""
    layers = recipe.model.custom_layers
    for address in (*layers.modules, *layers.objects.values(), *layers.replace.values()):
        yield "custom-layer", address
    if recipe.model.source.factory:
        yield "plugin", recipe.model.source.factory
    yield from (("plugin", address) for address in plugin_code("sources", recipe.model.source.kind))
    yield from (("plugin", address) for address in plugin_code("engines", recipe.converter.engine))
    for dataset in _datasets(recipe):
        yield from (("plugin", address) for address in dataset_code(dataset))
    for metric, _ in recipe.evaluation.metric_plugins:
        yield from (("plugin", address) for address in plugin_code("metrics", metric))


def _metric_files(recipe: Recipe) -> Iterator[str]:
    for name, parameters in recipe.evaluation.metric_plugins:
        yield from metric_files(name, parameters).values()


def artifact_files(recipe: Recipe) -> Iterator[str]:
    """Files that artifacts are made of, as the recipe spells them: labels, and the compiler's configuration."""
    artifacts = recipe.artifacts
    yield from filter(None, (artifacts.labels, artifacts.vela.config if artifacts.vela else None))


def _extras(recipe: Recipe) -> frozenset[str]:
    known = extras.of_metrics(dict(recipe.evaluation.metric_plugins)) | extras.of_optimization(recipe.optimize)
    known |= extras.of_artifacts(recipe.artifacts)
    return known.union(*map(extras.of_dataset, _datasets(recipe)))


def _datasets(recipe: Recipe) -> Iterator[DatasetSpec]:
    for dataset in filter(None, (recipe.calibration, recipe.evaluation.dataset)):
        yield from dataset.parts
    if recipe.optimize is not None:
        yield from (finetune.dataset for _, finetune in recipe.optimize.finetunes())


def dataset_code(dataset: DatasetSpec) -> Iterator[str]:
    """Addresses of all code that isn't recipekit's own and that reading a dataset runs."""
    yield from dataset.modules
    if dataset.plugin in registry.names("datasets"):
        yield from plugin_code("datasets", dataset.plugin)
    if dataset.plugin == "python":
        yield dataset.params["factory"]
    yield from (step["python"] for step in dataset.preprocess if "python" in step)


def plugin_code(kind: str, name: str) -> Iterator[str]:
    """The address of a plugin that isn't recipekit's own; a metric may be named by its address itself."""
    if registry.is_built_in(kind, name):
        return  # recipekit's own sources are digested as a whole
    address = name if ":" in name else registry.target(kind, name)
    if not address.startswith("recipekit."):
        yield address


@lru_cache(maxsize=256)  # the children of a sweep have most of their files in common
def _is_users(path: Path) -> bool:
    return not path.is_relative_to(Path(__file__).parent)


@lru_cache(maxsize=256)
def _shown(path: Path, project: Project) -> str:
    """A recipe's file as the manifest names it: where it stands in the project."""
    declared = project.declared(path)
    return declared.relative_to(project.root).as_posix() if declared.is_relative_to(project.root) else declared.name
