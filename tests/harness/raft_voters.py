"""A few Raft nodes that hear each other at once: for tests of single behaviours."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from gridloom.orderer.raft import (
    CannotStep,
    Config,
    ConfState,
    Entry,
    EntryType,
    HardState,
    MemoryStorage,
    Message,
    MessageType,
    RawNode,
    ReadState,
    Snapshot,
)
from gridloom.orderer.raft.wire import decode_conf_change, decode_message, encode_message

from .raft_group import SILENT

FIRST_INDEX = 1
"""Where every log begins: the members know each other from a snapshot."""


def new_storage(*voters: int) -> MemoryStorage:
    """A storage that knows the voters and has no entries."""
    storage = MemoryStorage()
    storage.apply_snapshot(Snapshot(FIRST_INDEX, 1, ConfState(voters), b"first"))
    storage.set_hard_state(HardState(term=1, commit=FIRST_INDEX))
    return storage


def new_node(id: int, storage: MemoryStorage, **settings: Any) -> RawNode:
    """A node with an election timeout of ten ticks."""
    defaults = {"election_tick": 10, "heartbeat_tick": 1, "logger": SILENT}
    applied = storage.first_index() - 1
    config = {"draw": lambda n: 0, "applied": applied, **defaults, **settings}
    return RawNode(Config(id=id, storage=storage, **config))


class Cluster:
    """Voters 1 to ``size`` with the same settings."""

    def __init__(self, size: int, **settings: Any) -> None:
        ids = range(1, size + 1)
        self.storages = {id: new_storage(*ids) for id in ids}
        self.nodes = {id: new_node(id, self.storages[id], **settings) for id in ids}
        self.applied: dict[int, list[Entry]] = {id: [] for id in ids}
        self.reads: dict[int, list[ReadState]] = {id: [] for id in ids}
        self.sent: list[Message] = []
        """All messages, in the order they were sent."""
        self._waiting: list[Message] = []

    def elect(self, id: int) -> RawNode:
        """Make a node the leader."""
        self.nodes[id].campaign()
        self.pump()
        return self.nodes[id]

    def pump(self, lost: Callable[[Message], bool] = lambda message: False) -> None:
        """Deliver messages, but those that are lost, until there are none; all over the wire."""
        while self._work():
            messages, self._waiting = self._waiting, []
            for message in messages:
                if not lost(message):
                    with suppress(CannotStep):  # a removed member goes on talking
                        self.nodes[message.to].step(decode_message(encode_message(message)))

    def _work(self) -> bool:
        for id, node in self.nodes.items():
            while node.has_ready():
                self.handle(id)
        return bool(self._waiting)

    def handle(self, id: int) -> None:
        """Do what one node wants done."""
        node, storage = self.nodes[id], self.storages[id]
        ready = node.ready()
        if ready.hard_state is not None:
            storage.set_hard_state(ready.hard_state)
        if ready.snapshot is not None:
            storage.apply_snapshot(ready.snapshot)
        storage.append(ready.entries)
        self._waiting += ready.messages
        self.sent += ready.messages
        self.reads[id] += ready.read_states
        for entry in ready.committed_entries:
            self.applied[id].append(entry)
            if entry.type is not EntryType.NORMAL:
                node.apply_conf_change(decode_conf_change(entry))
        node.advance()

    def data(self, id: int) -> list[bytes]:
        """What a node has applied, without the empty entries of new leaders."""
        return [e.data for e in self.applied[id] if e.data and e.type is EntryType.NORMAL]

    def appends(self, to: int) -> list[Message]:
        """The appends with entries that were sent to a node."""
        return [m for m in self.sent if m.type is MessageType.APP and m.to == to and m.entries]


def to_or_from(*ids: int) -> Callable[[Message], bool]:
    """Loses what these nodes send and what is sent to them."""
    return lambda message: message.to in ids or message.from_ in ids
