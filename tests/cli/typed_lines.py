"""Real shells on a pseudo-terminal, with our completion loaded: what stands on the line after a Tab."""

from __future__ import annotations

import os
import pty
import re
import select
import shutil
import time
from pathlib import Path

STARTS = {
    "bash": (["bash", "--norc", "--noprofile", "-i"], 'eval "$(recipekit completion bash)"'),
    "zsh": (["zsh", "-f", "-i"], "autoload -Uz compinit; compinit -u -D; source <(recipekit completion zsh)"),
    "fish": (["fish", "--no-config", "-i"], "recipekit completion fish | source"),
}
_ESCAPES = re.compile(rb"\x1b(\[[0-9;?]*[ -/]*[@-~]|\][^\x07\x1b]*(\x07|\x1b\\)|[()][0-9A-B]|[=>78])|\x07|\r")
_SECONDS = 40


class Shell:
    """An interactive shell in a folder, with `recipekit` on its path."""

    def __init__(self, name: str, folder: Path, commands: Path) -> None:
        """Starts the shell and loads the completion.

        Args:
            name: `bash`, `zsh` or `fish`.
            folder: its current folder.
            commands: the folder that holds `recipekit`.
        """
        command, load = STARTS[name]
        environment = {
            **os.environ,
            "PATH": f"{commands}{os.pathsep}{os.environ['PATH']}",
            "TERM": "xterm",
            "PS1": "> ",
        }
        environment |= {"HOME": str(folder), "XDG_CONFIG_HOME": str(folder), "XDG_DATA_HOME": str(folder)}
        self._child, self._terminal = pty.fork()
        if self._child == 0:
            os.chdir(folder)
            os.execvpe(str(shutil.which(command[0])), command, environment)
        os.write(self._terminal, f"{load}; echo rea''dy\n".encode())
        self._read_until(b"ready")

    def tab(self, line: str, wanted: str) -> str:
        """Types a line and a Tab, and says what the terminal shows once the wanted text is there."""
        os.write(self._terminal, b"\x15")  # what stands on the line is cleared
        os.write(self._terminal, line.encode() + b"\t")
        return self._read_until(wanted.encode())

    def _read_until(self, wanted: bytes) -> str:
        shown, deadline = b"", time.monotonic() + _SECONDS
        while wanted not in _ESCAPES.sub(b"", shown) and time.monotonic() < deadline:
            if select.select([self._terminal], [], [], 0.2)[0]:
                shown += os.read(self._terminal, 65536)
        return _ESCAPES.sub(b"", shown).decode(errors="replace")

    def close(self) -> None:
        """Ends the shell."""
        os.close(self._terminal)
        os.kill(self._child, 9)
        os.waitpid(self._child, 0)
