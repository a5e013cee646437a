"""What an administrator hands in: the block to join with, an update, the name of a block.

(Fabric: orderer/common/channelparticipation/validator.go.)
"""

from __future__ import annotations

import re
from typing import Literal

from gridloom.common.blocks import data_hash, is_config_block
from gridloom.common.channel.bundle import ChannelBundle
from gridloom.common.channel.errors import ConfigError
from gridloom.common.channel.update_validation import open_config_update
from gridloom.common.envelopes import open_channel_header
from gridloom.common.errors import GridloomError, MalformedMessage
from gridloom.common.wire import parse
from gridloom.protos.common import common_pb2
from gridloom.protos.common.configtx_pb2 import ConfigUpdate

_NUMBER = re.compile(r"[+-]?[0-9]{1,19}")
_INT64 = 2**63
_UINT64 = 2**64

BlockId = int | Literal["newest", "config"]
"""A block by its number, or one whose number changes."""


class InvalidJoinBlock(GridloomError):
    """A block that no channel can be joined with; reason in words."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"cannot join: {reason}")
        self.reason = reason


class InvalidUpdate(GridloomError):
    """An envelope that carries no config update; reason in words."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"invalid config update envelope: {reason}")
        self.reason = reason


class InvalidBlockId(GridloomError):
    """A name that no block has; block_id: as given."""

    def __init__(self, block_id: str) -> None:
        super().__init__(f"'{block_id}' not equal <newest|oldest|config|(number)>")
        self.block_id = block_id


def check_join_block(block: common_pb2.Block) -> ChannelBundle:
    """Return the configuration of the channel a block begins; InvalidJoinBlock.

    Any config block of an application channel will do here: which one a channel can be begun
    with is for the registrar to say.
    """
    if not is_config_block(block):
        raise InvalidJoinBlock("block is not a config block")
    if not block.metadata.metadata:
        raise InvalidJoinBlock("invalid block: does not have metadata")
    if data_hash(block.data.data) != block.header.data_hash:
        reason = "invalid block: Header.DataHash is different from Hash(block.Data)"
        raise InvalidJoinBlock(reason)
    try:
        bundle = ChannelBundle.from_config_block(block)
    except ConfigError as error:
        raise InvalidJoinBlock(error.reason) from error
    if bundle.consortiums is not None:
        reason = "invalid config: contains consortiums: system channel not supported"
        raise InvalidJoinBlock(reason)
    if not bundle.has_application:
        raise InvalidJoinBlock("invalid config: must contain application config")
    return bundle


def check_update(envelope: common_pb2.Envelope) -> str:
    """Return the channel that a config update is for; InvalidUpdate."""
    try:
        payload = parse(common_pb2.Payload, envelope.payload)
    except MalformedMessage:
        raise InvalidUpdate("bad payload") from None
    if not payload.header.channel_header:
        raise InvalidUpdate("bad header")
    try:
        header = open_channel_header(envelope)
    except MalformedMessage:
        raise InvalidUpdate("could not unmarshall channel header") from None
    if header.type != common_pb2.CONFIG_UPDATE:
        raise InvalidUpdate("bad type")
    if not header.channel_id:
        raise InvalidUpdate("empty channel id")
    try:
        update = open_config_update(envelope).config_update
        return parse(ConfigUpdate, update, "ConfigUpdate").channel_id
    except GridloomError as error:
        raise InvalidUpdate(str(error)) from error


def check_block_id(block_id: str) -> BlockId:
    """Return what ``newest``, ``oldest``, ``config`` or decimal digits name; InvalidBlockId.

    Negative numbers count from the end of those of 64 bits, whose last means the newest block,
    as in Fabric.
    """
    match block_id:
        case "newest" | "config":
            return block_id
        case "oldest":
            return 0
        case _ if _NUMBER.fullmatch(block_id) and -_INT64 <= int(block_id) < _INT64:
            number = int(block_id) % _UINT64
            return "newest" if number == _UINT64 - 1 else number
        case _:
            raise InvalidBlockId(block_id)
