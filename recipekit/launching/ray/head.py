"""Asks the head of a Ray cluster whether it would accept a connection, before Ray itself connects.

Ray waits 20 s for a head that isn't there or wants a token, and then says that it couldn't connect, whatever the
reason. No message of this module holds a token.
"""

from __future__ import annotations

import os
from pathlib import Path

import grpc

from recipekit.errors import EnvironmentFault

_QUESTION = "/ray.rpc.NodeInfoGcsService/GetClusterId"  # Ray's own first question; it takes no argument
_SECONDS = 10.0
_HAND_OVER = "give it in RAY_AUTH_TOKEN, or the path of its file in RAY_AUTH_TOKEN_PATH"


def check_head(address: str) -> None:
    """Asks the head of a cluster whether it would take us.

    Args:
        address: HOST:PORT.

    Raises:
        EnvironmentFault: nothing answers there, something else does, or it takes no one without its token.
    """
    if _is_behind_tls():
        return
    token = _token() if _is_by_token() else ""
    if _is_by_token() and not token:
        what = "RAY_AUTH_MODE=token asks for a token, and there is none"
        raise EnvironmentFault(what, where="Ray", fix=f"{_HAND_OVER}; `ray start` leaves one in ~/.ray/auth_token")
    _judge(_answer(address, token), address, with_token=bool(token))


def answers(address: str, seconds: float) -> bool:
    """Whether the head of a cluster answers at all; taken for granted where nobody can ask it."""
    return _is_behind_tls() or _answer(address, "", seconds) not in {
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.DEADLINE_EXCEEDED,
    }


def has_token() -> bool:
    """Whether there is a token in one of the places where Ray looks for it."""
    return bool(_token())


def _is_behind_tls() -> bool:
    """Whether the cluster is reached by TLS, so that an unencrypted request tells nothing."""
    return os.environ.get("RAY_USE_TLS", "0") not in {"", "0"}


def _answer(address: str, token: str, seconds: float = _SECONDS) -> grpc.StatusCode:
    with grpc.insecure_channel(address, options=[("grpc.enable_http_proxy", 0)]) as channel:
        ask = channel.unary_unary(_QUESTION)  # no serializer: bytes as they are
        try:
            ask(b"", timeout=seconds, metadata=[("authorization", f"Bearer {token}")] if token else [])
        except grpc.RpcError as error:
            return error.code()
    return grpc.StatusCode.OK


def _judge(answer: grpc.StatusCode, address: str, *, with_token: bool) -> None:
    where = f"Ray cluster {address}"
    if answer in {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED}:
        fix = "start its head with `ray start --head`, or name another one in hydra.launcher.address or RAY_ADDRESS"
        raise EnvironmentFault("nothing answers there", where=where, fix=fix)
    if answer is grpc.StatusCode.UNAUTHENTICATED and with_token:
        raise EnvironmentFault("it doesn't take the token that it was given", where=where, fix=_HAND_OVER)
    if answer is grpc.StatusCode.UNAUTHENTICATED:
        at_hand = "" if has_token() else f", and {_HAND_OVER}"
        raise EnvironmentFault(
            "it takes no one without its token", where=where, fix=f"export RAY_AUTH_MODE=token{at_hand}"
        )
    if answer is grpc.StatusCode.UNIMPLEMENTED:
        fix = "name the port of `ray start --head`, which is 6379 unless --port says otherwise"
        raise EnvironmentFault("what answers there is not the head of a Ray cluster", where=where, fix=fix)


def _is_by_token() -> bool:
    return os.environ.get("RAY_AUTH_MODE", "").lower() == "token"


def _token() -> str:
    """The token that Ray would send, from the places that its manual names, in their order."""
    if os.environ.get("RAY_AUTH_TOKEN"):
        return os.environ["RAY_AUTH_TOKEN"]
    named = os.environ.get("RAY_AUTH_TOKEN_PATH")
    try:
        return (Path(named) if named else Path.home() / ".ray" / "auth_token").read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return ""
