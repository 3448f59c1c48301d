"""Weight clustering by tensorflow-model-optimization: each layer's weights share a few values."""

from __future__ import annotations

import importlib
from typing import Any

from recipekit.contracts import ClusterSpec
from recipekit.worker.optimization.put_back import PutBack
from recipekit.worker.optimization.toolkit import load_toolkit
from recipekit.worker.optimization.weights import LayerWeight
from recipekit.worker.optimization.wrapped_layers import Train, own_copy, wrapped

_EXPERIMENTAL = "tensorflow_model_optimization.python.core.clustering.keras.experimental.cluster"


def cluster(
    model: Any, weights: list[LayerWeight], spec: ClusterSpec, train: Train | None, pruned: list[LayerWeight]
) -> Any:
    """Gives a clustered copy of a model.

    Args:
        model: functional, of tf_keras.
        weights: of the layers that are clustered.
        spec: number of values of a layer.
        train: trains the values; None leaves them where k-means++ put them.
        pruned: weights of layers whose zeros stay zeros, clustered or not.

    Raises:
        OptimizationError: the package refuses a layer.
    """
    clustering = load_toolkit().clustering.keras
    # The public function lacks the switch that keeps zeros; the module with the other one has no public name.
    cluster_layer = importlib.import_module(_EXPERIMENTAL).cluster_weights

    with_zeros = {weight.key for weight in pruned}

    def wrap(layer: Any, weight: LayerWeight) -> Any:
        return cluster_layer(
            layer,
            number_of_clusters=spec.clusters,
            cluster_centroids_init=clustering.CentroidInitialization.KMEANS_PLUS_PLUS,
            preserve_sparsity=weight.key in with_zeros,
        )

    clustered = wrapped(model, weights, wrap, "cluster")
    if train is not None:
        alone = with_zeros - {weight.key for weight in weights}  # the wrappers keep those that are clustered, too
        train(clustered, [PutBack(clustered, [weight for weight in pruned if weight.key in alone])])
    return own_copy(clustering.strip_clustering(clustered))
