"""JUnit XML, as Jenkins, GitLab and the actions for GitHub read it.

There is no standard; this follows the schema that Jenkins' xunit plugin publishes as `junit-10.xsd`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from xml.etree import ElementTree as ET

from recipekit.ci.suites import Case, Suite
from recipekit.secrecy import redacted

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that no XML 1.0 document may hold, not even as references."""

_ELEMENTS = {"failed": "failure", "error": "error", "skipped": "skipped"}


def junit_parts(name: str, suites: Collection[Suite]) -> Iterator[bytes]:
    """The document of some suites, part by part.

    Args:
        name: of all of them.
        suites: in the order in which they are to be shown; they are gone through twice, and none is kept.
    """
    root = ET.Element("testsuites", {"name": _clean(name), **_totals(suites)})
    head: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    if not suites:
        yield head + b"\n"
        return
    yield head.removesuffix(b" />") + b">\n"
    for suite in suites:
        element = ET.Element("testsuite", {"name": _clean(suite.name), **_totals([suite])})
        if suite.properties:
            properties = ET.SubElement(element, "properties")
            for key, value in suite.properties.items():
                ET.SubElement(properties, "property", {"name": _clean(key), "value": _clean(value)})
        for case in suite.cases:
            _add(element, suite, case)
        ET.indent(element, level=1)
        yield b"  " + ET.tostring(element, encoding="utf-8") + b"\n"
    yield b"</testsuites>\n"


def _add(parent: ET.Element, suite: Suite, case: Case) -> None:
    attributes = {
        "classname": f"recipekit.{_clean(suite.name)}",
        "name": _clean(case.name),
        "time": f"{case.seconds:.3f}",
    }
    element = ET.SubElement(parent, "testcase", attributes)
    if case.verdict in _ELEMENTS:
        said = {"message": _clean(case.message)} | ({"type": _clean(case.kind)} if case.verdict != "skipped" else {})
        ET.SubElement(element, _ELEMENTS[case.verdict], said).text = _clean(case.detail)
    elif case.detail:
        ET.SubElement(element, "system-out").text = _clean(case.detail)


def _totals(suites: Iterable[Suite]) -> dict[str, str]:
    counts: Counter[str] = Counter()
    seconds = 0.0
    for suite in suites:
        counts.update(case.verdict for case in suite.cases)
        seconds += suite.seconds
    return {
        "tests": str(counts.total()),
        "failures": str(counts["failed"]),
        "errors": str(counts["error"]),
        "skipped": str(counts["skipped"]),
        "time": f"{seconds:.3f}",
    }


def _clean(text: str) -> str:
    """Text without secrets, with an escape in the place of each character that XML can't hold."""
    return _NOT_XML.sub(lambda found: f"\\x{ord(found[0]):02x}", redacted(text))
