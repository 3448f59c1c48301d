"""Why two builds of the same thing may have given different bytes, as far as the records of both let one guess."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from recipekit.audit.components import Component
from recipekit.audit.file_comparison import FileComparison

_REASONS = {
    "configuration": "the configuration is not the recorded one",
    "inputs": "the inputs are recorded in another way",
    "samples": "the samples are not the recorded ones",
    "flags": "the converter's settings are not the recorded ones, although they follow from the configuration",
    "variables": "the environment variables are not the recorded ones",
    "recipekit": "another recipekit, whose code decides what is built",
    "python": "another Python",
    "packages": "other packages",
}


def likely_causes(
    components: Sequence[Component],
    files: Sequence[FileComparison],
    recorded: Mapping[str, Any],
    rebuilt: Mapping[str, Any],
    altered: Sequence[str] = (),
) -> tuple[str, ...]:
    """What may have made a difference, the likeliest first.

    Args:
        components: of both build definitions.
        files: of both outputs.
        recorded: what `results.json` holds of the recorded output.
        rebuilt: the same of the rebuilt one.
        altered: files of installed packages that are not as they were installed.
    """
    different = {component.name: component for component in components if not component.same}
    causes = [reason for name, reason in _REASONS.items() if name in different]
    if altered:
        causes.append(f"{len(altered)} files of installed packages were edited, the first being {altered[0]}")
    if "platform" in different:
        causes += _machine(different["platform"])
    if any(not file.same for file in files):
        causes += _stages(recorded, rebuilt, explained=bool(different or altered))
        causes += _processors(recorded, rebuilt)
    return tuple(causes)


def _machine(platform: Component) -> Iterator[str]:
    """What of another machine reaches the arithmetic of a kernel."""
    changed = {change.partition(":")[0]: change for change in platform.changes}
    if "machine" in changed or "system" in changed:
        yield "another kind of machine, whose kernels and compilers round in their own ways"
    if "cpuFeatures" in changed:
        yield f"other instruction sets, by which kernels are chosen ({changed['cpuFeatures']})"
    if "libc" in changed:
        yield f"another C library, whose exp and log may round otherwise ({changed['libc']})"
    if set(changed) == {"cpuModel"}:
        yield f"another processor with the same instruction sets, by whose caches work is cut ({changed['cpuModel']})"


def _stages(recorded: Mapping[str, Any], rebuilt: Mapping[str, Any], *, explained: bool) -> Iterator[str]:
    """The first stage that left other files, in the order in which the stages ended."""
    before, after = _left(recorded), _left(rebuilt)
    shared = [name for name in before if name in after]
    first = next((name for name in shared if before[name] != after[name]), None)
    if first is None:
        return
    equal = [name for name in shared[: shared.index(first)] if not name.startswith("survey")]
    before_it = f", while {', '.join(equal)} left the same" if equal else ""
    hint = (
        ""
        if explained
        else (
            "; with nothing else different that stage is not deterministic: run it twice with `recipekit run --rebuild`"
        )
    )
    yield f"'{first}' is the first stage that left other files{before_it}{hint}"


def _processors(recorded: Mapping[str, Any], rebuilt: Mapping[str, Any]) -> Iterator[str]:
    before, now = recorded.get("processors"), rebuilt.get("processors")
    if before is not None and before != now:
        yield f"another number of processors ({before} recorded, {now} now), over which sums are split"


def _left(results: Mapping[str, Any]) -> dict[str, str]:
    """Digests of what each stage left, the measuring ones left out, by label."""
    return {
        stage["name"]: stage["files"]
        for stage in results["stages"]
        if "files" in stage and stage["name"] not in {"reference", "measure", "benchmark"}
    }
