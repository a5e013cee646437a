"""Sending to the other orderers of one channel.

Two streams to each: consensus messages must not wait behind transactions.  A stream that breaks
is opened again after a pause; what was queued for it is lost, which consensus must bear anyway.
A node that refuses is left alone the longer the more often it did, until it is heard again
(Fabric: orderer/common/cluster/{rpc,stream}.go).
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import aclosing, suppress

from gridloom.common.errors import GridloomError
from gridloom.common.rpc import Channel, Code, RpcError
from gridloom.protos.orderer.cluster_pb2 import StepRequest, StepResponse

from .dialer import Dial
from .members import Member

log = logging.getLogger(__name__)

STEP = "/orderer.Cluster/Step"
MAX_QUEUED = 1_000
"""Messages that wait for one stream; more mean that the other side does not keep up."""
FIRST_PAUSE = 0.05
"""Seconds until a stream is opened again for the first time; each further one doubles them."""
LONGEST_PAUSE = 0.5
"""For a node that cannot be reached: it is to be noticed soon when it is back."""
LONGEST_REFUSED_PAUSE = 10.0
"""For one that is there and will have none of it: it has left the channel, or not come to it."""
LASTING = 2.0
"""Seconds after which a stream counts as one that worked."""
_MOST_DOUBLED = 10
_REFUSALS = frozenset(
    {Code.NOT_FOUND, Code.PERMISSION_DENIED, Code.UNAUTHENTICATED, Code.UNIMPLEMENTED}
)

Unreachable = Callable[[int, RpcError | None], None]
"""Told that a member does not get messages, and why if it said so."""


class ClusterTransport:
    """The streams of one channel; use it on one event loop."""

    def __init__(self, channel_id: str, dial: Dial, unreachable: Unreachable) -> None:
        self._channel_id = channel_id
        self._dial = dial
        self._unreachable = unreachable
        self._remotes: dict[int, _Remote] = {}
        self._closing: set[asyncio.Task[None]] = set()

    def configure(self, members: Iterable[Member]) -> None:
        """Reach exactly these; connections to members that have not changed stay."""
        wanted = {member.node_id: member for member in members}
        for node_id, remote in list(self._remotes.items()):
            if wanted.get(node_id) != remote.member:
                self._close(self._remotes.pop(node_id))
        for node_id, member in wanted.items():
            if node_id not in self._remotes:
                self._remotes[node_id] = _Remote(member, self._dial, self._unreachable)

    def send(self, to: int, request: StepRequest) -> bool:
        """Queue a consensus message or, for the leader, a transaction; whether there was room."""
        remote = self._remotes.get(to)
        if remote is None:
            return False
        submit = request.WhichOneof("payload") == "submit_request"
        return (remote.submit if submit else remote.consensus).put(request)

    def heard(self, node_id: int) -> None:
        """A member has sent something: if it refused before, it may do so no longer."""
        remote = self._remotes.get(node_id)
        if remote is not None:
            remote.consensus.retry()
            remote.submit.retry()

    async def close(self) -> None:
        """End all streams and connections."""
        for remote in self._remotes.values():
            self._close(remote)
        self._remotes.clear()
        if self._closing:
            await asyncio.wait(self._closing)

    def _close(self, remote: _Remote) -> None:
        task = asyncio.get_running_loop().create_task(remote.close())
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)


class _Remote:
    """One member, with a connection and two streams, opened when first used."""

    def __init__(self, member: Member, dial: Dial, unreachable: Unreachable) -> None:
        self.member = member
        self._dial = dial
        self._channel: Channel | None = None
        self.consensus = _Stream(member.node_id, self._connect, unreachable)
        self.submit = _Stream(member.node_id, self._connect, unreachable)

    def _connect(self) -> Channel:
        if self._channel is None:
            self._channel = self._dial(self.member)
        return self._channel

    async def close(self) -> None:
        await self.consensus.close()
        await self.submit.close()
        if self._channel is not None:
            await self._channel.close()


class _Stream:
    """A queue, and a task that keeps a Step stream open to empty it."""

    def __init__(
        self, node_id: int, connect: Callable[[], Channel], unreachable: Unreachable
    ) -> None:
        self._node_id = node_id
        self._connect = connect
        self._unreachable = unreachable
        self._queue: deque[StepRequest] = deque()
        self._work = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._failures = 0
        self._refused = False
        self._retry = asyncio.Event()
        self._closed = False

    def put(self, request: StepRequest) -> bool:
        if self._refused or len(self._queue) >= MAX_QUEUED:
            return False
        self._queue.append(request)
        self._work.set()
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._keep_open())
        return True

    def retry(self) -> None:
        """Wait no longer for the end of a refusal."""
        self._retry.set()

    async def close(self) -> None:
        # A cancellation that meets the end of a stream can get lost in what is ending it.
        self._closed = True
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def _keep_open(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            opened = loop.time()
            error = await self._run()
            if self._closed:
                return
            if loop.time() - opened >= LASTING:
                self._failures = 0
            self._queue.clear()
            self._work.clear()
            level = logging.DEBUG if self._failures else logging.INFO
            log.log(level, "the stream to node %d ended: %s", self._node_id, error)
            self._unreachable(self._node_id, error)
            await self._pause(refused=error.code in _REFUSALS)
            if self._closed:
                return
            await self._work.wait()

    async def _pause(self, *, refused: bool) -> None:
        seconds = FIRST_PAUSE * 2 ** min(self._failures, _MOST_DOUBLED)
        self._failures += 1
        self._refused = refused
        await asyncio.sleep(min(seconds, LONGEST_PAUSE))
        rest = min(seconds, LONGEST_REFUSED_PAUSE) - LONGEST_PAUSE
        if refused and rest > 0:
            self._retry.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(rest):
                    await self._retry.wait()
        self._refused = False

    async def _run(self) -> RpcError:
        """Send until the stream ends; returns what ended it."""
        try:
            stream = self._connect().stream(STEP, self._requests(), StepResponse)
            async with aclosing(stream) as responses:
                async for _ in responses:
                    pass  # success is not answered, and failure ends the stream
        except RpcError as error:
            return error
        except GridloomError as error:
            return RpcError(Code.UNAVAILABLE, str(error))
        return RpcError(Code.UNAVAILABLE, "the other side closed it")

    async def _requests(self) -> AsyncIterator[StepRequest]:
        while True:
            await self._work.wait()
            while self._queue:
                yield self._queue.popleft()
            self._work.clear()
