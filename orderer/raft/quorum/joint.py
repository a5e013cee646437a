"""Decisions that need a majority of two sets of voters at once (etcd: quorum/joint.go)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from . import majority
from .majority import VoteResult, Voters, format_ids


@dataclass(frozen=True, slots=True)
class JointConfig:
    """The voters that come in and, while a change is under way, those that go out."""

    incoming: Voters = frozenset()
    outgoing: Voters = frozenset()

    def __str__(self) -> str:
        halves = [self.incoming, *([self.outgoing] if self.outgoing else [])]
        return "&&".join(map(format_ids, halves))

    @property
    def ids(self) -> Voters:
        """All voters of either half."""
        return self.incoming | self.outgoing

    def committed_index(self, acked: Mapping[int, int]) -> int:
        """The highest index that both halves have."""
        index = majority.committed_index(self.incoming, acked)
        if self.outgoing:
            return min(index, majority.committed_index(self.outgoing, acked))
        return index

    def vote_result(self, votes: Mapping[int, bool]) -> VoteResult:
        """Lost if either half has lost, won if both have won."""
        results = {
            majority.vote_result(self.incoming, votes),
            majority.vote_result(self.outgoing, votes),
        }
        if VoteResult.LOST in results:
            return VoteResult.LOST
        return VoteResult.PENDING if VoteResult.PENDING in results else VoteResult.WON

    def describe(self, acked: Mapping[int, int]) -> str:
        """See ``majority.describe``."""
        return majority.describe(self.ids, acked)
