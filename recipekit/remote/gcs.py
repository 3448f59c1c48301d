"""Google Cloud Storage: `ifGenerationMatch=0` creates, `ifGenerationMatch=<generation>` replaces."""

from __future__ import annotations

from typing import Any

from recipekit.remote.service import PATIENCE_SECONDS, Filesystem, Found

OPTIONS: dict[str, Any] = {}
"""Of gcsfs."""


class Gcs(Filesystem):
    """Objects of buckets."""

    def read(self, path: str) -> Found | None:
        """A small object and its generation."""
        try:
            headers, data = self.fs.call("GET", self.fs.url(path), timeout=PATIENCE_SECONDS)
        except FileNotFoundError:
            return None
        return Found(bytes(data), headers["X-Goog-Generation"])

    def replace(self, path: str, data: bytes, version: Any) -> bool:
        """Writes a small object over the version with a generation."""
        bucket, name, _ = self.fs.split_path(path)
        home = self.fs.base.removesuffix("/storage/v1/")
        try:
            self.fs.call(
                "POST",
                f"{home}/upload/storage/v1/b/{bucket}/o",
                uploadType="media",
                name=name,
                ifGenerationMatch=version,
                headers={"Content-Type": "application/json"},
                data=data,
                timeout=PATIENCE_SECONDS,
            )
        except (FileExistsError, FileNotFoundError):  # gcsfs's word for 412; and it is gone
            return False
        return True
