"""A draft as the text of a recipe, comments included: the template lies in `templates/`, YAML is quoted here."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any

import yaml

from recipekit.contracts import ModelTensor
from recipekit.drafting.draft import Draft
from recipekit.escaping import escaped

_WIDE = 10**9


def render(draft: Draft, outside: bool) -> str:
    """The recipe.

    Args:
        draft: what it says.
        outside: whether the model lies outside of the project.
    """
    import jinja2  # noqa: PLC0415  help and errors render nothing

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=False,  # noqa: S701  YAML, not HTML: whatever a file says goes through `flow`, `block` or `comment`
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=jinja2.StrictUndefined,
        finalize=_comment,
    )
    environment.filters |= {"flow": _flow, "block": _block, "port": _port}
    return environment.get_template("recipe.yaml.j2").render(
        draft=draft,
        model=draft.model,
        outside=outside,
        suffix=Path(draft.samples.keys.get("path", "")).suffix,
        description=f"{Path(draft.source['path']).name} as {draft.scheme.name}: {draft.scheme.why}",
        objects={part.name: f"layers/FILE.py:{part.name.rpartition('>')[2]}" for part in draft.model.unknown},
        replacements={name: f"replacements.py:{name.lower()}" for name in draft.model.needs_select_tf_ops},
    )


class _Yaml(str):
    """Text that is YAML already."""


def _comment(value: Any) -> Any:
    """What a stranger's file says can't end a comment: line ends and control characters are shown as escapes."""
    if isinstance(value, _Yaml) or not isinstance(value, str):
        return value
    return escaped(value)


def _flow(value: Any) -> _Yaml:
    """One line of YAML; where a text in it has line ends or the like, every value is quoted, which escapes them."""
    line = _dumped(value, allow_unicode=True)
    return _Yaml(line if line.isprintable() else _dumped(value, default_style='"'))


def _dumped(value: Any, **style: Any) -> str:
    """A value in YAML's flow style, without what ends it; blanks at either end belong to a text."""
    text: str = yaml.safe_dump(value, default_flow_style=True, width=_WIDE, sort_keys=False, **style)
    return text.removesuffix("...\n").rstrip("\n")


def _block(value: dict[str, Any], indent: int) -> _Yaml:
    """A line for each key, and for each item of a list of steps."""
    lines: list[str] = []
    for key, item in value.items():
        if isinstance(item, list) and item and isinstance(item[0], dict):
            lines += [f"{key}:", *(f"  - {_flow(step)}" for step in item)]
        elif isinstance(item, dict) and item and all(isinstance(inner, dict) for inner in item.values()):
            lines += [f"{key}:", *(f"  {_flow(name)}: {_flow(inner)}" for name, inner in item.items())]
        else:
            lines.append(f"{key}: {_flow(item)}")
    return _Yaml(textwrap.indent("\n".join(lines), " " * indent))


def _port(tensor: ModelTensor) -> str:
    shape = "?" if tensor.shape is None else "x".join("?" if size < 0 else str(size) for size in tensor.shape)
    return f"{tensor.name or 'an input that only its code names'}: {tensor.dtype or '?'} {shape or 'scalar'}"
