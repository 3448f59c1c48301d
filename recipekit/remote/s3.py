"""Amazon S3, and what speaks its language at another endpoint: `If-None-Match: *` creates, `If-Match` replaces."""

from __future__ import annotations

from typing import Any

from fsspec.asyn import sync

from recipekit.remote.service import PATIENCE_SECONDS, Filesystem, Found

OPTIONS = {"config_kwargs": {"connect_timeout": 5, "read_timeout": 30, "retries": {"mode": "standard"}}}
"""Of s3fs, where the user's own configuration of fsspec says nothing: botocore's own would wait for minutes."""

_NO_SUCH_OBJECT = "NoSuchKey"
_LOST = {"PreconditionFailed", "ConditionalRequestConflict", "NoSuchKey"}
"""Codes of a conditional write that came too late: the version is another one, is just being written, or is gone."""


class S3(Filesystem):
    """Objects of buckets."""

    def read(self, path: str) -> Found | None:
        """A small object and its ETag."""
        try:
            answer = self.fs.call_s3("get_object", **self._of(path), timeout=PATIENCE_SECONDS)
        except FileNotFoundError as error:
            if _code(error) != _NO_SUCH_OBJECT:
                raise  # there is no such bucket
            return None
        return Found(sync(self.fs.loop, _whole, answer["Body"], timeout=PATIENCE_SECONDS), answer["ETag"])

    def create(self, path: str, data: bytes) -> bool:
        """Writes a small object where there is none; also of two that are written at the same moment, one is told."""
        try:
            return super().create(path, data)
        except OSError as error:
            if _code(error) in _LOST - {_NO_SUCH_OBJECT}:
                return False
            raise

    def replace(self, path: str, data: bytes, version: Any) -> bool:
        """Writes a small object over the version with an ETag."""
        try:
            self.fs.call_s3("put_object", **self._of(path), Body=data, IfMatch=version, timeout=PATIENCE_SECONDS)
        except OSError as error:
            if _code(error) in _LOST:
                return False
            raise
        return True

    def _of(self, path: str) -> dict[str, str]:
        bucket, key, _ = self.fs.split_path(path)
        return {"Bucket": bucket, "Key": key}


async def _whole(body: Any) -> bytes:
    async with body:
        data: bytes = await body.read()
    return data


def _code(error: BaseException) -> str:
    """The service's own word for an error that s3fs has translated."""
    response = getattr(error.__cause__, "response", None) or {}
    return str(response.get("Error", {}).get("Code", ""))
