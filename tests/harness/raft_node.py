"""A Raft node under test: its storage, the work of its storage threads, and what it logs.

(etcd: rafttest/interaction_env.go, interaction_env_logger.go)
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from gridloom.common.errors import GridloomError
from gridloom.orderer.raft import (
    Config,
    Entry,
    EntryType,
    HardState,
    MemoryStorage,
    Message,
    RawNode,
    ReadOnlyOption,
    Snapshot,
)
from gridloom.orderer.raft.messages import EMPTY_HARD_STATE
from gridloom.orderer.raft.wire import decode_conf_change

from .datadriven import Command

LEVELS = ("DEBUG", "INFO", "WARN", "ERROR", "FATAL", "NONE")
TRUE = ("true", "1", "t", "T", "TRUE", "True")


class CommandFailed(GridloomError):
    """A command that its script got wrong, in etcd's words."""


class Output:
    """What a command prints, and the logger of all nodes.  Level NONE silences both."""

    def __init__(self) -> None:
        self.level = 0
        self.text = ""

    @property
    def quiet(self) -> bool:
        return LEVELS[self.level] == "NONE"

    def write(self, text: str) -> None:
        if not self.quiet:
            self.text += text

    @contextmanager
    def indented(self) -> Iterator[None]:
        """Indent what is printed inside."""
        outer, self.text = self.text, ""
        try:
            yield
        finally:
            inner = "".join(f"  {line}\n" for line in self.text.splitlines())
            self.text = outer + inner

    def _log(self, level: int, msg: str, args: tuple[object, ...]) -> None:
        if self.level <= level:
            self.write(f"{LEVELS[level]} {msg % args}\n")

    def debug(self, msg: str, *args: object) -> None:
        self._log(0, msg, args)

    def info(self, msg: str, *args: object) -> None:
        self._log(1, msg, args)

    def warning(self, msg: str, *args: object) -> None:
        self._log(2, msg, args)

    def error(self, msg: str, *args: object) -> None:
        self._log(3, msg, args)


class HistoryStorage(MemoryStorage):
    """A storage whose snapshot is always that of the last entry applied."""

    def __init__(self) -> None:
        super().__init__()
        self.history: list[Snapshot] = []

    def snapshot(self) -> Snapshot:
        return self.history[-1]


@dataclass
class Node:
    """A member with its storage and the work its storage threads have before them."""

    raw: RawNode
    storage: HistoryStorage
    config: Config
    append_work: list[Message] = field(default_factory=list)
    apply_work: list[Message] = field(default_factory=list)

    @property
    def id(self) -> int:
        return self.config.id

    def append(self, state: HardState, entries: tuple[Entry, ...], snapshot: Snapshot) -> None:
        """Store what a Ready or an order says."""
        if state != EMPTY_HARD_STATE:
            self.storage.set_hard_state(state)
        if not snapshot.index:
            self.storage.append(entries)
        elif entries:
            raise CommandFailed("can't apply snapshot and entries at the same time")
        else:
            self.storage.apply_snapshot(snapshot)

    def apply(self, entries: tuple[Entry, ...]) -> None:
        """Apply entries to a state machine that strings all data together."""
        for entry in entries:
            last = self.storage.history[-1]
            update, conf_state = entry.data, last.conf_state
            if entry.type is not EntryType.NORMAL:
                change = decode_conf_change(entry)
                update, conf_state = change.context, self.raw.apply_conf_change(change)
            self.storage.history.append(
                Snapshot(entry.index, entry.term, conf_state, last.data + update)
            )


def config_settings(command: Command) -> Iterator[tuple[str, Any]]:
    """The settings among the arguments of ``add-nodes``."""
    numbers = {
        "inflight": "max_inflight_msgs",
        "index": "applied",
        "max-committed-size-per-ready": "max_committed_size_per_ready",
    }
    switches = {
        "async-storage-writes": "async_storage_writes",
        "prevote": "pre_vote",
        "checkquorum": "check_quorum",
        "disable-conf-change-validation": "disable_conf_change_validation",
        "step-down-on-removal": "step_down_on_removal",
    }
    for key, [value, *_] in command.args.items():
        if key in numbers:
            yield numbers[key], int(value)
        elif key in switches:
            yield switches[key], value in TRUE
        elif key == "read-only":
            if value not in {option.value for option in ReadOnlyOption}:
                raise CommandFailed(f'invalid read-only option "{value}"')
            yield "read_only_option", ReadOnlyOption(value)
