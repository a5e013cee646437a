"""Flows of least cost on two-way lines, in integers (successive shortest paths).

Only what `potential_units` needs: lines whose cost rises with |flow|, flows between nodes,
and lines that must carry a least flow because they are beyond their limit already.
(Fabric counterpart: none.)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(slots=True)
class _Line:
    start: int
    end: int
    low: int
    high: int
    cost: int
    flow: int = 0

    def room(self, ahead: bool) -> int:
        """How much more may go this way before the cost of a unit changes."""
        left = self.high - self.flow if ahead else self.flow - self.low
        undone = -self.flow if ahead else self.flow
        return min(undone, left) if undone > 0 else left

    def price(self, ahead: bool) -> int:
        """Cost of one unit more this way: undoing a flow gives its cost back."""
        undoes = self.flow < 0 if ahead else self.flow > 0
        return -self.cost if undoes else self.cost


@dataclass(slots=True)
class Network:
    """nodes: how many there are, from 0."""

    nodes: int
    _lines: list[_Line] = field(default_factory=list)

    def connect(self, start: int, end: int, ahead: int, back: int, cost: int) -> int:
        """A line that takes up to ahead from start to end or up to back the other way.

        cost >= 0 of each unit; ahead < 0: the line must carry at least -ahead backwards.
        Returns the line's number.
        """
        self._lines.append(_Line(start, end, -back, ahead, cost))
        return len(self._lines) - 1

    def cut(self, line: int) -> int:
        """Take a line away, the last one made, and return what flowed in it."""
        assert line == len(self._lines) - 1
        return self._lines.pop().flow

    def cost(self) -> int:
        """What the flows of now cost."""
        return sum(line.cost * abs(line.flow) for line in self._lines)

    def used(self) -> tuple[int, ...]:
        """The lines that carry something."""
        return tuple(i for i, line in enumerate(self._lines) if line.flow)

    def satisfy(self, supply: Mapping[int, int]) -> bool:
        """From no flows: give what nodes supply (+) or want (-), every line within its limits.

        False if nothing can; then the flows mean nothing.
        """
        excess = [supply.get(node, 0) for node in range(self.nodes)]
        for line in self._lines:
            line.flow = min(max(0, line.low), line.high)
            excess[line.start] -= line.flow
            excess[line.end] += line.flow
        inlet, outlet, lines = self.nodes, self.nodes + 1, self._lines
        gates = [_Line(inlet, node, 0, over, 0) for node, over in enumerate(excess) if over > 0]
        drains = [_Line(node, outlet, 0, -over, 0) for node, over in enumerate(excess) if over < 0]
        self._lines = [*lines, *gates, *drains]
        self.nodes += 2
        sent = self.push(inlet, outlet, None)
        self._lines, self.nodes = lines, self.nodes - 2
        return sent == sum(gate.high for gate in gates) == sum(drain.high for drain in drains)

    def push(self, source: int, target: int, amount: int | None) -> int:
        """Send up to amount more (None: all that fits) at least cost; returns what fitted."""
        sent = 0
        while amount is None or sent < amount:
            path = self._cheapest(source, target)
            if path is None:
                break
            step = min(line.room(ahead) for line, ahead in path)
            if amount is not None:
                step = min(step, amount - sent)
            for line, ahead in path:
                line.flow += step if ahead else -step
            sent += step
        return sent

    def _cheapest(self, source: int, target: int) -> list[tuple[_Line, bool]] | None:
        """The cheapest path with room (Bellman-Ford); the first found of equals."""
        distance: list[int | None] = [None] * self.nodes
        distance[source] = 0
        arrived: list[tuple[_Line, bool] | None] = [None] * self.nodes
        changed = True
        while changed:
            changed = False
            for line in self._lines:
                for ahead in (True, False):
                    tail, head = (line.start, line.end) if ahead else (line.end, line.start)
                    reached, best = distance[tail], distance[head]
                    if reached is None or line.room(ahead) <= 0:
                        continue
                    length = reached + line.price(ahead)
                    if best is None or length < best:
                        distance[head] = length
                        arrived[head] = (line, ahead)
                        changed = True
        if distance[target] is None:
            return None
        return _walk_back(arrived, source, target)


def _walk_back(
    arrived: list[tuple[_Line, bool] | None], source: int, target: int
) -> list[tuple[_Line, bool]]:
    path: list[tuple[_Line, bool]] = []
    node = target
    while node != source:
        step = arrived[node]
        assert step is not None
        line, ahead = step
        path.append(step)
        node = line.start if ahead else line.end
    return path[::-1]
