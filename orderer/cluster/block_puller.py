"""Fetching a channel's blocks from other orderers, none of which is believed without proof.

(Fabric: orderer/common/cluster/deliver.go, orderer/consensus/etcdraft/blockpuller.go.)
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing
from itertools import count
from typing import Protocol

from gridloom.common.block_acceptance import accept_block
from gridloom.common.blocks import header_hash, last_config_index
from gridloom.common.channel.bundle import ChannelBundle
from gridloom.common.deliver_client import DELIVER, Backoff, DeliverClient
from gridloom.common.envelopes import NEWEST, NONCE_LENGTH, Clock, block_position, seek_envelope
from gridloom.common.errors import GridloomError
from gridloom.common.identities import Signer
from gridloom.common.rpc import Channel
from gridloom.protos.common.common_pb2 import Block, Envelope
from gridloom.protos.orderer.ab_pb2 import DeliverResponse, SeekInfo, SeekPosition

log = logging.getLogger(__name__)

ASK_TIMEOUT = 3.0
"""Seconds an orderer has for one block that may tell of our removal."""


class PulledChannel(Protocol):
    """The channel whose blocks are wanted, as far as it is here."""

    @property
    def bundle(self) -> ChannelBundle:
        """The configuration by which the next block is judged."""

    @property
    def height(self) -> int:
        """The number of the next block."""

    def get_block(self, number: int) -> Block:
        """A block that is here."""


class Puller:
    """Who fetches, and how to reach an orderer at ``host:port``; tls_cert_hash: as DeliverClient.

    own: the endpoints of this node, which is not asked.
    """

    def __init__(
        self,
        connect: Callable[[str], Channel],
        signer: Signer,
        now: Clock,
        random_bytes: Callable[[int], bytes],
        *,
        own: Sequence[str] = (),
        tls_cert_hash: bytes = b"",
    ) -> None:
        self.connect = connect
        self.signer = signer
        self.now = now
        self.random_bytes = random_bytes
        self.own = frozenset(own)
        self.tls_cert_hash = tls_cert_hash

    def of(
        self,
        channel: PulledChannel,
        channel_id: str,
        verify: Callable[[Block], None] | None = None,
    ) -> BlockPuller:
        """Return what fetches one channel's blocks; verify: judges one, in place of our own way."""
        return BlockPuller(self, channel, channel_id, verify)


class BlockPuller:
    """Fetches the blocks of one channel."""

    def __init__(
        self,
        puller: Puller,
        channel: PulledChannel,
        channel_id: str,
        verify: Callable[[Block], None] | None = None,
    ) -> None:
        self._puller = puller
        self._verify = verify or self._continues
        self._channel = channel
        self._channel_id = channel_id
        self._attempts = count()

    async def blocks(self, start: int, last: int | None = None) -> AsyncGenerator[Block, None]:
        """Blocks ``start`` to ``last``, or for ever; each must be written before the next."""
        client = DeliverClient(
            self._channel_id,
            self._next_orderer,
            self._puller.signer,
            self._puller.now,
            self._puller.random_bytes,
            verify=self._verify,
            tls_cert_hash=self._puller.tls_cert_hash,
            backoff=Backoff(limit=2.0),
            error_response=SeekInfo.BEST_EFFORT,
        )
        async with aclosing(client.blocks(start)) as blocks:
            async for block in blocks:
                yield block
                if block.header.number == last:
                    return

    async def latest_config(self) -> Block | None:
        """The newest config block that any other orderer gives, None if none answers.

        Only its signatures by the configuration known here vouch for it.
        """
        found: Block | None = None
        for endpoint in self._endpoints():
            try:
                async with asyncio.timeout(ASK_TIMEOUT):
                    block = await self._config_of(endpoint)
            except (GridloomError, TimeoutError) as error:
                log.debug("[channel: %s] %s: %s", self._channel_id, endpoint, error)
                continue
            if found is None or block.header.number > found.header.number:
                found = block
        return found

    async def _config_of(self, endpoint: str) -> Block:
        newest = await self._one(endpoint, NEWEST)
        index = last_config_index(newest) if newest.header.number else 0
        return await self._one(endpoint, block_position(index))

    async def _one(self, endpoint: str, position: SeekPosition) -> Block:
        request = seek_envelope(
            self._channel_id,
            position,
            position,
            SeekInfo.FAIL_IF_NOT_READY,
            self._puller.signer,
            self._puller.now,
            self._puller.random_bytes(NONCE_LENGTH),
            tls_cert_hash=self._puller.tls_cert_hash,
            error_response=SeekInfo.BEST_EFFORT,
        )
        channel = self._puller.connect(endpoint)
        async with aclosing(channel.stream(DELIVER, _one(request), DeliverResponse)) as responses:
            async for response in responses:
                if response.WhichOneof("Type") == "block":
                    return response.block
                break
        raise NoSuchBlock(self._channel_id, endpoint)

    def _endpoints(self) -> list[str]:
        every = [endpoint for _, endpoint in self._channel.bundle.orderer_endpoints]
        return [endpoint for endpoint in every if endpoint not in self._puller.own]

    def _next_orderer(self) -> Channel:
        endpoints = self._endpoints()
        if not endpoints:
            raise NoSuchBlock(self._channel_id, "no other orderer")
        return self._puller.connect(endpoints[next(self._attempts) % len(endpoints)])

    def _continues(self, block: Block) -> None:
        channel = self._channel
        previous = header_hash(channel.get_block(channel.height - 1).header)
        accept_block(block, channel.height, previous, channel.bundle)


class NoSuchBlock(GridloomError):
    """An orderer that does not give a block: the channel, and where it was asked for."""

    def __init__(self, channel_id: str, endpoint: str) -> None:
        super().__init__(f"[channel: {channel_id}] no block from {endpoint}")
        self.channel_id = channel_id
        self.endpoint = endpoint


async def _one(envelope: Envelope) -> AsyncIterator[Envelope]:
    yield envelope
