"""What a range read leaves in the read set: its results, or a Merkle summary of them.

More than ``max_degree`` results are folded: every max_degree + 1 reads are hashed into a
leaf, every max_degree + 1 hashes of one level into one of the next.  Simulation and
validation feed the same tree, so equal results give equal summaries.
(Fabric: rwsetutil/query_results_helper.go.)
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

from gridloom.protos.ledger.rwset.kvrwset.kv_rwset_pb2 import (
    KVRead,
    QueryReads,
    QueryReadsMerkleSummary,
)
from gridloom.protos.ledger.rwset.kvrwset.kv_rwset_pb2 import Version as KVVersion

from .state_db import Version

MAX_DEGREE = 50
"""Results kept as they are; what Fabric's peers use (txmgr/query_executor.go)."""

_LEAF = 1


def kv_read(key: str, version: Version | None) -> KVRead:
    """A read as it stands in a read set; without a version if the key was absent."""
    if version is None:
        return KVRead(key=key)
    return KVRead(key=key, version=KVVersion(block_num=version.block, tx_num=version.tx))


class RangeQueryResults:
    """Collects the results of one range read in their order.

    max_degree: at least 2 (a ValueError otherwise), as a Merkle tree needs.
    """

    def __init__(self, max_degree: int = MAX_DEGREE) -> None:
        if max_degree < 2:
            raise ValueError(f"maxDegree [{max_degree}] should not be less than 2")
        self._max_degree = max_degree
        self._pending: list[KVRead] = []
        self._levels: dict[int, list[bytes]] = {}
        self._max_level = _LEAF

    def add(self, key: str, version: Version) -> None:
        """Take the next result."""
        self._pending.append(kv_read(key, version))
        if len(self._pending) > self._max_degree:
            self._fold_pending()

    def done(self) -> tuple[list[KVRead], QueryReadsMerkleSummary | None]:
        """Close the collection: the raw reads and None, or [] and the summary."""
        if not self._levels:
            return self._pending, None
        if self._pending:
            self._fold_pending()
        self._fold_lower_levels()
        top = self._levels.get(self._max_level, [])
        if len(top) > self._max_degree:
            self._max_level += 1
            self._levels = {self._max_level: [_combined(top)]}
        return [], self.summary()

    def summary(self) -> QueryReadsMerkleSummary:
        """The tree as it is now; no hashes while nothing was folded to the top level."""
        return QueryReadsMerkleSummary(
            max_degree=self._max_degree,
            max_level=self._max_level,
            max_level_hashes=self._levels.get(self._max_level, []),
        )

    def _fold_pending(self) -> None:
        reads = QueryReads(kv_reads=self._pending).SerializeToString()
        self._pending = []
        level = _LEAF
        self._levels.setdefault(level, []).append(sha256(reads).digest())
        while len(self._levels[level]) > self._max_degree:
            folded = _combined(self._levels.pop(level))
            level += 1
            self._levels.setdefault(level, []).append(folded)
            self._max_level = max(self._max_level, level)

    def _fold_lower_levels(self) -> None:
        for level in range(_LEAF, self._max_level):
            hashes = self._levels.pop(level, [])
            if hashes:
                folded = hashes[0] if len(hashes) == 1 else _combined(hashes)
                self._levels.setdefault(level + 1, []).append(folded)


def _combined(hashes: Sequence[bytes]) -> bytes:
    return sha256(b"".join(hashes)).digest()
