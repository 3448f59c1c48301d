"""Whether an output is what it says: every file, every record, the verdict anew, and who signed it.

A verification judges wholeness, not quality: a rejected output verifies, and its verdict is shown.
"""

from __future__ import annotations

from pathlib import Path

from recipekit import fsio
from recipekit import manifest as manifests
from recipekit.audit.consistency import contradictions
from recipekit.contracts import Record
from recipekit.errors import OutputAltered
from recipekit.outputs import Difference, file_differences
from recipekit.signing.checking import Trust, check_signatures
from recipekit.signing.report import SignatureReport

UNSIGNED = "unsigned: whoever changes it can compute every digest anew; `recipekit sign` prevents that"


class Verification(Record, frozen=True, kw_only=True):
    """What a verification found.

    Attributes:
        output: the folder.
        verdict: the one that the manifest records; empty where there is no readable manifest.
        build_key: of the output; empty with the verdict.
        files: number of files that the manifest records.
        differences: what isn't as it should be; nothing for a whole output.
        signatures: that nothing speaks against.
        notes: what else the reader should know.
    """

    output: str
    verdict: str = ""
    build_key: str = ""
    files: int = 0
    differences: tuple[Difference, ...] = ()
    signatures: tuple[SignatureReport, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def summary(self) -> str:
        """What is whole, in a few words."""
        if not self.verdict:
            return ", ".join(self.notes)
        files = "1 file" if self.files == 1 else f"{self.files} files"
        return f"{self.verdict}, as its metrics and bounds say; {files} and the records agree"

    @property
    def exit_code(self) -> int:
        """What a command that verifies exits with."""
        return OutputAltered.exit_code if self.differences else 0


def verify_output(folder: Path, trust: Trust | None = None) -> Verification:
    """Looks at every byte of an output.

    Args:
        folder: of the output.
        trust: whose signatures count; None trusts nobody, and then signatures are only looked at for what they sign.

    Raises:
        EnvironmentFault: a signature needs a package that is missing.
        OutputFault: a file can't be read.
    """
    with fsio.reported(folder):
        try:
            manifest = manifests.read(folder)
        except OutputAltered as error:
            return Verification(output=str(folder), differences=(Difference(place=manifests.FILE, problem=error.what),))
        found = file_differences(folder, manifest)
        found += contradictions(folder, manifest, {difference.place for difference in found})
        signatures = check_signatures(folder, (folder / manifests.FILE).read_bytes(), trust or Trust())
    results = manifests.results(manifest)
    signed = signatures.reports or signatures.differences
    return Verification(
        output=str(folder),
        verdict=results["verdict"],
        build_key=results["buildKey"],
        files=len(manifests.recorded_files(manifest)),
        differences=(*found, *signatures.differences),
        signatures=signatures.reports,
        notes=() if signed else (UNSIGNED,),
    )
