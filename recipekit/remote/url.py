"""URLs of places that machines share, as settings name them. It is read by every command, so it imports little."""

from __future__ import annotations

from urllib.parse import urlsplit

from recipekit.errors import ProjectError

SCHEMES = ("s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "file")
"""Of the services whose conditional writes are known; fsspec has many more, which have none."""


def check_url(url: str, where: str) -> str:
    """A URL of a shared place, without a slash at its end.

    Args:
        url: as the user wrote it.
        where: the setting that holds it.

    Raises:
        ProjectError: it isn't one, or no service that can be shared is behind it.
    """
    parts = urlsplit(url)
    example = "such as s3://bucket/prefix"
    if parts.password is not None or parts.query or parts.fragment:
        raise ProjectError(
            "a URL of a shared place holds neither credentials nor options",
            where=where,
            fix=f"leave them to the service's own environment variables and profiles; write {example}",
        )
    if parts.scheme not in SCHEMES:
        raise ProjectError(
            f"'{url}' names no place that machines can share",
            where=where,
            fix=f"write a URL with {', '.join(SCHEMES)} in front, {example}",
        )
    if parts.scheme == "file" and (parts.netloc or not parts.path.strip("/")):
        raise ProjectError(f"'{url}' names no folder", where=where, fix="write file:///mount/folder")
    if parts.scheme != "file" and not parts.netloc:
        raise ProjectError(f"'{url}' names no bucket", where=where, fix=f"write it behind the slashes, {example}")
    return url.rstrip("/")
