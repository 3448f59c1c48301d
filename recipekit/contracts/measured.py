"""What is measured of a converted model before it is judged."""

from __future__ import annotations

import msgspec
from msgspec import UNSET, UnsetType

from recipekit.contracts.record import Record
from recipekit.contracts.reported import GoldenReport, TargetReport
from recipekit.contracts.samples import SampleSet


class Parity(Record, frozen=True, kw_only=True):
    """How far the converted model's output is from the float model's, over all samples.

    Attributes:
        max_abs_error: largest absolute difference.
        mean_abs_error: mean absolute difference.
        rmse: root of the mean squared difference.
        l2: mean over samples of the Euclidean norm of the difference.
        cosine_similarity: mean over samples of the cosine between both outputs.
        sqnr_db: 10 log10 of signal power over error power; `EXACT_SQNR_DB` where the error is zero.
        argmax_agreement: share of samples with the same argmax of the last axis; None for outputs without classes.
        agreeing: number of agreeing rows behind that share; None with it.
        rows: number of rows compared behind that share; None with it.
    """

    max_abs_error: float
    mean_abs_error: float
    rmse: float
    l2: float
    cosine_similarity: float
    sqnr_db: float
    argmax_agreement: float | None = None
    agreeing: int | None = None
    rows: int | None = None


EXACT_SQNR_DB = 400.0
"""Stands for an infinite ratio, which JSON can't carry; float64 can't tell a finite one this large."""


class PairedCounts(Record, frozen=True, kw_only=True):
    """A metric that is a share of right samples, counted for both models at once."""

    both: int
    only_float: int
    only_converted: int
    neither: int


class TaskScore(Record, frozen=True, kw_only=True):
    """One task metric of both models.

    Attributes:
        float_value: the float model's.
        converted_value: the converted model's.
        higher_is_better: the direction; a drop is always a loss of quality.
        paired: counts behind a metric that is a proportion; None for others.
        replicates: for others, pairs (converted value, drop) of a paired bootstrap; empty where none were asked for.
    """

    float_value: float
    converted_value: float
    higher_is_better: bool
    paired: PairedCounts | None = None
    replicates: tuple[tuple[float, float], ...] = ()

    @property
    def drop(self) -> float:
        """Loss of quality from the float to the converted model, in the metric's unit; negative for a gain."""
        if self.higher_is_better:
            return self.float_value - self.converted_value
        return self.converted_value - self.float_value


class Latency(Record, frozen=True, kw_only=True):
    """Wall-clock milliseconds of one `invoke` at batch 1."""

    p50_ms: float
    p90_ms: float
    mean_ms: float


class Operator(Record, frozen=True, kw_only=True):
    """One kind of operator in a flatbuffer: its name, version, how often it stands there, and its kind."""

    name: str
    version: int
    count: int
    kind: str  # builtin | custom | flex


class LatencyPair(Record, frozen=True, kw_only=True):
    """The latency of a candidate beside that of the float32 conversion."""

    candidate: Latency
    float32: Latency


