"""Extra files beside `model.tflite`: what a recipe declares of them, and the stages that make what takes time."""

from __future__ import annotations

from recipekit.contracts.declared import DatasetSpec
from recipekit.contracts.measured import Operator
from recipekit.contracts.record import Record
from recipekit.contracts.reported import GoldenReport, TargetReport
from recipekit.contracts.samples import SampleSet
from recipekit.contracts.tensors import Signature


class VelaSpec(Record, frozen=True, kw_only=True):
    """Options of Vela, the compiler for Arm's Ethos-U, by its own names.

    Attributes:
        accelerator: `--accelerator-config`.
        system_config: `--system-config`; None leaves the choice to Vela.
        memory_mode: `--memory-mode`; None leaves the choice to Vela.
        config: `--config`, a file relative to the project root; None takes the one that Vela brings.
        optimise: `--optimise`, `Performance` or `Size`.
    """

    accelerator: str
    system_config: str | None = None
    memory_mode: str | None = None
    config: str | None = None
    optimise: str = "Performance"


class ArtifactsSpec(Record, frozen=True, kw_only=True):
    """Extra files that a recipe asks for.

    Attributes:
        c_array: the model as a C array, and the operators that it needs of TensorFlow Lite Micro.
        labels: a file of class names relative to the project root; None for none.
        golden_vectors: how many samples of each signature to record with the outputs that they must give.
        vela: how to compile for an Ethos-U; None doesn't.
    """

    c_array: bool = False
    labels: str | None = None
    golden_vectors: int = 0
    vela: VelaSpec | None = None


class VelaRequest(Record, frozen=True, kw_only=True):
    """Ask for the candidate to be compiled for an Ethos-U.

    Attributes:
        candidate: path of the converted model.
        vela: the options.
        config: absolute path of the configuration file; empty for the one that Vela brings.
    """

    candidate: str
    vela: VelaSpec
    config: str


class Compilation(Record, frozen=True, kw_only=True):
    """A candidate compiled for a target.

    Attributes:
        path: the compiled `.tflite`.
        build_key_offset: where its placeholder for the build key stands; None where it has none.
        operators: of the compiled file.
        report: what the compiler says of it.
    """

    path: str
    build_key_offset: int | None
    operators: tuple[Operator, ...]
    report: TargetReport


class GoldenVectorsRequest(Record, frozen=True, kw_only=True):
    """Ask for the first samples of each signature, as the candidate takes them, and the outputs that they give.

    Attributes:
        candidate: path of the converted model.
        signatures: what the samples follow, by signature key.
        dataset: the evaluation samples.
        samples: what the survey of them gave.
        count: how many samples of each signature.
    """

    candidate: str
    signatures: dict[str, Signature]
    dataset: DatasetSpec
    samples: SampleSet
    count: int


class GoldenVectors(Record, frozen=True, kw_only=True):
    """Golden vectors on disk.

    Attributes:
        files: absolute paths of the files, each to be published by its own name.
        report: how far this machine's fast kernels are from what they hold.
    """

    files: tuple[str, ...]
    report: GoldenReport
