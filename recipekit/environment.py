"""Facts of this machine and this installation that can decide the bytes of a build.

Two builds with equal facts must agree byte for byte; two with unequal ones needn't. So only what can reach a kernel or
a code path is written down. Who builds, on which host, under which kernel and in which folders stays out: that would
split builds that are the same, and publish what is nobody's business.
"""

from __future__ import annotations

import os
import platform
import re
import sys
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from urllib.parse import quote

from packaging.markers import default_environment
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

import recipekit
from recipekit import digests
from recipekit.registry import installed_plugins

VARIABLES = re.compile(
    r"^(TF_(AUTOTUNE|AUTO_MIXED_PRECISION|CONV2D|CUBLAS|CUDNN|CUFFT|DATA_EXPERIMENT|DETERMINISTIC|DISABLE|ENABLE|FORCE"
    r"|FP16|GPU|MATMUL|MKL|NUM|ONEDNN|SET_ONEDNN|USE|XLA)_"
    r"|OMP_|MKL_|KMP_|XNNPACK_|(CUDA_VISIBLE_DEVICES|PYTHONHASHSEED|SOURCE_DATE_EPOCH|KERAS_BACKEND|LC_ALL|LANG|TZ)$)"
)
"""Environment variables that may be recorded; any other can hold a secret or say who is at work.

Not all of `TF_`: Terraform has the same prefix and keeps tokens and passwords there.
"""

_LEFT_BY_IMPORTS = {"KMP_DUPLICATE_LIB_OK", "KMP_INIT_AT_FORK"}
"""Set by scikit-learn in the process that imports it, so they tell who asked for a build and not what it is."""

_X86_FEATURES = re.compile(r"^(ssse3|sse4_[12]|avx|avx2|avx512\w+|avx_(vnni|ifma|ne)\w*|amx_\w+|fma|f16c)$")
_ARM_FEATURES = re.compile(r"^(neon|fphp|asimd|asimdhp|asimddp|sve\w*|sme\w*|i8mm|bf16)$")
_SOURCE_SUFFIXES = {
    *(".py", ".yaml", ".json", ".html", ".css", ".js", ".j2", ".c", ".h", ".md", ".typed"),
    *(".bash", ".zsh", ".fish"),
}
_CPU_INFO = Path("/proc/cpuinfo")
_NOT_CONTENT = ("/INSTALLER", "/REQUESTED", "/RECORD", "/direct_url.json")
_OF_AN_EXTRA = re.compile(r";(?!.*\bor\b).*\bextra\s*==")
"""A requirement that no distribution has without an extra: five of six, and to parse one costs 0.1 ms."""


@dataclass(frozen=True)
class Package:
    """An installed distribution.

    Attributes:
        name: normalized as the package index does.
        version: as installed.
        digest: SHA-256 of what `hash_of` names.
        hash_of: `RECORD` (its canonical form), or `METADATA` (its header), where the installer left no RECORD.
    """

    name: str
    version: str
    digest: str
    hash_of: str

    @property
    def purl(self) -> str:
        """The package URL, such as `pkg:pypi/numpy@2.4.6`."""
        return f"pkg:pypi/{self.name}@{quote(self.version, safe='')}"


@dataclass(frozen=True)
class Environment:
    """What a build stands on, besides its inputs.

    Attributes:
        recipekit: `version` and `sourceDigest`, the digest of recipekit's own files.
        python: `implementation`, `version`, `abi`.
        platform: `system`, `machine`, and where the system tells `libc`, `cpuModel`, `cpuFeatures`.
        variables: the environment variables of `VARIABLES` that are set.
        packages: the closure of what recipekit and its installed plugins require, sorted by name.
    """

    recipekit: Mapping[str, str]
    python: Mapping[str, str]
    platform: Mapping[str, str | list[str]]
    variables: Mapping[str, str]
    packages: tuple[Package, ...]


def collect(variables: Mapping[str, str] = os.environ) -> Environment:
    """The facts of the running interpreter and its machine.

    Args:
        variables: the environment that the workers get.
    """
    return Environment(
        recipekit={"version": recipekit.__version__, "sourceDigest": source_digest(Path(recipekit.__file__).parent)},
        python={
            "implementation": platform.python_implementation(),
            "version": platform.python_version(),
            "abi": f"{'cp' if sys.implementation.name == 'cpython' else 'pp'}{sys.version_info[0]}"
            f"{sys.version_info[1]}{sys.abiflags}",
        },
        platform=platform_facts(),
        variables={
            name: value
            for name, value in sorted(variables.items())
            if VARIABLES.match(name) and name not in _LEFT_BY_IMPORTS
        },
        packages=packages(),
    )


def platform_facts() -> dict[str, str | list[str]]:
    """System, machine, C library and CPU; what the system doesn't tell is absent."""
    facts: dict[str, str | list[str]] = {"system": platform.system(), "machine": platform.machine()}
    if libc := _libc():
        facts["libc"] = libc
    if _CPU_INFO.is_file():
        facts |= cpu_facts(_CPU_INFO.read_text("utf-8", errors="replace"))
    return facts


def cpu_facts(cpu_info: str) -> dict[str, str | list[str]]:
    """Model and instruction sets of the first processor in the text of Linux's `/proc/cpuinfo`."""
    first, _, _ = cpu_info.partition("\n\n")
    lines = dict(re.findall(r"^([^\t:]+?)\s*:[ \t]*(.*)$", first, re.MULTILINE))
    facts: dict[str, str | list[str]] = {}
    if model := lines.get("model name", "").strip():
        facts["cpuModel"] = model
    for key, relevant in (("flags", _X86_FEATURES), ("Features", _ARM_FEATURES)):
        if key in lines:
            facts["cpuFeatures"] = sorted({flag for flag in lines[key].split() if relevant.match(flag)})
    return facts


