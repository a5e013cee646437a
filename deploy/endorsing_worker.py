"""Calls a second process to endorse while one core is not enough, and lets it go afterwards.

One process of Python uses one core.  With two, the one endorses while the other orders, judges
and commits (docs/decisions/0027).  Nothing depends on the second one: it is started when it pays,
replaced when what it knows has changed, and may be killed at any time.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

from google.protobuf.message import Message

from gridloom.common.errors import GridloomError
from gridloom.common.rpc import Channel, Code, RpcError
from gridloom.common.rpc.channel import UNIX
from gridloom.common.rpc.liveness import Liveness
from gridloom.common.rpc.transport import grpc_channel
from gridloom.peer.delegation import Vouching

from .child_process import START_TIMEOUT, ChildProcess
from .demand import Demand
from .home import NetworkHome

log = logging.getLogger(__name__)

TICK = 0.02
"""Seconds between two looks at how late the event loop is."""
QUIET = 1.0
"""Seconds without a proposal after which nobody looks."""
MANY = 48
"""Proposals under way in the other process, above which this one endorses too while it has time."""
IDLE = 30.0
"""Seconds without need of it after which the process ends."""
STOP_TIMEOUT = 5.0
"""Seconds between SIGTERM and SIGKILL."""
PAUSE = 30.0
"""Seconds after a process that could not be started, or fell, until another one is tried."""

SETTLING = 2.0
"""Seconds after a change that made a process retire: more of them may follow."""

LIVENESS = Liveness(ping=10_000, ping_timeout=45_000)
"""A chaincode may keep the process busy for 30 seconds; one that is silent for longer is lost."""


M = TypeVar("M", bound=Message)


class NotStarted(GridloomError):
    """A process that did not come to serve; the message says why."""


def worth_it(cores: int | None = None) -> bool:
    """Whether this machine has a core for it, and sockets to reach it."""
    return (cores or os.cpu_count() or 1) > 1 and sys.platform != "win32"


def socket_of(sockets: Path, number: int) -> str:
    """The address for the network's peer of this number, which is short, as it must be."""
    return f"{UNIX}{sockets / str(number)}"


