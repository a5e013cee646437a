"""Bringing a network up from a folder, and keeping it up until told to stop.

``open_network`` makes the folder's network or continues it; ``run_network`` runs it, in this
process or in one for each node, and keeps network.json true.
"""

from __future__ import annotations

import asyncio
import gc
import os
import signal
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .home import HomeError, NetworkHome, describe
from .network import Network, choose_ports
from .nodes import NodeBuilder
from .processes import NodeProcesses
from .topology import Topology


@dataclass(frozen=True, slots=True)
class UpOptions:
    """How to run a network.

    config: a network description, None for the test network (or for what the folder
    already holds); port_base: moves all ports so that 7050 becomes it; in_memory: ledgers
    are forgotten with the process, credentials stay in the folder; processes: one for each
    node; development: chaincode errors carry tracebacks.
    """

    config: Path | None = None
    port_base: int | None = None
    in_memory: bool = False
    processes: bool = False
    development: bool = False


def open_network(home: NetworkHome, options: UpOptions) -> Topology:
    """Return the topology to run: the folder's own, or a new one that is then kept there.

    HomeError when it runs already, or when the options ask for something other than what
    the folder holds; DocumentError for a description that cannot be read.
    """
    running = home.process_id()
    if running is not None:
        raise HomeError(home.path, f"the network runs already, in process {running}")
    if options.in_memory and options.processes:
        raise HomeError(home.path, "processes share nothing but the disk: drop --in-memory")
    text = None if options.config is None else options.config.read_text(encoding="utf-8")
    if home.exists():
        topology = home.topology()
        changed = text is not None and text != home.description()
        asked = Topology.parse(text or home.description())
        if options.port_base is not None and not changed:
            asked = asked.shifted(options.port_base)
            changed = asked != topology
        if changed:
            raise HomeError(
                home.path,
                "there is another network here; remove it with: gridloom reset, "
                "or choose another --dir",
            )
        return topology
    topology = Topology.parse(text or "")
    if options.port_base is not None:
        topology = topology.shifted(options.port_base)
    topology = choose_ports(topology)
    home.save_description(text or "")
    return topology


async def run_network(
    home: NetworkHome,
    options: UpOptions,
    ready: Callable[[dict[str, Any]], Awaitable[None] | None],
) -> None:
    """Run the network of ``home`` until SIGINT or SIGTERM.

    ready: called with the content of network.json as soon as all nodes serve.
    """
    topology = open_network(home, options)
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    builder = NodeBuilder.create(
        topology, home, in_memory=options.in_memory, development=options.development
    )
    mode = "processes" if options.processes else "single"
    state = describe(home, topology, builder.material, process_id=os.getpid(), mode=mode)
    running = _ManyProcesses(builder, options) if options.processes else _OneProcess(builder)
    # A node process reads the ports from network.json, so it is written before they start.
    home.save_state(state | {"pid": None})
    try:
        await running.start()
        settle_memory()
        home.save_state(state)
        answer = ready(state)
        if answer is not None:
            await answer
        await running.until(stopped)
    finally:
        await running.stop()
        home.save_state(state | {"pid": None})


def settle_memory() -> None:
    """Let the garbage collector pass over what lives as long as the process.

    A node allocates messages by the thousand and hardly ever a cycle; with Python's own
    thresholds, collections took most of the time of a simulation (docs/performance.md).
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


class _OneProcess:
    """All nodes in this process."""

    def __init__(self, builder: NodeBuilder) -> None:
        self._network = Network(builder)

    async def start(self) -> None:
        await self._network.start()
        await self._network.serve()

    async def until(self, stopped: asyncio.Event) -> None:
        await stopped.wait()

    async def stop(self) -> None:
        await self._network.stop()


class _ManyProcesses:
    """One process for each node."""

    def __init__(self, builder: NodeBuilder, options: UpOptions) -> None:
        if builder.home is None:
            raise HomeError(Path(), "node processes need a folder")
        for channel in builder.topology.channels:
            builder.genesis_block(channel)
        extra = ("--development",) if options.development else ()
        self._nodes = NodeProcesses(builder.home, builder.topology, extra)

    async def start(self) -> None:
        await self._nodes.start()

    async def until(self, stopped: asyncio.Event) -> None:
        watching = asyncio.create_task(self._nodes.wait())
        stopping = asyncio.create_task(stopped.wait())
        done, pending = await asyncio.wait(
            {watching, stopping}, return_when=asyncio.FIRST_COMPLETED
        )
        for task in pending:
            task.cancel()
        if watching in done:
            await watching

    async def stop(self) -> None:
        await self._nodes.stop()
