"""The records that cross stages and processes, and the protocols that plugins follow.

Everything here is plain data (msgspec structs: frozen, typed, JSON in and out) or a Protocol. The parent process and
both workers import this module, so it must import neither TensorFlow nor LiteRT nor NumPy at run time.

Paths in records are absolute strings unless a field says otherwise.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, runtime_checkable

import msgspec

from recipekit.errors import ConversionError, DatasetError, EvaluationError, RecipekitError, SourceError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


class Record(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of all records: frozen, keyword-only, strict about unknown fields."""


# --- what a recipe declares, as the stages see it -----------------------------------------------------------------


class SourceSpec(Record, frozen=True, kw_only=True):
    """Where the float model comes from.

    Attributes:
        kind: a source of the registry (`keras`, `saved_model`, `python`).
        path: the file or folder; empty for kinds that have none.
        loader: `auto`, `keras3` or `keras2`; read by `keras` alone.
        signature: signature key; read by `saved_model` alone.
        input_shapes: full shapes, batch included, by input name; they fix dynamic dimensions.
        allow_unsafe: whether code that travels inside the source may run.
        factory: `module:function` that builds the model; read by `python` alone.
        kwargs: keyword arguments of the factory.
    """

    kind: str
    path: str = ""
    loader: str = "auto"
    signature: str = "serving_default"
    input_shapes: dict[str, tuple[int, ...]] = {}
    allow_unsafe: bool = False
    factory: str = ""
    kwargs: dict[str, Any] = {}


class CustomLayersSpec(Record, frozen=True, kw_only=True):
    """The custom-layer registry of a recipe.

    Attributes:
        modules: dotted names, or paths of files relative to the project root, imported before the model is loaded.
        objects: class or function name as the model file spells it, to `module:object`.
    """

    modules: tuple[str, ...] = ()
    objects: dict[str, str] = {}


class ModelSpec(Record, frozen=True, kw_only=True):
    """All that the `load` stage needs to rebuild a float model."""

    source: SourceSpec
    custom_layers: CustomLayersSpec
    project_root: str
    seed: int


class DatasetSpec(Record, frozen=True, kw_only=True):
    """A dataset plugin with its parameters and what the runner does around it.

    Attributes:
        plugin: a dataset of the registry, or a name that one of `modules` registers.
        params: the plugin's own parameters; a `path` among them is absolute.
        samples: how many samples to take; None takes all.
        shuffle: whether to draw them in an order given by `seed`.
        seed: decides the order, and is handed to plugins that draw numbers.
        preprocess: steps applied to each sample, in order, each a mapping with one step name.
        modules: dotted names, or paths relative to the project root, imported before the plugin is looked up.
        project_root: absolute; first on the import path while the dataset is read.
    """

    plugin: str
    params: dict[str, Any]
    samples: int | None
    shuffle: bool
    seed: int
    preprocess: tuple[dict[str, Any], ...]
    modules: tuple[str, ...]
    project_root: str


class ConverterSpec(Record, frozen=True, kw_only=True):
    """How `tf.lite.TFLiteConverter` is set up, in TensorFlow's own terms.

    Attributes:
        quantization: `none`, `float16`, `dynamic_range`, `int8` or `int16x8`.
        allow_float: for `int8` and `int16x8`, whether operators may fall back to float kernels.
        granularity: `per_channel` or `per_tensor`.
        input_type: dtype of the converted model's inputs.
        output_type: dtype of the converted model's outputs.
        supported_ops: names of `tf.lite.OpsSet` members that the float conversion may use.
        allow_custom_ops: whether unknown operators are kept as custom ones.
        flags: other public attributes of the converter, by their own names.
    """

    quantization: str
    allow_float: bool
    granularity: str
    input_type: str
    output_type: str
    supported_ops: tuple[str, ...]
    allow_custom_ops: bool
    flags: dict[str, Any]

    @property
    def needs_samples(self) -> bool:
        """Whether the quantization is calibrated with samples."""
        return self.quantization in ("int8", "int16x8")


class BenchmarkSpec(Record, frozen=True, kw_only=True):
    """How latency is measured: timed runs, untimed runs before them, and interpreter threads."""

    runs: int
    warmup: int
    threads: int


# --- signatures ---------------------------------------------------------------------------------------------------


