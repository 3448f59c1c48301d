"""A float model with several signatures: one FloatModel for each, over the same variables.

Samples and stages speak to one signature at a time; the conversion takes all of them in one SavedModel, where what they
share is there once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from recipekit.contracts import LoadedModel, Signature, SourceSpec, TensorSpec, qualified, united
from recipekit.worker.float_model import FloatModel, export
from recipekit.worker.named_tensors import fix_shapes


@dataclass(frozen=True)
class SignatureModels:
    """See `recipekit.worker.source_model.SourceModel`.

    Attributes:
        models: by signature key, in the recipe's order, read from one source in one way.
        parameters: number of weights, those of several signatures counted once; None where the source doesn't tell.
        unsafe_parts: what in the source runs code or reads files, let pass by `allow_unsafe`; a sentence each.
    """

    models: Mapping[str, FloatModel]
    parameters: int | None
    unsafe_parts: tuple[str, ...] = ()

    def by_signature(self, key: str) -> FloatModel:
        """The model of one signature."""
        return self.models[key]

    @property
    def stateful(self) -> bool:
        """Whether a call changes variables, which other signatures may read."""
        return any(model.stateful for model in self.models.values())

    def loaded(self, folder: Path, source: SourceSpec) -> LoadedModel:
        """What is converted: the SavedModel where it stands, or one of its signatures alone, written into a folder.

        Raises:
            SourceError: `input_shapes` contradict the model, or it can't be written.
        """
        first = next(iter(self.models.values()))
        signatures = {key: model.signature for key, model in self.models.items()}
        place = Path(source.path)
        if first.loader != "saved_model" or source.input_shapes:
            place = folder / "saved_model"
            signatures = export(self.models, _with_shapes(signatures, source.input_shapes), place)
        return LoadedModel(
            saved_model=str(place),
            signatures=signatures,
            loader=first.loader,
            reason=first.reason,
            parameters=self.parameters,
            unsafe_parts=self.unsafe_parts,
        )


def _with_shapes(
    signatures: Mapping[str, Signature], input_shapes: Mapping[str, tuple[int, ...]]
) -> dict[str, tuple[TensorSpec, ...]]:
    """The inputs of each signature with the shapes that a recipe gives them as `key/input`."""
    fixed = {spec.name: spec.shape for spec in fix_shapes(united(signatures).inputs, input_shapes)}
    return {
        key: tuple(
            TensorSpec(name=spec.name, shape=fixed[qualified(key, spec.name)], dtype=spec.dtype)
            for spec in signature.inputs
        )
        for key, signature in signatures.items()
    }
