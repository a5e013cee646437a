"""etcd's data-driven tests of quorums and membership changes as commands.

``run_quorum`` and ``MembershipScript.run`` take a command and return the text that etcd's own
tests print for it (etcd: quorum/datadriven_test.go, confchange/datadriven_test.go).
"""

from __future__ import annotations

from collections.abc import Mapping

from gridloom.orderer.raft.conf_changes import parse_changes
from gridloom.orderer.raft.confchange import Changer
from gridloom.orderer.raft.errors import InvalidConfChange
from gridloom.orderer.raft.quorum import JointConfig, VoteResult, majority
from gridloom.orderer.raft.tracker import MembershipConfig, ProgressMap

from .datadriven import Command


def run_quorum(command: Command) -> str:
    """Run ``committed`` or ``vote`` on the voters cfg, or jointly on cfg and cfgj."""
    voters, joined = _voters(command, "cfg"), _voters(command, "cfgj")
    key = "votes" if command.name == "vote" else "idx"
    given = [value for value in command.args.get(key, []) if value]
    config = JointConfig(frozenset(voters), frozenset(joined))
    if len(config.ids) != len(given):
        ids = " ".join(f"{node}:{{}}" for node in sorted(config.ids))
        numbers = " ".join(str({"_": 0, "n": 1, "y": 2}.get(value, value)) for value in given)
        return f"error: mismatched input (explicit or _) for voters map[{ids}]: [{numbers}]"
    order = dict.fromkeys([*voters, *joined])
    known = {node: value for node, value in zip(order, given, strict=True) if value != "_"}
    if command.name == "vote":
        votes = {node: value == "y" for node, value in known.items()}
        return _vote(config, votes, joint="cfgj" in command.args)
    acked = {node: int(value) for node, value in known.items()}
    return _committed(config, acked, joint="cfgj" in command.args)


def _voters(command: Command, key: str) -> list[int]:
    return [int(node) for node in command.args.get(key, []) if node not in ("", "zero")]


def _vote(config: JointConfig, votes: Mapping[int, bool], *, joint: bool) -> str:
    if not joint:
        return f"{majority.vote_result(config.incoming, votes)}\n"
    result = config.vote_result(votes)
    return _differs(swapped(config).vote_result(votes), result, "symmetry") + f"{result}\n"


def _committed(config: JointConfig, acked: Mapping[int, int], *, joint: bool) -> str:
    if joint:
        index = config.committed_index(acked)
        text = config.describe(acked)
        text += _differs(swapped(config).committed_index(acked), index, "symmetry")
        return f"{text}{majority.format_index(index)}\n"
    voters = config.incoming
    index = majority.committed_index(voters, acked)
    text = majority.describe(voters, acked)
    text += _differs(naive_committed_index(voters, acked), index, "alternative computation")
    text += _differs(JointConfig(voters).committed_index(acked), index, "zero-joint quorum")
    text += _differs(JointConfig(voters, voters).committed_index(acked), index, "self-joint quorum")
    for node in sorted(voters):
        have = acked.get(node, 0)
        if index > have > 0:
            for lower in (have - 1, 0):
                other = majority.committed_index(voters, {**acked, node: lower})
                text += _differs(other, index, f"overlaying {node}->{lower}")
    return f"{text}{majority.format_index(index)}\n"


def _differs(other: int | VoteResult, result: int | VoteResult, way: str) -> str:
    return "" if other == result else f"{other} <-- via {way}\n"


def swapped(config: JointConfig) -> JointConfig:
    """The halves in the other order."""
    return JointConfig(config.outgoing, config.incoming)


def naive_committed_index(voters: frozenset[int], acked: Mapping[int, int]) -> int:
    """By the definition: the highest acknowledged index that more than half of the voters have."""
    if not voters:
        return majority.UNBOUNDED
    have = [acked.get(voter, 0) for voter in voters]
    quorum = len(voters) // 2 + 1
    return max(index for index in {0, *have} if sum(h >= index for h in have) >= quorum)


class MembershipScript:
    """A configuration that the commands of a script change one after another."""

    def __init__(self) -> None:
        self._config = MembershipConfig()
        self._progress = ProgressMap()
        self._last_index = 0

    def run(self, command: Command) -> str:
        """Run ``simple``, ``enter-joint`` or ``leave-joint``."""
        try:
            self._change(command)
        except InvalidConfChange as error:
            return f"{error}\n"
        finally:
            self._last_index += 1
        return f"{self._config}\n{self._progress}"

    def _change(self, command: Command) -> None:
        changes = parse_changes(command.input)
        changer = Changer(self._config, self._progress, self._last_index, 10, 0)
        match command.name:
            case "simple":
                self._config, self._progress = changer.simple(changes)
            case "enter-joint":
                auto_leave = command.args.get("autoleave", ["false"])[0] in ("true", "1", "t")
                self._config, self._progress = changer.enter_joint(auto_leave, changes)
            case "leave-joint":
                if changes:
                    raise InvalidConfChange("this command takes no input")
                self._config, self._progress = changer.leave_joint()
            case _:
                raise InvalidConfChange("unknown command")
