"""What a recipe's `optimize` section declares, and what the stages that carry it out give and take."""

from __future__ import annotations

from collections.abc import Iterator

from recipekit.contracts.declared import DatasetSpec, ModelSpec
from recipekit.contracts.loaded import LoadedModel
from recipekit.contracts.measured import LayerWeights
from recipekit.contracts.record import Record
from recipekit.contracts.samples import SampleSet


class FinetuneSpec(Record, frozen=True, kw_only=True):
    """Training after, or for pruning during, a change to the weights.

    Attributes:
        dataset: labelled samples.
        epochs: passes over them.
        learning_rate: of the optimizer.
        batch_size: samples a step.
        optimizer: `adam`, `sgd` or `rmsprop`.
        loss: Keras's name of a loss, or `auto`, of every output that has labels; or such names by output.
    """

    dataset: DatasetSpec
    epochs: int
    learning_rate: float
    batch_size: int
    optimizer: str
    loss: str | dict[str, str]


class PruneSpec(Record, frozen=True, kw_only=True):
    """Magnitude pruning.

    Attributes:
        sparsity: share of each layer's weights that become zero.
        schedule: `constant` or `polynomial`; how sparsity grows while fine-tuning.
        layers: regular expression that the whole name of a layer must match.
        encode: whether the flatbuffer leaves the zeros out where that makes it smaller.
        finetune: None prunes in one shot.
    """

    sparsity: float
    schedule: str
    layers: str
    encode: bool
    finetune: FinetuneSpec | None = None


class ClusterSpec(Record, frozen=True, kw_only=True):
    """Weight clustering.

    Attributes:
        clusters: distinct values that each layer's weights may have.
        layers: regular expression that the whole name of a layer must match.
        finetune: None clusters without training.
    """

    clusters: int
    layers: str
    finetune: FinetuneSpec | None = None


class QuantizationAwareSpec(Record, frozen=True, kw_only=True):
    """Quantization-aware training with the 8-bit scheme of TensorFlow Lite."""

    finetune: FinetuneSpec


class OptimizeSpec(Record, frozen=True, kw_only=True):
    """What happens to the float model before conversion, always in the order of the fields."""

    prune: PruneSpec | None = None
    cluster: ClusterSpec | None = None
    quantization_aware_training: QuantizationAwareSpec | None = None

    @property
    def one_shot(self) -> bool:
        """Whether it is pruning alone and without training, which needs no further package."""
        steps = (self.cluster, self.quantization_aware_training, self.prune and self.prune.finetune)
        return not any(steps)

    @property
    def encodes(self) -> bool:
        """Whether the zeros of the result may be left out of the file."""
        return self.prune is not None and self.prune.encode

    @property
    def confirms(self) -> bool:
        """Whether it promises anything about weights, that the result must keep."""
        return self.prune is not None or self.cluster is not None

    @property
    def trains_ranges(self) -> bool:
        """Whether the model is trained for quantization and brings its ranges."""
        return self.quantization_aware_training is not None

    def finetunes(self) -> Iterator[tuple[str, FinetuneSpec]]:
        """Each training with the name of its step, in their order."""
        for name in ("prune", "cluster", "quantization_aware_training"):
            step = getattr(self, name)
            if step is not None and step.finetune is not None:
                yield name, step.finetune


class Promise(Record, frozen=True, kw_only=True):
    """What the result must keep of one layer's weights.

    Attributes:
        layer: its name.
        weight: the name of its weight tensor, such as `kernel`.
        values: the key of its values in the file of weights.
        sparsity: share of zeros; None where it wasn't pruned.
        clusters: number of distinct values; None where it wasn't clustered.
    """

    layer: str
    weight: str
    values: str
    sparsity: float | None = None
    clusters: int | None = None


class EncodeRequest(Record, frozen=True, kw_only=True):
    """Ask for a flatbuffer without the zeros of its weights, where that is smaller and runs alike."""

    flatbuffer: str


class ConfirmRequest(Record, frozen=True, kw_only=True):
    """Ask whether a flatbuffer keeps what the optimization promised.

    Attributes:
        candidate: path of the converted model.
        promises: layer by layer.
        weights: the `.npz` file with the values of the promised weights, in the axes of Keras.
    """

    candidate: str
    promises: tuple[Promise, ...]
    weights: str


class Confirmation(Record, frozen=True, kw_only=True):
    """What the flatbuffer itself says of each promised layer."""

    layers: tuple[LayerWeights, ...]


class Training(Record, frozen=True, kw_only=True):
    """One fine-tuning as it went: the samples, the loss function of each output, and the mean loss of each epoch."""

    samples: SampleSet
    loss: str
    losses: tuple[float, ...]


class OptimizeRequest(Record, frozen=True, kw_only=True):
    """Ask for the float model with fewer weights, fewer distinct values, or trained ranges.

    Attributes:
        model: the float model.
        loaded: the same as `load` gave it.
        optimize: what to do with it.
        samples: number of samples of each training, by the name of its step.
        unroll: whether recurrent layers are written out step by step, as calibration needs them.
    """

    model: ModelSpec
    loaded: LoadedModel
    optimize: OptimizeSpec
    samples: dict[str, int]
    unroll: bool = False


class OptimizedModel(Record, frozen=True, kw_only=True):
    """The optimized float model, and what a conversion of it must keep.

    Attributes:
        loaded: the model, ready for lowering.
        promises: about its weights, layer by layer.
        weights: the `.npz` file with the values of the promised weights; empty without promises.
        trainings: by the name of the step, in their order.
    """

    loaded: LoadedModel
    promises: tuple[Promise, ...]
    weights: str
    trainings: dict[str, Training]
