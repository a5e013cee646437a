"""Channels from an operator's side (Fabric: internal/peer/channel)."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing
from datetime import UTC, datetime

from google.protobuf.message import Message

from gridloom.common.blocks import envelope_at, last_config_index
from gridloom.common.envelopes import (
    NEWEST,
    NONCE_LENGTH,
    block_position,
    seek_envelope,
)
from gridloom.common.rpc import Channel
from gridloom.common.wire import parse
from gridloom.protos.common.common_pb2 import Block, Envelope, Payload, Status
from gridloom.protos.common.configtx_pb2 import Config, ConfigEnvelope
from gridloom.protos.common.ledger_pb2 import BlockchainInfo
from gridloom.protos.orderer.ab_pb2 import DeliverResponse, SeekInfo, SeekPosition
from gridloom.protos.peer.query_pb2 import ChannelQueryResponse

from ..identity import Signer
from .invocation import DeliverError, Invocation


class ChannelAdmin:
    """Joins peers to channels and changes a channel's configuration, as one identity.

    tls_certificate_hash: SHA-256 of the client's TLS certificate, under mutual TLS.
    """

    def __init__(
        self,
        signer: Signer,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        random_bytes: Callable[[int], bytes] = os.urandom,
        tls_certificate_hash: bytes = b"",
    ) -> None:
        self._signer = signer
        self._now = now
        self._random_bytes = random_bytes
        self._tls_certificate_hash = tls_certificate_hash
        self._invocation = Invocation(signer, now=now, random_bytes=random_bytes)

    async def join(self, peer: Channel, genesis: Block) -> None:
        """Join ``peer`` to the channel of a genesis block; EndorsementError if it refuses."""
        await self._invocation.query(peer, "", "cscc", b"JoinChain", genesis.SerializeToString())

    async def list(self, peer: Channel) -> Sequence[str]:
        """Return the ids of the channels ``peer`` has joined."""
        response = await self._invocation.query(peer, "", "cscc", b"GetChannels")
        channels = parse(ChannelQueryResponse, response.payload, "channel query response")
        return [channel.channel_id for channel in channels.channels]

    async def info(self, peer: Channel, channel_id: str) -> BlockchainInfo:
        """Return height and latest hashes of a peer's ledger."""
        response = await self._invocation.query(
            peer, channel_id, "qscc", b"GetChainInfo", channel_id.encode()
        )
        return parse(BlockchainInfo, response.payload, "blockchain info")

    async def fetch(self, orderer: Channel, channel_id: str, number: int | None = None) -> Block:
        """Return a block from an orderer, the newest without a number; DeliverError."""
        position = NEWEST if number is None else block_position(number)
        async with aclosing(self._deliver(orderer, channel_id, position)) as blocks:
            async for block in blocks:
                return block
        raise DeliverError(Status.UNKNOWN)

    async def fetch_config_block(self, orderer: Channel, channel_id: str) -> Block:
        """Return the block that brought the configuration in force, from an orderer."""
        newest = await self.fetch(orderer, channel_id)
        number = last_config_index(newest)
        return newest if newest.header.number == number else await self.fetch(
            orderer, channel_id, number
        )  # fmt: skip

    async def fetch_config(self, orderer: Channel, channel_id: str) -> Config:
        """Return the channel's current configuration from an orderer."""
        block = await self.fetch_config_block(orderer, channel_id)
        payload = parse(Payload, envelope_at(block, 0).payload, "payload")
        return parse(ConfigEnvelope, payload.data, "config envelope").config

    async def peer_config(self, peer: Channel, channel_id: str) -> Config:
        """Return the configuration in force on a peer; EndorsementError."""
        response = await self._invocation.query(
            peer, "", "cscc", b"GetChannelConfig", channel_id.encode()
        )
        return parse(Config, response.payload, "channel configuration")

    async def update(
        self,
        orderer: Channel,
        channel_id: str,
        original: Config,
        updated: Config,
        signers: Sequence[Signer] = (),
    ) -> None:
        """Change the configuration from ``original`` to ``updated``.

        signers: whose signatures the change needs beside this identity's own.  ConfigError
        when the change breaks a rule, BroadcastError when the orderer refuses it.
        """
        from .config_update import UpdateSigner, make_update  # noqa: PLC0415 - few change one

        envelope = make_update(channel_id, original, updated)
        for signer in signers:
            envelope = UpdateSigner(signer, self._now, self._random_bytes).sign(envelope)
        await self.submit_update(orderer, envelope)

    async def submit_update(self, orderer: Channel, envelope: Envelope) -> None:
        """Add this identity's signature to an update and have it ordered; BroadcastError.

        (Fabric: peer channel update)
        """
        from .config_update import UpdateSigner  # noqa: PLC0415 - few change one

        signer = UpdateSigner(self._signer, self._now, self._random_bytes)
        await self._invocation.broadcast(orderer, signer.sign(envelope))

    async def _deliver(
        self, orderer: Channel, channel_id: str, position: SeekPosition
    ) -> AsyncGenerator[Block, None]:
        seek = seek_envelope(
            channel_id,
            position,
            position,
            SeekInfo.BLOCK_UNTIL_READY,
            self._signer,
            self._now,
            self._random_bytes(NONCE_LENGTH),
            tls_cert_hash=self._tls_certificate_hash,
        )
        responses = orderer.stream("/orderer.AtomicBroadcast/Deliver", _once(seek), DeliverResponse)
        async with aclosing(responses):
            async for response in responses:
                if response.WhichOneof("Type") == "status":
                    if response.status != Status.SUCCESS:
                        raise DeliverError(response.status)
                    return
                yield response.block


async def _once(envelope: Envelope) -> AsyncIterator[Message]:
    yield envelope
