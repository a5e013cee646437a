"""What a leader does with proposals (etcd: stepLeader in raft.go)."""

from __future__ import annotations

from collections.abc import Sequence

from .conf_changes import AnyConfChange
from .describe import describe_conf_change
from .errors import ProposalDropped
from .messages import NONE, Entry, EntryType
from .replication import append_entries, broadcast_append
from .state import Raft
from .wire import decode_conf_change


def propose(raft: Raft, entries: Sequence[Entry]) -> None:
    """Append proposals and send them to the members.

    Raises ProposalDropped if the leader is leaving, or has too much uncommitted;
    MalformedMessage if a membership change cannot be read.
    """
    if raft.id not in raft.tracker.progress:
        raise ProposalDropped
    if raft.lead_transferee != NONE:
        raft.logger.debug(
            "%x [term %d] transfer leadership to %x is in progress; dropping proposal",
            *(raft.id, raft.term, raft.lead_transferee),
        )
        raise ProposalDropped
    first = raft.log.last_index() + 1
    checked = [
        entry
        if entry.type is EntryType.NORMAL
        else _check_conf_change(raft, entry, first + position)
        for position, entry in enumerate(entries)
    ]
    if not append_entries(raft, checked):
        raise ProposalDropped
    broadcast_append(raft)


def _check_conf_change(raft: Raft, entry: Entry, index: int) -> Entry:
    """The entry, if a change may be proposed now; else an empty one in its place."""
    change = decode_conf_change(entry)
    fault = _fault(raft, change)
    if fault and not raft.config.disable_conf_change_validation:
        raft.logger.info(
            "%x ignoring conf change %s at config %s: %s",
            *(raft.id, describe_conf_change(change), raft.tracker.config, fault),
        )
        return Entry()
    raft.pending_conf_index = index
    return entry


def _fault(raft: Raft, change: AnyConfChange) -> str:
    """What speaks against a change at the configuration in force, or nothing."""
    joint = raft.tracker.config.joint
    leaves = not change.as_v2().changes
    if raft.pending_conf_index > raft.log.applied:
        return (
            f"possible unapplied conf change at index {raft.pending_conf_index} "
            f"(applied to {raft.log.applied})"
        )
    if joint and not leaves:
        return "must transition out of joint config first"
    if leaves and not joint:
        return "not in joint state; refusing empty conf change"
    return ""