class QuantizedTensor(Record, frozen=True, kw_only=True):
    """An input or output of a flatbuffer's signature, with per-tensor quantization where it has any."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    scale: float | None = None
    zero_point: int | None = None


class SignatureGraph(Record, frozen=True, kw_only=True):
    """One of several signatures of a flatbuffer: its key, the subgraph behind it, and how many operators that has."""

    key: str
    subgraph: int
    operators: int


_PLACES = 3


class FloatOperators(Record, frozen=True, kw_only=True):
    """Operators of one name that compute in float among others that don't.

    Attributes:
        op: their name.
        places: of each, the Keras layer that it comes from, or else the node of the graph; each once.
    """

    op: str
    places: tuple[str, ...]

    def __str__(self) -> str:
        """In words, with the first few places."""
        rest = len(self.places) - _PLACES
        places = f"{', '.join(self.places[:_PLACES])}{f' and {rest} more' if rest > 0 else ''}"
        return f"{self.op} in {places}" if places else self.op


class Census(Record, frozen=True, kw_only=True):
    """What a flatbuffer itself says it is; flags and intentions don't enter.

    Attributes:
        inputs: of the signature, by name; of several as `key/name`.
        outputs: of the signature, in the same way.
        operators: sorted by name and version, over all subgraphs.
        float_ops: number of operators that compute in float, QUANTIZE and DEQUANTIZE left out.
        float_op_names: their names, sorted, each once.
        custom_ops: names of custom operators.
        select_tf_ops: names of TensorFlow operators that need the Flex delegate.
        subgraphs: number of subgraphs.
        tensors: number of tensors.
        min_runtime_version: as the converter's metadata states it; empty where it doesn't.
        signatures: of a file with several, each, sorted by key.
        float_places: where the operators are that compute in float, of a file with some that don't, by their names.
    """

    inputs: tuple[QuantizedTensor, ...]
    outputs: tuple[QuantizedTensor, ...]
    operators: tuple[Operator, ...]
    float_ops: int
    float_op_names: tuple[str, ...]
    custom_ops: tuple[str, ...]
    select_tf_ops: tuple[str, ...]
    subgraphs: int
    tensors: int
    min_runtime_version: str
    signatures: tuple[SignatureGraph, ...] | UnsetType = UNSET
    float_places: tuple[FloatOperators, ...] | UnsetType = UNSET


class LayerWeights(Record, frozen=True, kw_only=True):
    """One optimized layer's weights, as they stand in the flatbuffer.

    Attributes:
        layer: the layer's name in the float model.
        tensor: the tensor's name in the flatbuffer.
        dtype: of the stored values.
        count: number of weights.
        sparsity: share of values that stand for zero.
        distinct_values: number of distinct stored values in the whole tensor.
        distinct_values_per_channel: the largest number in one output channel, which scales of channels don't multiply.
        encoded: whether the zeros are left out of the file.
        promised_sparsity: what the recipe asks for; None where it doesn't.
        promised_clusters: what the recipe asks for; None where it doesn't.
    """

    layer: str
    tensor: str
    dtype: str
    count: int
    sparsity: float
    distinct_values: int
    distinct_values_per_channel: int
    encoded: bool
    promised_sparsity: float | None = None
    promised_clusters: int | None = None


class SourceLayer(Record, frozen=True, kw_only=True):
    """A layer of a Keras model.

    Attributes:
        name: its own.
        kind: its class.
        weighted: whether it has weights.
        scopes: name scopes of the traced graph that it was called in.
        outputs: names of the model's outputs that it gives.
    """

    name: str
    kind: str
    weighted: bool
    scopes: tuple[str, ...]
    outputs: tuple[str, ...] = ()


class LoweredLayer(Record, frozen=True, kw_only=True):
    """What became of a Keras layer in the float32 conversion.

    Attributes:
        name: the layer's own.
        kind: its class.
        fate: `kept`, `folded` (its weights into another layer's), `fused` (into another layer's operator), `removed`,
            or `unnamed` (it has weights, but none of the operators bears its name).
        into: the other layer's name; empty for none.
        operators: how many operators of each kind are its own.
    """

    name: str
    kind: str
    fate: str
    into: str
    operators: dict[str, int]


class Measurement(Record, frozen=True, kw_only=True):
    """All that is known of a candidate before it is judged.

    Attributes:
        samples: the evaluation samples that it ran on; None where it was not run, and then nothing that needs a run
            is known: `parity` and `task` are empty, and there is no latency.
        not_run: why it was not run; empty where it was.
        parity: by output name; of several signatures as `key/output`.
        task: by metric name; of several signatures as `key/metric`.
        size: bytes of the candidate.
        float32_size: bytes of the float32 conversion, once it had a place for a build key as the candidate has.
        census: of the candidate.
        latency: the candidate's; None where no benchmark was asked for. Of several signatures, that of one invocation
            of each in turn.
        float32_latency: the float32 conversion's; None with it.
        optimized_layers: weights that pruning or clustering promised something about, as the candidate holds them.
        signature_latencies: of several signatures, what each of them takes, by key.
        target: what the compiler of a target reports, where there is one.
        golden_vectors: what the maker of golden vectors reports, where there are any.
        figures: path of a file with `EvaluationFigures`, for the stage that draws; what is published has none.
    """

    samples: SampleSet | None
    not_run: str = ""
    parity: dict[str, Parity]
    task: dict[str, TaskScore]
    size: int
    float32_size: int
    census: Census
    latency: Latency | None = None
    float32_latency: Latency | None = None
    optimized_layers: tuple[LayerWeights, ...] = ()
    signature_latencies: dict[str, LatencyPair] | UnsetType = UNSET
    target: TargetReport | UnsetType = UNSET
    golden_vectors: GoldenReport | UnsetType = UNSET
    figures: str | UnsetType = UNSET

    @property
    def size_ratio(self) -> float:
        """The candidate's size over that of the float32 conversion."""
        return self.size / self.float32_size

    def timed(self, pair: LatencyPair, signatures: dict[str, LatencyPair] | UnsetType) -> Measurement:
        """The same with latencies: of all of it, and of several signatures of each."""
        return msgspec.structs.replace(
            self, latency=pair.candidate, float32_latency=pair.float32, signature_latencies=signatures
        )
