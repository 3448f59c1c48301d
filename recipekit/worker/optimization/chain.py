"""The steps of an optimization one after the other, on a model that was carried over to tf_keras."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from recipekit.contracts import FinetuneSpec, OptimizeRequest, Promise, Training
from recipekit.errors import OptimizationError
from recipekit.worker.optimization import one_shot
from recipekit.worker.optimization.carry_over import Carried
from recipekit.worker.optimization.clustering import cluster
from recipekit.worker.optimization.fine_tuning import FineTuning
from recipekit.worker.optimization.pruning import prune_while_training
from recipekit.worker.optimization.put_back import counterpart
from recipekit.worker.optimization.quantization_aware import STEP, train_for_quantization
from recipekit.worker.optimization.weights import LayerWeight, select
from recipekit.worker.optimization.wrapped_layers import Train, own_copy


class Result(NamedTuple):
    """What became of a model.

    Attributes:
        model: of tf_keras.
        promises: what a conversion of it must keep.
        weights: the promised weights.
        trainings: by the name of the step.
    """

    model: Any
    promises: tuple[Promise, ...]
    weights: list[LayerWeight]
    trainings: dict[str, Training]


class Chain:
    """Prune, cluster, train for quantization: those of them that the recipe names."""

    def __init__(self, request: OptimizeRequest, carried: Carried, folder: Path) -> None:
        """Does nothing yet.

        Args:
            request: the steps.
            carried: the model; it isn't changed.
            folder: of the stage.
        """
        self._request = request
        self._carried = carried
        self._folder = folder
        self._model = own_copy(carried.model)
        self._sparsity: dict[str, LayerWeight] = {}
        self._clusters: dict[str, LayerWeight] = {}
        self._trainings: dict[str, Training] = {}

    def run(self) -> Result:
        """Runs the steps.

        Raises:
            OptimizationError: a step failed, or hasn't reached what it promises.
            DatasetError, PluginError: as a dataset of a training says.
        """
        optimize = self._request.optimize
        if optimize.prune is not None:
            self._prune()
        if optimize.cluster is not None:
            self._cluster()
        weights = [counterpart(self._model, weight) for weight in (self._sparsity | self._clusters).values()]
        if optimize.quantization_aware_training is not None:
            train, _ = self._training(STEP, optimize.quantization_aware_training.finetune)
            self._model = train_for_quantization(self._model, weights, train)
            weights = [counterpart(self._model, weight) for weight in weights]
        promises = tuple(self._promises(weights))
        return Result(self._model, promises, weights, self._trainings)

    def _prune(self) -> None:
        spec = self._request.optimize.prune
        assert spec is not None
        chosen = select(self._model, spec.layers, "prune")
        self._sparsity = {weight.key: weight for weight in chosen}
        if spec.finetune is None:
            one_shot.prune(chosen, spec.sparsity)
            return
        train, steps = self._training("prune", spec.finetune)
        self._model = prune_while_training(self._model, chosen, spec, steps, train)

    def _cluster(self) -> None:
        spec = self._request.optimize.cluster
        assert spec is not None
        chosen = select(self._model, spec.layers, "cluster")
        self._clusters = {weight.key: weight for weight in chosen}
        train = None if spec.finetune is None else self._training("cluster", spec.finetune)[0]
        pruned = [counterpart(self._model, weight) for weight in self._sparsity.values()]
        self._model = cluster(self._model, chosen, spec, train, pruned)

    def _training(self, step: str, spec: FinetuneSpec) -> tuple[Train, int]:
        """The training of a step, and how many steps of its own it has."""
        seed, count = self._request.model.seed, self._request.samples[step]
        tuning = FineTuning(step, spec, count, seed, self._folder)

        def train(model: Any, callbacks: Any) -> None:
            signature = self._request.loaded.signature
            self._trainings[step] = tuning.train(model, self._carried, signature, callbacks)

        return partial(train), tuning.steps

    def _promises(self, weights: list[LayerWeight]) -> Iterator[Promise]:
        """Each weight's promise, once its own values keep it."""
        prune, clustering = self._request.optimize.prune, self._request.optimize.cluster
        for weight in weights:
            values = weight.values
            sparsity = prune.sparsity if prune is not None and weight.key in self._sparsity else None
            clusters = clustering.clusters if clustering is not None and weight.key in self._clusters else None
            if sparsity is not None and np.mean(values == 0) < sparsity - 1 / values.size:
                raise self._unmet(weight, f"{np.mean(values == 0):.1%} of its weights are zero, not {sparsity:.1%}")
            if clusters is not None and len(np.unique(values)) > clusters:
                raise self._unmet(weight, f"it has {len(np.unique(values))} distinct weights, not {clusters}")
            yield Promise(
                layer=weight.layer, weight=weight.name, values=weight.key, sparsity=sparsity, clusters=clusters
            )

    def _unmet(self, weight: LayerWeight, how: str) -> OptimizationError:
        return OptimizationError(
            f"the layer '{weight.layer}' has not become what the recipe asks for: {how}",
            where="optimize",
            fix="give the training more steps (`epochs`, a smaller `batch_size`), or leave the layer out",
        )