class TensorSpec(Record, frozen=True, kw_only=True):
    """One input or output of a model.

    Attributes:
        name: the name that samples and outputs go by.
        shape: with the batch dimension; None for a dynamic dimension.
        dtype: NumPy's name of the element type (`float32`, `int32`, `bool`, `str` ...).
    """

    name: str
    shape: tuple[int | None, ...]
    dtype: str


class Signature(Record, frozen=True, kw_only=True):
    """The inputs and outputs of a model, by name; the order means nothing."""

    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]


# --- stages: a request in, a record out ---------------------------------------------------------------------------


class LoadRequest(Record, frozen=True, kw_only=True):
    """Ask for the float model as a SavedModel with one signature."""

    model: ModelSpec


class LoadedModel(Record, frozen=True, kw_only=True):
    """The float model, ready for lowering.

    Attributes:
        saved_model: folder of the SavedModel that is converted.
        signature_key: the signature's key inside it.
        signature: its inputs and outputs as converted, with `input_shapes` applied.
        loader: what read the source (`keras3`, `tf_keras`, `saved_model`, `saved_model_v1`, `factory` ...).
        reason: why that one, one sentence for the user.
        parameters: number of weights, where the source tells; else None.
    """

    saved_model: str
    signature_key: str
    signature: Signature
    loader: str
    reason: str
    parameters: int | None = None


class SurveyRequest(Record, frozen=True, kw_only=True):
    """Ask for a dataset to be read once and digested, before anything else happens."""

    dataset: DatasetSpec


class SampleSet(Record, frozen=True, kw_only=True):
    """What one reading of a dataset gave.

    Attributes:
        path: `samples.jsonl`: a line a sample, in order, with its id and each tensor's sha256, dtype and shape.
        sha256: digest of that file.
        count: number of samples.
        labelled: whether every sample had a label.
    """

    path: str
    sha256: str
    count: int
    labelled: bool


class TensorLog(Record, frozen=True, kw_only=True):
    """All values of one output, sample by sample: a C-ordered raw file of shape (samples, *shape)."""

    path: str
    dtype: str
    shape: tuple[int, ...]


class ReferenceRequest(Record, frozen=True, kw_only=True):
    """Ask for the float model's outputs on a dataset."""

    model: ModelSpec
    loaded: LoadedModel
    dataset: DatasetSpec


class Reference(Record, frozen=True, kw_only=True):
    """The float model's outputs by output name, and the samples they belong to."""

    outputs: dict[str, TensorLog]
    samples: SampleSet


class LowerRequest(Record, frozen=True, kw_only=True):
    """Ask for the plain float32 conversion, the yardstick of size and speed."""

    loaded: LoadedModel
    converter: ConverterSpec


class QuantizeRequest(Record, frozen=True, kw_only=True):
    """Ask for the candidate: the conversion that the recipe declares."""

    loaded: LoadedModel
    converter: ConverterSpec
    dataset: DatasetSpec | None


class Flatbuffer(Record, frozen=True, kw_only=True):
    """A converted model on disk.

    Attributes:
        path: the `.tflite` file.
        sha256: its digest.
        size: bytes.
        samples: the calibration samples that were read; None where the scheme needs none.
    """

    path: str
    sha256: str
    size: int
    samples: SampleSet | None = None


class MeasureRequest(Record, frozen=True, kw_only=True):
    """Ask for the candidate to be run on the evaluation samples and compared with the reference.

    Attributes:
        candidate: path of the converted model.
        float32: path of the float32 conversion.
        signature: names, shapes and dtypes that samples and reference outputs follow.
        dataset: the evaluation samples.
        reference: the float model's outputs on them.
        metrics: task metrics by registry name, with their parameters.
        benchmark: None skips latency.
        replicates: bootstrap replicates for the intervals of metrics that aren't proportions; 0 for none.
        seed: of the bootstrap.
    """

    candidate: str
    float32: str
    signature: Signature
    dataset: DatasetSpec
    reference: Reference
    metrics: dict[str, dict[str, Any]]
    benchmark: BenchmarkSpec | None
    replicates: int
    seed: int


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


