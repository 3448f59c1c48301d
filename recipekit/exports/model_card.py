"""An output as a model card: Markdown with the front matter that Hugging Face reads, `model-index` and all.

Format: https://huggingface.co/docs/hub/model-cards. What nobody declared, such as a licence or the task that a model is
meant for, isn't guessed: the card says what was converted, how, and what came of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import unquote

import yaml

from recipekit.contracts import QuantizedTensor
from recipekit.estimates import CONFIDENCE
from recipekit.exports.published import Published, Score

_TASKS = {
    "wer": "automatic-speech-recognition",
    "cer": "automatic-speech-recognition",
    "map": "object-detection",
    "miou": "image-segmentation",
    "bleu": "translation",
}
"""Hugging Face's task of metrics that have only one; others stand for any."""


def model_card(output: Published) -> str:
    """The card; the same for the same output."""
    front = yaml.safe_dump(front_matter(output), sort_keys=False, allow_unicode=True, width=1000)
    return f"---\n{front}---\n\n{_body(output)}"


def front_matter(output: Published) -> dict[str, Any]:
    """The metadata of the card, for the head of the Markdown file."""
    task = [score for score in output.scores() if score.of == "task" and score.float_value is not None]
    tags = ["tflite", "litert", "recipekit", *([output.quantization] if output.quantization != "none" else [])]
    index = {"name": output.name, "results": [_result(output, task)]}
    return {
        "library_name": "litert",
        "tags": tags,
        **({"metrics": [score.name for score in task], "model-index": [index]} if task else {}),
    }


def _result(output: Published, task: Sequence[Score]) -> dict[str, Any]:
    kinds = {_TASKS.get(score.name) for score in task} - {None}
    plugin = str((output.config.get("evaluation", {}).get("dataset") or {}).get("plugin", "evaluation"))
    samples = output.measurement.samples
    return {
        "task": {"type": kinds.pop() if len(kinds) == 1 else "other"},
        "dataset": {
            "name": f"{plugin}, {samples.count} samples" if samples else plugin,
            "type": plugin,
            **({"revision": samples.sha256} if samples else {}),
        },
        "metrics": [
            {"type": score.name, "value": _rounded(score.estimate.value), "name": score.name, "verified": False}
            for score in task
        ],
    }


def _rounded(value: float) -> float:
    return float(f"{value:.6g}")


def _body(output: Published) -> str:
    return "\n\n".join(filter(None, _sections(output))) + "\n"


def _sections(output: Published) -> Iterator[str]:
    name, sha256, size = output.model
    measured = output.measurement
    source = next(iter(output.dependencies("model-source")), None)
    yield f"# {output.name} {output.version}"
    yield output.description
    facts = {
        "File": f"`{name}`, {size:,} bytes, {measured.size_ratio:.1%} of the float32 conversion",
        "SHA-256": f"`{sha256}`",
        "Quantization": output.quantization,
        "Converter": output.definition["internalParameters"]["toolchain"]["converter"],
        "Source": _source(source) if source else "made by the recipe",
        "Verdict": f"{output.verdict}, {_passed(output)}",
        "Build key": f"`{output.build_key}`",
    }
    yield _table(("", ""), list(facts.items()))
    yield "## Inputs and outputs"
    ports = [("input", it) for it in measured.census.inputs] + [("output", it) for it in measured.census.outputs]
    yield _table(("", "Name", "Type", "Shape", "Scale", "Zero point"), [(role, *_port(it)) for role, it in ports])
    yield _usage(name)
    yield "## Evaluation"
    yield from _evaluation(output)
    if measured.target:
        yield "## Target"
        yield f"{measured.target.conditions}: estimates of the compiler, not measurements."
        yield _table(("Figure", "Value"), list(measured.target.figures.items()))
    if output.checks:
        yield "## Acceptance"
        rows = [
            (f"`{it.name}`", _shown(it.limit), _shown(it.value), _interval(it.interval), it.verdict)
            for it in output.checks
        ]
        yield _table(("Check", "Limit", "Value", "Interval", "Verdict"), rows)
    yield from _made(output)


def _source(entry: Mapping[str, Any]) -> str:
    """The source's path in its project, and its digest."""
    algorithm, value = next(iter(entry["digest"].items()))
    path = unquote(entry.get("uri", "").removeprefix("file:")) or entry["name"]
    return f"`{path}`, {algorithm} `{value}`"


def _passed(output: Published) -> str:
    passed = sum(check.verdict == "pass" for check in output.checks)
    return f"{passed} of {len(output.checks)} checks passed" if output.checks else "no bound was set"


def _port(tensor: QuantizedTensor) -> tuple[str, ...]:
    scale = "" if tensor.scale is None else f"{tensor.scale:.6g}"
    point = "" if tensor.zero_point is None else str(tensor.zero_point)
    return f"`{tensor.name}`", tensor.dtype, "x".join(map(str, tensor.shape)) or "scalar", scale, point


def _usage(name: str) -> str:
    return (
        "```python\n"
        "from ai_edge_litert.interpreter import Interpreter\n\n"
        f'run = Interpreter(model_path="{name}").get_signature_runner()\n'
        "outputs = run(**inputs)  # arrays by the names above; quantized ones by their scale and zero point\n"
        "```"
    )


def _evaluation(output: Published) -> Iterator[str]:
    measured = output.measurement
    if measured.samples is None:
        yield f"The model was not run: {measured.not_run}."
        return
    labelled = f"{measured.samples.count:,} samples, digest `{measured.samples.sha256}`"
    yield f"On {labelled}; intervals at {CONFIDENCE:.0%} confidence."
    rows = [
        (
            score.name,
            "" if score.of == "task" else f"`{score.of}`",
            _shown(score.float_value),
            _shown(score.estimate.value),
            _interval(score.estimate.interval),
        )
        for score in output.scores()
    ]
    if measured.latency is not None and measured.float32_latency is not None:
        float32, own = measured.float32_latency.p50_ms, measured.latency.p50_ms
        rows.append(("p50_ms, on the build host", "", _shown(float32), _shown(own), ""))
    yield _table(("Metric", "Output", "Float model", "This model", "Interval"), rows)


def _made(output: Published) -> Iterator[str]:
    recipe = yaml.safe_dump(dict(output.config), sort_keys=False, allow_unicode=True)
    yield "## How it was made"
    packages = {entry["name"]: entry.get("uri", "").rpartition("@")[2] for entry in output.dependencies("package")}
    named = [
        f"{name} {packages[name]}" for name in ("tensorflow", "ai-edge-litert", "ai-edge-quantizer") if name in packages
    ]
    version = output.definition["internalParameters"]["recipekit"]["version"]
    yield f"By recipekit {version}{' with ' + ', '.join(named) if named else ''}, from this recipe:"
    yield f"````yaml\n{recipe}````"  # a description may hold three
    yield (
        "`manifest.json`, an in-toto Statement with SLSA Provenance, pins every input by its digest; the model file"
        " itself carries the build key (`recipekit inspect`)."
    )


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(_cell(it) for it in line)} |" for line in lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _shown(value: float | bool | str | None) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:.6g}" if isinstance(value, int | float) else value


def _interval(interval: tuple[float, float] | None) -> str:
    return "" if interval is None else f"{interval[0]:.4g} to {interval[1]:.4g}"
