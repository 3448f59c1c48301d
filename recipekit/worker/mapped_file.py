"""Files mapped into memory whose pages, once read, are handed back to the system from time to time.

Mapped pages count as resident memory of the process, and stages have a limit on that. It knows no file format.
"""

from __future__ import annotations

import mmap
from typing import IO

_KEPT = 16 * 2**20


class MappedFile:
    """A read-only map of a whole file, which may be closed or removed afterwards.

    Attributes:
        data: the file's bytes.

    Raises:
        OSError: the file can't be mapped.
        ValueError: the file is empty.
    """

    def __init__(self, stream: IO[bytes]) -> None:
        self.data = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
        self._read = 0

    def note_read(self, count: int) -> None:
        """Tells that `count` bytes were read; after 16 MiB of them the pages go back to the system's cache."""
        self._read += count
        if self._read >= _KEPT:
            self._read = 0
            self.data.madvise(mmap.MADV_DONTNEED)
