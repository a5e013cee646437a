"""A ledger that another process of the same peer commits to; this one reads it.

It is a file, and SQLite tells one connection whether another has changed it, so nobody has to be
told of a block.  (Fabric has none: a peer is one process)
"""

from __future__ import annotations

from gridloom.protos.common import ledger_pb2

from .ledger import Ledger
from .sqlite import SqliteStore


class FollowedLedger(Ledger):
    """A channel's ledger as far as the other process has committed; ``follow`` before each use.

    store: opened to look on only.  What nobody reads for a while should not stand in the way of
    who commits: ``rest`` then.
    """

    def __init__(self, channel_id: str, store: SqliteStore) -> None:
        super().__init__(channel_id, store)
        self._file = store
        self._stamps: dict[str, int] = {}

    def follow(self) -> bool:
        """Take up what has been committed since; return whether anything has."""
        if not self._file.follow():
            return False
        self._stamps = {}
        self._shared.retire()
        self._transactions.begin_anew()
        self._heights.behold(self._file.height)
        return True

    def rest(self) -> None:
        """Let go of the state that was last read."""
        self._shared.retire()

    def changed_at(self, namespace: str) -> int:
        """Another number once a namespace or one of its collections has changed."""
        stamp = self._stamps.get(namespace)
        if stamp is None:
            stamp = self._stamps[namespace] = self._file.stamp(namespace)
        return stamp

    def info(self) -> ledger_pb2.BlockchainInfo:
        """Height, and the hashes of the last block and of the one before."""
        self._last = self._stored_last()
        return super().info()
