"""Quorums: which index a majority has, and who has won a vote.

``majority`` decides for one set of voters, ``joint`` for two that must agree.  Pure arithmetic,
which knows nothing of the rest of Raft (etcd: quorum/).
"""

from .joint import JointConfig
from .majority import UNBOUNDED, VoteResult

__all__ = ["UNBOUNDED", "JointConfig", "VoteResult"]