def packages() -> tuple[Package, ...]:
    """The distributions that recipekit and the installed plugins require, transitively, sorted by name.

    Markers decide for this interpreter. recipekit itself is left out, its source digest stands for it; a requirement
    that isn't installed has no facts and is left out too.
    """
    found = dict(_closure(["recipekit", *plugin_distributions()]))
    found.pop("recipekit", None)
    return tuple(_package(name, found[name]) for name in sorted(found))


def packages_of(extras: Collection[str]) -> tuple[Package, ...]:
    """The distributions that some of recipekit's extras bring besides those of `packages`, sorted by name."""
    if not extras:
        return ()
    own = {name for name, _ in _closure(["recipekit", *plugin_distributions()])}
    found = dict(_closure(["recipekit"], sorted(extras)))
    return tuple(_package(name, found[name]) for name in sorted(found.keys() - own))


def required_by(*names: str) -> frozenset[str]:
    """Normalized names of some distributions and of all that they require, as far as they are installed."""
    return frozenset(name for name, _ in _closure(list(names)))


def plugin_distributions() -> list[str]:
    """Names of the installed distributions that bring plugins for recipekit, sorted."""
    return sorted({point.dist.name for point in installed_plugins() if point.dist is not None})


def record_digest(record: str) -> str:
    """SHA-256 of a distribution's RECORD in canonical form: equal content gives equal digests in any environment.

    What an installer adds or changes is dropped: entries outside of the site folder, byte code, and its own notes.
    The lines that stay are sorted.
    """
    kept = sorted(
        line
        for line in record.splitlines()  # TensorFlow alone has 22,000, so what is plain is told without a call
        if not line.endswith(".pyc,,")
        and (
            (line[:1].isalnum() and ".pyc" not in line and "../" not in line and ".dist-info/" not in line)
            or _is_content(line)
        )
    )
    return digests.of_bytes("\n".join([*kept, ""]).encode())


def source_digest(package: Path, rooms: Collection[str] | None = None) -> str:
    """The `dirHash1` of a package's code, schemas, presets and templates, as if nothing else were in its folder.

    Args:
        package: its folder.
        rooms: modules and folders directly below it that count; None for all.
    """
    files = {
        path.relative_to(package): path
        for path in package.rglob("*")
        if path.suffix in _SOURCE_SUFFIXES and path.is_file()
    }
    return digests.of_names(
        {
            name.as_posix(): digests.of_file(path)
            for name, path in files.items()
            if rooms is None or name.parts[0].removesuffix(".py") in rooms
        }
    )


def _is_content(line: str) -> bool:
    path = line.rsplit(",", 2)[0].strip('"')
    outside = path.startswith(("../", "/")) or "/../" in path
    return bool(path) and not outside and not path.endswith((".pyc", *_NOT_CONTENT))


def _libc() -> str:
    """`glibc 2.36`, or nothing where the C library is another one."""
    try:
        return os.confstr("CS_GNU_LIBC_VERSION") or ""
    except (AttributeError, ValueError, OSError):
        return ""


def _closure(names: list[str], extras: Collection[str] = ()) -> Iterator[tuple[str, Distribution]]:
    """Every installed distribution that can be reached from some by their requirements, by its normalized name.

    Args:
        names: where to begin.
        extras: of these, whose requirements count too.
    """
    markers = {str(key): str(value) for key, value in default_environment().items()}
    todo = [(canonicalize_name(name), extra) for name in names for extra in ("", *extras)]
    seen: set[tuple[str, str]] = set()
    while todo:
        name, extra = todo.pop()
        if (name, extra) in seen:
            continue
        seen.add((name, extra))
        try:
            found = distribution(name)
        except PackageNotFoundError:
            continue
        yield name, found
        for requirement in _requirements(found, extra):
            if requirement.marker is None or requirement.marker.evaluate(markers | {"extra": extra}):
                needed = canonicalize_name(requirement.name)
                todo += [(needed, part) for part in ("", *requirement.extras)]


def _requirements(found: Distribution, extra: str) -> Iterator[Requirement]:
    """What a distribution asks for, as far as it can be of an extra, or of none."""
    for line in _header(found).splitlines():
        if line.startswith("Requires-Dist:") and (extra or not _OF_AN_EXTRA.search(line)):
            with suppress(InvalidRequirement):  # of a package older than the grammar; no installer follows it either
                yield _requirement(line.partition(":")[2].strip())


@lru_cache(maxsize=1 << 12)
def _requirement(text: str) -> Requirement:
    return Requirement(text)


def _package(name: str, found: Distribution) -> Package:
    header = _header(found)
    version = re.search(r"^Version:\s*(\S+)", header, re.MULTILINE)
    record = found.read_text("RECORD")
    return Package(
        name=name,
        version=version[1] if version else "",
        digest=digests.of_bytes(header.encode()) if record is None else record_digest(record),
        hash_of="METADATA" if record is None else "RECORD",
    )


def _header(found: Distribution) -> str:
    """The metadata without the description; the library's own parser reads that too and takes ten times as long."""
    return (found.read_text("METADATA") or found.read_text("PKG-INFO") or "").partition("\n\n")[0]