class EndorsingWorker:
    """The process that endorses for these peers; used on one event loop.

    names: the network's peers, in the topology's order.
    """

    def __init__(
        self, home: NetworkHome, names: Sequence[str], *, development: bool = False
    ) -> None:
        self._home = home
        self._numbers = {name: number for number, name in enumerate(names)}
        self._development = development
        self._demand = Demand()
        self._loop = asyncio.get_running_loop()
        self._channels: dict[str, Channel] = {}
        self._clock: asyncio.TimerHandle | None = None
        self._last_asked = 0.0
        self._under_way = 0
        self._running: asyncio.Task[None] | None = None
        self._ending = asyncio.Event()
        self._not_before = 0.0
        self._stopped = False
        self.vouching = Vouching()
        self.process_id: int | None = None
        """Of the process that endorses now, None while there is none."""

    def deputy(self, name: str) -> _PeersDeputy:
        """What one of the peers knows of it."""
        return _PeersDeputy(self, name)

    def is_free(self) -> bool:
        """Whether it is there, needed, and not at work on many while this process has time.

        Called for each proposal: that is how the need for it is seen.
        """
        now = self._last_asked = self._loop.time()
        if self._clock is None:
            self._clock = self._loop.call_at(now + TICK, self._tick, now + TICK)
        if not self._demand.note(now):
            return False
        if self._running is None and now >= self._not_before and not self._stopped:
            self._ending = asyncio.Event()
            self._running = self._loop.create_task(self._run(self._ending), name="endorsing")
        return bool(self._channels) and (self._under_way < MANY or not self._demand.has_time)

    async def call(self, name: str, method: str, request: Message, response_type: type[M]) -> M:
        """Call a peer's replica there; RpcError, UNAVAILABLE if it has just gone."""
        channel = self._channels.get(name)
        if channel is None:
            raise RpcError(Code.UNAVAILABLE, "nobody else endorses now")
        self._under_way += 1
        try:
            return await channel.unary(method, request, response_type)
        finally:
            self._under_way -= 1

    def retire(self) -> None:
        """Have the process end, for it knows what is no longer so; from any thread."""
        self._channels = {}
        self._loop.call_soon_threadsafe(self._end_soon)

    async def stop(self) -> None:
        """End it for good."""
        self._stopped = True
        if self._clock is not None:
            self._clock.cancel()
        if self._running is not None:
            if not self._ending.is_set():  # one that is ending already is seen through
                self._running.cancel()
            await asyncio.wait([self._running])

    def _tick(self, due: float) -> None:
        """See how late the loop comes, as long as there are proposals."""
        now = self._loop.time()
        self._demand.late(now - due)
        if now - self._last_asked < QUIET:
            self._clock = self._loop.call_at(now + TICK, self._tick, now + TICK)
        else:
            self._clock = None

    def _end_soon(self) -> None:
        self._not_before = max(self._not_before, self._loop.time() + SETTLING)
        self._ending.set()

    async def _run(self, ending: asyncio.Event) -> None:
        """Run one process from its start to its end."""
        try:
            with TemporaryDirectory(prefix="gridloom-", ignore_cleanup_errors=True) as sockets:
                await self._serve(Path(sockets), ending)
        except (OSError, GridloomError) as error:
            self._not_before = self._loop.time() + PAUSE
            log.warning("nobody else endorses: %s", error)
        finally:
            self._running = None

    async def _serve(self, sockets: Path, ending: asyncio.Event) -> None:
        """Start it and give it proposals until it is to end, is idle or falls."""
        process = await ChildProcess.spawn(
            "node", "endorse", "--dir", str(self._home.path), "--sockets", str(sockets),
            *(["--development"] * self._development),
        )  # fmt: skip
        try:
            await self._until_ready(process)
            if ending.is_set():
                return
            self.process_id = process.pid
            self._channels = {
                name: grpc_channel(socket_of(sockets, number), liveness=LIVENESS)
                for name, number in self._numbers.items()
            }
            await self._until_over(process, ending)
        finally:
            ending.set()
            await self._end(process)

    async def _until_ready(self, process: ChildProcess) -> None:
        try:
            if await process.start():
                return
        except TimeoutError:
            raise NotStarted(f"it was not ready after {START_TIMEOUT:g} s") from None
        raise NotStarted("it ended while it started; see the lines above")

    async def _until_over(self, process: ChildProcess, ending: asyncio.Event) -> None:
        """Return when it is to end, or is not needed; NotStarted if it fell."""
        waits = {self._loop.create_task(process.wait()), self._loop.create_task(ending.wait())}
        try:
            while (left := self._demand.last + IDLE - self._loop.time()) > 0:
                await asyncio.wait(waits, timeout=left, return_when=asyncio.FIRST_COMPLETED)
                if ending.is_set():
                    return
                if process.returncode is not None:
                    raise NotStarted(f"it ended with status {process.returncode}")
        finally:
            for task in waits:
                task.cancel()

    async def _end(self, process: ChildProcess) -> None:
        """Give it no more, and end it once it has answered what it has."""
        channels, self._channels, self.process_id = self._channels, {}, None
        await process.stop(STOP_TIMEOUT)
        await asyncio.gather(*(channel.close() for channel in channels.values()))


class _PeersDeputy:
    """Satisfies peer.delegation.Deputy for one peer."""

    def __init__(self, worker: EndorsingWorker, name: str) -> None:
        self._worker = worker
        self._name = name
        self.vouching = worker.vouching

    def is_free(self) -> bool:
        return self._worker.is_free()

    async def call(self, method: str, request: Message, response_type: type[M]) -> M:
        return await self._worker.call(self._name, method, request, response_type)

    def retire(self) -> None:
        self._worker.retire()
