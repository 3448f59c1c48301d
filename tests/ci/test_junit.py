"""JUnit XML that its readers read: a case for each check, and nothing in a name or message that breaks the document."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as ET

import junitparser
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recipekit.ci.junit import junit_parts
from recipekit.ci.suites import Case, Suite, suite_of
from tests.ci.outcomes import MISSED, PASSED, TORN, TYPED, UNASKED, UNJUDGED, failed, outcome


def read(tmp_path: Path, *suites: Suite) -> junitparser.JUnitXml:
    path = tmp_path / "junit.xml"
    path.write_bytes(b"".join(junit_parts("all", suites)))
    return junitparser.JUnitXml.fromfile(str(path))


def verdicts(suite: junitparser.TestSuite) -> dict[str, str]:
    return {case.name: case.result[0].__class__.__name__ if case.result else "passed" for case in suite}


def test_every_check_is_a_case_with_bound_value_and_margin(tmp_path: Path) -> None:
    document = read(tmp_path, suite_of(outcome("rejected", PASSED, MISSED, TORN, TYPED, UNJUDGED, UNASKED)))
    (suite,) = document
    assert verdicts(suite) == {
        "conversion": "passed",
        "parity.sqnr_db.min": "passed",
        "task.top1_accuracy.max_drop": "Failure",
        "parity.argmax_agreement.min": "Failure",
        "model.input_type": "Failure",
        "latency.p50_ms.max": "Error",
        "task": "Skipped",
    }
    assert (document.tests, document.failures, document.errors, document.skipped) == (7, 3, 1, 1)
    assert suite.name == "digits seed=1"
    assert {it.name: it.value for it in suite.properties()}["verdict"] == "rejected"
    (missed,) = next(case for case in suite if case.name == "task.top1_accuracy.max_drop").result
    assert (missed.type, missed.message) == ("rejected", "value 0.02, bound ≤ 0.01, margin -0.01")
    assert "interval 0.005 to 0.035" in missed.text
    assert "\\x1b[31m ]]> \\x00" in missed.text


def test_an_inconclusive_check_of_an_accepted_output_has_passed(tmp_path: Path) -> None:
    (suite,) = read(tmp_path, suite_of(outcome("accepted", TORN)))
    assert verdicts(suite) == {"conversion": "passed", "parity.argmax_agreement.min": "passed"}


def test_a_conversion_that_failed_is_an_error_by_its_id(tmp_path: Path) -> None:
    document = read(tmp_path, suite_of(failed()), suite_of(outcome("accepted", PASSED)))
    assert [suite.errors for suite in document] == [1, 0]
    (case,) = next(iter(document))
    (error,) = case.result
    assert (case.name, case.time, error.type) == ("conversion", 2.0, "RK401")
    assert error.message.startswith('converter: the converter refused a "b" <c> &')
    assert error.text.endswith("fix: another scheme")


@given(st.text(), st.text(st.characters()), st.sampled_from(["passed", "failed", "error", "skipped"]))
def test_any_text_gives_a_document_that_parses(name: str, said: str, verdict: str) -> None:
    case = Case(name, verdict, said, said, "kind")  # type: ignore[arg-type]  # one of the four
    root = ET.fromstring(b"".join(junit_parts(name, [Suite(name, (case,), properties={"key": said})])))
    assert [element.tag for element in root.iter("testcase")] == ["testcase"]


@pytest.mark.parametrize("secret", ["AKIAIOSFODNN7EXAMPLE"])
def test_secrets_are_withheld(secret: str) -> None:
    assert secret.encode() not in b"".join(junit_parts("x", [Suite("x", (Case("y", "failed", secret, secret),))]))
