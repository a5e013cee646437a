"""Changes of membership as they are proposed and stand in the log.

A ``ConfChange`` changes one node; a ``ConfChangeV2`` may change several at once, through a joint
configuration (etcd: raftpb/confchange.go; Raft thesis, section 4.3).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum, unique

from .errors import InvalidConfChange
from .messages import NONE


@unique
class ConfChangeType(IntEnum):
    """What happens to one node."""

    ADD_NODE = 0
    REMOVE_NODE = 1
    UPDATE_NODE = 2
    ADD_LEARNER_NODE = 3

    def __str__(self) -> str:
        return f"ConfChange{self.name.title().replace('_', '')}"


@unique
class ConfChangeTransition(IntEnum):
    """How several changes are made at once.

    AUTO: simply if it is one change, else like JOINT_IMPLICIT.
    JOINT_IMPLICIT: the leader leaves the joint configuration as soon as it can.
    JOINT_EXPLICIT: the application leaves it, by proposing an empty ``ConfChangeV2``.
    """

    AUTO = 0
    JOINT_IMPLICIT = 1
    JOINT_EXPLICIT = 2

    def __str__(self) -> str:
        return f"ConfChangeTransition{self.name.title().replace('_', '')}"


@dataclass(frozen=True, slots=True)
class ConfChangeSingle:
    """One node's change; node 0 is a change the application decided against."""

    type: ConfChangeType = ConfChangeType.ADD_NODE
    node_id: int = NONE


@dataclass(frozen=True, slots=True)
class ConfChange:
    """One node's change with a payload for the application: what Fabric proposes."""

    type: ConfChangeType = ConfChangeType.ADD_NODE
    node_id: int = NONE
    context: bytes = b""
    id: int = 0

    def as_v2(self) -> ConfChangeV2:
        """The same change in the newer form; ``id`` has no place there."""
        single = ConfChangeSingle(self.type, self.node_id)
        return ConfChangeV2(changes=(single,), context=self.context)


@dataclass(frozen=True, slots=True)
class ConfChangeV2:
    """Any number of changes; none at all, and AUTO, leaves a joint configuration."""

    transition: ConfChangeTransition = ConfChangeTransition.AUTO
    changes: tuple[ConfChangeSingle, ...] = ()
    context: bytes = b""

    def as_v2(self) -> ConfChangeV2:
        """Itself."""
        return self

    @property
    def enters_joint(self) -> bool:
        """Whether it goes through a joint configuration."""
        return self.transition is not ConfChangeTransition.AUTO or len(self.changes) > 1

    @property
    def auto_leave(self) -> bool:
        """Whether a joint configuration it enters is left without being asked."""
        return self.enters_joint and self.transition is not ConfChangeTransition.JOINT_EXPLICIT

    @property
    def leaves_joint(self) -> bool:
        """Whether it ends a joint configuration."""
        return self.transition is ConfChangeTransition.AUTO and not self.changes


AnyConfChange = ConfChange | ConfChangeV2

_LETTERS = {
    "v": ConfChangeType.ADD_NODE,
    "l": ConfChangeType.ADD_LEARNER_NODE,
    "r": ConfChangeType.REMOVE_NODE,
    "u": ConfChangeType.UPDATE_NODE,
}
_LETTER_OF = {change: letter for letter, change in _LETTERS.items()}


def parse_changes(text: str) -> tuple[ConfChangeSingle, ...]:
    """Read "v1 l2 r3 u4": make 1 a voter, 2 a learner, remove 3, update 4.

    Raises InvalidConfChange.
    """
    return tuple(_parse_change(token) for token in text.strip().split(" ") if text.strip())


def _parse_change(token: str) -> ConfChangeSingle:
    if len(token) < 2:
        raise InvalidConfChange(f"unknown token {token}")
    change = _LETTERS.get(token[0])
    if change is None:
        raise InvalidConfChange(f"unknown input: {token}")
    number = token[1:]
    if not (number.isascii() and number.isdigit()):
        raise InvalidConfChange(f'strconv.ParseUint: parsing "{number}": invalid syntax')
    return ConfChangeSingle(change, int(number))


def format_changes(changes: Iterable[ConfChangeSingle]) -> str:
    """Write changes as ``parse_changes`` reads them."""
    return " ".join(f"{_LETTER_OF[change.type]}{change.node_id}" for change in changes)
