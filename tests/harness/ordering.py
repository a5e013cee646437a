"""An orderer with a channel of the test network, and clients that talk to it in process."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache

from gridloom.common.channel.bundle import ChannelBundle
from gridloom.common.channel.update import compute_update
from gridloom.common.envelopes import (
    NEWEST,
    NONCE_LENGTH,
    OLDEST,
    seek_envelope,
    signature_header,
    signed_envelope,
)
from gridloom.common.identities import Signer
from gridloom.common.rpc import Channel
from gridloom.deploy.configtx import channel_genesis_block
from gridloom.deploy.material import Material, create_material
from gridloom.deploy.topology import Batch, Topology
from gridloom.protos.common import common_pb2, configtx_pb2
from gridloom.protos.common.common_pb2 import Block, Envelope
from gridloom.protos.orderer import configuration_pb2
from gridloom.protos.orderer.ab_pb2 import BroadcastResponse, DeliverResponse, SeekInfo

CHANNEL = "mychannel"
BROADCAST = "/orderer.AtomicBroadcast/Broadcast"
DELIVER = "/orderer.AtomicBroadcast/Deliver"


def now() -> datetime:
    return datetime.now(UTC)


@cache
def material() -> Material:
    """The crypto material of the test network, made once for all tests."""
    return create_material(Topology.default())


def genesis(batch: Batch | None = None, *, channel_id: str = CHANNEL) -> Block:
    """The first block of a channel of the test network."""
    topology = Topology.default()
    spec = replace(topology.channel(CHANNEL), name=channel_id, batch=batch or Batch())
    return channel_genesis_block(topology, spec, material().msp_config, now, os.urandom)


def orderer_signer() -> Signer:
    """The identity of orderer.example.com."""
    return material().node("orderer.example.com").signing_identity


def user(organization: str = "Org1MSP", name: str = "User1") -> Signer:
    """A user of the test network, admins by the name Admin."""
    return material().user(organization, name).signing_identity


def message(
    data: bytes = b"data",
    *,
    signer: Signer | None = None,
    channel_id: str = CHANNEL,
    header_type: int = common_pb2.ENDORSER_TRANSACTION,
) -> Envelope:
    """A signed envelope; the orderer does not look into its data."""
    nonce = os.urandom(NONCE_LENGTH)
    return signed_envelope(header_type, channel_id, data, signer or user(), now, nonce)


def change_orderer(
    block: Block,
    change: Callable[[configtx_pb2.ConfigGroup], None],
    *,
    admins: Iterable[str] = ("OrdererMSP",),
    sender: Signer | None = None,
    user_of: Callable[[str, str], Signer] = user,
) -> Envelope:
    """A signed CONFIG_UPDATE of the Orderer group of the configuration in ``block``.

    user_of: the users of another network than the test network.
    """
    current = ChannelBundle.from_config_block(block).config
    updated = configtx_pb2.Config()
    updated.CopyFrom(current)
    change(updated.channel_group.groups["Orderer"])
    update = compute_update(CHANNEL, current, updated).SerializeToString()
    envelope = configtx_pb2.ConfigUpdateEnvelope(config_update=update)
    for organization in admins:
        admin = user_of(organization, "Admin")
        header = signature_header(admin.serialized, os.urandom(NONCE_LENGTH))
        envelope.signatures.add(signature_header=header, signature=admin.sign(header + update))
    return message(
        envelope.SerializeToString(),
        signer=sender or user_of("OrdererMSP", "Admin"),
        header_type=common_pb2.CONFIG_UPDATE,
    )


def set_timeout(text: str) -> Callable[[configtx_pb2.ConfigGroup], None]:
    """A change of BatchTimeout, for `change_orderer`."""

    def change(group: configtx_pb2.ConfigGroup) -> None:
        value = configuration_pb2.BatchTimeout(timeout=text)
        group.values["BatchTimeout"].value = value.SerializeToString()

    return change


def set_state(state: int) -> Callable[[configtx_pb2.ConfigGroup], None]:
    """Entering or leaving maintenance mode, for `change_orderer`."""

    def change(group: configtx_pb2.ConfigGroup) -> None:
        value = configuration_pb2.ConsensusType.FromString(group.values["ConsensusType"].value)
        value.state = configuration_pb2.ConsensusType.State.ValueType(state)
        group.values["ConsensusType"].value = value.SerializeToString()

    return change


async def stream_of(envelopes: Iterable[Envelope]) -> AsyncIterator[Envelope]:
    for envelope in envelopes:
        yield envelope


@dataclass(frozen=True)
class Client:
    """Calls an orderer through a channel, signing as ``signer``."""

    channel: Channel
    signer: Signer

    async def broadcast(self, *envelopes: Envelope) -> list[BroadcastResponse]:
        """Every answer of one Broadcast stream."""
        requests = stream_of(envelopes)
        async with aclosing(self.channel.stream(BROADCAST, requests, BroadcastResponse)) as answers:
            return [answer async for answer in answers]

    async def send(self, *envelopes: Envelope) -> list[int]:
        """Only the statuses."""
        return [answer.status for answer in await self.broadcast(*envelopes)]

    async def deliver(self, *requests: Envelope) -> list[Block | int]:
        """The blocks and statuses of one Deliver stream, to its end."""
        answers = self.channel.stream(DELIVER, stream_of(requests), DeliverResponse)
        async with aclosing(answers):
            return [
                answer.block if answer.HasField("block") else answer.status
                async for answer in answers
            ]

    async def blocks(self) -> list[Block]:
        """All blocks there are, by Deliver."""
        *blocks, status = await self.deliver(self.seek())
        assert status == common_pb2.SUCCESS
        return [block for block in blocks if isinstance(block, Block)]

    def seek(
        self,
        start: object = OLDEST,
        stop: object = NEWEST,
        *,
        fail: bool = False,
        sent: timedelta = timedelta(),
        channel_id: str = CHANNEL,
        **options: object,
    ) -> Envelope:
        """A request for blocks; ``sent``: how far its time is from now."""
        behavior = SeekInfo.FAIL_IF_NOT_READY if fail else SeekInfo.BLOCK_UNTIL_READY
        return seek_envelope(
            channel_id,
            start,  # type: ignore[arg-type]
            stop,  # type: ignore[arg-type]
            behavior,
            self.signer,
            lambda: now() + sent,
            os.urandom(NONCE_LENGTH),
            **options,  # type: ignore[arg-type]
        )
