"""One process for each node, supervised by the process that started them.

What a node prints goes to a log file of its own.  Where several orderers order together, one that
falls does not end the network: it is started again.
"""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from gridloom.common.errors import GridloomError

from .child_process import START_TIMEOUT, ChildProcess
from .home import NetworkHome
from .topology import Topology

log = logging.getLogger(__name__)

STOP_TIMEOUT = 10.0
"""Seconds between SIGTERM and SIGKILL."""

RESTART_PAUSE = 1.0
"""Seconds after which a fallen orderer is started again."""
MAX_RESTARTS = 5
"""Falls of a node in a row, none of which it survived for long, before it is given up."""
STABLE = 10.0
"""Seconds after which a node that was started again has survived."""

_TAIL = 10
"""Lines of a failed node's log to show."""


class NodeFailed(GridloomError):
    """A node process that ended, or never became ready: its name, its log, its last lines."""

    def __init__(self, name: str, log: Path, reason: str) -> None:
        tail = "\n".join(log.read_text(errors="replace").splitlines()[-_TAIL:])
        super().__init__(f"node {name} {reason}; its log is {log}:\n{tail}")
        self.name = name
        self.log = log
        self.reason = reason


class NodeProcesses:
    """The processes of a network's nodes.

    options: passed on to every node, such as ``--development``; inherited: descriptors that
    stay open in every node.
    """

    def __init__(
        self,
        home: NetworkHome,
        topology: Topology,
        options: Sequence[str] = (),
        inherited: Sequence[int] = (),
    ) -> None:
        self._home = home
        self._orderers = [node.name for node in topology.orderers()]
        self._peers = [node.name for node in topology.peers()]
        self._authorities = [node.name for node in topology.authorities()]
        self._options = tuple(options)
        self._inherited = tuple(inherited)
        self._running: dict[str, ChildProcess] = {}
        self._replacing = asyncio.Lock()
        self._changed: Callable[[], None] = lambda: None
        self._replaceable = set(self._orderers if topology.replaces_orderers else ())
        self._falls: dict[str, list[float]] = {}

    @property
    def process_ids(self) -> Mapping[str, int]:
        """Process ids by node name."""
        return {name: process.pid for name, process in self._running.items()}

    async def start(self) -> None:
        """Start all nodes and wait until all serve; NodeFailed for the first that does not.

        Peers connect to orderers at once, so these come first; nobody waits for CAs.
        """
        for name in (*self._orderers, *self._peers, *self._authorities):
            await self._spawn(name)
        for names in (self._orderers, self._peers, self._authorities):
            starting = [asyncio.create_task(self._start(name)) for name in names]
            try:
                await asyncio.gather(*starting)
            finally:
                for task in starting:
                    task.cancel()

    async def wait(self, changed: Callable[[], None] = lambda: None) -> None:
        """Return never; NodeFailed as soon as a node ends that the network cannot do without.

        changed: told when nodes have got other processes.
        """
        self._changed = changed
        watching = {asyncio.create_task(self._watch(name)) for name in self._running}
        try:
            done, _ = await asyncio.wait(watching, return_when=asyncio.FIRST_EXCEPTION)
        finally:
            for task in watching:
                task.cancel()
        for task in done:
            task.result()

    async def restart(self) -> None:
        """Give each node a new process, one after the other, orderers first; NodeFailed."""
        for name in (*self._orderers, *self._peers):
            async with self._replacing:
                await self._stop(name)
                await self._spawn(name)
            self._changed()
            await self._start(name)

    async def _watch(self, name: str) -> None:
        """Wait for the end of a node that was not told to end.

        It is started again where that is allowed, else NodeFailed.
        """
        while True:
            process = self._running[name]
            status = await process.wait()
            async with self._replacing:
                if self._running[name] is not process:
                    continue
                failure = self._failed(name, status)
                if not self._may_restart(name):
                    raise failure
                log.warning("%s; it is started again", str(failure).partition("\n")[0])
                await asyncio.sleep(RESTART_PAUSE)
                await self._spawn(name)
            self._changed()
            with suppress(NodeFailed):  # which the next round finds out, and counts
                await self._start(name)

    def _may_restart(self, name: str) -> bool:
        now = asyncio.get_running_loop().time()
        recent = [each for each in self._falls.get(name, ()) if now - each < STABLE]
        self._falls[name] = [*recent, now]
        return name in self._replaceable and len(recent) < MAX_RESTARTS

    async def stop(self) -> None:
        """End all nodes, peers before orderers."""
        for names in (self._authorities, self._peers, self._orderers):
            await asyncio.gather(*(self._stop(name) for name in names))

    async def _spawn(self, name: str) -> None:
        log = self._home.log_file(name)
        log.parent.mkdir(parents=True, exist_ok=True)
        arguments = ("node", "run", name, "--dir", str(self._home.path), "--supervised")
        with log.open("ab") as errors:
            self._running[name] = await ChildProcess.spawn(
                *arguments, *self._options, errors=errors, inherited=self._inherited
            )

    async def _start(self, name: str) -> None:
        process = self._running[name]
        try:
            if await process.start():
                return
        except TimeoutError:
            reason = f"was not ready after {START_TIMEOUT:g} s"
            raise NodeFailed(name, self._home.log_file(name), reason) from None
        raise self._failed(name, await process.wait())

    def _failed(self, name: str, status: int) -> NodeFailed:
        how = (
            f"was killed by {signal.Signals(-status).name}"
            if status < 0
            else (f"ended with status {status}")
        )
        return NodeFailed(name, self._home.log_file(name), how)

    async def _stop(self, name: str) -> None:
        process = self._running.pop(name, None)
        if process is not None:
            await process.stop(STOP_TIMEOUT)
