"""A draft: everything that a first recipe says, decided from what the model's file and the user say."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, NamedTuple

from recipekit.contracts import Description
from recipekit.drafting import dataset, found_data
from recipekit.drafting.custom_code import modules_of
from recipekit.drafting.dataset import Stanza
from recipekit.drafting.scheme import Scheme, acceptance_of, converter_of
from recipekit.drafting.shapes import FixedInput, fixed_inputs, why
from recipekit.errors import UsageError
from recipekit.pool import Pool

_LONGEST_NAME = 64
_NAME = re.compile(r"[a-z0-9](?:\.?[a-z0-9_-])*\.?")


class Wishes(NamedTuple):
    """What the user says.

    Attributes:
        name: of the recipe; empty for one after the model.
        scheme: what to convert to.
        samples: a file or folder with samples; None where there are none yet.
        allow_random: whether random samples are wanted.
    """

    name: str
    scheme: Scheme
    samples: Path | None
    allow_random: bool


class Place(NamedTuple):
    """Where the recipe will stand.

    Attributes:
        root: of the project; absolute.
        model: the model, as the recipe names it.
    """

    root: Path
    model: str


class Draft(NamedTuple):
    """A recipe to be written.

    Attributes:
        name: its own.
        model: what the source says of itself.
        scheme: what is converted to.
        converter: the packaged option.
        source: keys of the section.
        shapes: `input_shapes`, and why.
        custom: the section `custom_layers`, as far as the project's source tells.
        samples: the dataset.
        acceptance: the section.
        todo: what is left to the user, a sentence each.
    """

    name: str
    model: Description
    scheme: Scheme
    converter: str
    source: dict[str, Any]
    shapes: tuple[dict[str, list[int]], tuple[str, ...]]
    custom: dict[str, Any]
    samples: Stanza
    acceptance: dict[str, Any]
    todo: tuple[str, ...]


def draft(model: Description, wishes: Wishes, place: Place, pool: Pool) -> Draft:
    """Decides what the recipe says.

    Args:
        model: the source, which isn't quantized.
        wishes: the user's.
        place: where it will stand.
        pool: the workers, for a look at samples.

    Raises:
        UsageError: the wishes don't fit the model, or there are no samples where they are said to be.
        DatasetError: samples are damaged.
    """
    if model.quantized:
        raise UsageError("is quantized already", where=place.model, fix="name the float model that it was made of")
    if wishes.name and (len(wishes.name) > _LONGEST_NAME or not _NAME.fullmatch(wishes.name)):
        raise UsageError(
            "is no name of a recipe: lower-case letters, digits, '.', '_' and '-'",
            where=f"--name {wishes.name}",
            fix=f"--name {slug(wishes.name)}",
        )
    inputs = fixed_inputs(model)
    samples = _samples(model, inputs, wishes, place, pool)
    code = modules_of([part.name for part in model.unknown], place.root)
    missing = [part.name for part in model.unknown if part.name not in code]
    return Draft(
        name=wishes.name or slug(f"{Path(place.model).stem}_{wishes.scheme.name}"),
        model=model,
        scheme=wishes.scheme,
        converter=converter_of(wishes.scheme, model),
        source=_source(model, place),
        shapes=_shapes(model, inputs, wishes.scheme),
        custom={"modules": sorted({module.path for module in code.values()})} if code else {},
        samples=samples,
        acceptance=acceptance_of(wishes.scheme, model, real_samples=samples.keys["plugin"] != "random"),
        todo=(
            *([f"register {', '.join(missing)} under custom_layers, with the file that defines it"] if missing else []),
            *dict.fromkeys(module.doubt for module in code.values() if module.doubt),
            *(f"'{part.path}' is {part.what}: see `source` in the recipe" for part in model.unsafe),
            *([samples.todo] if samples.todo else []),
            *([_lacking(model)] if model.needs_select_tf_ops else []),
        ),
    )


def slug(text: str) -> str:
    """A name that recipes may have, made of any text."""
    plain = re.sub(r"[^a-z0-9_-]+", "_", text.lower()).strip("_-")
    return plain[:_LONGEST_NAME] or "model"


def _samples(model: Description, inputs: tuple[FixedInput, ...], wishes: Wishes, place: Place, pool: Pool) -> Stanza:
    if wishes.samples is not None:
        return found_data.found(wishes.samples, shown_from(wishes.samples, place.root), model, inputs, pool)
    if not wishes.allow_random:
        return dataset.guessed(model, inputs)
    if not all(given.shape for given in inputs) or len({given.dtype for given in inputs}) > 1:
        raise UsageError(
            "random samples need inputs of one known dtype and shape",
            where="--allow-random",
            fix="name samples with --dataset",
        )
    return dataset.random(inputs)


def shown_from(path: Path, root: Path) -> str:
    """A path as a recipe names it: relative to the project root where it lies below, else absolute."""
    whole = path.resolve()
    return whole.relative_to(root).as_posix() if whole.is_relative_to(root) else str(whole)


def _source(model: Description, place: Place) -> dict[str, Any]:
    keys: dict[str, Any] = {"kind": model.kind, "path": place.model}
    if model.kind == "keras":
        keys["loader"] = "auto"
    elif model.kind == "saved_model":
        keys["signature"] = model.signature.key
    return keys


def _shapes(
    model: Description, inputs: tuple[FixedInput, ...], scheme: Scheme
) -> tuple[dict[str, list[int]], tuple[str, ...]]:
    """Shapes for inputs that leave something open, as far as they have names."""
    fixing = tuple(given for given in inputs if given.fixes and given.name)
    if not fixing or model.kind == "tflite":
        return {}, ()
    reasons = why(fixing)
    if model.recurrent:
        reasons += (f"layers over sequences ({', '.join(model.recurrent)}) need fixed shapes to convert",)
    if model.recurrent and scheme.calibrates:
        reasons += (f"CHECK: {scheme.name} writes their steps out, so the file grows with them; dynamic_range doesn't",)
    return {given.name: list(given.shape) for given in fixing}, reasons


def _lacking(model: Description) -> str:
    named = ", ".join(model.needs_select_tf_ops)
    return f"TensorFlow Lite has no kernel for {named}: choose one of the ways in the recipe (docs/operators.md)"
