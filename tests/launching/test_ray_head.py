"""A head that doesn't answer, or is something else, is told in a moment and by name."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import grpc
import pytest

from recipekit.errors import EnvironmentFault
from recipekit.launching.ray.head import answers, check_head


@contextmanager
def head(code: grpc.StatusCode | None, heard: list[dict[str, str]] | None = None) -> Iterator[str]:
    """A server that answers every question with a status; None knows no question at all."""

    class Anything(grpc.GenericRpcHandler):  # type: ignore[misc]  # grpc is untyped
        def service(self, call: Any) -> Any:
            if heard is not None:
                heard.append(dict(call.invocation_metadata))
            answer = lambda _request, context: context.abort(code, "no") if code is not grpc.StatusCode.OK else b""  # noqa: E731
            return None if code is None else grpc.unary_unary_rpc_method_handler(answer)

    server = grpc.server(ThreadPoolExecutor(1), handlers=[Anything()])
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        server.stop(None).wait()


@pytest.fixture(autouse=True)
def no_ray(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    for name in ("RAY_AUTH_MODE", "RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH", "RAY_USE_TLS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))


def test_a_head_that_takes_us_is_no_matter() -> None:
    with head(grpc.StatusCode.OK) as address:
        check_head(address)
        assert answers(address, 5)


def test_where_nothing_answers_it_is_said_within_a_second_or_so() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    began = time.monotonic()
    with pytest.raises(EnvironmentFault, match="nothing answers there"):
        check_head(address)
    assert time.monotonic() - began < 5
    assert not answers(address, 1)


def test_another_server_is_not_taken_for_a_head() -> None:
    with head(None) as address, pytest.raises(EnvironmentFault, match="not the head of a Ray cluster"):
        check_head(address)


def test_a_token_is_sent_only_in_token_mode_and_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[dict[str, str]] = []
    monkeypatch.setenv("RAY_AUTH_TOKEN", "a-token-of-this-test")
    with head(grpc.StatusCode.UNAUTHENTICATED, heard) as address:
        with pytest.raises(EnvironmentFault) as without:
            check_head(address)
        monkeypatch.setenv("RAY_AUTH_MODE", "token")
        with pytest.raises(EnvironmentFault) as wrong:
            check_head(address)
    assert [said.get("authorization") for said in heard] == [None, "Bearer a-token-of-this-test"]
    assert without.value.fix == "export RAY_AUTH_MODE=token"
    assert wrong.value.what == "it doesn't take the token that it was given"
    assert "a-token-of-this-test" not in f"{without.value}{wrong.value}"


def test_behind_tls_nothing_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[dict[str, str]] = []
    monkeypatch.setenv("RAY_USE_TLS", "1")
    with head(grpc.StatusCode.UNAUTHENTICATED, heard) as address:
        check_head(address)
    assert answers(address, 1), "nothing is listening any more, and nobody asks"
    assert heard == []
