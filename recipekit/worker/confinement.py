"""What the worker process may not do, whatever code or model it runs: set once, before anything is imported.

The parent watches over time, memory and processes. Here is what the system itself enforces.
"""

from __future__ import annotations

import errno
import resource

_MIB = 2**20


def confine(file_mib: int) -> None:
    """Leaves no core dumps, whatever crashes, and bounds the size of files.

    Args:
        file_mib: MiB of the largest file that this process and those that it starts may write.
    """
    _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    largest = file_mib * _MIB
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (largest if most == resource.RLIM_INFINITY else min(largest, most), most))


def limit_hit(error: BaseException | None) -> tuple[str, str] | None:
    """What limit an exception tells of, itself or one behind it, and how it is raised; None where it is another.

    TensorFlow gives the system's words in exceptions of its own.
    """
    while error is not None:
        if getattr(error, "errno", None) == errno.EFBIG or "File too large" in str(error):
            largest = resource.getrlimit(resource.RLIMIT_FSIZE)[0] // _MIB
            return f"a file grew beyond the {largest} MiB allowed", _raise("file_limit_mib")
        if isinstance(error, MemoryError):
            return f"more memory was asked for than there is: {error}", "use smaller inputs, or a larger machine"
        error = error.__cause__ or error.__context__
    return None


def _raise(setting: str) -> str:
    return f"raise `{setting}` in [tool.recipekit] of pyproject.toml"
