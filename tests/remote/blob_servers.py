"""Servers on loopback that speak just enough of Google's and Azure's storage, in threads of the test's process.

They keep the promise that a conditional write is refused when its condition doesn't hold, and remember which condition
each write came with, so that a test sees that the client's library asks what it must ask.
"""

from __future__ import annotations

import json
import re
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any, ClassVar
from urllib.parse import parse_qs, unquote, urlsplit


class Objects:
    """What a server holds: bytes and version by name; and the conditions of all writes."""

    def __init__(self) -> None:
        self.held: dict[str, tuple[bytes, int]] = {}
        self.conditions: list[tuple[str, str]] = []
        self.guard = Lock()

    def write(self, name: str, data: bytes, wanted: int | None) -> bool:
        """Writes, if the version is the wanted one; 0 stands for no object, None for any."""
        with self.guard:
            version = self.held[name][1] if name in self.held else 0
            if wanted is not None and wanted != version:
                return False
            self.held[name] = (data, version + 1)
            return True


class Server:
    """A server as a test sees it."""

    def __init__(self, handler: type[Handler]) -> None:
        self.objects = Objects()
        bound = type(handler.__name__, (handler,), {"objects": self.objects})
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), bound)
        self.endpoint = f"http://127.0.0.1:{self._http.server_port}"
        Thread(target=self._http.serve_forever, daemon=True).start()

    def end(self) -> None:
        self._http.shutdown()
        self._http.server_close()


class Handler(BaseHTTPRequestHandler):
    objects: ClassVar[Objects]
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the base class's name
        """Says nothing."""

    def body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def answer(self, status: int, data: bytes = b"", headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(data)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)


class Google(Handler):
    """Objects of the JSON API."""

    def do_GET(self) -> None:
        path, query = urlsplit(self.path).path, parse_qs(urlsplit(self.path).query)
        name = unquote(path.rpartition("/o/")[2])
        if name not in self.objects.held:
            return self.answer(404, b"{}")
        data, version = self.objects.held[name]
        about = {"name": name, "bucket": "bkt", "size": str(len(data)), "generation": str(version)}
        if "/download/" not in path and query.get("alt") != ["media"]:
            return self.answer(200, json.dumps(about).encode(), {"Content-Type": "application/json"})
        return self.answer(200, data, {"X-Goog-Generation": str(version)})

    def do_POST(self) -> None:
        query = parse_qs(urlsplit(self.path).query)
        data = self.body()
        if query["uploadType"] == ["multipart"]:
            about, data = re.fullmatch(rb"--==0==.*?\n\n(\{.*?\})\n--==0==.*?\n\n(.*)\n--==0==--", data, re.S).groups()  # type: ignore[union-attr]
            name = json.loads(about)["name"]
        else:
            name = query["name"][0]
        condition = query.get("ifGenerationMatch", [""])[0]
        self.objects.conditions.append((name, condition))
        if not self.objects.write(name, data, int(condition) if condition else None):
            return self.answer(412, b'{"error": {"message": "conditionNotMet"}}')
        said = {"name": name, "size": str(len(data)), "generation": str(self.objects.held[name][1])}
        return self.answer(200, json.dumps(said).encode(), {"Content-Type": "application/json"})


class Azure(Handler):
    """Blobs of the REST API."""

    def do_GET(self) -> None:
        name = self.name()
        if name not in self.objects.held:
            return self.answer(404, b"", {"x-ms-error-code": "BlobNotFound"})
        data, version = self.objects.held[name]
        told = {"ETag": f'"{version}"', "x-ms-blob-type": "BlockBlob", "Last-Modified": "Fri, 02 Jan 2026 03:04:05 GMT"}
        if self.headers["x-ms-range"] and data:  # the objects of the tests are shorter than any range
            told["Content-Range"] = f"bytes 0-{len(data) - 1}/{len(data)}"
            return self.answer(206, data, told)
        return self.answer(200, data, told)

    do_HEAD = do_GET  # noqa: N815  the base class's name

    def do_PUT(self) -> None:
        name, data = self.name(), self.body()
        condition = next(
            (f"{key}: {self.headers[key]}" for key in ("If-None-Match", "If-Match") if self.headers[key]), ""
        )
        self.objects.conditions.append((name, condition))
        wanted = {"": None, "If-None-Match: *": 0}.get(condition, -1)
        if condition.startswith("If-Match"):
            wanted = int(re.sub(r"\D", "", condition))
        if not self.objects.write(name, data, wanted):
            status, code = (409, "BlobAlreadyExists") if wanted == 0 else (412, "ConditionNotMet")
            return self.answer(status, b"", {"x-ms-error-code": code})
        told = {"ETag": f'"{self.objects.held[name][1]}"', "Last-Modified": "Fri, 02 Jan 2026 03:04:05 GMT"}
        return self.answer(201, b"", told)

    def name(self) -> str:
        return unquote(urlsplit(self.path).path).split("/", 3)[3]
