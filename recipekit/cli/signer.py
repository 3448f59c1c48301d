"""The options of the commands that sign, and the key that they mean."""

from __future__ import annotations

import argparse
import getpass
import os
import sys
from pathlib import Path

from recipekit.cli.arguments import Parser
from recipekit.errors import UsageError
from recipekit.signing.keys import PrivateKey, load_private

_MAKING_ONE = "openssl ecparam -name prime256v1 -genkey -noout -out priv.pem"
_KEY = "RECIPEKIT_SIGNING_KEY"
_PASSPHRASE = "RECIPEKIT_SIGNING_PASSPHRASE"  # noqa: S105  a variable's name


def add_signer(parser: Parser) -> None:
    """Adds the options that say with what to sign, and how."""
    parser.add_argument(
        "--key", metavar="PEM", type=Path, help=f"private EC key that signs (default: the file that {_KEY} names)"
    )
    parser.add_argument("--oms", action="store_true", help="write an OpenSSF model signature over all files, too")


def read_signer(options: argparse.Namespace) -> PrivateKey:
    """The key that the options or the environment name; its passphrase is asked for where it has one.

    Raises:
        UsageError: there is none, or it can't be used.
        EnvironmentFault: the extra `sign` isn't installed.
    """
    path = options.key or (Path(os.environ[_KEY]) if os.environ.get(_KEY) else None)
    if path is None:
        raise UsageError(
            "there is no key to sign with",
            where="command line",
            fix=f"add --key priv.pem, or set {_KEY}; one is made by `{_MAKING_ONE}`",
        )
    return load_private(path, lambda: _passphrase(path))


def _passphrase(path: Path) -> str:
    if _PASSPHRASE in os.environ:
        return os.environ[_PASSPHRASE]
    if not sys.stdin.isatty():
        raise UsageError("is encrypted, and nobody can be asked", where=str(path), fix=f"set {_PASSPHRASE}")
    return getpass.getpass(f"passphrase of {path}: ")
