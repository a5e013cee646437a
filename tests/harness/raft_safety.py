"""What must hold in a Raft group whatever happens (Raft, figure 3).

``Safety`` is told what the nodes of a group do and raises ``Unsafe`` at the first breach.
"""

from __future__ import annotations

from collections.abc import Sequence

from gridloom.common.errors import GridloomError
from gridloom.orderer.raft import Entry, MemoryStorage, ReadState
from gridloom.orderer.raft.state import Raft


class Unsafe(GridloomError):
    """A property of Raft that does not hold."""


class Safety:
    """All that has ever been seen of a group."""

    def __init__(self) -> None:
        self._leaders: dict[int, int] = {}
        """By term."""
        self._entries: dict[tuple[int, int], tuple[Entry, int]] = {}
        """By index and term, with the term of the entry before."""
        self._committed: dict[int, int] = {}
        """The term of each committed entry, by index."""
        self._committed_by: list[tuple[int, int]] = []
        """Index, and a term by whose end it had been committed; both rise."""
        self.committed = 0
        """The highest index that anybody has committed."""
        self._commit_of: dict[int, int] = {}
        """The same for each node, as it was seen last."""
        self._states: dict[int, tuple[Entry, bytes]] = {}
        """Applied entries with the state after them, by index."""
        self._reads: list[int] = []
        """What was committed when each read began."""

    @property
    def leaders(self) -> int:
        """Terms that had a leader."""
        return len(self._leaders)

    def leads(self, node: int, raft: Raft) -> None:
        """Election safety; and leader completeness when a leader is first seen."""
        if raft.term in self._leaders:
            if self._leaders[raft.term] != node:
                raise Unsafe(f"term {raft.term}: {self._leaders[raft.term]} and {node} lead")
            return
        self._leaders[raft.term] = node
        for index, term in reversed(self._committed_by):
            if term < raft.term:
                have, want = raft.log.term(index), self._committed[index]
                if have != want and index >= raft.log.first_index():
                    raise Unsafe(
                        f"leader {node} of term {raft.term} lacks {want}/{index}, has {have}"
                    )
                return

    def appends(self, storage: MemoryStorage, entries: Sequence[Entry]) -> None:
        """Log matching: an entry's index and term say what it is, and what is before it."""
        for entry in entries:
            before = storage.term(entry.index - 1)
            seen = self._entries.setdefault((entry.index, entry.term), (entry, before))
            if seen != (entry, before):
                raise Unsafe(f"{entry} after term {before} was {seen[0]} after term {seen[1]}")

    def commits(self, raft: Raft) -> None:
        """What is committed stays so, the same for all."""
        committed, seen = raft.log.committed, self._commit_of.get(raft.id, 0)
        self._commit_of[raft.id] = committed
        for index in range(max(raft.log.first_index() - 1, seen + 1), committed + 1):
            term = raft.log.term(index)
            if term is not None and self._committed.setdefault(index, term) != term:
                raise Unsafe(f"committed {term}/{index}, which was of {self._committed[index]}")
        if committed > self.committed:
            self.committed = committed
            self._committed_by.append((committed, raft.term))

    def applies(self, entry: Entry, state: bytes) -> None:
        """State machine safety."""
        seen = self._states.setdefault(entry.index, (entry, state))
        if seen != (entry, state):
            raise Unsafe(f"applied {entry}, where {seen[0]} was applied before")

    def reading(self) -> bytes:
        """A read begins; returns its context."""
        self._reads.append(self.committed)
        return b"%d" % (len(self._reads) - 1)

    def read(self, state: ReadState) -> None:
        """A read may be served: no earlier than what was committed when it began."""
        began = self._reads[int(state.request_ctx)]
        if state.index < began:
            raise Unsafe(f"read at {state.index}, though {began} was committed before it began")