class QuantizedTensor(Record, frozen=True, kw_only=True):
    """An input or output of a flatbuffer's signature, with per-tensor quantization where it has any."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    scale: float | None = None
    zero_point: int | None = None


class Census(Record, frozen=True, kw_only=True):
    """What a flatbuffer itself says it is; flags and intentions don't enter.

    Attributes:
        inputs: of the signature, by name.
        outputs: of the signature, by name.
        operators: sorted by name and version, over all subgraphs.
        float_ops: number of operators that compute in float, QUANTIZE and DEQUANTIZE left out.
        float_op_names: their names, sorted, each once.
        custom_ops: names of custom operators.
        select_tf_ops: names of TensorFlow operators that need the Flex delegate.
        subgraphs: number of subgraphs.
        tensors: number of tensors.
        min_runtime_version: as the converter's metadata states it; empty where it doesn't.
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


class Measurement(Record, frozen=True, kw_only=True):
    """All that is known of a candidate before it is judged.

    Attributes:
        samples: the evaluation samples that were read.
        parity: by output name.
        task: by metric name.
        size: bytes of the candidate.
        float32_size: bytes of the float32 conversion.
        latency: the candidate's; None where no benchmark was asked for.
        float32_latency: the float32 conversion's; None with it.
        census: of the candidate.
    """

    samples: SampleSet
    parity: dict[str, Parity]
    task: dict[str, TaskScore]
    size: int
    float32_size: int
    latency: Latency | None
    float32_latency: Latency | None
    census: Census


# --- what plugins follow ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Sample:
    """One sample of a dataset.

    Attributes:
        id: what names it in messages and records: a file path relative to the dataset, a row number ...
        tensors: arrays without batch dimension by input name; a bare array where the model has one input.
        label: the target of task metrics: a number, a class index or an array; None where there is none.
    """

    id: str
    tensors: Mapping[str, npt.NDArray[Any]] | npt.NDArray[Any]
    label: Any = field(default=None)


@dataclass(frozen=True)
class DatasetContext:
    """What a dataset plugin is told besides its parameters: the project root and the recipe's seed."""

    root: Path
    seed: int


@runtime_checkable
class Dataset(Protocol):
    """A dataset that knows its length and gives any sample by its index, so that it can be shuffled and streamed.

    A plugin is a callable `plugin(context: DatasetContext, **params) -> Dataset`.
    """

    def __len__(self) -> int:
        """Number of samples."""

    def __getitem__(self, index: int, /) -> Sample:
        """The sample at `index`, the same one each time it is asked for."""


class StreamedDataset(Protocol):
    """A dataset that can only be read from its beginning; the recipe then can't shuffle it."""

    def __iter__(self) -> Iterator[Sample]:
        """Every sample, in the same order each time."""


class Metric(Protocol):
    """A task metric. A plugin is a callable `plugin(**params) -> Metric`."""

    higher_is_better: bool

    def score(
        self, labels: npt.NDArray[Any], outputs: Mapping[str, npt.NDArray[Any]], weights: npt.NDArray[np.float64] | None
    ) -> float:
        """The metric of outputs (by output name, first axis = samples) against labels, samples weighted."""

    def hits(self, labels: npt.NDArray[Any], outputs: Mapping[str, npt.NDArray[Any]]) -> npt.NDArray[np.bool_] | None:
        """For a metric that is the share of right samples, which ones are right; None for others."""


# --- the stages ---------------------------------------------------------------------------------------------------


class Stage(NamedTuple):
    """One step of a build: a pure function from a request record to a response record and files.

    Attributes:
        name: its module in `recipekit.worker.stages`.
        worker: which of the two warm processes runs it: `tensorflow` or `litert`.
        request: type of what it takes.
        record: type of what it gives.
        failure: the error that an exception becomes which nobody foresaw.
    """

    name: str
    worker: str
    request: type[Record]
    record: type[Record]
    failure: type[RecipekitError]


SURVEY = Stage("survey", "litert", SurveyRequest, SampleSet, DatasetError)
LOAD = Stage("load", "tensorflow", LoadRequest, LoadedModel, SourceError)
REFERENCE = Stage("reference", "tensorflow", ReferenceRequest, Reference, EvaluationError)
LOWER = Stage("lower", "tensorflow", LowerRequest, Flatbuffer, ConversionError)
QUANTIZE = Stage("quantize", "tensorflow", QuantizeRequest, Flatbuffer, ConversionError)
MEASURE = Stage("measure", "litert", MeasureRequest, Measurement, EvaluationError)

STAGES = {stage.name: stage for stage in (SURVEY, LOAD, REFERENCE, LOWER, QUANTIZE, MEASURE)}
