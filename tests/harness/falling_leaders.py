"""Killing the leading orderer of a running network again and again, under load, and the reckoning.

The network is one process for each node (``gridloom up --processes``), the load real
transactions through the peers' gateways.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import time
from dataclasses import dataclass, field
from datetime import datetime

from gridloom.client.errors import GatewayError
from gridloom.common.blocks import header_hash
from gridloom.common.errors import GridloomError
from gridloom.deploy.access import NetworkAccess
from gridloom.deploy.home import NetworkHome

from .network import SHELF, chain, contract, deploy, nodes, settled_height

_CHANGE = re.compile(r"^(\S+ \S+) INFO .*Raft leader changed: \d+ -> ([1-9]\d*)$", re.MULTILINE)


LIMIT = 200.0
"""Seconds until something that must come is missed: a client alone may wait a minute."""


@dataclass
class Reckoning:
    """What came of it.

    elections: seconds from a kill until another leads; silences: until the next transaction
    that was sent after it is committed; acknowledged: transactions said to be VALID.
    """

    elections: list[float] = field(default_factory=list)
    silences: list[float] = field(default_factory=list)
    acknowledged: int = 0
    failed: int = 0
    lost: int = 0
    twice: int = 0
    peers_agree: bool = False
    orderers_agree: bool = False


def quantile(values: list[float], share: float) -> float:
    """The value that this share of the values does not exceed."""
    ordered = sorted(values)
    return ordered[max(0, min(len(ordered) - 1, round(share * len(ordered)) - 1))]


class LeaderWatch:
    """Who leads, by what the orderers of a network have written into their logs."""

    def __init__(self, home: NetworkHome) -> None:
        self._home = home
        self._names = [orderer["name"] for orderer in home.state()["orderers"]]

    def leader(self, *, after: float = 0.0) -> tuple[str, float] | None:
        """The newest leader and since when (Unix time); the first one after a time.

        It may be the same as before: one that is soon back can be elected again.
        """
        seen = [change for name in self._names for change in self._changes(name)]
        if not after:
            return max(seen, key=lambda change: change[1], default=None)
        later = [change for change in seen if change[1] >= after]
        return min(later, key=lambda change: change[1], default=None)

    def _changes(self, name: str) -> list[tuple[str, float]]:
        """Which leaders a node has seen, and since when."""
        text = self._home.log_file(name).read_text(errors="replace")
        return [
            (
                self._names[int(node_id) - 1],
                datetime.strptime(moment, "%Y-%m-%d %H:%M:%S,%f").timestamp(),
            )
            for moment, node_id in _CHANGE.findall(text)
        ]

    async def wait_for_return(self, name: str, after: float, limit: float = LIMIT) -> None:
        """Wait until a node that was killed knows a leader again."""
        async with asyncio.timeout(limit):
            while not any(since > after for _, since in self._changes(name)):  # noqa: ASYNC110
                await asyncio.sleep(0.05)

    async def wait(self, *, after: float = 0.0, limit: float = LIMIT) -> tuple[str, float]:
        """Wait for a leader."""
        async with asyncio.timeout(limit):
            while (found := self.leader(after=after)) is None:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        return found

    def kill(self, name: str) -> float:
        """Kill a node's process as a power cut would; returns the Unix time."""
        os.kill(self._home.state()["processes"][name], signal.SIGKILL)
        return time.time()


class _Load:
    def __init__(self, access: NetworkAccess, reckoning: Reckoning) -> None:
        self._access = access
        self._reckoning = reckoning
        self.keys: list[str] = []
        self.stopped = False

    async def client(self, number: int) -> None:
        shelf = contract(self._access, "shelf", ("Org1", "Org2")[number % 2])
        sent = 0
        while not self.stopped:
            key = f"client{number}-{sent}"
            sent += 1
            try:
                await shelf.submit_transaction("put", key, key)
            except (GatewayError, GridloomError):
                self._reckoning.failed += 1
                await asyncio.sleep(0.1)
            else:
                self.keys.append(key)
                self._reckoning.acknowledged += 1


