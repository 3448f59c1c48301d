"""JUnit XML, as Jenkins, GitLab and the actions for GitHub read it.

There is no standard; this follows the schema that Jenkins' xunit plugin publishes as `junit-10.xsd`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from xml.etree import ElementTree as ET

from recipekit.ci.suites import Case, Suite
from recipekit.secrecy import redacted

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that no XML 1.0 document may hold, not even as references."""

_ELEMENTS = {"failed": "failure", "error": "error", "skipped": "skipped"}


def junit_xml(name: str, suites: Sequence[Suite]) -> bytes:
    """The document of some suites.

    Args:
        name: of all of them.
        suites: in the order in which they are to be shown.
    """
    root = ET.Element("testsuites", {"name": _clean(name), **_totals(suites)})
    for suite in suites:
        element = ET.SubElement(root, "testsuite", {"name": _clean(suite.name), **_totals([suite])})
        if suite.properties:
            properties = ET.SubElement(element, "properties")
            for key, value in suite.properties.items():
                ET.SubElement(properties, "property", {"name": _clean(key), "value": _clean(value)})
        for case in suite.cases:
            _add(element, suite, case)
    ET.indent(root)
    document: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return document + b"\n"


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


def _totals(suites: Sequence[Suite]) -> dict[str, str]:
    return {
        "tests": str(sum(len(suite.cases) for suite in suites)),
        "failures": str(sum(suite.count("failed") for suite in suites)),
        "errors": str(sum(suite.count("error") for suite in suites)),
        "skipped": str(sum(suite.count("skipped") for suite in suites)),
        "time": f"{sum(suite.seconds for suite in suites):.3f}",
    }


def _clean(text: str) -> str:
    """Text without secrets, with an escape in the place of each character that XML can't hold."""
    return _NOT_XML.sub(lambda found: f"\\x{ord(found[0]):02x}", redacted(text))
