"""Going on in the background: what ``gridloom up --detach`` does to itself."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import BinaryIO, Self

import typer

from .running import INTERRUPTED

_PROGRESS, _SUCCESS, _FAILURE = b"+", b"0", b"1"
_TAIL = 10
"""Lines of the log to show when the background half ended without a word."""


class Detached:
    """The background half; the foreground one shows its messages and exits with the last.

    A message is a line with its kind in front; the last one goes on to the end of the pipe.
    """

    def __init__(self, pipe: BinaryIO) -> None:
        self._pipe = pipe

    @classmethod
    def fork(cls, log: Path) -> Self:
        """Return in the background, where everything printed goes to ``log``.

        Call it before anything that has threads is imported.
        """
        log.parent.mkdir(parents=True, exist_ok=True)
        output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        reader, writer = os.pipe()
        child = os.fork()
        if child:
            os.close(writer)
            with os.fdopen(reader, "rb") as pipe:
                status = _show(pipe, child, log)
            sys.stdout.flush()
            os._exit(status)
        os.close(reader)
        os.setsid()
        null = os.open(os.devnull, os.O_RDONLY)
        for source, target in ((null, 0), (output, 1), (output, 2)):
            os.dup2(source, target)
        return cls(os.fdopen(writer, "wb", buffering=0))

    def progress(self, step: str) -> None:
        """Show a line in the foreground."""
        self._write(_PROGRESS + step.encode() + b"\n")

    def succeeded(self, message: str) -> None:
        """Let the foreground show ``message`` and exit with status 0."""
        self._end(_SUCCESS, message)

    def failed(self, message: str) -> None:
        """Let the foreground show ``message`` and exit with status 1, if it still waits."""
        self._end(_FAILURE, message)

    def _end(self, kind: bytes, message: str) -> None:
        self._write(kind + message.encode())
        self._pipe.close()

    def _write(self, data: bytes) -> None:
        if self._pipe.closed:
            return
        try:
            self._pipe.write(data)
        except BrokenPipeError:
            self._pipe.close()  # nobody waits in the foreground any more: go on without


def _show(pipe: BinaryIO, child: int, log: Path) -> int:
    """Show what comes out of the pipe and return the exit status."""
    try:
        for line in pipe:
            if line[:1] == _PROGRESS:
                typer.echo(line[1:].decode().rstrip(), err=True)
                continue
            message = (line[1:] + pipe.read()).decode()
            typer.echo(message, err=line[:1] == _FAILURE)
            return int(line[:1])
    except KeyboardInterrupt:
        os.kill(child, signal.SIGTERM)
        os.waitpid(child, 0)
        return INTERRUPTED
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with {code}"
    tail = "\n".join(log.read_text(errors="replace").splitlines()[-_TAIL:])
    typer.echo(f"Error: the network {how} while it started; its log is {log}:\n{tail}", err=True)
    return 1
