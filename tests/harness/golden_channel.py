"""The golden channel as a peer meets it: the orderer's blocks, and a real peer's verdicts."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from gridloom.common.channel.bundle import ChannelBundle
from gridloom.peer.channel import PeerChannel, stored_bundle
from gridloom.peer.ledger.provider import LedgerProvider
from gridloom.peer.validation.block_validator import IdentityJudge
from gridloom.protos.common.common_pb2 import Block

from .shared import shared

CHANNEL = "golden1"
BLOCKS = 66


@dataclass(frozen=True)
class Verdict:
    """What the real peer decided of one block; commit_hash is hex, empty for block 0."""

    codes: tuple[int, ...]
    commit_hash: str


@cache
def ordered_block(number: int) -> Block:
    """A block as the orderer delivered it; shared, read only."""
    return Block.FromString(shared("golden", "blocks", "orderer", f"{number:03}.pb").read_bytes())


@cache
def peer_block(number: int) -> Block:
    """The same block as a real peer committed it; shared, read only."""
    return Block.FromString(shared("golden", "blocks", "peer", f"{number:03}.pb").read_bytes())


@cache
def verdicts() -> tuple[Verdict, ...]:
    """The real peer's verdict on every block."""
    index = json.loads(shared("golden", "index.json").read_text())
    return tuple(
        Verdict(
            tuple(transaction["validation_code"] for transaction in block["transactions"]),
            block.get("commit_hash") or "",
        )
        for block in index["blocks"]
    )


class GoldenPeer:
    """A peer that has only the golden channel; ``restart`` forgets all that is not stored."""

    def __init__(self, storage: Path | Literal["memory"], snapshots: Path | None = None) -> None:
        self._storage = storage
        self._snapshots = snapshots
        self.ledgers = LedgerProvider(storage, snapshots)
        ledger = self.ledgers.create(ordered_block(0))
        bundle = ChannelBundle.from_config_block(ordered_block(0))
        self.channel = PeerChannel(bundle, ledger, self._identities)

    def _identities(self, channel_id: str) -> IdentityJudge | None:
        return self.channel.bundle.msp_manager if channel_id == CHANNEL else None

    async def commit_next(self) -> Verdict:
        """Accept and commit the orderer's next block."""
        block = ordered_block(self.channel.height)
        self.channel.verify(block)
        committed = await self.channel.commit(block)
        codes = tuple(transaction.code for transaction in committed.transactions)
        return Verdict(codes, committed.commit_hash.hex())

    async def commit_up_to(self, height: int) -> None:
        """Commit until there are so many blocks."""
        while self.channel.height < height:
            await self.commit_next()

    async def restart(self) -> None:
        """Stop and open again, from disk where the ledger is on disk."""
        await self.channel.stop()
        if self._storage != "memory":
            self.ledgers.close()
            self.ledgers = LedgerProvider(self._storage, self._snapshots)
        ledger = self.ledgers.open(CHANNEL)
        self.channel = PeerChannel(stored_bundle(ledger), ledger, self._identities)

    async def close(self) -> None:
        """Release everything."""
        await self.channel.stop()
        self.ledgers.close()
