"""Azure Blob Storage: `If-None-Match: *` creates, `If-Match` replaces."""

from __future__ import annotations

from typing import Any

from azure.core import MatchConditions
from azure.core.exceptions import ResourceModifiedError, ResourceNotFoundError
from fsspec.asyn import sync

from recipekit.remote.service import PATIENCE_SECONDS, Filesystem, Found

OPTIONS: dict[str, Any] = {}
"""Of adlfs."""


class Azure(Filesystem):
    """Blobs of containers."""

    def read(self, path: str) -> Found | None:
        """A small blob and its ETag."""
        found: Found | None = self._sync(_read, self._blob(path))
        return found

    def replace(self, path: str, data: bytes, version: Any) -> bool:
        """Writes a small blob over the version with an ETag."""
        written: bool = self._sync(_replace, self._blob(path), data, version)
        return written

    def _blob(self, path: str) -> Any:
        container, name, _ = self.fs.split_path(path)
        return self.fs.service_client.get_blob_client(container=container, blob=name)

    def _sync(self, function: Any, *arguments: Any) -> Any:
        return sync(self.fs.loop, function, *arguments, timeout=PATIENCE_SECONDS)


async def _read(blob: Any) -> Found | None:
    try:
        stream = await blob.download_blob()
    except ResourceNotFoundError as error:
        if getattr(error, "error_code", None) == "ContainerNotFound":
            raise
        return None
    return Found(await stream.readall(), stream.properties.etag)


async def _replace(blob: Any, data: bytes, version: str) -> bool:
    condition = MatchConditions.IfNotModified
    try:
        await blob.upload_blob(data, overwrite=True, etag=version, match_condition=condition)
    except (ResourceModifiedError, ResourceNotFoundError):
        return False
    return True
