"""Reads that see everything committed before them (etcd: raft.go; thesis, section 6.4)."""

from __future__ import annotations

from .config import ReadOnlyOption
from .heartbeat import broadcast_heartbeat
from .messages import NONE, Message, MessageType
from .read_only import ReadRequest
from .ready import ReadState
from .state import Raft


def handle_read_index(raft: Raft, message: Message) -> None:
    """A read has reached the leader; it waits for the term's first commit, then for a quorum."""
    if raft.tracker.is_singleton:
        _answer(raft, ReadRequest(message, raft.log.committed))
    elif not raft.committed_in_term:
        raft.pending_reads.append(message)
    else:
        _confirm(raft, message)


def release_pending_reads(raft: Raft) -> None:
    """The term's first entry may have been committed just now."""
    if raft.pending_reads and raft.committed_in_term:
        pending, raft.pending_reads = raft.pending_reads, []
        for message in pending:
            _confirm(raft, message)


def _confirm(raft: Raft, message: Message) -> None:
    if raft.config.read_only_option is ReadOnlyOption.LEASE_BASED:
        _answer(raft, ReadRequest(message, raft.log.committed))
        return
    raft.read_only.add_request(raft.log.committed, message)
    raft.read_only.receive_ack(raft.id, raft.read_only.heartbeat_context())
    broadcast_heartbeat(raft)


def handle_read_ack(raft: Raft, message: Message) -> None:
    """An answer to a heartbeat may confirm reads."""
    if raft.config.read_only_option is ReadOnlyOption.SAFE and message.context:
        raft.read_only.receive_ack(message.from_, message.context)
        for read in raft.read_only.advance(raft.tracker.config.voters):
            _answer(raft, read)


def _answer(raft: Raft, read: ReadRequest) -> None:
    request = read.request
    if request.from_ in (NONE, raft.id):
        raft.read_states.append(ReadState(read.index, request.entries[0].data))
    else:
        raft.send(
            MessageType.READ_INDEX_RESP,
            request.from_,
            index=read.index,
            entries=request.entries,
        )
