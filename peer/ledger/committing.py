"""A block being committed, in two steps, and committed.

Who commits on an event loop takes the first step there, which computes, and leaves the second one,
which waits for the disk, to a thread: two threads that run Python hinder each other.
(Fabric: commits in a goroutine, core/committer.)
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass

from gridloom.protos.common import common_pb2

from ..validation.block_transaction import BlockTransaction


@dataclass(frozen=True, slots=True)
class CommittedBlock:
    """A block as stored (filter and commit hash in its metadata), with its transactions.

    The transactions carry their final codes.  Shared with every listener: read only.
    """

    block: common_pb2.Block
    transactions: Sequence[BlockTransaction]
    commit_hash: bytes

    @property
    def number(self) -> int:
        """The block's number."""
        return self.block.header.number


Committing = Generator[None, None, CommittedBlock]
"""Stops once, when the block is written but neither durable nor to be read.

``see_through`` it, from any thread, or close it, which leaves nothing of the block.  Until then
nothing else is committed.
"""


def see_through(committing: Committing) -> CommittedBlock:
    """Take the steps that are left."""
    while True:
        try:
            next(committing)
        except StopIteration as done:
            committed: CommittedBlock = done.value
            return committed
