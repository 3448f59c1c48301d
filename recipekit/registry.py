"""Names of plugins and where their code lives; nothing is imported before it is used.

Built-in plugins stand in one table a kind. Installed packages add theirs through the entry-point group
`recipekit.<kind>`; modules of a recipe project add theirs with the decorator `register` when they are imported.
Reading names never imports a plugin, so the parent process may validate a recipe against this table.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

from recipekit.errors import PluginError, UsageError
from recipekit.nearest import did_you_mean

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

_BUILT_IN: dict[str, dict[str, str]] = {
    "sources": {
        "keras": "recipekit.worker.sources.keras:load",
        "saved_model": "recipekit.worker.sources.saved_model:load",
        "frozen_graph": "recipekit.worker.sources.frozen_graph:load",
        "python": "recipekit.worker.sources.python:load",
        "keras_application": "recipekit.worker.sources.keras_application:load",
        "tflite": "recipekit.worker.sources.tflite:load",
    },
    "datasets": {
        "npz": "recipekit.worker.datasets.npz:NpzDataset",
        "image_folder": "recipekit.worker.datasets.image_folder:ImageFolderDataset",
        "csv": "recipekit.worker.datasets.csv:CsvDataset",
        "digits": "recipekit.worker.datasets.digits:DigitsDataset",
        "python": "recipekit.worker.datasets.python:open_dataset",
        "random": "recipekit.worker.datasets.random:RandomDataset",
        "numpy_folder": "recipekit.worker.datasets.numpy_folder:NumpyFolderDataset",
        "wav_folder": "recipekit.worker.datasets.wav_folder:WavFolderDataset",
        "tfrecord": "recipekit.worker.datasets.tfrecord:TFRecordDataset",
        "tfds": "recipekit.worker.datasets.tfds:TfdsDataset",
        "huggingface": "recipekit.worker.datasets.huggingface:HuggingFaceDataset",
    },
    "metrics": {
        "top1_accuracy": "recipekit.worker.metrics.accuracy:Top1Accuracy",
        "topk_accuracy": "recipekit.worker.metrics.accuracy:TopKAccuracy",
        "precision": "recipekit.worker.metrics.classification:Precision",
        "recall": "recipekit.worker.metrics.classification:Recall",
        "f1": "recipekit.worker.metrics.classification:F1",
        "roc_auc": "recipekit.worker.metrics.classification:RocAuc",
        "mae": "recipekit.worker.metrics.regression:MeanAbsoluteError",
        "rmse": "recipekit.worker.metrics.regression:RootMeanSquaredError",
        "r2": "recipekit.worker.metrics.regression:R2",
        "mean_iou": "recipekit.worker.metrics.segmentation:MeanIoU",
        "mean_average_precision": "recipekit.worker.metrics.detection:MeanAveragePrecision",
        "word_error_rate": "recipekit.worker.metrics.text:WordErrorRate",
        "bleu": "recipekit.worker.metrics.text:Bleu",
    },
    "engines": {
        "tflite_converter": "recipekit.worker.engines.tflite_converter:TFLiteConverterEngine",
        "ai_edge_quantizer": "recipekit.worker.engines.ai_edge_quantizer:AIEdgeQuantizerEngine",
    },
}

_project: dict[str, dict[str, Callable[..., Any]]] = {kind: {} for kind in _BUILT_IN}

Plugin = TypeVar("Plugin", bound=Callable[..., Any])


def register(kind: str, name: str) -> Callable[[Plugin], Plugin]:
    """Decorator for plugins of a recipe project: `@register("datasets", "my_frames")`.

    Args:
        kind: `sources`, `datasets`, `metrics` or `engines`.
        name: the name that recipes use.

    Raises:
        UsageError: the kind is unknown.
        PluginError: the name belongs to a built-in or installed plugin, which a project can't replace.
    """

    def add(plugin: Plugin) -> Plugin:
        if name in _targets(kind):
            raise PluginError(
                f"{kind} has a plugin '{name}' already", where=plugin.__module__, fix="choose another name"
            )
        _project[kind][name] = plugin
        return plugin

    return add


def is_built_in(kind: str, name: str) -> bool:
    """Whether a plugin is recipekit's own, which is known without a look at what is installed."""
    return name in _BUILT_IN[kind]


def names(kind: str) -> tuple[str, ...]:
    """Names of every built-in, installed and registered plugin of a kind, sorted."""
    return tuple(sorted({*_targets(kind), *_project[kind]}))


def target(kind: str, name: str) -> str:
    """`module:object` of a plugin, found without importing it.

    Raises:
        UsageError: no plugin of that kind has the name; the nearest names are in the message.
    """
    if name in _project[kind]:
        plugin = _project[kind][name]
        return f"{plugin.__module__}:{plugin.__qualname__}"
    try:
        return _targets(kind)[name]
    except KeyError:
        raise UsageError(
            f"there is no plugin '{name}' among the {kind}{did_you_mean(name, names(kind))}",
            fix=f"use one of {', '.join(names(kind))}",
        ) from None


@cache
def installed_plugins() -> tuple[EntryPoint, ...]:
    """The entry points by which installed packages add plugins of any kind; one look at every package, for good."""
    from importlib.metadata import entry_points  # noqa: PLC0415  most recipes are checked without

    points = entry_points()
    groups = sorted(group for group in points.groups if group.startswith("recipekit."))
    return tuple(point for group in groups for point in points.select(group=group))


def plugin(kind: str, name: str) -> Callable[..., Any]:
    """The plugin itself, imported now.

    Raises:
        UsageError: no plugin of that kind has the name.
        PluginError: its module can't be imported or lacks the object.
    """
    if name in _project[kind]:
        return _project[kind][name]
    address = target(kind, name)
    module, _, attribute = address.partition(":")
    try:
        found: Callable[..., Any] = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise PluginError(
            f"the plugin '{name}' of {kind} can't be loaded: {error}",
            where=address,
            fix="install the package that it needs, or correct its entry point",
        ) from error
    return found


@cache
def _targets(kind: str) -> dict[str, str]:
    if kind not in _BUILT_IN:
        raise UsageError(f"there is no kind of plugin '{kind}'", fix=f"use one of {', '.join(_BUILT_IN)}")
    installed = {point.name: point.value for point in installed_plugins() if point.group == f"recipekit.{kind}"}
    clash = sorted(installed.keys() & _BUILT_IN[kind].keys())
    if clash:
        raise PluginError(
            f"an installed package names its plugin of {kind} '{clash[0]}' like a built-in one",
            where=installed[clash[0]],
            fix="uninstall that package or have its entry point renamed",
        )
    return {**_BUILT_IN[kind], **installed}
