"""What a `.tflite` file says of itself, in full; `measured.Census` is the part that acceptance bounds ask for."""

from __future__ import annotations

from recipekit.contracts.record import Record


class InspectRequest(Record, frozen=True, kw_only=True):
    """Ask what a `.tflite` file holds. It is read, not run."""

    path: str


class FileTensor(Record, frozen=True, kw_only=True):
    """One tensor of a file.

    Attributes:
        name: its own; in a signature, the signature's name for it.
        subgraph: number of the subgraph that it stands in.
        dtype: TensorFlow Lite's name in lower case, `str` for strings.
        shape: -1 for a dimension that is dynamic.
        bytes: what its constant takes in the file; 0 for a tensor that isn't constant.
        content: SHA-256 of its constant; empty for a tensor that isn't constant.
        sparse: whether the file leaves its zeros out.
        scales: of its quantization; one for the whole tensor, several by channel, none for a float.
        zero_points: as many; a single one where all are alike.
    """

    name: str
    subgraph: int
    dtype: str
    shape: tuple[int, ...]
    bytes: int = 0
    content: str = ""
    sparse: bool = False
    scales: tuple[float, ...] = ()
    zero_points: tuple[int, ...] = ()


class FileSignature(Record, frozen=True, kw_only=True):
    """One signature.

    Attributes:
        key: its key; empty for the plain inputs and outputs of a file without signatures.
        subgraph: number of the subgraph that it runs.
        inputs: by the signature's names, sorted.
        outputs: by the signature's names, sorted.
    """

    key: str
    subgraph: int
    inputs: tuple[FileTensor, ...]
    outputs: tuple[FileTensor, ...]


class FileOperator(Record, frozen=True, kw_only=True):
    """One operator.

    Attributes:
        subgraph: number of the subgraph that it stands in.
        op: `CONV_2D` and the like, or the custom code.
        version: of its kernel.
        kind: `builtin`, `custom`, or `flex` for an operator of TensorFlow.
        name: of its first output tensor, after the layer that it comes from; its number where it has no output.
        inputs: dtype of each input; empty for one that is left out.
        outputs: dtype of each output.
        bytes: what its constants take in the file; one that several operators share counts for the first.
    """

    subgraph: int
    op: str
    version: int
    kind: str
    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    bytes: int

    @property
    def dtypes(self) -> str:
        """The dtypes as people read them: `int8, int8, int32 → int8`."""
        return f"{', '.join(dtype or '-' for dtype in self.inputs)} → {', '.join(self.outputs)}"


class FileMetadata(Record, frozen=True, kw_only=True):
    """One metadata entry: its name, its size, and its content where that is a line of text."""

    name: str
    bytes: int
    text: str = ""


class Inspection(Record, frozen=True, kw_only=True):
    """What a `.tflite` file holds.

    Attributes:
        sha256: of the file.
        size: bytes of the file.
        description: the converter's.
        build_key: of the build that the file was published by; empty where it doesn't say.
        signatures: in the file's order.
        operators: in the order of execution, one subgraph after the other.
        tensors: all of them, in the file's order.
        metadata: in the file's order.
        subgraphs: how many.
        constant_bytes: what all constants take; the rest of the file is its structure.
    """

    sha256: str
    size: int
    description: str
    build_key: str
    signatures: tuple[FileSignature, ...]
    operators: tuple[FileOperator, ...]
    tensors: tuple[FileTensor, ...]
    metadata: tuple[FileMetadata, ...]
    subgraphs: int
    constant_bytes: int
