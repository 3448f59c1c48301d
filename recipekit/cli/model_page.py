"""A model's description on the terminal: facts, signatures, layers and operators; for every verb that shows one."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Console
from rich.table import Table
from rich.text import Text

from recipekit.audit.description import ModelReport
from recipekit.cli.tables import plain_grid, plain_table
from recipekit.contracts import Description, ModelSignature
from recipekit.escaping import escaped_lines


def print_model(console: Console, report: ModelReport, shown: int | None) -> None:
    """Prints a whole description.

    Args:
        console: where.
        report: the model.
        shown: how many layers at most; None for all.
    """
    model = report.model
    console.print(_facts(report))
    for signature in model.signatures:
        head(console, f"signature {signature.key}" if signature.key else "inputs and outputs")
        console.print(ports(signature))
    if model.layers:
        head(console, f"{len(model.layers)} layers" if model.kind == "keras" else f"{len(model.layers)} scopes")
        console.print(_layers(model, shown))
    if model.operators:
        head(console, f"{sum(model.operators.values())} operators")
        table = plain_table("operator", "count>")
        for name, count in sorted(model.operators.items(), key=lambda item: (-item[1], item[0])):
            table.add_row(name, f"{count:,}")
        console.print(table)
    if model.foreign:
        head(console, "what the recipe must say something about")
        table = plain_table("name", "where", "what")
        for part in model.foreign:
            table.add_row(part.name, part.path, part.what or "no class or function of Keras's own")
        console.print(table)


def head(console: Console, text: str) -> None:
    """A heading with a line of air above it."""
    console.print(Text.assemble("\n", (escaped_lines(text), "bold")))


def ports(signature: ModelSignature) -> Table:
    """Inputs and outputs of one signature; `?` is what is dynamic or not told."""
    table = plain_table("", "name", "dtype", "shape")
    for role, tensors in (("input", signature.inputs), ("output", signature.outputs)):
        for tensor in tensors:
            table.add_row(role, tensor.name or "(only its code tells)", tensor.dtype or "?", shape_text(tensor.shape))
    return table


def shape_text(shape: Iterable[int] | None) -> str:
    """`?x48x48x3`; one `?` where not even the rank is known."""
    return "?" if shape is None else "x".join("?" if size < 0 else str(size) for size in shape) or "scalar"


def _facts(report: ModelReport) -> Table:
    model = report.model
    facts = {
        "model": report.path,
        "format": model.format,
        "size": f"{model.size:,} bytes",
        "written by": model.written_by,
        "loader": f"{model.loader}: {model.reason}",
        "weights": f"{model.parameters:,} parameters in {model.bytes:,} bytes",
        "recurrent": ", ".join(model.recurrent),
        "no kernel": ", ".join(model.needs_select_tf_ops),
    }
    table = plain_grid(2)
    for name, value in facts.items():
        if value:
            table.add_row(Text(name, style="bold"), value)
    return table


def _layers(model: Description, shown: int | None) -> Table:
    """Layers in the model's order; where not all are shown, those that hold most."""
    table = plain_table("layer<", "class", "dtype", "parameters>", "bytes>")
    chosen = list(model.layers)
    if shown is not None:
        chosen = sorted(chosen, key=lambda it: -it.bytes)[:shown]
    for layer in chosen:
        kind = layer.kind or "-"
        table.add_row(layer.name, kind, ", ".join(layer.dtypes), f"{layer.parameters:,}", f"{layer.bytes:,}")
    if len(chosen) < len(model.layers):
        rest = model.parameters - sum(layer.parameters for layer in chosen)
        taken = model.bytes - sum(layer.bytes for layer in chosen)
        table.add_row(f"{len(model.layers) - len(chosen)} more (--all)", "", "", f"{rest:,}", f"{taken:,}")
    return table
