"""Templates that an earlier process has compiled.

To compile those of a run takes a tenth of a second. They lie in a folder of the system's temporary one that is the
user's alone. Where there is none that is safe, or it can't be written, every process compiles its own.
"""

from __future__ import annotations

from contextlib import suppress

import jinja2
from jinja2.bccache import Bucket

import recipekit


class _CompiledTemplates(jinja2.FileSystemBytecodeCache):
    def dump_bytecode(self, bucket: Bucket) -> None:
        with suppress(OSError):
            super().dump_bytecode(bucket)


def compiled_templates() -> jinja2.BytecodeCache | None:
    """Where templates are found compiled, each by its place and its text; None where nowhere is safe."""
    try:
        return _CompiledTemplates(pattern=f"recipekit-{recipekit.__version__}-jinja2-{jinja2.__version__}-%s.cache")
    except (OSError, RuntimeError):
        return None
