"""Two legacy models that people really convert, beside the int8 conversions that their authors published.

The models are not part of the repository. Where they lie beside it, recipes convert them on patches of photographs
that come with scikit-image, and must come at least as close to the float model as the published files do.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image
from skimage import data

from recipekit.compose.composition import compose
from recipekit.contracts import LoadRequest, Parity, Reference, ReferenceRequest
from recipekit.intervals import paired_difference
from recipekit.outcome import Outcome
from recipekit.pool import Pool
from recipekit.project import find_project
from recipekit.recipe import parse
from recipekit.worker.comparison import Comparison
from recipekit.worker.interpreter import Runner
from recipekit.worker.samples import NamedSample, open_samples
from tests.conftest import RunStage
from tests.e2e.conftest import ROOT, run_here

MODELS = ROOT.parent / "shared" / "data" / "mlperf_tiny"
PROJECT = Path(__file__).parent / "mlperf_tiny"
PUBLISHED = {"resnet_int8": "pretrainedResnet_quant.tflite", "vww_int8": "vww_96_int8.tflite"}

pytestmark = [
    pytest.mark.tensorflow,
    pytest.mark.slow,
    pytest.mark.skipif(not MODELS.is_dir(), reason="needs the MLPerf Tiny models in ../shared/data/mlperf_tiny"),
]

CALIBRATION, EVALUATION = 200, 1000
SIDES = (32, 160)
BORDER = 1 / 3
"""Share of each photograph's width that calibration sees; evaluation sees the rest, so no pixel is in both."""

MARGIN = 0.01
"""The low end of the 95 % interval of our agreement minus the published one's may lie this far below zero: where both
files agree with the float model on nearly every sample, which of them leads is a matter of two or three samples."""


def photographs() -> dict[str, npt.NDArray[np.uint8]]:
    """Colour photographs inside the wheel of scikit-image; nothing is downloaded."""
    motorcycle, _, _ = data.stereo_motorcycle()
    return {
        "astronaut": data.astronaut(),
        "chelsea": data.chelsea(),
        "coffee": data.coffee(),
        "motorcycle": motorcycle,
        "rocket": data.rocket(),
    }


def write_patches(folder: Path, count: int, columns: tuple[float, float], seed: int) -> None:
    """Squares of random size and place from the photographs in turn, between two columns given as shares of width."""
    folder.mkdir(parents=True)
    draw = np.random.default_rng(seed)
    pictures = list(photographs().items())
    for number in range(count):
        name, picture = pictures[number % len(pictures)]
        left, right = (round(share * picture.shape[1]) for share in columns)
        side = int(draw.integers(SIDES[0], min(SIDES[1], right - left), endpoint=True))
        top = int(draw.integers(0, picture.shape[0] - side, endpoint=True))
        start = int(draw.integers(left, right - side, endpoint=True))
        patch = picture[top : top + side, start : start + side]
        Image.fromarray(patch).save(folder / f"{number:04d}_{name}.png", compress_level=1)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The user's project with its models and images, nothing built yet."""
    folder = Path(shutil.copytree(PROJECT, tmp_path_factory.mktemp("mlperf") / "project"))
    shutil.copytree(MODELS, folder / "models")
    write_patches(folder / "data" / "calibration", CALIBRATION, (0, BORDER), seed=0)
    write_patches(folder / "data" / "evaluation", EVALUATION, (BORDER, 1), seed=1)
    return folder


class Conversion(NamedTuple):
    """An int8 file measured against the float model: its parity, and which samples have the float model's argmax."""

    parity: Parity
    agrees: npt.NDArray[np.bool_]


class Duel(NamedTuple):
    """A recipe's conversion and the published one, on the same samples and against the same float outputs."""

    outcome: Outcome
    ours: Conversion
    published: Conversion


@pytest.fixture(scope="module", params=sorted(PUBLISHED))
def duel(
    request: pytest.FixtureRequest,
    project: Path,
    pool: Pool,
    run_stage: RunStage,
    record_testsuite_property: Callable[[str, object], None],
) -> Duel:
    composition = compose(find_project(project), [f"recipe={request.param}"])
    outcome = run_here(project, pool, f"recipe={request.param}")

    recipe = parse(composition.mapping, composition.project.root, composition.origin)
    loaded = run_stage("load", LoadRequest(model=recipe.model))
    evaluation = recipe.evaluation.dataset
    assert evaluation is not None
    reference = run_stage("reference", ReferenceRequest(model=recipe.model, loaded=loaded, dataset=evaluation))
    files = (Path(outcome.output) / "model.tflite", project / "models" / PUBLISHED[request.param])
    ours, published = measure(files, open_samples(evaluation, loaded.signature, project.parent), reference)
    for side, measured in (("ours", ours), ("published", published)):
        numbers = f"{measured.parity.sqnr_db:.2f} dB, argmax agreement {measured.parity.argmax_agreement:.4f}"
        record_testsuite_property(f"{request.param} {side}", numbers)
    return Duel(outcome, ours, published)


def measure(files: Sequence[Path], samples: Iterable[NamedSample], reference: Reference) -> list[Conversion]:
    """Compares models of one input and one output, by whatever names: the published files have no signature."""
    (name,) = reference.outputs
    models = [(Runner(file), Comparison(reference, keep=True)) for file in files]
    for sample in samples:
        (tensor,) = sample.tensors.values()
        for runner, comparison in models:
            (output,) = runner.run({runner.inputs[0]: tensor}).values()
            comparison.add({name: output})
    return [conversion(comparison, name) for _, comparison in models]


def conversion(comparison: Comparison, output: str) -> Conversion:
    parity = comparison.parity()[output]
    agrees = comparison.reference[output].argmax(axis=-1) == comparison.converted()[output].argmax(axis=-1)
    return Conversion(parity, agrees)


def test_the_recipe_is_accepted_and_says_which_loader_read_the_file_and_why(duel: Duel) -> None:
    assert duel.outcome.status == "accepted"
    model = json.loads((Path(duel.outcome.output) / "results.json").read_text())["model"]
    assert model["loader"] == "tf_keras"
    assert "HDF5 file saved by Keras 2.4.0" in model["reason"]


def test_the_recorded_parity_is_that_of_the_model_in_the_output(duel: Duel) -> None:
    assert duel.outcome.measurement is not None
    assert list(duel.outcome.measurement.parity.values()) == [duel.ours.parity]


def test_the_noise_is_at_most_that_of_the_published_conversion(duel: Duel) -> None:
    # Over draws of calibration patches the lead is 1.9 dB (sd 0.5) for the ResNet, 1.2 dB (sd 0.7) for VWW.
    assert duel.ours.parity.sqnr_db >= duel.published.parity.sqnr_db


def test_the_agreement_is_not_inferior_to_that_of_the_published_conversion(duel: Duel) -> None:
    ours, published = duel.ours.agrees, duel.published.agrees
    only_ours, only_published = int((ours & ~published).sum()), int((published & ~ours).sum())
    low, _ = paired_difference(only_ours, only_published, len(ours), 0.95)
    assert low >= -MARGIN
