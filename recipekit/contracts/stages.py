"""The stages: a request record in, a response record and files out. Paths are absolute strings."""

from __future__ import annotations

from typing import Any, NamedTuple

from msgspec import field

from recipekit.contracts.declared import (
    BenchmarkSpec,
    CalibrationSpec,
    ConverterSpec,
    DatasetSpec,
    LoweringSpec,
    ModelSpec,
)
from recipekit.contracts.measured import Latency, Measurement
from recipekit.contracts.record import Record
from recipekit.contracts.samples import SampleSet
from recipekit.contracts.tensors import Signature
from recipekit.errors import ConversionError, DatasetError, EvaluationError, RecipekitError, SourceError


class LoadRequest(Record, frozen=True, kw_only=True):
    """Ask for the float model as a SavedModel with one signature."""

    model: ModelSpec


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
        signature_key: the signature's key inside it.
        signature: its inputs and outputs as converted, with `input_shapes` applied.
        loader: what read the source (`keras3`, `tf_keras`, `saved_model`, `saved_model_v1`, `factory` ...).
        reason: why that one, one sentence for the user.
        parameters: number of weights, where the source tells; else None.
        layers: Keras layers, `name (Class)`, by the scope of their operations in the SavedModel; empty elsewhere.
        replaced: what the recipe replaces; the float model that is compared with has the originals.
        replacement_sqnr_db: signal-to-error ratio between the two on drawn inputs; None where nothing is replaced, or
            the original can't run what is drawn.
        flatbuffer: the float `.tflite`, where the source is one; else empty.
    """

    saved_model: str
    signature_key: str
    signature: Signature
    loader: str
    reason: str
    parameters: int | None = None
    flatbuffer: str = ""
    layers: dict[str, str] = field(default_factory=dict)
    replaced: tuple[Replacement, ...] = ()
    replacement_sqnr_db: float | None = None


class SurveyRequest(Record, frozen=True, kw_only=True):
    """Ask for a dataset to be read once and digested, before anything else happens."""

    dataset: DatasetSpec


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
    """Ask for the plain float32 conversion, the yardstick of size and speed and the beginning of every scheme."""

    loaded: LoadedModel
    lowering: LoweringSpec


class Flatbuffer(Record, frozen=True, kw_only=True):
    """A converted model on disk.

    Attributes:
        path: the `.tflite` file.
        sha256: its digest.
        size: bytes.
    """

    path: str
    sha256: str
    size: int


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
    """

    loaded: LoadedModel
    float32: str
    converter: ConverterSpec
    calibration: Calibration | None
    dataset: DatasetSpec | None


class MeasureRequest(Record, frozen=True, kw_only=True):
    """Ask for the candidate to be run on the evaluation samples and compared with the reference.

    Attributes:
        candidate: path of the converted model.
        float32: path of the float32 conversion.
        signature: names, shapes and dtypes that samples and reference outputs follow.
        dataset: the evaluation samples.
        reference: the float model's outputs on them.
        metrics: task metrics by registry name, with their parameters.
        replicates: bootstrap replicates for the intervals of metrics that aren't proportions; 0 for none.
        seed: of the bootstrap.
    """

    candidate: str
    float32: str
    signature: Signature
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
    """Ask how long the candidate and the float32 conversion take for the first evaluation sample, timed in turns."""

    candidate: str
    float32: str
    signature: Signature
    dataset: DatasetSpec
    benchmark: BenchmarkSpec


class Latencies(Record, frozen=True, kw_only=True):
    """How long one `invoke` takes."""

    candidate: Latency
    float32: Latency


class Stage(NamedTuple):
    """One step of a build: a pure function from a request record to a response record and files.

    Attributes:
        name: its module in `recipekit.worker.stages`.
        worker: which of the warm processes runs it, `tensorflow` or `litert`.
        request: type of what it takes.
        record: type of what it gives.
        failure: the error that an exception becomes which nobody foresaw.
        alone: whether nothing else may run meanwhile, because it measures time.
        patient: whether it lets others go first that wait for the same worker.
    """

    name: str
    worker: str
    request: type[Record]
    record: type[Record]
    failure: type[RecipekitError]
    alone: bool = False
    patient: bool = False

    def on(self, worker: str) -> Stage:
        """The same stage in another worker, for plugins that do without TensorFlow."""
        return self._replace(worker=worker)


SURVEY = Stage("survey", "litert", SurveyRequest, SampleSet, DatasetError)
LOAD = Stage("load", "tensorflow", LoadRequest, LoadedModel, SourceError)
REFERENCE = Stage("reference", "tensorflow", ReferenceRequest, Reference, EvaluationError)
LOWER = Stage("lower", "tensorflow", LowerRequest, Flatbuffer, ConversionError)
CALIBRATE = Stage("calibrate", "tensorflow", CalibrateRequest, Calibration, ConversionError)
QUANTIZE = Stage("quantize", "tensorflow", QuantizeRequest, Flatbuffer, ConversionError)
MEASURE = Stage("measure", "litert", MeasureRequest, Measurement, EvaluationError)
EXAMINE = Stage("examine", "litert", ExamineRequest, Measurement, EvaluationError)
BENCHMARK = Stage("benchmark", "litert", BenchmarkRequest, Latencies, EvaluationError, alone=True)

STAGES = {
    stage.name: stage for stage in (SURVEY, LOAD, REFERENCE, LOWER, CALIBRATE, QUANTIZE, MEASURE, EXAMINE, BENCHMARK)
}
