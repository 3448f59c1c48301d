"""What the figures of a report are made of: more than the measurement says, and nothing that anybody judges."""

from __future__ import annotations

from recipekit.contracts.declared import DatasetSpec
from recipekit.contracts.measured import SourceLayer
from recipekit.contracts.record import Record
from recipekit.contracts.tensors import Signature


class ErrorHistogram(Record, frozen=True, kw_only=True):
    """Signed errors, converted minus float, counted in bins of equal width from `-limit` to `limit`.

    Attributes:
        limit: a power of two above every error; 0.0 where all errors are zero, and then all are in the first bin.
        counts: of the bins, an even number, each with its lower edge.
    """

    limit: float
    counts: tuple[int, ...]


class SampleInput(Record, frozen=True, kw_only=True):
    """One input of a sample, after preprocessing.

    Attributes:
        name: of the input.
        dtype: NumPy's name.
        shape: without the batch dimension.
        lowest: the smallest value; None for text and for no values.
        highest: the largest one.
        picture: PNG in base64 where the input looks like an image; else empty.
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    lowest: float | None = None
    highest: float | None = None
    picture: str = ""


class WorstSample(Record, frozen=True, kw_only=True):
    """A sample on which an output differs most.

    Attributes:
        index: its place in the reading, from 0.
        id: what the dataset calls it.
        label: as text; empty for none, and for one that is no number or word.
        distance: Euclidean norm of the difference between both models' outputs.
        values: how many values the output has.
        differences: triples (place, float value, converted value) where the output differs most, the largest difference
            first; the place counts the output's values in their order, from 0.
        highest: the places of both models' largest value, float first; None for a single value.
        inputs: of the sample.
    """

    index: int
    id: str
    label: str
    distance: float
    values: int
    differences: tuple[tuple[int, float, float], ...]
    highest: tuple[int, int] | None
    inputs: tuple[SampleInput, ...]


class ClassCounts(Record, frozen=True, kw_only=True):
    """How often each class was taken for each, by both models.

    Attributes:
        classes: how many there are.
        float_counts: triples (label, predicted class, samples), sorted, those with samples.
        converted_counts: the same of the converted model.
    """

    classes: int
    float_counts: tuple[tuple[int, int, int], ...]
    converted_counts: tuple[tuple[int, int, int], ...]


class OutputFigures(Record, frozen=True, kw_only=True):
    """What is known of one output besides its parity.

    Attributes:
        output: its name; of several signatures `key/output`.
        values: how many pairs of values were compared.
        points: pairs (float, converted), drawn without preference, and the pair with the largest error at the end.
        histogram: of all errors.
        worst: the samples that differ most, the worst first; none where both models agree exactly.
        classes: where the labels are classes of the output.
        failure: why nothing of this is known; empty where it is.
    """

    output: str
    values: int = 0
    points: tuple[tuple[float, float], ...] = ()
    histogram: ErrorHistogram | None = None
    worst: tuple[WorstSample, ...] = ()
    classes: ClassCounts | None = None
    failure: str = ""


class EvaluationFigures(Record, frozen=True, kw_only=True):
    """What one evaluation gives to draw, by output; outputs beyond the first few are only counted."""

    outputs: tuple[OutputFigures, ...]
    omitted: int = 0


class ProbeRequest(Record, frozen=True, kw_only=True):
    """Ask where in a candidate its bytes and its errors are.

    Attributes:
        candidate: path of the converted model.
        float32: path of the float32 conversion.
        signatures: what the samples follow, by signature key.
        layers: the Keras model's layers, by whose names operators are told; none for other models.
        dataset: the evaluation samples; None runs nothing.
        samples: how many of each signature are run at most.
    """

    candidate: str
    float32: str
    signatures: dict[str, Signature]
    layers: tuple[SourceLayer, ...]
    dataset: DatasetSpec | None
    samples: int = 0


class ProbedOperator(Record, frozen=True, kw_only=True):
    """One operator of a candidate.

    Attributes:
        op: `CONV_2D` and the like.
        tensor: name of its first output.
        layer: the Keras layer that it belongs to; empty where that can't be told.
        bytes: what its constants take in the file.
        float32_bytes: what those of the operator with the same output take in the float32 conversion; None where there
            is none.
        sqnr_db: of its first output against the float32 conversion's, over all samples; None where they were not
            compared.
    """

    op: str
    tensor: str
    layer: str
    bytes: int
    float32_bytes: int | None = None
    sqnr_db: float | None = None


class Probe(Record, frozen=True, kw_only=True):
    """Where in a candidate its bytes and its errors are.

    Attributes:
        operators: in the order of execution.
        size: bytes of the file; what no operator's constants take is its structure.
        samples: how many both models were run on.
        not_compared: why no tensor was compared; empty where some were.
    """

    operators: tuple[ProbedOperator, ...]
    size: int
    samples: int = 0
    not_compared: str = ""


class LatencyRuns(Record, frozen=True, kw_only=True):
    """Milliseconds of timed runs, from the fastest to the slowest; of very many some, at even distances."""

    candidate: tuple[float, ...]
    float32: tuple[float, ...]


class IllustrateRequest(Record, frozen=True, kw_only=True):
    """Ask for the figures of a report to be drawn.

    Attributes:
        evaluation: path of the file with `EvaluationFigures`; empty for none.
        runs: of the benchmark; None for none.
        probe: of the candidate; None where it failed.
    """

    evaluation: str
    runs: LatencyRuns | None = None
    probe: Probe | None = None


class Illustrations(Record, frozen=True, kw_only=True):
    """The figures of a report on disk.

    Attributes:
        path: a JSON file with a tuple of `Figure`.
        sha256: of it.
        count: how many there are.
    """

    path: str
    sha256: str
    count: int


class Table(Record, frozen=True, kw_only=True):
    """Numbers behind a figure, as text.

    Attributes:
        caption: what it shows.
        columns: headings; one that ends in `#` is of numbers.
        rows: cells, the first one being the row's heading.
        shares: of each row, how much of its last cell's bar is filled, 0 to 1; none for no bars.
        heat: of each row, how strongly each cell after the heading is shaded, 0 to 9; none for no shades.
    """

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    shares: tuple[float, ...] = ()
    heat: tuple[tuple[int, ...], ...] = ()


class Picture(Record, frozen=True, kw_only=True):
    """One sample to look at.

    Attributes:
        title: its name.
        images: PNGs in base64, with what each shows in words.
        facts: pairs (word, value).
    """

    title: str
    images: tuple[tuple[str, str], ...]
    facts: tuple[tuple[str, str], ...]


class Figure(Record, frozen=True, kw_only=True):
    """One figure of a report.

    Attributes:
        section: the part of the page that it stands in: `outputs`, `classes`, `worst`, `layers`, `size` or `latency`.
        title: what it shows.
        finding: what can be read from it, in a sentence or two.
        drawing: an SVG element; empty for none.
        table: the numbers behind it.
        is_table: whether the table is the figure itself, so that it is shown at once.
        pictures: samples to look at.
        failure: why it could not be drawn; empty where it was.
    """

    section: str
    title: str
    finding: str
    drawing: str = ""
    table: Table | None = None
    is_table: bool = False
    pictures: tuple[Picture, ...] = ()
    failure: str = ""
