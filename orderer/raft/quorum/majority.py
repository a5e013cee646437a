"""Decisions of a majority of one set of voters (etcd: quorum/majority.go)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import Enum

Voters = frozenset[int]

UNBOUNDED = 2**64 - 1
"""What an empty set of voters has committed: it never holds the other half of a joint one back."""


class VoteResult(Enum):
    """How a vote stands; ``str()`` gives etcd's name."""

    PENDING = "VotePending"
    LOST = "VoteLost"
    WON = "VoteWon"

    def __str__(self) -> str:
        return self.value


def committed_index(voters: Voters, acked: Mapping[int, int]) -> int:
    """The highest index that a majority has; a voter missing from ``acked`` has nothing."""
    if not voters:
        return UNBOUNDED
    have = sorted(acked.get(voter, 0) for voter in voters)
    return have[(len(have) - 1) // 2]


def vote_result(voters: Voters, votes: Mapping[int, bool]) -> VoteResult:
    """How a vote stands; who is missing from ``votes`` may still vote.  No voters: won."""
    if not voters:
        return VoteResult.WON
    cast = [votes[voter] for voter in voters if voter in votes]
    granted, missing = sum(cast), len(voters) - len(cast)
    quorum = len(voters) // 2 + 1
    if granted >= quorum:
        return VoteResult.WON
    return VoteResult.PENDING if granted + missing >= quorum else VoteResult.LOST


def format_ids(ids: Iterable[int]) -> str:
    """Ids as a configuration is written: (1 2 a)."""
    return f"({' '.join(f'{node:x}' for node in sorted(ids))})"


def format_index(index: int) -> str:
    """An index, or the sign of infinity for ``UNBOUNDED``."""
    return "∞" if index == UNBOUNDED else str(index)


def describe(voters: Voters, acked: Mapping[int, int]) -> str:
    """A picture of who has how much: equal indexes, equal bars; "?" is not known."""
    if not voters:
        return "<empty majority quorum>"
    width = len(voters)
    ranked = sorted(voters, key=lambda voter: (acked.get(voter, 0), voter))
    bars: dict[int, int] = {}
    for rank, voter in enumerate(ranked):
        index = acked.get(voter, 0)
        level = bars[ranked[rank - 1]] if rank else 0
        bars[voter] = rank if rank and acked.get(ranked[rank - 1], 0) < index else level
    lines = [f"{' ' * width}    idx"]
    for voter in sorted(voters):
        bar = bars[voter]
        picture = f"{'x' * bar}>{' ' * (width - bar)}" if voter in acked else f"?{' ' * width}"
        lines.append(f"{picture} {format_index(acked.get(voter, 0)):>5}    (id={voter:x})")
    return "\n".join(lines) + "\n"
