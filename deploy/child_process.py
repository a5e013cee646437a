"""A process of ours that begins at a word, says when it is ready, and never outlives us.

It starts at the word ``start`` on its standard input and says ``ready`` on its standard output once
it serves.  Stopping is SIGTERM, and SIGKILL for what does not end.  It also stops when its
standard input ends, as that does when this process is killed (supervised.py is its side).
"""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Sequence
from contextlib import suppress
from typing import IO

START, READY = "start", "ready"
START_TIMEOUT = 60.0
"""Seconds until it has to serve."""


class ChildProcess:
    """Runs ``gridloom`` with some arguments."""

    def __init__(self, process: Process) -> None:
        self._process = process

    @classmethod
    async def spawn(
        cls, *arguments: str, errors: IO[bytes] | None = None, inherited: Sequence[int] = ()
    ) -> ChildProcess:
        """Run it, waiting for the word; OSError.

        errors: where it prints its log, None for where this process does; inherited: descriptors
        that stay open in it.
        """
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "gridloom",
            *arguments,
            stdin=PIPE,
            stdout=PIPE,
            stderr=errors,
            start_new_session=True,
            pass_fds=inherited,
        )
        return cls(process)

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        """The exit status, None while it runs."""
        return self._process.returncode

    async def start(self) -> bool:
        """Have it start; return whether it came to serve, TimeoutError if that takes too long."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{START}\n".encode())
        async with asyncio.timeout(START_TIMEOUT):
            line = await self._process.stdout.readline()
        return line.decode().strip() == READY

    async def wait(self) -> int:
        """Return the exit status once it has ended."""
        return await self._process.wait()

    async def stop(self, timeout: float) -> None:
        """End it, by force after so many seconds."""
        if self._process.returncode is not None:
            return
        with suppress(ProcessLookupError):  # it has just ended
            self._process.terminate()
        try:
            async with asyncio.timeout(timeout):
                await self._process.wait()
        except TimeoutError:
            self._process.kill()
            await self._process.wait()
