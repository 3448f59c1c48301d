"""The stages: a request record in, a response record and files out. Paths are absolute strings."""

from __future__ import annotations

from typing import Any, NamedTuple

from msgspec import UNSET, UnsetType

from recipekit.contracts.artifacts import Compilation, GoldenVectors, GoldenVectorsRequest, VelaRequest
from recipekit.contracts.curves import Curve, CurveRequest
from recipekit.contracts.declared import (
    BenchmarkSpec,
    CalibrationSpec,
    ConverterSpec,
    DatasetSpec,
    LoweringSpec,
)
from recipekit.contracts.described import DescribeRequest, Description, Glimpse, GlimpseRequest
from recipekit.contracts.figures import IllustrateRequest, Illustrations, LatencyRuns, Probe, ProbeRequest
from recipekit.contracts.inspected import Inspection, InspectRequest
from recipekit.contracts.introduced import IntroduceRequest, Introduction
from recipekit.contracts.loaded import Agreement, AgreeRequest, LoadedModel, LoadRequest, UnrollRequest
from recipekit.contracts.located import Located, LocateRequest
from recipekit.contracts.measured import FloatOperators, LatencyPair, LoweredLayer, Measurement
from recipekit.contracts.optimization import (
    Confirmation,
    ConfirmRequest,
    EncodeRequest,
    OptimizedModel,
    OptimizeRequest,
)
from recipekit.contracts.provenance import MarkRequest
from recipekit.contracts.record import Record
from recipekit.contracts.reference import Reference, ReferenceRequest
from recipekit.contracts.samples import SampleSet
from recipekit.contracts.tensors import Signature
from recipekit.errors import (
    ConversionError,
    CustomLayerError,
    DatasetError,
    EnvironmentFault,
    EvaluationError,
    OptimizationError,
    RecipekitError,
    SourceError,
)


class SurveyRequest(Record, frozen=True, kw_only=True):
    """Ask for a dataset to be read once and digested, before anything else happens."""

    dataset: DatasetSpec


class LowerRequest(Record, frozen=True, kw_only=True):
    """Ask for the plain float32 conversion, the yardstick of size and speed and the beginning of every scheme."""

    loaded: LoadedModel
    lowering: LoweringSpec


class Flatbuffer(Record, frozen=True, kw_only=True):
    """A converted model on disk.

    Attributes:
        path: the `.tflite` file.
        sha256: its digest.
        size: bytes.
        layers: of a float32 conversion, what became of the Keras model's layers.
        build_key_offset: of a candidate, where its placeholder for the build key stands; None where it has none.
        float_places: of a candidate; see `Census`.
    """

    path: str
    sha256: str
    size: int
    layers: tuple[LoweredLayer, ...] = ()
    build_key_offset: int | None = None
    float_places: tuple[FloatOperators, ...] = ()


class CalibrateRequest(Record, frozen=True, kw_only=True):
    """Ask for the ranges that a model's tensors take on samples.

    Attributes:
        loaded: the float model.
        float32: path of its float32 conversion.
        calibration: what is collected, and by which engine.
        dataset: the samples.
    """

    loaded: LoadedModel
    float32: str
    calibration: CalibrationSpec
    dataset: DatasetSpec


class Calibration(Record, frozen=True, kw_only=True):
    """Ranges on disk.

    Attributes:
        path: a file in a form of the engine's own.
        samples: the calibration samples that were read.
    """

    path: str
    samples: SampleSet


class QuantizeRequest(Record, frozen=True, kw_only=True):
    """Ask for the candidate: the conversion that the recipe declares.

    Attributes:
        loaded: the float model.
        float32: path of its float32 conversion.
        converter: the scheme.
        calibration: the ranges; None where the scheme needs none.
        dataset: the samples behind them; None with it.
        trained_ranges: whether the model was trained for quantization and holds its ranges itself.
    """

    loaded: LoadedModel
    float32: str
    converter: ConverterSpec
    calibration: Calibration | None
    dataset: DatasetSpec | None
    trained_ranges: bool = False


class MeasureRequest(Record, frozen=True, kw_only=True):
    """Ask for the candidate to be run on the evaluation samples and compared with the reference.

    Attributes:
        candidate: path of the converted model.
        float32: path of the float32 conversion.
        signatures: names, shapes and dtypes that samples and reference outputs follow, by signature key.
        dataset: the evaluation samples.
        reference: the float model's outputs on them.
        metrics: task metrics by registry name or `module:function`, with their parameters.
        replicates: bootstrap replicates for the intervals of metrics that aren't proportions; 0 for none.
        seed: of the bootstrap.
    """

    candidate: str
    float32: str
    signatures: dict[str, Signature]
    dataset: DatasetSpec
    reference: Reference
    metrics: dict[str, dict[str, Any]]
    replicates: int
    seed: int


class ExamineRequest(Record, frozen=True, kw_only=True):
    """Ask what can be told of the candidate without running it.

    Attributes:
        candidate: path of the converted model.
        float32: path of the float32 conversion.
    """

    candidate: str
    float32: str


