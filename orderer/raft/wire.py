"""Raft's values as raftpb's bytes, and back.

Written as Fabric's orderers write them: every number, even a zero, an absent snapshot and empty
bytes not at all (etcd raft v3.6: raftpb/raft.pb.go).  Read from any writer of these messages.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from google.protobuf.message import DecodeError
from google.protobuf.message import Message as Protobuf

from gridloom.common.errors import MalformedMessage
from gridloom.protos.raftpb import raft_pb2 as pb

from .conf_changes import (
    AnyConfChange,
    ConfChange,
    ConfChangeSingle,
    ConfChangeTransition,
    ConfChangeType,
    ConfChangeV2,
)
from .messages import ConfState, Entry, EntryType, HardState, Message, MessageType, Snapshot
from .sizes import varint_size

M = TypeVar("M", bound=Protobuf)

ENTRIES_TAG = b"\x3a"
"""Field 7 of a Message."""
DATA_TAG = b"\x22"
"""Field 4 of an Entry."""


def encode_message(message: Message) -> bytes:
    """A Message as ConsensusRequest.payload.

    Entries hold whole blocks: they are put between the other fields, which is a single copy, where
    protobuf would take thirty times as long.
    """
    fields = _message(message, ()).SerializeToString()
    if not message.entries:
        return fields
    m = message
    before = (m.type, m.to, m.from_, m.term, m.log_term, m.index)
    cut = len(before) + sum(map(varint_size, before))
    entries = (part for entry in m.entries for part in _field(ENTRIES_TAG, _entry_parts(entry)))
    return b"".join((fields[:cut], *entries, fields[cut:]))


def decode_message(data: bytes) -> Message:
    """The Message of a payload.

    Raises MalformedMessage.
    """
    message = _parse(pb.Message(), data)
    try:
        return _read_message(message)
    except ValueError as error:
        raise MalformedMessage("raftpb.Message", str(error)) from error


def encode_entry(entry: Entry) -> bytes:
    """An Entry, for a log."""
    return b"".join(_entry_parts(entry))


def decode_entry(data: bytes) -> Entry:
    """The Entry of a log's record.

    Raises MalformedMessage.
    """
    entry = _parse(pb.Entry(), data)
    try:
        return _read_entry(entry)
    except ValueError as error:
        raise MalformedMessage("raftpb.Entry", str(error)) from error


def encode_hard_state(state: HardState) -> bytes:
    """A HardState, for a log."""
    return pb.HardState(term=state.term, vote=state.vote, commit=state.commit).SerializeToString()


def decode_hard_state(data: bytes) -> HardState:
    """The HardState of a log's record.

    Raises MalformedMessage.
    """
    state = _parse(pb.HardState(), data)
    return HardState(state.term, state.vote, state.commit)


def encode_snapshot(snapshot: Snapshot) -> bytes:
    """A Snapshot, for a file."""
    return _snapshot(snapshot).SerializeToString()


def decode_snapshot(data: bytes) -> Snapshot:
    """The Snapshot of a file.

    Raises MalformedMessage.
    """
    return _read_snapshot(_parse(pb.Snapshot(), data))


def encode_conf_change(change: AnyConfChange) -> tuple[EntryType, bytes]:
    """A membership change as type and data of an entry."""
    if isinstance(change, ConfChange):
        v1 = pb.ConfChange(
            id=change.id,
            type=change.type,
            node_id=change.node_id,
            context=change.context or None,
        )
        return EntryType.CONF_CHANGE, v1.SerializeToString()
    v2 = pb.ConfChangeV2(
        transition=change.transition,
        changes=[pb.ConfChangeSingle(type=c.type, node_id=c.node_id) for c in change.changes],
        context=change.context or None,
    )
    return EntryType.CONF_CHANGE_V2, v2.SerializeToString()


def decode_conf_change(entry: Entry) -> AnyConfChange:
    """The membership change of an entry; no data at all is the empty ConfChangeV2.

    Raises MalformedMessage.
    """
    try:
        if entry.type is EntryType.CONF_CHANGE:
            v1 = _parse(pb.ConfChange(), entry.data)
            return ConfChange(ConfChangeType(v1.type), v1.node_id, v1.context, v1.id)
        v2 = _parse(pb.ConfChangeV2(), entry.data)
        changes = (ConfChangeSingle(ConfChangeType(c.type), c.node_id) for c in v2.changes)
        return ConfChangeV2(ConfChangeTransition(v2.transition), tuple(changes), v2.context)
    except ValueError as error:
        raise MalformedMessage("raftpb.ConfChange", str(error)) from error


def _parse(message: M, data: bytes) -> M:
    try:
        message.ParseFromString(data)
    except DecodeError as error:
        raise MalformedMessage(message.DESCRIPTOR.full_name, str(error)) from error
    return message


def _entry_parts(entry: Entry) -> tuple[bytes, ...]:
    """The bytes of an entry, its data by itself."""
    header = pb.Entry(type=entry.type, term=entry.term, index=entry.index).SerializeToString()
    return (header, *_field(DATA_TAG, (entry.data,))) if entry.data else (header,)


def _field(tag: bytes, parts: tuple[bytes, ...]) -> tuple[bytes, ...]:
    """A field of bytes, by its parts."""
    return (tag + _varint(sum(map(len, parts))), *parts)


def _varint(value: int) -> bytes:
    groups = [value >> shift & 0x7F for shift in range(0, max(value.bit_length(), 1), 7)]
    return bytes([*(group | 0x80 for group in groups[:-1]), groups[-1]])


def _entry(entry: Entry) -> pb.Entry:
    return pb.Entry(type=entry.type, term=entry.term, index=entry.index, data=entry.data or None)


def _read_entry(entry: pb.Entry) -> Entry:
    return Entry(EntryType(entry.type), entry.term, entry.index, entry.data)


def _conf_state(state: ConfState) -> pb.ConfState:
    return pb.ConfState(
        voters=state.voters,
        learners=state.learners,
        voters_outgoing=state.voters_outgoing,
        learners_next=state.learners_next,
        auto_leave=state.auto_leave,
    )


def _read_conf_state(state: pb.ConfState) -> ConfState:
    return ConfState(
        tuple(state.voters),
        tuple(state.learners),
        tuple(state.voters_outgoing),
        tuple(state.learners_next),
        state.auto_leave,
    )


def _snapshot(snapshot: Snapshot) -> pb.Snapshot:
    metadata = pb.SnapshotMetadata(
        conf_state=_conf_state(snapshot.conf_state), index=snapshot.index, term=snapshot.term
    )
    return pb.Snapshot(data=snapshot.data or None, metadata=metadata)


def _read_snapshot(snapshot: pb.Snapshot) -> Snapshot:
    metadata = snapshot.metadata
    conf_state = _read_conf_state(metadata.conf_state)
    return Snapshot(metadata.index, metadata.term, conf_state, snapshot.data)


def _message(message: Message, entries: Iterable[Entry]) -> pb.Message:
    return pb.Message(
        type=message.type,
        to=message.to,
        term=message.term,
        log_term=message.log_term,
        index=message.index,
        entries=map(_entry, entries),
        commit=message.commit,
        snapshot=None if message.snapshot is None else _snapshot(message.snapshot),
        reject=message.reject,
        reject_hint=message.reject_hint,
        context=message.context or None,
        vote=message.vote,
        responses=(_message(response, response.entries) for response in message.responses),
        **{"from": message.from_},  # a keyword of Python's
    )


def _read_message(message: pb.Message) -> Message:
    snapshot = _read_snapshot(message.snapshot) if message.HasField("snapshot") else None
    return Message(
        type=MessageType(message.type),
        to=message.to,
        from_=getattr(message, "from"),
        term=message.term,
        log_term=message.log_term,
        index=message.index,
        entries=tuple(map(_read_entry, message.entries)),
        commit=message.commit,
        vote=message.vote,
        # Before v3.6 etcd wrote an empty snapshot into every message.
        snapshot=snapshot if snapshot is not None and snapshot.index else None,
        reject=message.reject,
        reject_hint=message.reject_hint,
        context=message.context,
        responses=tuple(map(_read_message, message.responses)),
    )
