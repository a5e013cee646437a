"""Whether each block continues the one before it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from gridloom.common import blocks
from gridloom.common.errors import MalformedMessage
from gridloom.common.wire import parse
from gridloom.protos.common import common_pb2


@dataclass(slots=True)
class Chain:
    """The newest block so far.

    number: -1 before the first; hash: None if it is not known; started: False as long as the
    first block may be any.
    """

    number: int = -1
    hash: bytes | None = b""
    started: bool = False

    @classmethod
    def behind_snapshot(cls, info: Path | None) -> Chain:
        """The chain of a ledger that may begin behind a snapshot.

        info: the file in which a real peer keeps number and hash of the last block before it,
        and the hash of the one before that: in form a block header.
        (Fabric: common/ledger/blkstorage ``BootstrappingSnapshotInfo``)
        """
        if info is None:
            return cls()
        try:
            found = parse(common_pb2.BlockHeader, info.read_bytes(), info.name)
        except (MalformedMessage, OSError):
            return cls()
        return cls(found.number, found.previous_hash, started=True)

    def missing_before(self, number: int) -> str:
        """Which blocks are missing before block ``number``, in words; "" for none."""
        first, last = self.number + 1, number - 1
        if not self.started or first > last:
            return ""
        return f"block {first} is" if first == last else f"blocks {first} to {last} are"

    def check(self, header: common_pb2.BlockHeader) -> tuple[bool | None, str]:
        """Whether a block continues the chain (None: its predecessor is not known), and why not."""
        if header.number <= self.number:
            return False, "there are several blocks of this number"
        if header.number != self.number + 1 or self.hash is None:
            return None, ""
        if header.previous_hash == self.hash:
            return True, ""
        found, expected = header.previous_hash.hex(), self.hash.hex()
        return False, f"its previous hash is {found or 'empty'}, not {expected or 'empty'}"

    def advance(self, header: common_pb2.BlockHeader) -> None:
        """Go on behind this block."""
        self.number, self.hash, self.started = header.number, blocks.header_hash(header), True

    def skip(self, number: int) -> None:
        """Go on behind a block that cannot be read."""
        self.number, self.hash, self.started = number, None, True