async def let_leaders_fall(
    home: NetworkHome,
    falls: int,
    *,
    clients: int = 8,
    pause: float = 1.0,
    limit: float = float("inf"),
) -> Reckoning:
    """Kill the leader so often, each time when all have been back for ``pause`` seconds.

    limit: seconds after which it is enough, however often that was.
    """
    reckoning = Reckoning()
    watch = LeaderWatch(home)
    access = NetworkAccess.open(home)
    try:
        await deploy(access, SHELF, "shelf")
        load = _Load(access, reckoning)
        working = [asyncio.create_task(load.client(number)) for number in range(clients)]
        end = time.monotonic() + limit
        while len(reckoning.silences) < falls and time.monotonic() < end:
            await asyncio.sleep(pause)
            leader, _ = await watch.wait()
            before = reckoning.acknowledged
            killed = watch.kill(leader)
            _, since = await watch.wait(after=killed)
            reckoning.elections.append(since - killed)
            async with asyncio.timeout(LIMIT):
                while reckoning.acknowledged < before + clients:  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
            reckoning.silences.append(time.time() - killed)
            await watch.wait_for_return(leader, killed)
        load.stopped = True
        await asyncio.gather(*working)
        await _reckon(access, load.keys, reckoning)
    finally:
        await access.close()
    return reckoning


async def let_consenters_fall(
    home: NetworkHome, falls: int, *, clients: int = 4, pause: float = 1.0
) -> Reckoning:
    """Kill one orderer after the other where none leads (poca), each when all are back."""
    reckoning = Reckoning()
    access = NetworkAccess.open(home)
    names = [orderer["name"] for orderer in home.state()["orderers"]]
    try:
        await deploy(access, SHELF, "shelf")
        load = _Load(access, reckoning)
        working = [asyncio.create_task(load.client(number)) for number in range(clients)]
        for fall in range(falls):
            await asyncio.sleep(pause)
            name, before = names[fall % len(names)], reckoning.acknowledged
            process = home.state()["processes"][name]
            killed = time.time()
            os.kill(process, signal.SIGKILL)
            async with asyncio.timeout(LIMIT):
                while reckoning.acknowledged < before + 2 * clients:  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
            reckoning.silences.append(time.time() - killed)
            async with asyncio.timeout(LIMIT):
                while home.state()["processes"][name] == process:  # noqa: ASYNC110
                    await asyncio.sleep(0.05)
        load.stopped = True
        await asyncio.gather(*working)
        await _reckon(access, load.keys, reckoning)
    finally:
        await access.close()
    return reckoning


async def _reckon(access: NetworkAccess, keys: list[str], reckoning: Reckoning) -> None:
    height = await settled_height(access)
    shelf = contract(access, "shelf")
    for key in keys:
        times = len(json.loads(await shelf.evaluate_transaction("history", key)))
        reckoning.lost += times == 0
        reckoning.twice += times > 1
    # What a client gave up may still be ordered: newer blocks may not be everywhere yet.
    newest = [(await chain(access, name, height - 1))[0] for name, _, _ in nodes(access)]
    hashes = {header_hash(block.header) for block in newest}
    reckoning.peers_agree = len(hashes) == 1
    reckoning.orderers_agree = await _orderers_agree(access, height)


async def _orderers_agree(access: NetworkAccess, height: int) -> bool:
    channel = access.topology.channels[0]
    admin = access.channel_admin(access.topology.organizations[0].msp_id)
    newest = set()
    for name in channel.orderers:
        async with asyncio.timeout(LIMIT):
            while True:
                try:
                    block = await admin.fetch(access.peer(name), channel.name, height - 1)
                    break
                except GridloomError:
                    await asyncio.sleep(0.2)
        newest.add(header_hash(block.header))
    return len(newest) == 1


def table(rows: list[tuple[int, Reckoning]]) -> str:
    """The reckonings of networks of so many orderers, in Markdown."""
    lines = [
        "| orderers | kills | new leader p50 / p99 / max (s) | next commits p50 / p99 / max (s) "
        "| acknowledged | lost | twice | ledgers equal |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for size, found in rows:
        elections = " / ".join(f"{quantile(found.elections, q):.2f}" for q in (0.5, 0.99, 1))
        silences = " / ".join(f"{quantile(found.silences, q):.2f}" for q in (0.5, 0.99, 1))
        equal = "yes" if found.peers_agree and found.orderers_agree else "NO"
        lines.append(
            f"| {size} | {len(found.elections)} | {elections} | {silences} "
            f"| {found.acknowledged} | {found.lost} | {found.twice} | {equal} |"
        )
    return "\n".join(lines)
