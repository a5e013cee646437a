"""The configurations of the golden network's channel, from its blocks."""

from __future__ import annotations

from functools import cache

from gridloom.common.blocks import envelope_at
from gridloom.common.channel.bundle import ChannelBundle
from gridloom.common.envelopes import open_payload
from gridloom.protos.common.common_pb2 import Block
from gridloom.protos.common.configtx_pb2 import Config, ConfigEnvelope

from .shared import shared

CHANNEL_ID = "golden1"
UPDATE_BLOCK = 50


def block(number: int) -> Block:
    """Return a fresh copy of a block as the peer delivered it."""
    return Block.FromString(shared("golden", "blocks", "peer", f"{number:03}.pb").read_bytes())


def config_envelope(number: int) -> ConfigEnvelope:
    """Return what the configuration transaction of a block carries."""
    return ConfigEnvelope.FromString(open_payload(envelope_at(block(number), 0)).data)


def genesis_config() -> Config:
    """Return a fresh copy of the first configuration, to be changed at will."""
    return config_envelope(0).config


@cache
def genesis_bundle() -> ChannelBundle:
    """Return the bundle of the genesis block."""
    return ChannelBundle.from_config_block(block(0))
