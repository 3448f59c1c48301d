"""Functions for what leaves with an output: signatures, and its record in other people's formats."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from recipekit.api.projects import PathLike, any_project, output_folder
from recipekit.api.shown import Shown, near
from recipekit.audit.recorded import read_recorded
from recipekit.audit.vouching import require_output, vouch
from recipekit.errors import UsageError
from recipekit.exports import FORMATS, Published
from recipekit.nearest import did_you_mean
from recipekit.report import Panel
from recipekit.signing.keys import load_private


@dataclass(frozen=True)
class SignResult(Shown):
    """An output that somebody vouches for.

    Attributes:
        output: its folder.
        key: the key's id, by which `verify` names it.
        files: names of the files that were written; none where the key's signatures were there already.
        is_shared: whether the output in the project's shared place has the signatures, too.
    """

    output: Path
    key: str
    files: tuple[str, ...]
    is_shared: bool

    def _panel(self) -> Panel:
        written = ", ".join(self.files) or "nothing: the key's signatures were there already"
        return Panel("Signature", facts={"output": near(self.output), "key": self.key, "written": written})


def sign(
    output: PathLike,
    *,
    key: PathLike,
    passphrase: str | None = None,
    oms: bool = False,
    project: PathLike | None = None,
) -> SignResult:
    """Vouches for an output: verifies all of it, then signs its manifest and verdict.

    Args:
        output: its folder, or `NAME/latest` and the like, looked up in the project.
        key: PEM file of a private EC key.
        passphrase: of that file, where it is encrypted.
        oms: write an OpenSSF model signature over all files, too.
        project: a folder of the project; the current one if None, and then there need not be a project.

    Raises:
        UsageError: there is no such output, it is a sweep's, or the key can't be used.
        OutputAltered: it isn't what it says.
        EnvironmentFault: an extra isn't installed.
        OutputFault: a file can't be read or written.
    """
    folder = output_folder(output, project)
    require_output(folder, str(folder))
    private = load_private(Path(key), lambda: _given(passphrase, key))
    return SignResult(folder, *vouch(folder, private, any_project(project), model=oms, shown=str(folder)))


def export(output: PathLike, *, format: str, project: PathLike | None = None) -> str:  # noqa: A002  the verb's word
    """An output's record in another format.

    Args:
        output: its folder, or `NAME/latest` and the like, looked up in the project.
        format: `cyclonedx` for a CycloneDX ML-BOM in JSON, `model-card` for a model card in Markdown.
        project: as for `sign`.

    Raises:
        UsageError: there is no such output or format.
        OutputAltered: it isn't what its manifest says.
        OutputFault: a file can't be read.
    """
    if format not in FORMATS:
        raise UsageError(
            f"there is no format '{format}'{did_you_mean(format, FORMATS)}", fix=f"use one of {', '.join(FORMATS)}"
        )
    return FORMATS[format](Published(*read_recorded(output_folder(output, project))))


def _given(passphrase: str | None, key: PathLike) -> str:
    if passphrase is None:
        raise UsageError("is encrypted", where=str(key), fix="give its `passphrase`")
    return passphrase
