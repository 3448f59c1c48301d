"""`recipekit inspect`: what a model holds, and of a `.tflite` file which output it comes from."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from recipekit.audit.description import ModelReport, describe, kind_of
from recipekit.audit.inspection import FileReport, Origin, report_on
from recipekit.cli.arguments import any_project_of, make_parser, near
from recipekit.cli.model_page import head, print_model, shape_text
from recipekit.cli.tables import data_console, plain_grid, plain_table, short_name
from recipekit.contracts import FileOperator, FileTensor, Inspection
from recipekit.outputs.lookup import find_file
from recipekit.pool import Limits, Pool

_SHOWN_LAYERS = 10


def main(argv: list[str]) -> int:
    """Prints signatures, operators, constants, metadata and the build behind a file."""
    parser = make_parser(
        "inspect",
        "Say what a model holds, and which build a .tflite file comes from; docs/inspect.md explains each line.",
        "recipekit inspect stray.tflite",
        overrides=False,
    )
    parser.add_argument(
        "file", metavar="FILE", help="a .tflite or Keras file, a SavedModel's or output's folder, or NAME/latest"
    )
    parser.add_argument("--all", action="store_true", help="every layer and tensor, not only the largest")
    parser.add_argument("--format", choices=["text", "json"], default="text", help="how to print the result")
    options = parser.parse_args(argv)
    project = any_project_of(options)
    shown = None if options.all else _SHOWN_LAYERS
    report: FileReport | ModelReport
    with Pool(Limits.of(project)) as pool:
        file = find_file(options.file, Path.cwd(), options.recipes)
        if kind_of(file) == "tflite":
            report = report_on(file, pool, project.outputs if project else None)
        else:
            report = ModelReport(path=str(file), model=describe(file, pool))
    if options.format == "json":
        sys.stdout.write(msgspec.json.encode(report).decode() + "\n")
    elif isinstance(report, ModelReport):
        print_model(data_console(), report, shown)
    else:
        _print(data_console(), report, shown)
    return 0


def _print(console: Console, report: FileReport, shown: int | None) -> None:
    file = report.file
    console.print(_facts(report))
    if report.origin is not None and report.origin.target is not None:
        target = report.origin.target
        head(console, f"target: {target.conditions}, as the compiler estimates")
        grid = plain_grid(2)
        for name, figure in target.figures.items():
            grid.add_row(name, figure)
        console.print(grid)
    for signature in file.signatures:
        head(console, f"signature {signature.key}" if signature.key else "no signature")
        console.print(_ports(signature.inputs, signature.outputs))
    head(console, f"{len(file.operators)} operators")
    console.print(_operators(file.operators))
    head(console, _constants(file))
    console.print(_layers(file.operators, file.size, shown))
    head(console, "tensors")
    console.print(_tensors(file.tensors, shown))
    if file.metadata:
        head(console, "metadata")
        table = plain_table("name", "bytes>", "content")
        for entry in file.metadata:
            table.add_row(entry.name, f"{entry.bytes:,}", entry.text)
        console.print(table)


def _facts(report: FileReport) -> Table:
    table = plain_grid(2)
    file = report.file
    build = file.build_key or "none: not published by recipekit, or written anew since"
    facts = {
        "file": str(near(Path(report.path))),
        "size": f"{file.size:,} bytes",
        "sha256": file.sha256,
        "converter": file.description,
        "build key": build,
        "output": _origin(report.origin) if report.origin else _nowhere(report),
    }
    for name, value in facts.items():
        if value:
            table.add_row(Text(name, style="bold"), value)
    return table


def _origin(origin: Origin) -> str:
    how = {
        "unaltered": f"{origin.verdict}, this is its file",
        "altered": f"{origin.verdict}, this file was altered since",
        "unreadable": "its manifest can't be read",
    }
    return f"{near(Path(origin.output))} ({how[origin.state]})"


def _nowhere(report: FileReport) -> str:
    if not report.file.build_key:
        return ""
    return (
        f"none with this key in {near(Path(report.searched))}"
        if report.searched
        else "not looked for, outside of a project"
    )


def _ports(inputs: Sequence[FileTensor], outputs: Sequence[FileTensor]) -> Table:
    table = plain_table("", "name", "dtype", "shape", "scale>", "zero point>")
    for role, tensors in (("input", inputs), ("output", outputs)):
        for tensor in tensors:
            scale = f"{tensor.scales[0]:.6g}" if len(tensor.scales) == 1 else f"{len(tensor.scales)} scales"
            point = str(tensor.zero_points[0]) if tensor.zero_points else ""
            quantization = (scale, point) if tensor.scales else ("", "")
            table.add_row(role, tensor.name, tensor.dtype, shape_text(tensor.shape), *quantization)
    return table


def _operators(operators: Sequence[FileOperator]) -> Table:
    table = plain_table("operator", "version>", "inputs → outputs", "count>", "constants>")
    counts: Counter[tuple[str, int, str]] = Counter()
    taken: Counter[tuple[str, int, str]] = Counter()
    for it in operators:
        kind = (it.op, it.version, it.dtypes)
        counts[kind] += 1
        taken[kind] += it.bytes
    for kind, count in sorted(counts.items(), key=lambda item: (item[0][0], -item[1], item[0])):
        op, version, dtypes = kind
        table.add_row(op, str(version), dtypes, str(count), f"{taken[kind]:,}")
    return table


def _constants(file: Inspection) -> str:
    tensors, rest = sum(bool(tensor.bytes) for tensor in file.tensors), file.size - file.constant_bytes
    return f"{file.constant_bytes:,} bytes of constants in {tensors} tensors, {rest:,} of structure"


def _layers(operators: Sequence[FileOperator], size: int, shown: int | None) -> Table:
    table = plain_table("layer<", "operator", "bytes>", "share>")
    layers = sorted((it for it in operators if it.bytes), key=lambda it: (-it.bytes, it.name))
    for layer in layers[:shown]:
        table.add_row(short_name(layer.name), layer.op, f"{layer.bytes:,}", f"{layer.bytes / size:.1%}")
    rest = layers[len(layers[:shown]) :]
    if rest:
        taken = sum(layer.bytes for layer in rest)
        table.add_row(f"{len(rest)} more (--all)", "", f"{taken:,}", f"{taken / size:.1%}")
    return table


def _tensors(tensors: Sequence[FileTensor], shown: int | None) -> Table:
    """Constants, the largest first, and how each is quantized."""
    table = plain_table("tensor<", "dtype", "shape", "quantized", "bytes>")
    constants = sorted((it for it in tensors if it.bytes), key=lambda it: (-it.bytes, it.name))
    for tensor in constants[:shown]:
        shape = shape_text(tensor.shape)
        table.add_row(short_name(tensor.name), tensor.dtype, shape, _scheme(tensor), f"{tensor.bytes:,}")
    rest = constants[len(constants[:shown]) :]
    if rest:
        table.add_row(f"{len(rest)} more (--all)", "", "", "", f"{sum(tensor.bytes for tensor in rest):,}")
    return table


def _scheme(tensor: FileTensor) -> str:
    """`per channel (16), symmetric`, or nothing for a tensor that isn't quantized."""
    if not tensor.scales:
        return ""
    how = "per tensor" if len(tensor.scales) == 1 else f"per channel ({len(tensor.scales)})"
    return f"{how}, {'asymmetric' if any(tensor.zero_points) else 'symmetric'}"
