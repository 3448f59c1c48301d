"""What is known of a signature: who made it, and whether anybody could check that."""

from __future__ import annotations

from collections.abc import Collection

from recipekit.contracts import Record
from recipekit.escaping import escaped


class SignatureReport(Record, frozen=True, kw_only=True):
    """A signature in which nothing wrong was found.

    Attributes:
        file: that holds it.
        key_id: of the key that made it, as the file says: SHA-256 of its DER form, behind `pem:` of its PEM form; empty
            where the file says nothing.
        verified: whether a trusted key proved it.
        reason: why not; empty where it is verified.
    """

    file: str
    key_id: str
    verified: bool
    reason: str = ""

    @classmethod
    def of(cls, file: str, key_id: str, *, verified: bool, keys: Collection[object]) -> SignatureReport:
        """The report of a signature that was looked at with the trusted keys."""
        reason = "" if verified else "none of the keys given is this one" if keys else "no key given"
        return cls(file=file, key_id=key_id, verified=verified, reason=reason)

    def __str__(self) -> str:
        state = "verified" if self.verified else f"present, not checked: {self.reason}"
        return escaped(f"{self.file}: signed by the key {self.key_id or '(unnamed)'}: {state}")
