"""Raft nodes driven by the commands of etcd's interaction tests.

A command does one thing to one or some nodes, and its output is all that they log and all that
they want done (etcd: rafttest/).  ``InteractionEnv.handle`` runs a command.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from gridloom.common.errors import GridloomError
from gridloom.orderer.raft import (
    NO_LIMIT,
    ConfChange,
    ConfChangeTransition,
    ConfChangeV2,
    Config,
    ConfState,
    HardState,
    Message,
    MessageType,
    RawNode,
    Snapshot,
    is_local_target,
)
from gridloom.orderer.raft.conf_changes import parse_changes
from gridloom.orderer.raft.describe import describe_entries, describe_message, describe_ready
from gridloom.orderer.raft.messages import EMPTY_HARD_STATE

from .datadriven import Command
from .raft_node import (
    LEVELS,
    TRUE,
    CommandFailed,
    HistoryStorage,
    Node,
    Output,
    config_settings,
)

MESSAGE_TYPES = {str(type): type for type in MessageType}
TRANSITIONS = {
    "auto": ConfChangeTransition.AUTO,
    "implicit": ConfChangeTransition.JOINT_IMPLICIT,
    "explicit": ConfChangeTransition.JOINT_EXPLICIT,
}


@dataclass(frozen=True)
class Recipient:
    """To whom messages go, or are lost on the way."""

    id: int
    drop: bool = False


class InteractionEnv:
    """Some nodes, and the messages between them."""

    def __init__(self) -> None:
        self.output = Output()
        self.nodes: list[Node] = []
        self.messages: list[Message] = []
        self.draw = Random(0).randrange
        self._commands: dict[str, Callable[[Command], None]] = {
            "_breakpoint": lambda command: None,
            "add-nodes": self._add_nodes,
            "campaign": lambda command: self._first(command).raw.campaign(),
            "compact": self._compact,
            "deliver-msgs": self._deliver_msgs,
            "process-ready": self._each(self.process_ready, "handling Ready"),
            "process-append-thread": self._each(
                self.process_append_thread, "processing append thread"
            ),
            "process-apply-thread": self._each(
                self.process_apply_thread, "processing apply thread"
            ),
            "log-level": lambda command: self._set_level(command.words[0]),
            "raft-log": lambda command: self._raft_log(self._first(command)),
            "raft-state": lambda command: self._raft_state(),
            "set-randomized-election-timeout": self._set_election_timeout,
            "stabilize": self._stabilize,
            "status": lambda command: self.output.write(
                str(self._first(command).raw.status.progress)
            ),
            "tick-election": lambda command: self._tick(
                command, self._first(command).config.election_tick
            ),
            "tick-heartbeat": lambda command: self._tick(
                command, self._first(command).config.heartbeat_tick
            ),
            "transfer-leadership": self._transfer_leadership,
            "forget-leader": lambda command: self._first(command).raw.forget_leader(),
            "send-snapshot": self._send_snapshot,
            "propose": self._propose,
            "propose-conf-change": self._propose_conf_change,
            "report-unreachable": self._report_unreachable,
        }

    def handle(self, command: Command) -> str:
        """Run a command; returns what it prints."""
        self.output.text = ""
        try:
            if command.name not in self._commands:
                raise CommandFailed("unknown command")
            self._commands[command.name](command)
        except GridloomError as error:
            if self.output.quiet:
                return str(error)
            self.output.write(str(error))
        return self.output.text or "ok"

    # Which nodes.

    def _first(self, command: Command) -> Node:
        return self.nodes[int(command.words[0]) - 1]

    def _named(self, command: Command) -> list[Node]:
        return [self.nodes[int(word) - 1] for word in command.words]

    def _each(self, act: Callable[[Node], None], doing: str) -> Callable[[Command], None]:
        """A command that names the nodes it acts on, with a heading if there are several."""

        def run(command: Command) -> None:
            nodes = self._named(command)
            for node in nodes:
                if len(nodes) == 1:
                    act(node)
                    continue
                self.output.write(f"> {node.id} {doing}\n")
                with self.output.indented():
                    act(node)

        return run

    # Making nodes.

    def _add_nodes(self, command: Command) -> None:
        settings: dict[str, Any] = {
            "max_size_per_msg": NO_LIMIT,
            "max_inflight_msgs": 2**31 - 1,
            "election_tick": 3,
            "heartbeat_tick": 1,
        }
        settings |= dict(config_settings(command))
        ids = {key: tuple(map(int, command.args.get(key, ()))) for key in ("voters", "learners")}
        snapshot = Snapshot(
            index=settings.get("applied", 0),
            conf_state=ConfState(voters=ids["voters"], learners=ids["learners"]),
            data="".join(command.args.get("content", ())).encode(),
        )
        for _ in range(int(command.words[0])):
            self._add_node(settings, snapshot)

    def _add_node(self, settings: dict[str, Any], snapshot: Snapshot) -> None:
        storage = HistoryStorage()
        if snapshot != Snapshot():
            if snapshot.index <= 1:
                raise CommandFailed("index must be specified as > 1 due to bootstrap")
            snapshot = replace(snapshot, term=1)
            storage.apply_snapshot(snapshot)
        storage.history.append(snapshot)
        config = Config(
            id=len(self.nodes) + 1,
            storage=storage,
            draw=self.draw,
            logger=self.output,
            **settings,
        )
        self.nodes.append(Node(RawNode(config), storage, config))

    # Messages.

    def _deliver_msgs(self, command: Command) -> None:
        kinds = command.args.get("type")
        recipients = [Recipient(int(word)) for word in command.words]
        recipients += [Recipient(int(node), drop=True) for node in command.args.get("drop", ())]
        kind = MESSAGE_TYPES[kinds[0]] if kinds else None
        if not self.deliver(kind, *recipients):
            self.output.write("no messages\n")

    def deliver(self, kind: MessageType | None, *recipients: Recipient) -> int:
        """Deliver or drop messages of a kind, or of any; returns how many."""
        count = 0
        for recipient in recipients:
            taken = [m for m in self.messages if _is_for(m, recipient, kind)]
            self.messages = [m for m in self.messages if not _is_for(m, recipient, kind)]
            count += len(taken)
            for message in taken:
                self.output.write("dropped: " if recipient.drop else "")
                self.output.write(f"{describe_message(message)}\n")
                if not recipient.drop:
                    self._step(message)
        return count

    def _step(self, message: Message) -> None:
        try:
            self.nodes[message.to - 1].raw.step(message)
        except GridloomError as error:
            self.output.write(f"{error}\n")

    def _send_snapshot(self, command: Command) -> None:
        source, target = self._named(command)
        message = Message(
            MessageType.SNAP,
            to=target.id,
            from_=source.id,
            term=source.raw.basic_status.hard_state.term,
            snapshot=source.storage.snapshot(),
        )
        self.messages.append(message)
        self.output.write(describe_message(message))

    # Work.

    def process_ready(self, node: Node) -> None:
        """Do what a node wants done, or queue it for its storage threads."""
        ready = node.raw.ready()
        self.output.write(describe_ready(ready))
        asynchronous = node.config.async_storage_writes
        if not asynchronous:
            state, snapshot = ready.hard_state or EMPTY_HARD_STATE, ready.snapshot or Snapshot()
            node.append(state, ready.entries, snapshot)
            node.apply(ready.committed_entries)
        for message in ready.messages:
            if not is_local_target(message.to):
                self.messages.append(message)
            elif message.type is MessageType.STORAGE_APPEND:
                node.append_work.append(message)
            else:
                node.apply_work.append(message)
        if not asynchronous:
            node.raw.advance()

    def process_append_thread(self, node: Node) -> None:
        """Let the append thread follow one order."""
        if not node.append_work:
            self.output.write("no append work to perform")
            return
        order = node.append_work.pop(0)
        self._announce(order)
        state = HardState(order.term, order.vote, order.commit)
        node.append(state, order.entries, order.snapshot or Snapshot())
        self._respond(order)

    def process_apply_thread(self, node: Node) -> None:
        """Let the apply thread follow one order."""
        if not node.apply_work:
            self.output.write("no apply work to perform")
            return
        order = node.apply_work.pop(0)
        self._announce(order)
        node.apply(order.entries)
        self._respond(order)

    def _announce(self, order: Message) -> None:
        self.output.write(f"Processing:\n{describe_message(replace(order, responses=()))}\n")

    def _respond(self, order: Message) -> None:
        self.output.write("Responses:\n")
        for response in order.responses:
            self.output.write(f"{describe_message(response)}\n")
        self.messages.extend(order.responses)

    def _stabilize(self, command: Command) -> None:
        before = self.output.level
        if "log-level" in command.args:
            self._set_level(command.args["log-level"][0])
        try:
            nodes = self._named(command) or self.nodes
            while self._round(nodes):
                pass
        finally:
            self.output.level = before

    def _round(self, nodes: list[Node]) -> bool:
        """Everything once; False if there was nothing to do."""
        busy = False
        for doing, due, act in (
            ("handling Ready", lambda n: n.raw.has_ready(), self.process_ready),
            ("receiving messages", self._has_mail, lambda n: self.deliver(None, Recipient(n.id))),
            ("processing append thread", lambda n: n.append_work, self._append_all),
            ("processing apply thread", lambda n: n.apply_work, self._apply_all),
        ):
            for node in nodes:
                if due(node):
                    busy = True
                    self.output.write(f"> {node.id} {doing}\n")
                    with self.output.indented():
                        act(node)
        return busy

    def _has_mail(self, node: Node) -> bool:
        return any(message.to == node.id for message in self.messages)

    def _append_all(self, node: Node) -> None:
        while node.append_work:
            self.process_append_thread(node)

    def _apply_all(self, node: Node) -> None:
        while node.apply_work:
            self.process_apply_thread(node)

    # Single commands.

    def _compact(self, command: Command) -> None:
        node = self._first(command)
        node.storage.compact(int(command.words[1]))
        self._raft_log(node)

    def _raft_log(self, node: Node) -> None:
        first, last = node.storage.first_index(), node.storage.last_index()
        if last < first:
            self.output.write(f"log is empty: first index={first}, last index={last}")
        else:
            self.output.write(describe_entries(node.storage.entries(first, last + 1, NO_LIMIT)))

    def _raft_state(self) -> None:
        for node in self.nodes:
            status = node.raw.status
            kind = "(Voter)" if node.id in status.config.voters.ids else "(Non-Voter)"
            soft = status.soft_state
            self.output.write(
                f"{node.id}: {soft.raft_state} {kind} "
                f"Term:{status.hard_state.term} Lead:{soft.lead}\n"
            )

    def _set_level(self, name: str) -> None:
        if name.upper() not in LEVELS:
            raise CommandFailed(f"log levels must be either of [{' '.join(LEVELS)}]")
        self.output.level = LEVELS.index(name.upper())

    def _set_election_timeout(self, command: Command) -> None:
        timeout = int(command.args["timeout"][0])
        self._first(command).raw._raft.randomized_election_timeout = timeout

    def _tick(self, command: Command, count: int) -> None:
        for _ in range(count):
            self._first(command).raw.tick()

    def _transfer_leadership(self, command: Command) -> None:
        source, target = (int(command.args[key][0]) for key in ("from", "to"))
        self.nodes[source - 1].raw.transfer_leader(target)

    def _report_unreachable(self, command: Command) -> None:
        if len(command.words) != 2:
            raise CommandFailed(
                "must specify exactly two node indexes: node on which to report, and reported node"
            )
        node, reported = self._named(command)
        node.raw.report_unreachable(reported.id)

    def _propose(self, command: Command) -> None:
        _, data = command.words
        self._first(command).raw.propose(data.encode())

    def _propose_conf_change(self, command: Command) -> None:
        unknown = set(command.args) - {command.words[0], "v1", "transition"}
        if unknown:
            raise CommandFailed(f"unknown command {unknown.pop()}")
        name = command.args.get("transition", ["auto"])[0]
        if name not in TRANSITIONS:
            raise CommandFailed(f"unknown transition {name}")
        changes, transition = parse_changes(command.input), TRANSITIONS[name]
        if command.args.get("v1", ["false"])[0] not in TRUE:
            change: ConfChange | ConfChangeV2 = ConfChangeV2(transition, changes)
        elif len(changes) > 1 or transition is not ConfChangeTransition.AUTO:
            raise CommandFailed("v1 conf change can only have one operation and no transition")
        else:
            change = ConfChange(changes[0].type, changes[0].node_id)
        self._first(command).raw.propose_conf_change(change)


def _is_for(message: Message, recipient: Recipient, kind: MessageType | None) -> bool:
    """What a node says to itself, or its storage to it, is never lost."""
    local = message.from_ == message.to or is_local_target(message.from_)
    return (
        message.to == recipient.id
        and not (recipient.drop and local)
        and kind in (None, message.type)
    )
