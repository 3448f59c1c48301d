from __future__ import annotations

import pytest

from recipekit.secret_patterns import find_secret

SECRETS = {
    "-----BEGIN RSA " + "PRIVATE KEY-----": "a private key",
    "id = AKIA" + "ABCDEFGHIJKLMNOP": "an AWS access key",
    "+ghp_" + "a1" * 20: "a GitHub token",
    "glpat-" + "x" * 20: "a GitLab token",
    "hf_" + "Q" * 34: "a Hugging Face token",
    "xoxb-" + "1234567890-abc": "a Slack token",
    "AIza" + "B" * 35: "a Google API key",
    "pypi-" + "c" * 60: "a package index token",
    "eyJ" + "hbGciOiJIUzI1NiJ9." + "eyJ" + "zdWIiOiIxMjM0NTY3In0.x": "a JSON web token",
    "postgres://me:" + "pw@host/db": "a password in a URL",
    "DB_PASSWORD: " + "hunter22": "a password",
    'client_secret = "' + 'correcthorse"': "a password",
    "api_key: " + "0123456789abcdef": "a key or token",
}


@pytest.mark.parametrize("text", SECRETS)
def test_a_secret_is_found_by_its_kind_wherever_it_stands(text: str) -> None:
    assert find_secret(f" line before\n+{text}\n line after") == SECRETS[text]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "seed: 7\nquantization: int8\n",
        "tokens = tokenizer.encode(text)",
        "password = getpass()",
        "token: ${oc.env:TOKEN}",
        "see https://example.invalid:8443/path and git@example.invalid:team/r.git",
        "index 0123456789abcdef0123456789abcdef01234567..89abcdef0123456789abcdef0123456789abcdef 100644",
        "sha256: 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    ],
)
def test_what_recipes_and_code_are_made_of_is_no_secret(text: str) -> None:
    assert find_secret(text) is None
