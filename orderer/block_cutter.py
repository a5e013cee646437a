"""Cuts the stream of ordered messages into batches, each of which becomes a block.

Pure: messages and limits in, batches out; the clock belongs to the chain
(Fabric: orderer/common/blockcutter; PROTOCOL 19).
"""

from __future__ import annotations

from typing import Protocol

from gridloom.protos.common.common_pb2 import Envelope

Batch = list[Envelope]


class BatchSize(Protocol):
    """The limits of a block (Fabric: orderer.BatchSize)."""

    @property
    def max_message_count(self) -> int:
        """Messages that fill a block."""

    @property
    def preferred_max_bytes(self) -> int:
        """Bytes a block should not exceed; a larger message is alone in its block."""


def message_size(envelope: Envelope) -> int:
    """What a message counts: payload and signature, without protobuf's framing."""
    return len(envelope.payload) + len(envelope.signature)


class BlockCutter:
    """Collects messages until a limit ends the batch."""

    def __init__(self) -> None:
        self._pending: Batch = []
        self._pending_bytes = 0

    @property
    def pending(self) -> int:
        """How many messages wait for their batch to end."""
        return len(self._pending)

    def ordered(self, envelope: Envelope, size: BatchSize) -> list[Batch]:
        """Take the next message; returns the batches that it ended, at most two.

        (a) A message above the preferred size ends the batch under way and is one by itself.
        (b) One that would make the batch exceed it ends the batch and begins the next.
        (c) One that makes the count ends the batch it is in.
        """
        batches: list[Batch] = []
        length = message_size(envelope)
        alone = length > size.preferred_max_bytes
        if self._pending and (alone or self._pending_bytes + length > size.preferred_max_bytes):
            batches.append(self.cut())
        if alone:
            batches.append([envelope])
            return batches
        self._pending.append(envelope)
        self._pending_bytes += length
        if len(self._pending) >= size.max_message_count:
            batches.append(self.cut())
        return batches

    def cut(self) -> Batch:
        """End the batch under way and return it, which may be empty."""
        batch, self._pending, self._pending_bytes = self._pending, [], 0
        return batch
