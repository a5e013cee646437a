"""Messages between the consenters of a channel, over streams of ``orderer.Cluster/Step``.

Every message is signed by its sender's identity, the one that the channel's configuration
names, so it may come over any connection.  What a broken stream loses, consensus asks for
again.  (Fabric: orderer/common/cluster, which knows senders by their TLS certificates.)
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import dataclass

from gridloom.common.errors import GridloomError
from gridloom.common.identities import Signer
from gridloom.common.poca import BlockProof, PocaConfig, read_proof, write_proof
from gridloom.common.rpc import Call, Channel, Code, RpcError
from gridloom.protos.orderer.cluster_pb2 import ConsensusRequest, StepRequest, StepResponse

from .chain import PocaChain

log = logging.getLogger(__name__)

CLUSTER = "orderer.Cluster"
STEP = f"/{CLUSTER}/Step"
MAX_QUEUED = 1_000
"""Messages that wait for one consenter; beyond that the oldest are lost."""

_PAUSES = (0.05, 0.1, 0.2, 0.5)
"""Seconds between attempts to open a stream; the last one repeats."""


class PocaTransport:
    """Sends for one consenter of one channel; connect: reaches an orderer at host:port."""

    def __init__(self, channel_id: str, signer: Signer, connect: Callable[[str], Channel]) -> None:
        self._channel_id = channel_id
        self._signer = signer
        self._connect = connect
        self._endpoints: list[str] = []
        self._own = -1
        self._streams: dict[str, _Stream] = {}

    def configure(self, config: PocaConfig) -> None:
        """Reach these; streams to endpoints that stay go on."""
        self._endpoints = [consenter.endpoint for consenter in config.consenters]
        own = config.number_of(self._signer.serialized)
        self._own = -1 if own is None else own
        for endpoint in set(self._streams) - set(self._endpoints):
            self._streams.pop(endpoint).task.cancel()

    def send(self, to: int, message: bytes) -> None:
        """Queue a message."""
        endpoint = self._endpoints[to]
        if endpoint not in self._streams:
            self._streams[endpoint] = _Stream(self._connect, endpoint)
        signature = self._signer.sign(_signed(self._channel_id, message))
        metadata = write_proof(BlockProof(self._own, 0, signature))
        request = ConsensusRequest(channel=self._channel_id, payload=message, metadata=metadata)
        self._streams[endpoint].put(StepRequest(consensus_request=request))

    async def close(self) -> None:
        """End all streams."""
        streams, self._streams = self._streams, {}
        for stream in streams.values():
            stream.task.cancel()
        await asyncio.gather(*(s.task for s in streams.values()), return_exceptions=True)


class _Stream:
    """The messages to one orderer."""

    def __init__(self, connect: Callable[[str], Channel], endpoint: str) -> None:
        self._connect = connect
        self._endpoint = endpoint
        self._queue: deque[StepRequest] = deque(maxlen=MAX_QUEUED)
        self._filled = asyncio.Event()
        self.task = asyncio.get_running_loop().create_task(self._run())

    def put(self, request: StepRequest) -> None:
        self._queue.append(request)
        self._filled.set()

    async def _run(self) -> None:
        failures = 0
        while True:
            channel = self._connect(self._endpoint)
            try:
                answers = channel.stream(STEP, self._requests(), StepResponse)
                async with aclosing(answers) as responses:
                    async for _ in responses:
                        failures = 0
            except GridloomError as error:
                log.debug("%s: %s", self._endpoint, error)
            await asyncio.sleep(_PAUSES[min(failures, len(_PAUSES) - 1)])
            failures += 1

    async def _requests(self) -> AsyncIterator[StepRequest]:
        while True:
            await self._filled.wait()
            if not self._queue:
                self._filled.clear()
                continue
            yield self._queue.popleft()


@dataclass(frozen=True, slots=True)
class PocaService:
    """Receives; find: the chain of a channel, None where this node orders none by POCA."""

    find: Callable[[str], PocaChain | None]

    async def step(
        self, requests: AsyncIterator[StepRequest], call: Call
    ) -> AsyncGenerator[StepResponse, None]:
        """Take messages until the sender ends the stream; the first bad one ends it, too."""
        async for request in requests:
            self._take(request.consensus_request)
        return
        yield  # nothing is answered

    def _take(self, request: ConsensusRequest) -> None:
        chain = self.find(request.channel)
        if chain is None:
            raise RpcError(Code.NOT_FOUND, f"channel {request.channel} is not ordered here by POCA")
        sender = _sender(request, chain.config)
        if sender is None:
            reason = f"access denied: not from a consenter of {request.channel}"
            raise RpcError(Code.PERMISSION_DENIED, reason)
        chain.receive(sender, request.payload)


def _sender(request: ConsensusRequest, config: PocaConfig) -> int | None:
    """Who has signed it, by our configuration; None: no consenter.

    The number claimed comes first; it is another one while the sender lags behind.
    """
    try:
        claim = read_proof(request.metadata)
    except GridloomError:
        return None
    signed = _signed(request.channel, request.payload)
    numbers = sorted(range(len(config.consenters)), key=lambda n: n != claim.consenter)
    for number in numbers:
        try:
            config.consenters[number].verify(signed, claim.signature)
        except GridloomError:
            continue
        return number
    return None


def _signed(channel_id: str, message: bytes) -> bytes:
    return b"POCA message on %s\n" % channel_id.encode() + message
