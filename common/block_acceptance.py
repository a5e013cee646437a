"""Is this the channel's next block, complete and signed by its orderers?

Asked before anything inside the block is looked at; a block that fails may come from a
misbehaving orderer and is to be fetched again from another one.
(Fabric: internal/peer/gossip/mcs.go ``VerifyBlock``)
"""

from __future__ import annotations

from gridloom.protos.common import common_pb2

from . import blocks, poca
from .blocks import BlockError
from .channel.bundle import ChannelBundle
from .errors import GridloomError
from .identities import serialize


def accept_block(
    block: common_pb2.Block, number: int, previous_hash: bytes, bundle: ChannelBundle
) -> None:
    """BlockError unless ``block`` continues the chain of ``bundle``'s channel at ``number``.

    previous_hash: header hash of the block before it.  Checked in Fabric's order: header,
    number, channel, metadata, form and hash of the data, BlockValidation policy; then, on a
    channel under proof of credit, the right to cut it; and last the previous hash, which
    Fabric checks when it appends.
    """
    if not block.HasField("header"):
        raise BlockError(number, "it has no header")
    if block.header.number != number:
        raise BlockError(number, f"got number {block.header.number} instead")
    channel_id = _channel_id(block)
    if channel_id != bundle.channel_id:
        raise BlockError(number, f"channel [{channel_id}] instead of [{bundle.channel_id}]")
    if not block.metadata.metadata:
        raise BlockError(number, "it has no metadata")
    blocks.check_data(block)
    try:
        verify_signatures(block, bundle)
    except GridloomError as error:
        raise BlockError(number, f"its signatures are refused: {error}") from error
    if bundle.orderer.consensus_type == poca.CONSENSUS_TYPE and number:
        poca.verify_block(block, bundle.orderer.metadata)
    if block.header.previous_hash != previous_hash:
        raise BlockError(number, "its previous hash is not the hash of the block before it")


def verify_signatures(block: common_pb2.Block, bundle: ChannelBundle) -> None:
    """A GridloomError unless the orderers' signatures satisfy the BlockValidation policy.

    On a BFT channel a signature may name its signer by the consenter's id.
    """
    blocks.verify_block_signatures(block, bundle, _consenters(bundle))


def _channel_id(block: common_pb2.Block) -> str:
    try:
        return blocks.channel_id(block)
    except BlockError:
        raise
    except GridloomError as error:
        raise BlockError(block.header.number, f"no channel id: {error}") from error


def _consenters(bundle: ChannelBundle) -> dict[int, bytes] | None:
    """Serialized identities by consenter id where BFT signatures name their signers so."""
    if not bundle.capabilities.bft:
        return None
    return {
        consenter.id: serialize(consenter.msp_id, consenter.identity)
        for consenter in bundle.orderer.consenters
    }
