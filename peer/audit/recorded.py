"""What the peer that wrote a block left in its metadata: read to be compared, never believed."""

from __future__ import annotations

from dataclasses import dataclass

from gridloom.common import blocks
from gridloom.common.errors import MalformedMessage
from gridloom.protos.common import common_pb2

HASH_SIZE = 32


@dataclass(frozen=True, slots=True)
class Recorded:
    """Codes by transaction and the commit hash, None where the block has none.

    faults: slots that do not hold what they should.
    """

    codes: tuple[int | None, ...]
    commit_hash: bytes | None
    faults: tuple[str, ...]


def read_recorded(block: common_pb2.Block) -> Recorded:
    """The peer's own metadata of a block; an orderer's copy has none of them."""
    faults = []
    count = len(block.data.data)
    codes: list[int | None] = list(blocks.transactions_filter(block))
    if codes and len(codes) != count:
        faults.append(f"{len(codes)} validation codes are recorded for {count} transactions")
    codes = [*codes[:count], *[None] * (count - len(codes))]
    try:
        commit_hash = blocks.commit_hash(block)
    except MalformedMessage as error:
        faults.append(f"the commit hash's slot: {error}")
        commit_hash = b""
    if commit_hash and len(commit_hash) != HASH_SIZE:
        faults.append(f"a commit hash of {len(commit_hash)} bytes is recorded")
    return Recorded(tuple(codes), commit_hash or None, tuple(faults))
