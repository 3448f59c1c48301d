"""The worker process: a request file in, one stage, a response file out.

    python -m recipekit.worker REQUEST.json            runs one stage and ends; how a failed stage is tried again
    python -m recipekit.worker --serve KIND FD LIFE MIB    stays warm: takes paths of request files on the connection
                                                           FD, and ends at once when the pipe LIFE closes; no file that
                                                           it writes may grow beyond so many MIB

It knows nothing of recipes, thresholds or outputs: what it needs stands in the request.
"""

from __future__ import annotations

import errno
import importlib
import os
import signal
import sys
import threading
import time
import traceback
from multiprocessing.connection import Connection
from pathlib import Path

import msgspec

from recipekit.contracts import STAGES, Record, Stage
from recipekit.errors import OutputFault, PluginError, RecipekitError, in_a_line
from recipekit.secrecy import redacted
from recipekit.worker import progress
from recipekit.worker.confinement import confine, end_with, limit_hit
from recipekit.worker.preloading import preload

_THE_LOG = "the log holds the whole traceback"


def main(argv: list[str]) -> int:
    """Serves or runs one request; see the module's docstring."""
    if argv[:1] == ["--serve"]:
        kind, connection, lifeline, file_mib = argv[1:]
        confine(int(file_mib))
        serve(kind, Connection(int(connection)), int(lifeline))
        return 0
    (request,) = argv
    return 0 if answer(Path(request)) else 1


def serve(kind: str, connection: Connection, lifeline: int) -> None:
    """Answers requests until the connection closes.

    Args:
        kind: decides what is imported before the first request.
        connection: carries paths of request files in, and a message back for each: empty, or why the answer can't be
            written; one more empty one comes once all is imported.
        lifeline: a pipe whose other end only the parent holds; when it closes, the parent is gone.
    """
    if not end_with(lifeline):
        threading.Thread(target=_end_with_parent, args=(lifeline,), daemon=True).start()
    preload(kind)
    connection.send_bytes(b"")
    while True:
        try:
            path = Path(connection.recv_bytes().decode())
        except EOFError:
            return
        _redirect_output(path.with_name("log.txt"))
        refused = ""
        try:
            answer(path)
        except OSError as error:
            refused = str(error)
        connection.send_bytes(refused.encode())


def answer(path: Path) -> bool:
    """Runs the stage of one request file and writes `response.json` beside it.

    Returns:
        Whether the stage gave a record; else the response holds an error.

    Raises:
        OSError: the response can't be written.
    """
    message = msgspec.json.decode(path.read_bytes())
    stage = STAGES[message["stage"]]
    started = time.perf_counter()
    response: dict[str, object]
    try:
        with progress.told_in(path.parent):
            response = {"record": _run(stage, message, path.with_name("artifacts"))}
    except RecipekitError as error:
        traceback.print_exc()
        what, fix = limit_hit(error) or (error.what, error.fix)
        said = {"what": what, "where": error.where, "fix": fix}
        response = {"error": {"id": error.id, **{part: redacted(text) for part, text in said.items()}}}
    except SystemExit as error:
        traceback.print_exc()
        response = _unforeseen(PluginError, f"code of the project called sys.exit({error.code!r})")
    except OSError as error:
        traceback.print_exc()
        full = error.errno in {errno.ENOSPC, errno.EDQUOT}  # nothing that is only read is refused so
        response = _unforeseen(OutputFault if full else stage.failure, f"{type(error).__name__}: {error}")
    except Exception as error:  # noqa: BLE001  the edge of the process: whatever happened is reported, never lost
        traceback.print_exc()
        hit = limit_hit(error) or (in_a_line(error), _THE_LOG)
        response = _unforeseen(stage.failure, *hit)
    response["seconds"] = time.perf_counter() - started
    path.with_name("response.json").write_bytes(msgspec.json.encode(response))
    return "record" in response


def _run(stage: Stage, message: dict[str, object], folder: Path) -> Record:
    request = msgspec.convert(message["request"], stage.request)
    folder.mkdir(exist_ok=True)
    module = importlib.import_module(f"recipekit.worker.stages.{stage.name}")
    record: Record = module.run(request, folder)
    return record


def _unforeseen(failure: type[RecipekitError], what: str, fix: str = _THE_LOG) -> dict[str, object]:
    return {"error": {"id": failure.id, "what": redacted(what), "where": "", "fix": fix}}


def _redirect_output(log: Path) -> None:
    """Sends what this process and its libraries print, natively too, to the stage's log."""
    sys.stdout.flush()
    sys.stderr.flush()
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    os.close(descriptor)


def _end_with_parent(lifeline: int) -> None:
    os.read(lifeline, 1)
    os.killpg(0, signal.SIGKILL)  # the session is the worker's own: whatever it started ends with it


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
