"""Messages, entries and Ready as text, for logs and traces (etcd: util.go)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from gridloom.common.errors import MalformedMessage

from .conf_changes import AnyConfChange, format_changes
from .messages import (
    EMPTY_HARD_STATE,
    LOCAL_APPEND_THREAD,
    LOCAL_APPLY_THREAD,
    NONE,
    ConfState,
    Entry,
    EntryType,
    HardState,
    Message,
    Snapshot,
)
from .ready import ReadState, Ready, SoftState
from .wire import decode_conf_change

_TARGETS = {NONE: "None", LOCAL_APPEND_THREAD: "AppendThread", LOCAL_APPLY_THREAD: "ApplyThread"}
_ESCAPES = {
    **{"\a": r"\a", "\b": r"\b", "\f": r"\f", "\n": r"\n", "\r": r"\r", "\t": r"\t", "\v": r"\v"},
    **{"\\": r"\\", '"': r"\""},
}


def describe_ready(ready: Ready) -> str:
    """All that is to be done, a line each."""
    lines = list(_ready_lines(ready))
    if not lines:
        return "<empty Ready>"
    must_sync = str(ready.must_sync).lower()
    return "".join(f"{line}\n" for line in (f"Ready MustSync={must_sync}:", *lines))


def _ready_lines(ready: Ready) -> Iterator[str]:
    if ready.soft_state is not None:
        yield describe_soft_state(ready.soft_state)
    if ready.hard_state not in (None, EMPTY_HARD_STATE):
        yield f"HardState {describe_hard_state(ready.hard_state)}"
    if ready.read_states:
        yield f"ReadStates [{' '.join(map(_describe_read_state, ready.read_states))}]"
    if ready.entries:
        yield "Entries:"
        yield from map(describe_entry, ready.entries)
    if ready.snapshot is not None and ready.snapshot.index:
        yield f"Snapshot {describe_snapshot(ready.snapshot)}"
    if ready.committed_entries:
        yield "CommittedEntries:"
        yield from map(describe_entry, ready.committed_entries)
    if ready.messages:
        yield "Messages:"
        yield from map(describe_message, ready.messages)


def describe_soft_state(state: SoftState) -> str:
    """Leader and part."""
    return f"Lead:{state.lead} State:{state.raft_state}"


def describe_hard_state(state: HardState) -> str:
    """Term, vote if there is one, commit."""
    vote = f" Vote:{state.vote}" if state.vote != NONE else ""
    return f"Term:{state.term}{vote} Commit:{state.commit}"


def _describe_read_state(state: ReadState) -> str:
    return f"{{{state.index} {_numbers(state.request_ctx)}}}"


def describe_conf_state(state: ConfState) -> str:
    """All parts of a membership."""
    return (
        f"Voters:{_numbers(state.voters)} VotersOutgoing:{_numbers(state.voters_outgoing)} "
        f"Learners:{_numbers(state.learners)} LearnersNext:{_numbers(state.learners_next)} "
        f"AutoLeave:{str(state.auto_leave).lower()}"
    )


def conf_state_fields(state: ConfState) -> str:
    """A membership as the fields of its message."""
    fields = {
        "voters": state.voters,
        "learners": state.learners,
        "voters_outgoing": state.voters_outgoing,
        "learners_next": state.learners_next,
    }
    parts = [f"{name}:{node}" for name, nodes in fields.items() for node in nodes]
    return " ".join([*parts, f"auto_leave:{str(state.auto_leave).lower()}"])


def _numbers(numbers: Iterable[int]) -> str:
    return f"[{' '.join(map(str, numbers))}]"


def describe_snapshot(snapshot: Snapshot) -> str:
    """What a snapshot stands for, without its data."""
    state = describe_conf_state(snapshot.conf_state)
    return f"Index:{snapshot.index} Term:{snapshot.term} ConfState:{state}"


def describe_entry(entry: Entry) -> str:
    """Term, index, type, and the data quoted or the membership change spelt out."""
    if entry.type is EntryType.NORMAL:
        content = quote(entry.data)
    else:
        try:
            content = format_changes(decode_conf_change(entry).as_v2().changes)
        except MalformedMessage as error:
            content = str(error)
    text = f"{entry.term}/{entry.index} {entry.type}"
    return f"{text} {content}" if content else text


def describe_entries(entries: Iterable[Entry]) -> str:
    """Entries, a line each."""
    return "".join(f"{describe_entry(entry)}\n" for entry in entries)


def describe_message(message: Message, indent: str = "") -> str:
    """A message; on several lines if it holds several entries, a snapshot or responses."""
    text = (
        f"{indent}{_target(message.from_)}->{_target(message.to)} {message.type} "
        f"Term:{message.term} Log:{message.log_term}/{message.index}"
    )
    if message.reject:
        text += f" Rejected (Hint: {message.reject_hint})"
    if message.commit:
        text += f" Commit:{message.commit}"
    if message.vote != NONE:
        text += f" Vote:{message.vote}"
    if len(message.entries) == 1:
        text += f" Entries:[{describe_entry(message.entries[0])}]"
    elif message.entries:
        lines = (f"\n{indent}  {describe_entry(entry)}" for entry in message.entries)
        text += f" Entries:[{''.join(lines)}\n{indent}]"
    if message.snapshot is not None and message.snapshot.index:
        text += f"\n{indent}  Snapshot: {describe_snapshot(message.snapshot)}"
    if message.responses:
        responses = (f"\n{describe_message(r, f'{indent}  ')}" for r in message.responses)
        text += f" Responses:[{''.join(responses)}\n{indent}]"
    return text


def _target(node: int) -> str:
    return _TARGETS.get(node) or f"{node:x}"


def describe_conf_change(change: AnyConfChange) -> str:
    """A membership change with its transition."""
    v2 = change.as_v2()
    text = f"transition:{v2.transition}"
    for single in v2.changes:
        text += f" changes:{{type:{single.type} node_id:{single.node_id}}}"
    return f"{text} context:{quote(v2.context)}" if v2.context else text


def quote(data: bytes) -> str:
    """Bytes in double quotes: readable text as it is, everything else escaped (Go: %q)."""
    text = data.decode("utf-8", "surrogateescape")
    return f'"{"".join(map(_escape, text))}"'


def _escape(character: str) -> str:
    code = ord(character)
    if character in _ESCAPES:
        return _ESCAPES[character]
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02x}"
    if character.isprintable():
        return character
    if code < 0x80:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
