"""Why a shared place can't be used, and what the user can do about it."""

from __future__ import annotations

from recipekit.errors import OutputFault
from recipekit.secrecy import redacted

_LONGEST = 300
_CREDENTIALS = {"NoCredentialsError", "PartialCredentialsError", "ClientAuthenticationError", "DefaultCredentialsError"}
_LOGIN = {
    "s3": "a profile, a role, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
    "gs": "`gcloud auth application-default login`, a service account, or GOOGLE_APPLICATION_CREDENTIALS",
    "az": "a managed identity, or AZURE_STORAGE_CONNECTION_STRING",
    "file": "the rights of that folder",
}


class Refusal(Exception):
    """A shared place can't be reached, or doesn't let this machine in.

    It isn't a RecipekitError: the caller decides whether the work goes on without the place.

    Attributes:
        url: of the place or of the object.
        reason: what the service's library said, without secrets.
        fix: what the user can do about it.
        forbidden: whether the place is there and refuses what was asked.
    """

    def __init__(self, url: str, reason: str, fix: str, *, forbidden: bool = False) -> None:
        super().__init__(f"{url}: {reason}")
        self.url = url
        self.reason = reason
        self.fix = fix
        self.forbidden = forbidden

    def fault(self, what: str, fix: str = "") -> OutputFault:
        """The fault for work that can't go on without the place.

        Args:
            what: that can't be done, before the reason.
            fix: another way out, behind the first one.
        """
        return OutputFault(f"{what}: {self.reason}", where=self.url, fix="; ".join(filter(None, (self.fix, fix))))


def refusal_of(error: BaseException, url: str) -> Refusal:
    """What an error of a service's library means.

    Args:
        error: whatever it raised.
        url: that was asked for.
    """
    name = type(error).__name__
    first = redacted(" ".join(str(error).split()))[:_LONGEST]
    reason = f"{name}: {first}" if first else name
    scheme = url.partition(":")[0]
    if name in _CREDENTIALS or isinstance(error, PermissionError) or _status(error) in {401, 403}:
        kind = {"gcs": "gs", "abfs": "az", "abfss": "az", "s3a": "s3"}.get(scheme, scheme)
        fix = f"let this machine read, list and write there: {_LOGIN[kind]}"
        return Refusal(url, reason, fix, forbidden=True)
    if isinstance(error, FileNotFoundError):
        return Refusal(url, f"there is no such bucket, container or folder ({first})", "make it, or correct the URL")
    return Refusal(url, reason, "look at the network, the endpoint and the service, then run again")


def _status(error: BaseException) -> int | None:
    """The HTTP status that an error of a service's library carries, itself or as its cause."""
    for each in (error, error.__cause__):
        answer = getattr(each, "response", None)
        told = answer.get("ResponseMetadata", {}).get("HTTPStatusCode") if isinstance(answer, dict) else None
        for status in (told, getattr(each, "status_code", None), getattr(each, "code", None)):
            if isinstance(status, int):
                return status
    return 403 if isinstance(error, OSError) and str(error).startswith("Forbidden: ") else None  # as gcsfs words it
