"""Candidates for the next block: made by mining, and judged by everybody.

(Fabric counterpart: none.)
"""

from __future__ import annotations

from gridloom.common.blocks import (
    METADATA_SLOTS,
    BlockError,
    check_data,
    consenter_metadata,
)
from gridloom.common.identities import Signer
from gridloom.common.poca import (
    PocaConfig,
    read_proof,
    sign_proof,
    verify_proof,
    work_of,
    write_proof,
)
from gridloom.common.proof_of_credit import search
from gridloom.common.wire import parse
from gridloom.protos.common import common_pb2

from .core import Candidate

TRIES_AT_ONCE = 256
"""Nonces tried before anything else gets its turn: well under a millisecond."""


class Mining:
    """The search for the nonce of one block by consenter number own."""

    def __init__(self, block: common_pb2.Block, own: int, config: PocaConfig) -> None:
        self._block = block
        self._own = own
        self._target = config.target_of(own)
        self._work = work_of(block.header, config.consenters[own].identity)
        self._next = 0

    def try_some(self, signer: Signer) -> Candidate | None:
        """Try the next nonces; the candidate if one of them meets the target."""
        nonce = search(self._work, self._target, self._next, TRIES_AT_ONCE)
        self._next += TRIES_AT_ONCE
        if nonce is None:
            return None
        proof = write_proof(sign_proof(self._work, nonce, self._own, signer))
        return Candidate(self._block.SerializeToString(), proof)


def check_candidate(candidate: Candidate, height: int, previous: bytes, config: PocaConfig) -> None:
    """BlockError or MalformedMessage unless it is the next block and won by its maker.

    previous: hash of the last block's header.
    """
    block = parse(common_pb2.Block, candidate.block, "block")
    if block.header.number != height:
        raise BlockError(block.header.number, f"the next block is {height}")
    if block.header.previous_hash != previous:
        raise BlockError(height, "it does not follow the last block")
    check_data(block)
    verify_proof(block.header, read_proof(candidate.proof), config)


def candidate_of(block: common_pb2.Block) -> Candidate:
    """A stored block as it was decided: without what this node has signed."""
    bare = common_pb2.Block(header=block.header, data=block.data)
    bare.metadata.metadata.extend([b""] * METADATA_SLOTS)
    return Candidate(bare.SerializeToString(), consenter_metadata(block))
