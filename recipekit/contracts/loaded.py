"""The float model as the stages `load` and `unroll` give it. Paths are absolute strings."""

from __future__ import annotations

from recipekit.contracts.declared import DatasetSpec, ModelSpec
from recipekit.contracts.measured import SourceLayer
from recipekit.contracts.record import Record
from recipekit.contracts.samples import SampleSet
from recipekit.contracts.tensors import Signature, united


class LoadRequest(Record, frozen=True, kw_only=True):
    """Ask for the float model as a SavedModel with the signatures that the recipe names."""

    model: ModelSpec


class FirstLayer(Record, frozen=True, kw_only=True):
    """A layer of the model's own that scales an input before anything else does: x becomes x * scale + offset.

    Attributes:
        input: the input's name.
        name: the layer's.
        kind: `Rescaling`, which makes a range of about 1 to 2 wide, or `Normalization` or `BatchNormalization`, which
            make mean 0 and deviation 1 over all values.
        scale: factor; over channels with factors of their own, that of all values together.
        offset: summand, in the same way.
    """

    input: str
    name: str
    kind: str
    scale: float
    offset: float


class Replacement(Record, frozen=True, kw_only=True):
    """Layers or operators that something else is converted in place of.

    Attributes:
        name: class name of the layers, or type of the operators.
        by: `module:object` of the equivalent.
        places: names of the layers or nodes, sorted or in the model's order.
    """

    name: str
    by: str
    places: tuple[str, ...]


class LoadedModel(Record, frozen=True, kw_only=True):
    """The float model, ready for lowering.

    Attributes:
        saved_model: folder of the SavedModel that is converted; empty where the source is a flatbuffer.
        signatures: inputs and outputs as converted, with `input_shapes` applied, by the signature's key inside it, in
            the recipe's order.
        loader: what read the source (`keras3`, `tf_keras`, `saved_model`, `saved_model_v1`, `factory` ...).
        reason: why that one, one sentence for the user.
        parameters: number of weights, where the source tells; else None.
        flatbuffer: the float `.tflite`, where the source is one; else empty.
        first_layers: the model's own scaling of its inputs, as far as the source shows its layers.
        loops: names of its recurrent layers that the stage `unroll` can write out.
        layers: of a Keras model, in its order; else none.
        replaced: what the recipe replaces; the float model that is compared with has the originals.
        unsafe_parts: what in the source runs code or reads files and was let pass by `allow_unsafe`; a sentence each.
        replacement_sqnr_db: signal-to-error ratio between the two on drawn inputs; None where nothing is replaced, or
            the original can't run what is drawn, so that the stage `agree` compares them on samples.
    """

    saved_model: str
    signatures: dict[str, Signature]
    loader: str
    reason: str
    parameters: int | None = None
    flatbuffer: str = ""
    first_layers: tuple[FirstLayer, ...] = ()
    loops: tuple[str, ...] = ()
    layers: tuple[SourceLayer, ...] = ()
    replaced: tuple[Replacement, ...] = ()
    replacement_sqnr_db: float | None = None
    unsafe_parts: tuple[str, ...] = ()

    @property
    def cautions(self) -> tuple[str, ...]:
        """What a user must be told of it, whoever allowed it."""
        return tuple(f"source.allow_unsafe lets this run: {part}" for part in self.unsafe_parts)

    @property
    def signature_key(self) -> str:
        """The key of the only signature, of a model that has one."""
        (key,) = self.signatures
        return key

    @property
    def signature(self) -> Signature:
        """The only signature, of a model that has one."""
        return self.signatures[self.signature_key]

    @property
    def tensors(self) -> Signature:
        """Inputs and outputs of all signatures, named as recipes and results name them."""
        return united(self.signatures)

    @property
    def layers_by_scope(self) -> dict[str, str]:
        """The layers, `name (Class)`, by each scope of the SavedModel that they were called in."""
        return {scope: f"{layer.name} ({layer.kind})" for layer in self.layers for scope in layer.scopes}


class UnrollRequest(Record, frozen=True, kw_only=True):
    """Ask for the float model with its recurrent layers unrolled, as calibration needs them."""

    model: ModelSpec


class AgreeRequest(Record, frozen=True, kw_only=True):
    """Ask whether a model with replacements computes what the original does, on samples.

    Attributes:
        model: the float model.
        loaded: the same as `load` gave it, with its replacements.
        dataset: the samples.
    """

    model: ModelSpec
    loaded: LoadedModel
    dataset: DatasetSpec


class Agreement(Record, frozen=True, kw_only=True):
    """How well both agree.

    Attributes:
        sqnr_db: signal-to-error ratio of the output and sample that differ most; None where no output is a number.
        samples: that were read.
    """

    sqnr_db: float | None
    samples: SampleSet
