"""The records that cross stages and processes, and the protocols that plugins follow.

Everything here is plain data (msgspec structs: frozen, typed, JSON in and out) or a Protocol. The parent process and
both workers import this room, so it must import neither TensorFlow nor LiteRT nor NumPy at run time.
"""

from recipekit.contracts.declared import (
    CALIBRATED,
    BenchmarkSpec,
    ConverterSpec,
    CustomLayersSpec,
    DatasetSpec,
    ModelSpec,
    SourceSpec,
)
from recipekit.contracts.measured import (
    EXACT_SQNR_DB,
    Census,
    Latency,
    Measurement,
    Operator,
    PairedCounts,
    Parity,
    QuantizedTensor,
    TaskScore,
)
from recipekit.contracts.plugins import Dataset, DatasetContext, Metric, Sample, StreamedDataset
from recipekit.contracts.record import Record
from recipekit.contracts.samples import SampleSet
from recipekit.contracts.stages import (
    LOAD,
    LOWER,
    MEASURE,
    QUANTIZE,
    REFERENCE,
    STAGES,
    SURVEY,
    Flatbuffer,
    LoadedModel,
    LoadRequest,
    LowerRequest,
    MeasureRequest,
    QuantizeRequest,
    Reference,
    ReferenceRequest,
    Stage,
    SurveyRequest,
    TensorLog,
)
from recipekit.contracts.tensors import Signature, TensorSpec

__all__ = [
    "CALIBRATED",
    "EXACT_SQNR_DB",
    "LOAD",
    "LOWER",
    "MEASURE",
    "QUANTIZE",
    "REFERENCE",
    "STAGES",
    "SURVEY",
    "BenchmarkSpec",
    "Census",
    "ConverterSpec",
    "CustomLayersSpec",
    "Dataset",
    "DatasetContext",
    "DatasetSpec",
    "Flatbuffer",
    "Latency",
    "LoadRequest",
    "LoadedModel",
    "LowerRequest",
    "MeasureRequest",
    "Measurement",
    "Metric",
    "ModelSpec",
    "Operator",
    "PairedCounts",
    "Parity",
    "QuantizeRequest",
    "QuantizedTensor",
    "Record",
    "Reference",
    "ReferenceRequest",
    "Sample",
    "SampleSet",
    "Signature",
    "SourceSpec",
    "Stage",
    "StreamedDataset",
    "SurveyRequest",
    "TaskScore",
    "TensorLog",
    "TensorSpec",
]
