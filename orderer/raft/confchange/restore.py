"""A configuration from what was stored of it (etcd: confchange/restore.go)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from ..conf_changes import ConfChangeSingle, ConfChangeType
from ..messages import ConfState
from .changer import Changer, Membership


def restore(changer: Changer, state: ConfState) -> Membership:
    """Replay onto an empty configuration the changes that lead to ``state``.

    A joint one is entered from its outgoing voters, by removing them all and adding those that
    come in.  Raises InvalidConfChange.
    """
    incoming = list(_incoming(state))
    if not state.voters_outgoing:
        return _one_by_one(changer, incoming)
    outgoing = _changes(ConfChangeType.ADD_NODE, state.voters_outgoing)
    config, progress = _one_by_one(changer, outgoing)
    before = replace(changer, config=config, progress=progress)
    return before.enter_joint(state.auto_leave, incoming)


def _one_by_one(changer: Changer, changes: Iterable[ConfChangeSingle]) -> Membership:
    for change in changes:
        config, progress = changer.simple([change])
        changer = replace(changer, config=config, progress=progress)
    return changer.config, changer.progress


def _incoming(state: ConfState) -> Iterator[ConfChangeSingle]:
    yield from _changes(ConfChangeType.REMOVE_NODE, state.voters_outgoing)
    yield from _changes(ConfChangeType.ADD_NODE, state.voters)
    yield from _changes(ConfChangeType.ADD_LEARNER_NODE, state.learners)
    yield from _changes(ConfChangeType.ADD_LEARNER_NODE, state.learners_next)


def _changes(change: ConfChangeType, nodes: Iterable[int]) -> Iterator[ConfChangeSingle]:
    return (ConfChangeSingle(change, node) for node in nodes)
