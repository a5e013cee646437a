"""A leader's log on its way to the members (etcd: raft.go; Raft, section 5.3)."""

from __future__ import annotations

from collections.abc import Iterable

from .errors import Compacted
from .messages import NO_LIMIT, Entry, MessageType
from .sizes import payloads_size
from .snapshots import maybe_send_snapshot
from .state import Raft
from .tracker import ProgressState


def append_entries(raft: Raft, entries: Iterable[Entry]) -> bool:
    """Append to the leader's own log; False if too much is uncommitted already.

    The leader counts for the quorum once the entries are on its disk: it promises that to itself.
    """
    first = raft.log.last_index() + 1
    stamped = [
        Entry(entry.type, raft.term, first + position, entry.data)
        for position, entry in enumerate(entries)
    ]
    if not _increase_uncommitted_size(raft, payloads_size(stamped)):
        raft.logger.warning(
            "%x appending new entries to log would exceed uncommitted entry size limit; "
            "dropping proposal",
            raft.id,
        )
        return False
    last = raft.log.append(stamped)
    raft.send(MessageType.APP_RESP, raft.id, index=last)
    return True


def _increase_uncommitted_size(raft: Raft, size: int) -> bool:
    """Count a proposal; the first one may be of any size, and an empty one always goes."""
    limit = raft.config.max_uncommitted_entries_size or NO_LIMIT
    if raft.uncommitted_size and size and raft.uncommitted_size + size > limit:
        return False
    raft.uncommitted_size += size
    return True


def reduce_uncommitted_size(raft: Raft, size: int) -> None:
    """Entries are committed; some of them may be of earlier terms, which were not counted."""
    raft.uncommitted_size = max(raft.uncommitted_size - size, 0)


def broadcast_append(raft: Raft) -> None:
    """Send every other member what it lacks, and the commit index in any case."""
    for node in raft.tracker.progress:
        if node != raft.id:
            send_append(raft, node)


def send_append(raft: Raft, to: int, *, even_if_empty: bool = True) -> bool:
    """Send a member its next entries, or a snapshot if they are gone; False if nothing was sent."""
    progress = raft.tracker.progress[to]
    if progress.is_paused:
        return False
    previous = progress.next - 1
    previous_term = raft.log.term(previous)
    if previous_term is None:
        return maybe_send_snapshot(raft, to, progress)
    entries: tuple[Entry, ...] = ()
    # A full window lets empty appends through: if all that is in it was lost, one of them will be
    # refused, and the window starts anew.
    if progress.state is not ProgressState.REPLICATE or not progress.inflights.full:
        try:
            entries = raft.log.entries(progress.next, raft.config.max_size_per_msg)
        except Compacted:
            return even_if_empty and maybe_send_snapshot(raft, to, progress)
    if not entries and not even_if_empty:
        return False
    raft.send(
        MessageType.APP,
        to,
        log_term=previous_term,
        index=previous,
        entries=entries,
        commit=raft.log.committed,
    )
    progress.sent_entries(len(entries), payloads_size(entries))
    progress.sent_commit = raft.log.committed
    return True


def maybe_commit(raft: Raft) -> bool:
    """Commit what a quorum has; True if that is more than before."""
    return raft.log.maybe_commit(raft.tracker.committed(), raft.term)
