"""Orders to the node's own storage, and the answers it gives (etcd: rawnode.go).

With asynchronous writes they travel in ``Ready.messages``; else the answers are given by
``advance``.
"""

from __future__ import annotations

from .messages import (
    LOCAL_APPEND_THREAD,
    LOCAL_APPLY_THREAD,
    NONE,
    Entry,
    HardState,
    Message,
    MessageType,
    Snapshot,
)
from .state import Raft


def append_order(
    raft: Raft,
    entries: tuple[Entry, ...],
    hard_state: HardState | None,
    snapshot: Snapshot | None,
) -> Message | None:
    """The order to write these, and to keep the promises once they are written."""
    promises = raft.messages_after_append
    if not (entries or hard_state or snapshot or promises):
        return None
    answer = append_answer(raft, snapshot)
    return Message(
        MessageType.STORAGE_APPEND,
        to=LOCAL_APPEND_THREAD,
        from_=raft.id,
        term=hard_state.term if hard_state else 0,
        vote=hard_state.vote if hard_state else NONE,
        commit=hard_state.commit if hard_state else 0,
        entries=entries,
        snapshot=snapshot,
        responses=(*promises, answer) if answer else tuple(promises),
    )


def append_answer(raft: Raft, snapshot: Snapshot | None) -> Message | None:
    """The storage's word that everything unstable up to now is written.

    It counts in this term only: entries may be replaced later by others, and those again by equal
    ones, while the first are still on their way to the disk. So that such an answer can be ignored
    and nothing is kept for ever, every answer speaks of the whole unstable log, not only of the
    entries of its own order; a new term brings an order, and so another answer.
    """
    unstable = bool(raft.log.unstable.entries)
    if not unstable and snapshot is None:
        return None
    return Message(
        MessageType.STORAGE_APPEND_RESP,
        to=raft.id,
        from_=LOCAL_APPEND_THREAD,
        term=raft.term,
        index=raft.log.last_index() if unstable else 0,
        log_term=raft.log.last_term() if unstable else 0,
        snapshot=snapshot,
    )


def apply_order(raft: Raft, entries: tuple[Entry, ...]) -> Message:
    """The order to apply committed entries, which belongs to no term."""
    return Message(
        MessageType.STORAGE_APPLY,
        to=LOCAL_APPLY_THREAD,
        from_=raft.id,
        entries=entries,
        responses=(apply_answer(raft, entries),),
    )


def apply_answer(raft: Raft, entries: tuple[Entry, ...]) -> Message:
    """The application's word that it has applied them."""
    return Message(
        MessageType.STORAGE_APPLY_RESP, to=raft.id, from_=LOCAL_APPLY_THREAD, entries=entries
    )
