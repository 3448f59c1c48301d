"""The git state of a recipe project, as far as it says where a build came from.

Asking never prompts, never runs a program that the repository's configuration names, and never fails: where git or a
repository is missing there is simply nothing to say.
"""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from urllib.parse import urlsplit

from recipekit import digests
from recipekit.secrecy import redacted

_TIMEOUT_SECONDS = 5
_PLAIN_DIFF = (  # the same bytes on every machine, whatever its configuration makes of a diff
    *("--binary", "--full-index", "--no-color", "--no-ext-diff", "--no-textconv", "--no-renames"),
    *("--diff-algorithm=myers", "--unified=3", "--src-prefix=a/", "--dst-prefix=b/"),
)
_SETTINGS = ("core.fsmonitor=false", "core.quotePath=true", "diff.relative=false", "diff.autoRefreshIndex=false")
_GREATEST_DIFF = 1 << 20
_SCP_LIKE = re.compile(r"^(?:[^@/:]+@)?(?P<host>[^/:]+):(?P<path>[^/].*)$")


@dataclass(frozen=True)
class Repository:
    """A commit and what was changed since.

    Attributes:
        commit: the full id of HEAD.
        dirty: whether any file differs from HEAD or is untracked and not ignored.
        diff: `git diff HEAD` of the whole repository, which untracked files are no part of; empty where no tracked
            file differs. `git apply` on a checkout of the commit brings the changes back.
        uri: where `origin` lies, as `git+https://...`, without credentials; empty where it is this machine or nowhere.
    """

    commit: str
    dirty: bool
    diff: bytes = field(repr=False)
    uri: str

    @property
    def diff_sha256(self) -> str:
        """SHA-256 of the diff; empty where there is none."""
        return digests.of_bytes(self.diff) if self.diff else ""

    @cached_property
    def withheld(self) -> str:
        """Why the diff is not kept beside a build: `secret` or `size`; empty where it is, or where there is none."""
        if len(self.diff) > _GREATEST_DIFF:
            return "size"
        text = self.diff.decode("utf-8", errors="replace")
        return "secret" if redacted(text) != text else ""

    @property
    def withheld_because(self) -> str:
        """The same in a sentence."""
        reason = {"size": "are too large", "secret": "hold what looks like a secret"}.get(self.withheld, "")
        return f"uncommitted changes {reason}, so the output keeps no diff of them; commit before you build"


def repository_of(root: Path) -> Repository | None:
    """The state of the repository that a project root belongs to; None without git, a repository or a commit."""
    status = _git(root, "status", "--porcelain=v2", "--branch", "--untracked-files=normal", "--ignore-submodules=none")
    commit = re.search(rb"^# branch\.oid ([0-9a-f]{40,64})$", status or b"", re.MULTILINE)
    if status is None or commit is None:
        return None
    dirty = any(not line.startswith(b"# ") for line in status.splitlines())
    diff = _git(root, "diff", "HEAD", *_PLAIN_DIFF)
    if diff is None:
        return None
    origin = (_git(root, "config", "--get", "remote.origin.url") or b"").decode("utf-8", errors="replace").strip()
    return Repository(commit[1].decode(), dirty, diff, public_uri(origin))


def public_uri(url: str) -> str:
    """A remote's URL as a `git+` URI without user, password, query and fragment; empty for a path of this machine."""
    if "://" not in url:
        found = _SCP_LIKE.match(url)
        return f"git+ssh://{found['host']}/{found['path']}" if found else ""
    try:
        parts = urlsplit(url)
        host = f"{parts.hostname}:{parts.port}" if parts.port else parts.hostname
    except ValueError:
        return ""
    return f"git+{parts.scheme}://{host}{parts.path}" if host and parts.scheme != "file" else ""


def _git(root: Path, *arguments: str) -> bytes | None:
    """What a git command prints; None where it fails or takes too long."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    quiet = {"GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"}
    options = [part for setting in _SETTINGS for part in ("-c", setting)]
    try:
        return subprocess.run(
            ["git", *options, *arguments],
            cwd=root,
            env=inherited | quiet,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=_TIMEOUT_SECONDS,
            check=True,
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return None