class BenchmarkRequest(Record, frozen=True, kw_only=True):
    """Ask how long both conversions take for the first evaluation sample of each signature, timed in turns.

    Attributes:
        candidate: path of the converted model.
        float32: path of the float32 conversion.
        signatures: what the samples follow, by signature key.
        dataset: the evaluation samples.
        benchmark: how it is measured.
    """

    candidate: str
    float32: str
    signatures: dict[str, Signature]
    dataset: DatasetSpec
    benchmark: BenchmarkSpec


class Latencies(LatencyPair, frozen=True, kw_only=True):
    """How long one `invoke` takes; of several signatures one of each in turn, and each by itself.

    Attributes:
        signatures: of several, each by itself.
        runs: the single ones behind the candidate's and the float32 conversion's latency.
    """

    signatures: dict[str, LatencyPair] | UnsetType = UNSET
    runs: LatencyRuns | None = None


class Stage(NamedTuple):
    """One step of a build: a pure function from a request record to a response record and files.

    Attributes:
        name: its module in `recipekit.worker.stages`.
        worker: which of the warm processes runs it, `tensorflow` or `litert`.
        request: type of what it takes.
        record: type of what it gives.
        failure: the error that an exception becomes which nobody foresaw.
        alone: whether nothing else may run meanwhile, because it measures time.
        rank: of stages that wait for the same worker, the one with the lowest goes first.
        repeats: whether it is to leave the same files each time; a SavedModel is never the same twice.
    """

    name: str
    worker: str
    request: type[Record]
    record: type[Record]
    failure: type[RecipekitError]
    alone: bool = False
    rank: int = 0
    repeats: bool = True

    def on(self, worker: str) -> Stage:
        """The same stage in another worker, for plugins that do without TensorFlow."""
        return self._replace(worker=worker)


SURVEY = Stage("survey", "litert", SurveyRequest, SampleSet, DatasetError)
LOAD = Stage("load", "tensorflow", LoadRequest, LoadedModel, SourceError, repeats=False)
OPTIMIZE = Stage("optimize", "tensorflow", OptimizeRequest, OptimizedModel, OptimizationError, repeats=False)
UNROLL = Stage("unroll", "tensorflow", UnrollRequest, LoadedModel, SourceError, repeats=False)
AGREE = Stage("agree", "tensorflow", AgreeRequest, Agreement, CustomLayerError)
REFERENCE = Stage("reference", "tensorflow", ReferenceRequest, Reference, EvaluationError)
LOWER = Stage("lower", "tensorflow", LowerRequest, Flatbuffer, ConversionError)
CALIBRATE = Stage("calibrate", "tensorflow", CalibrateRequest, Calibration, ConversionError)
QUANTIZE = Stage("quantize", "tensorflow", QuantizeRequest, Flatbuffer, ConversionError)
ENCODE = Stage("encode", "tensorflow", EncodeRequest, Flatbuffer, ConversionError)
MARK = Stage("mark", "litert", MarkRequest, Flatbuffer, ConversionError)
INSPECT = Stage("inspect", "litert", InspectRequest, Inspection, SourceError)
DESCRIBE = Stage("describe", "litert", DescribeRequest, Description, SourceError)
GLIMPSE = Stage("glimpse", "litert", GlimpseRequest, Glimpse, DatasetError)
INTRODUCE = Stage("introduce", "litert", IntroduceRequest, Introduction, EnvironmentFault)
CONFIRM = Stage("confirm", "litert", ConfirmRequest, Confirmation, OptimizationError)
MEASURE = Stage("measure", "litert", MeasureRequest, Measurement, EvaluationError)
EXAMINE = Stage("examine", "litert", ExamineRequest, Measurement, EvaluationError)
BENCHMARK = Stage("benchmark", "litert", BenchmarkRequest, Latencies, EvaluationError, alone=True)
CURVE = Stage("curve", "litert", CurveRequest, Curve, EvaluationError)
PROBE = Stage("probe", "litert", ProbeRequest, Probe, EvaluationError, repeats=False)
ILLUSTRATE = Stage("illustrate", "litert", IllustrateRequest, Illustrations, EvaluationError, repeats=False)
LOCATE = Stage("locate", "litert", LocateRequest, Located, EvaluationError)
VELA = Stage("vela", "litert", VelaRequest, Compilation, ConversionError)
GOLDEN_VECTORS = Stage("golden_vectors", "litert", GoldenVectorsRequest, GoldenVectors, EvaluationError)

STAGES = {
    stage.name: stage
    for stage in (
        SURVEY,
        LOAD,
        UNROLL,
        OPTIMIZE,
        AGREE,
        REFERENCE,
        LOWER,
        CALIBRATE,
        QUANTIZE,
        ENCODE,
        MARK,
        CONFIRM,
        MEASURE,
        EXAMINE,
        BENCHMARK,
        PROBE,
        ILLUSTRATE,
        CURVE,
        LOCATE,
        INSPECT,
        DESCRIBE,
        GLIMPSE,
        INTRODUCE,
        VELA,
        GOLDEN_VECTORS,
    )
}
