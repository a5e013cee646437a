"""Measure what docs/performance.md says of the Raft core: CPU for each block, nodes in one process.

    python tools/measure_raft.py

From the proposal until every node has applied the block: the core alone, with messages handed over
as they are, and with each message written as raftpb's bytes and read again.  No disk, no network.
"""

from __future__ import annotations

import logging
import sys
import time

from gridloom.orderer.raft import Config, ConfState, MemoryStorage, Message, RawNode, Snapshot, wire

BLOCKS = 100
BLOCK = bytes(500 * 4600)
"""500 envelopes of 4.6 KB."""


def main(arguments: list[str]) -> int:
    """Print one line for each size of the group."""
    if arguments:
        print(__doc__)
        return 2
    logging.disable()
    for size in (1, 3, 5, 7):
        core, on_the_wire = (
            min(Group(size, encoded).seconds_each() for _ in range(3)) for encoded in (False, True)
        )
        print(f"{size} nodes: core {core * 1e6:.0f} us, on the wire {on_the_wire * 1e6:.0f} us")
    return 0


class Group:
    """Voters 1 to ``size``; 1 leads."""

    def __init__(self, size: int, encoded: bool) -> None:
        self._encoded = encoded
        self._storages = {node: MemoryStorage() for node in range(1, size + 1)}
        for storage in self._storages.values():
            storage.apply_snapshot(Snapshot(1, 1, ConfState(tuple(self._storages))))
        self._nodes = {node: self._start(node) for node in self._storages}
        self._applied = dict.fromkeys(self._nodes, 0)
        self._nodes[1].campaign()
        self._exchange()

    def _start(self, node: int) -> RawNode:
        """With the settings that Fabric gives its nodes."""
        config = Config(
            id=node,
            storage=self._storages[node],
            draw=lambda n: 0,
            applied=1,
            election_tick=10,
            heartbeat_tick=1,
            max_size_per_msg=2**20,
            max_inflight_msgs=5,
            check_quorum=True,
            pre_vote=True,
        )
        return RawNode(config)

    def seconds_each(self) -> float:
        """CPU seconds for a block, all nodes together."""
        started = time.process_time()
        for _ in range(BLOCKS):
            self._nodes[1].propose(BLOCK)
            self._exchange()
        seconds = time.process_time() - started
        if set(self._applied.values()) != {BLOCKS + 1}:
            raise SystemExit(f"not all blocks were applied: {self._applied}")
        return seconds / BLOCKS

    def _exchange(self) -> None:
        """Let all work and hear each other until there is nothing more to do."""
        while messages := [message for node in self._nodes for message in self._work(node)]:
            for message in messages:
                if self._encoded:
                    message = wire.decode_message(wire.encode_message(message))  # noqa: PLW2901
                self._nodes[message.to].step(message)

    def _work(self, node: int) -> list[Message]:
        sent: list[Message] = []
        raw, storage = self._nodes[node], self._storages[node]
        while raw.has_ready():
            ready = raw.ready()
            storage.append(ready.entries)
            sent += ready.messages
            self._applied[node] += len(ready.committed_entries)
            raw.advance()
        return sent


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
