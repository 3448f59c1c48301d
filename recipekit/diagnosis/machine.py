"""This machine and this installation: packages, processor, memory, and whether the workers start."""

from __future__ import annotations

import os
import platform
import sys
import time
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from tempfile import TemporaryDirectory

import recipekit
from recipekit.contracts import INTRODUCE, IntroduceRequest, Introduction
from recipekit.diagnosis.finding import Finding, fault, of_error, ok, warning
from recipekit.environment import platform_facts
from recipekit.errors import RecipekitError
from recipekit.pool import Pool
from recipekit.requirements import declared, extras, require

_EXIT = 7
_GIB = 2**30
_COMFORTABLE = 4 * _GIB
"""Bytes of memory: TensorFlow takes 0.6 GiB as it starts, and converting a model of 100 MB some 2 GiB more."""

_CGROUP_LIMIT = Path("/sys/fs/cgroup/memory.max")
WHAT_FOR = {
    "audio": "resampling in wav_folder, the steps log_mel and mfcc",
    "azure": "stages and outputs shared in Azure Blob Storage",
    "detection": "the metric mean_average_precision",
    "gcs": "stages and outputs shared in Google Cloud Storage",
    "huggingface": "the dataset huggingface",
    "joblib": "sweeps by Hydra's joblib launcher",
    "mlflow": "tracking runs with MLflow",
    "oms": "signatures in OpenSSF Model Signing's form",
    "optimize": "pruning with training, clustering and quantization-aware training",
    "optuna": "sweeps that search",
    "ray": "sweeps on Ray",
    "s3": "stages and outputs shared in Amazon S3 and what speaks its language",
    "sign": "signing outputs",
    "submitit": "sweeps on SLURM, and as processes of this machine",
    "text": "the metrics word_error_rate and bleu",
    "tfds": "the dataset tfds",
    "vela": "compiling for Ethos-U",
}
"""What each extra of recipekit is for."""

_WORKERS = {
    "litert": ("ai_edge_litert.interpreter", "ai_edge_quantizer", "numpy"),
    "tensorflow": ("tensorflow", "keras", "tf_keras"),
}


def installation() -> Iterator[Finding]:
    """Python, recipekit, the packages that it asks for, and its extras."""
    yield ok("python", f"{platform.python_implementation()} {platform.python_version()} at {sys.executable}")
    yield ok("recipekit", f"{recipekit.__version__} at {Path(recipekit.__file__).parent}")
    asked = declared()
    faults = [finding for requirement in asked if (finding := _package(requirement.name))]
    yield from faults
    if not asked:
        yield warning("packages", "recipekit runs from its source folder, so nothing says which it needs", "install it")
    elif not faults:
        yield ok("packages", f"all {len(asked)} are there in versions that recipekit takes")
    present = {extra: all(map(_installed, names)) for extra, names in extras().items()}
    here = ", ".join(extra for extra, whole in present.items() if whole)
    yield ok("extras", f"installed: {here or 'none'}")
    for extra, whole in present.items():
        if not whole:
            yield ok("extras", f"not installed: {extra}, for {WHAT_FOR[extra]}")


def hardware() -> Iterator[Finding]:
    """Processor and memory."""
    facts = platform_facts()
    features = set(facts.get("cpuFeatures", ()))
    named = f"{os.cpu_count()} x {facts.get('cpuModel', facts['machine'])}"
    if facts["machine"] not in {"x86_64", "AMD64"} or not features:
        yield ok("processor", named)
    elif "avx" not in features:
        yield fault("processor", f"{named} lacks AVX, which TensorFlow is built for", "use another machine", _EXIT)
    elif not {"avx2", "fma"} <= features:
        yield warning("processor", f"{named} lacks AVX2 or FMA: expect a third of the speed", "use another machine")
    else:
        wide = ", ".join(sorted(it for it in features if it in {"avx2", "fma", "avx512f", "avx512_vnni", "avx_vnni"}))
        yield ok("processor", f"{named} with {wide}")
    total = memory_bytes()
    if total < _COMFORTABLE:
        text = f"{total / _GIB:.1f} GiB: large models will not fit"
        yield warning("memory", text, "allow this machine or container 4 GiB or more")
    else:
        yield ok("memory", f"{total / _GIB:.1f} GiB")


def workers(pool: Pool) -> Iterator[Finding]:
    """Starts a worker of each kind."""
    for kind, modules in _WORKERS.items():
        started = time.monotonic()
        with TemporaryDirectory(prefix="recipekit-") as folder:
            try:
                result = pool.run(INTRODUCE.on(kind), IntroduceRequest(modules=modules), Path(folder) / "introduce")
            except RecipekitError as error:
                yield of_error(f"{kind} worker", error)
                continue
        assert isinstance(result.record, Introduction)  # for type checkers: the stage gives no other
        shown = ", ".join(f"{name.partition('.')[0]} {it}".strip() for name, it in result.record.versions.items())
        yield ok(f"{kind} worker", f"starts in {time.monotonic() - started:.1f} s, with {shown}")


def memory_bytes() -> int:
    """Memory of the machine, or of the container that this runs in."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    try:
        return min(total, int(_CGROUP_LIMIT.read_text()))
    except (OSError, ValueError):
        return total


def _package(name: str) -> Finding | None:
    """What is wrong with a package that recipekit asks for."""
    try:
        require(name)
    except RecipekitError as error:
        return of_error("packages", error)
    return None


def _installed(name: str) -> bool:
    try:
        version(name)
    except PackageNotFoundError:
        return False
    return True
