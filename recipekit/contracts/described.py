"""What a Keras file or a SavedModel says of itself before anything loads it; `inspected` is the same of a `.tflite`."""

from __future__ import annotations

import msgspec

from recipekit.contracts.loaded import FirstLayer
from recipekit.contracts.record import Record


class DescribeRequest(Record, frozen=True, kw_only=True):
    """Ask what a model file says of itself. It is read, not loaded: none of its code runs.

    Attributes:
        path: a Keras file, or the folder of a SavedModel.
        kind: `keras` or `saved_model`, as in `source.kind`.
    """

    path: str
    kind: str


class ModelTensor(Record, frozen=True, kw_only=True):
    """An input or output.

    Attributes:
        name: as recipes name it; empty where only the model's code tells.
        dtype: TensorFlow's name, such as `float32`; empty where the file doesn't tell.
        shape: -1 for a dimension that is dynamic; None where the file doesn't tell.
    """

    name: str
    dtype: str
    shape: tuple[int, ...] | None


class ModelSignature(Record, frozen=True, kw_only=True):
    """What a model takes and gives; a Keras file has one, without a key."""

    key: str
    inputs: tuple[ModelTensor, ...]
    outputs: tuple[ModelTensor, ...]


class ModelLayer(Record, frozen=True, kw_only=True):
    """One layer, or in a SavedModel one scope of variables.

    Attributes:
        name: its own.
        kind: its class; empty where the file doesn't tell.
        parameters: numbers that it holds, trained or not.
        bytes: what they take.
        dtypes: of them, sorted.
    """

    name: str
    kind: str
    parameters: int = 0
    bytes: int = 0
    dtypes: tuple[str, ...] = ()


class ForeignPart(Record, frozen=True, kw_only=True):
    """A part that a loader doesn't build on its own account.

    Attributes:
        name: the class or function, as `custom_layers.objects` names it.
        path: names of the layers down to it.
        what: what it does, to follow "is", of a part that runs code or reads files; empty for a class or function that
            is only unknown.
    """

    name: str
    path: str
    what: str = ""


class Description(Record, frozen=True, kw_only=True):
    """A model as its file describes it.

    Attributes:
        kind: `keras`, `saved_model` or `tflite`, as in `source.kind`.
        format: in words, such as `Keras archive`.
        size: bytes of the file or of all files in the folder.
        written_by: library and version; empty where the file doesn't say.
        loader: what reads it, such as `keras3`.
        reason: why that one, one sentence.
        signatures: a SavedModel's, `serving_default` first; of a Keras file one.
        layers: in the model's order.
        operators: how often each of TensorFlow's operators stands behind the signatures; empty for a Keras file, whose
            layers become operators only when they are traced.
        foreign: parts that the recipe must say something about.
        needs_select_tf_ops: operators or layers that have no kernel in TensorFlow Lite, as far as names tell.
        recurrent: names of layers that run over a sequence.
        scaling: the model's own scaling of its inputs; the factor is 0 where it stands among the weights.
        task: `classification` where the outputs are probabilities of classes, else empty.
        parameters: numbers that the model holds.
        bytes: what they take.
        quantized: whether it holds quantized tensors, as only a `.tflite` does.
    """

    kind: str
    format: str
    size: int
    written_by: str
    loader: str
    reason: str
    signatures: tuple[ModelSignature, ...]
    layers: tuple[ModelLayer, ...] = ()
    operators: dict[str, int] = msgspec.field(default_factory=dict)
    foreign: tuple[ForeignPart, ...] = ()
    needs_select_tf_ops: tuple[str, ...] = ()
    recurrent: tuple[str, ...] = ()
    scaling: tuple[FirstLayer, ...] = ()
    task: str = ""
    parameters: int = 0
    bytes: int = 0
    quantized: bool = False

    @property
    def signature(self) -> ModelSignature:
        """The first one."""
        return self.signatures[0]

    @property
    def unknown(self) -> tuple[ForeignPart, ...]:
        """Classes and functions that nobody registers."""
        return tuple(part for part in self.foreign if not part.what)

    @property
    def unsafe(self) -> tuple[ForeignPart, ...]:
        """Parts that run code or read files, which a run refuses unless `source.allow_unsafe` is true."""
        return tuple(part for part in self.foreign if part.what)


class GlimpseRequest(Record, frozen=True, kw_only=True):
    """Ask what samples a file holds, by its heads alone.

    Attributes:
        path: an `.npz` file, or one file of TFRecords.
        plugin: `npz` or `tfrecord`.
    """

    path: str
    plugin: str


class Glimpse(Record, frozen=True, kw_only=True):
    """What a file of samples holds.

    Attributes:
        samples: how many; None where only reading all of it would tell.
        fields: dtype and shape without the samples' axis by the name of each array or feature. The dtype of a feature
            is `int64`, `float32`, `image` for bytes that begin like one, or `bytes`, and its shape the length of its
            list in the first record.
    """

    samples: int | None
    fields: dict[str, ModelTensor]
