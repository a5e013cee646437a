"""One process for each node, supervised by the process that started them.

A node process says ``ready`` on its standard output once it serves; everything else it prints
goes to a log file of its own.  Stopping is SIGTERM, and SIGKILL for what does not end.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Sequence
from pathlib import Path

from gridloom.common.errors import GridloomError

from .home import NetworkHome
from .topology import Topology

READY = "ready"
START_TIMEOUT = 30.0
"""Seconds a node may take until it serves."""

STOP_TIMEOUT = 10.0
"""Seconds between SIGTERM and SIGKILL."""


class NodeFailed(GridloomError):
    """A node process that ended, or never became ready: its name, its log, its last lines."""

    def __init__(self, name: str, log: Path, reason: str) -> None:
        tail = "\n".join(log.read_text(errors="replace").splitlines()[-10:])
        super().__init__(f"node {name} {reason}; its log is {log}:\n{tail}")
        self.name = name
        self.log = log


class NodeProcesses:
    """The processes of a network's nodes.

    options: passed on to every node, such as ``--development``.
    """

    def __init__(self, home: NetworkHome, topology: Topology, options: Sequence[str] = ()) -> None:
        self._home = home
        self._orderers = [node.name for node in topology.orderers()]
        self._peers = [node.name for node in topology.peers()]
        self._options = tuple(options)
        self._running: dict[str, Process] = {}

    @property
    def process_ids(self) -> dict[str, int]:
        """Process ids by node name."""
        return {name: process.pid for name, process in self._running.items()}

    async def start(self) -> None:
        """Start orderers, then peers, and wait until all serve; NodeFailed."""
        for names in (self._orderers, self._peers):
            async with asyncio.TaskGroup() as group:
                for name in names:
                    group.create_task(self._start(name))

    async def wait(self) -> None:
        """Return never; NodeFailed as soon as any node ends."""
        waiting = {
            asyncio.create_task(process.wait()): name for name, process in self._running.items()
        }
        done, _ = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        task = done.pop()
        reason = f"ended with status {task.result()}"
        raise NodeFailed(waiting[task], self._home.log_file(waiting[task]), reason)

    async def stop(self) -> None:
        """End all nodes, peers first."""
        for names in (self._peers, self._orderers):
            await asyncio.gather(*(self._stop(name) for name in names))

    async def _start(self, name: str) -> None:
        log = self._home.log_file(name)
        log.parent.mkdir(parents=True, exist_ok=True)
        arguments = ("node", "run", name, "--dir", str(self._home.path), *self._options)
        with log.open("ab") as stderr:
            process = self._running[name] = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "gridloom",
                *arguments,
                stdout=PIPE,
                stderr=stderr,
                start_new_session=True,
            )
        if process.stdout is None:
            raise NodeFailed(name, log, "has no output")
        try:
            async with asyncio.timeout(START_TIMEOUT):
                line = await process.stdout.readline()
        except TimeoutError:
            raise NodeFailed(name, log, f"was not ready after {START_TIMEOUT:g} s") from None
        if line.decode().strip() != READY:
            raise NodeFailed(name, log, f"ended with status {await process.wait()}")

    async def _stop(self, name: str) -> None:
        process = self._running.pop(name, None)
        if process is None or process.returncode is not None:
            return
        process.send_signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(STOP_TIMEOUT):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()
