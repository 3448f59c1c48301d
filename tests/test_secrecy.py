"""Secrets are found by their form, their name, or as a variable's value; what only looks like one is left alone."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recipekit.secrecy import WITHHELD, findings, is_secret_name, is_secret_variable, redacted, suspects

FORMS = {
    "an AWS access key": "AKIA" + "ABCDEFGH23456789",
    "a GitHub token": "ghp_" + "a1B2" * 9,
    "a GitLab token": "glpat-" + "a1B2" * 5,
    "a Hugging Face token": "hf_" + "aBcD" * 8,
    "a Google API key": "AIza" + "a1B2-" * 7,
    "a Slack token": "xoxb-" + "1234567890",
    "a Stripe key": "sk_live_" + "a1B2" * 4,
    "a key of an API": "sk-proj-" + "a1B2" * 8,
    "a PyPI token": "pypi-" + "a1B2" * 13,
    "a JSON web token": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0." + "c2lnbmF0dXJl",
    "a private key": "-----BEGIN RSA PRIVATE KEY-----\nMIIB\n-----END RSA PRIVATE KEY-----",
    "credentials in a URL": "https://ann:" + "sesame" + "@host.example",
    "an authorization header": "Authorization: Bearer " + "sesame",
}


@pytest.mark.parametrize("kind", FORMS)
def test_a_known_form_is_found_named_and_withheld(kind: str) -> None:
    text = f"one\ntwo: '{FORMS[kind]}' three"
    (found,) = {finding for finding in findings(text) if finding.kind == kind}
    assert (found.line, found.column) == (2, 7)
    assert redacted(text, {}).startswith(f"one\ntwo: '{WITHHELD}")
    assert FORMS[kind] not in redacted(text, {})


@pytest.mark.parametrize(
    "text",
    [
        "git+ssh://git@github.com/ann/models",
        "https://host.example/@ann/x:y",
        "unknown key 'source.token'; did you mean 'name'?",
        "token = tokens[0]",
        "pad_token: '<pad>'",
        "f4" * 32,
        "sha256: " + "ab12" * 16,
        "the key 'name' stands there twice",
    ],
)
def test_what_only_looks_like_a_secret_is_left_alone(text: str) -> None:
    assert list(findings(text)) == []
    assert redacted(text, {}) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("source.kwargs.password=hunter2", f"source.kwargs.password={WITHHELD}"),
        ("source={token: hunter2, path: a}", f"source={{token: {WITHHELD}, path: a}}"),
        ("https://host.example/?access_token=hunter2&x=1", f"https://host.example/?access_token={WITHHELD}&x=1"),
        ('"api_key": "hunter2"', f'"api_key": {WITHHELD}'),
    ],
)
def test_what_is_given_to_a_secret_s_name_is_withheld(text: str, shown: str) -> None:
    assert redacted(text, {}) == shown


def test_a_literal_beside_a_secret_s_name_is_found_in_any_text() -> None:
    (found,) = findings('x = 1\ndb_password = "Tr0ub4dor-and-3"\n')
    assert (found.kind, found.line) == ("the value of 'db_password'", 2)


@pytest.mark.parametrize(
    ("data", "path", "kind"),
    [
        ({"a": [{"hf_token": "x"}]}, ("a", 0, "hf_token"), "a secret by its name 'hf_token'"),
        ({"a": {"b": f"see {FORMS['credentials in a URL']}"}}, ("a", "b"), "credentials in a URL"),
        ({"a": {FORMS["a GitHub token"]: 1}}, ("a",), "a GitHub token as a key"),
        ({"a": ["it is opensesame"]}, ("a", 0), "the value of the environment variable 'DB_PASSWORD'"),
    ],
)
def test_a_recipe_s_secret_is_named_by_its_field(data: object, path: tuple[str | int, ...], kind: str) -> None:
    assert [*suspects(data, {"DB_PASSWORD": "opensesame"})] == [(path, kind)]


def test_a_recipe_without_secrets_has_no_suspects() -> None:
    data = {"label_key": "digit", "token": None, "max_token": 3, "pad_token": "<pad>", "secret": "", "path": "a/b"}
    assert [*suspects(data, {"SORT_KEY": "digit!", "KEYBOARD": "digit", "API_KEY": "path"})] == []


@pytest.mark.parametrize(
    "name",
    [
        "HF_TOKEN",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_ACCESS_KEY_ID",
        "PGPASSWORD",
        "MYSQL_PWD",
        "api_key",
        "KEY",
        "TF_VAR_password",
        "GITHUB_TOKEN",
        "AZURE_CREDENTIALS",
        "SECRET_SAUCE",
    ],
)
def test_a_variable_is_secret_by_its_name(name: str) -> None:
    assert is_secret_variable(name)


@pytest.mark.parametrize(
    "name",
    ["PWD", "OLDPWD", "TOKENIZERS_PARALLELISM", "SSH_AUTH_SOCK", "KEYBOARD", "PATH", "GOOGLE_APPLICATION_CREDENTIALS"],
)
def test_other_variables_are_not(name: str) -> None:
    assert not is_secret_variable(name)


@pytest.mark.parametrize("name", ["token", "hf_token", "password", "db_password", "client_secret", "apikey"])
def test_a_setting_is_secret_by_its_name(name: str) -> None:
    assert is_secret_name(name)


@pytest.mark.slow
@pytest.mark.parametrize("part", ["a", "a-", "a.", "eyJ-", "token_", "-----BEGIN PRIVATE KEY", "http://", "f4", "= "])
def test_a_long_text_is_read_in_no_time(part: str) -> None:
    text = part * (200_000 // len(part))
    started = time.process_time()
    list(findings(text))
    redacted(text, {})
    assert time.process_time() - started < 3


@given(st.text(), st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=6), st.text())
def test_no_value_of_a_secret_variable_survives(before: str, value: str, after: str) -> None:
    if value.lower() not in WITHHELD.lower():
        assert value not in redacted(f"{before} {value} {after}", {"A_PASSWORD": value})
