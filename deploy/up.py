"""Bringing a network up from a folder, and keeping it up until told to stop.

``open_network`` makes the folder's network or continues it; ``run_network`` runs it, in this
process or in one for each node, and keeps network.json true.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from gridloom.common.errors import GridloomError

from .access import NetworkAccess, Progress
from .chaincode_source import ChaincodeSource, deploy_missing
from .cutting import cut_on_signal
from .document import DocumentError
from .endorsing_worker import EndorsingWorker, worth_it
from .home import STANDALONE, HomeError, NetworkHome
from .memory import settle_memory
from .network_lock import NetworkLock
from .network_state import describe
from .nodes import NodeBuilder
from .ports import choose_ports, give_way, require_free
from .processes import NodeProcesses
from .renewing import renew_on_signal
from .stopping import stop_event, unless
from .topology import Topology

log = logging.getLogger(__name__)


class OptionsError(GridloomError):
    """Options that fit neither each other nor the network description."""


@dataclass(frozen=True, slots=True)
class UpOptions:
    """How to run a network.

    config: a network description, None for the test network (or for what the folder
    already holds); orderers, consensus: of the test network, None for one that is solo, or
    raft if there are several; port_base: moves all ports so that 7050 becomes it, 0 takes any free
    ones; in_memory: ledgers are forgotten with the process, credentials stay in the folder;
    processes: one for each node; one_process: without a second one that endorses under load;
    development: chaincode errors carry tracebacks; chaincodes: paths of what to deploy on the
    first channel, unless it is there.
    """

    config: Path | None = None
    orderers: int | None = None
    consensus: str | None = None
    port_base: int | None = None
    in_memory: bool = False
    processes: bool = False
    one_process: bool = False
    development: bool = False
    chaincodes: Sequence[Path] = ()

    def check(self) -> None:
        """Raise OptionsError for options that exclude each other."""
        if self.in_memory and self.processes:
            raise OptionsError("processes share nothing but the disk: drop --in-memory")
        if self.one_process and self.processes:
            raise OptionsError("--one-process and --processes exclude each other: choose one")
        if self.config is not None and (self.orderers or self.consensus):
            raise OptionsError(
                "--orderers and --consensus are for the test network: say so in the description"
            )
        if self.consensus == "solo" and (self.orderers or 1) > 1:
            raise OptionsError("solo orders at one node: use --consensus raft or poca with several")

    def may_delegate(self, topology: Topology) -> bool:
        """Whether another process may endorse: it has to be able to read the ledgers."""
        return not (self.one_process or self.in_memory or topology.ledger_url) and worth_it()

    def description(self) -> str | None:
        """Return the text of the description asked for, None without one; OptionsError."""
        if self.config is None:
            return self._ordering()
        try:
            text = self.config.read_text(encoding="utf-8")
            Topology.parse(text)
        except (UnicodeDecodeError, DocumentError) as error:
            raise OptionsError(f"{self.config}: {error}") from error
        return text

    def _ordering(self) -> str | None:
        """Return the test network with the orderers asked for, None if none were."""
        if self.orderers is None and self.consensus is None:
            return None
        count = self.orderers or 1
        consensus = self.consensus or ("raft" if count > 1 else "solo")
        return (
            f"consensus: {consensus}\n"
            f"orderer_organizations: [{{name: Orderer, orderers: {count}}}]\n"
        )

    def topology(self, text: str) -> Topology:
        """Return a description's topology with the ports asked for; OptionsError."""
        topology = Topology.parse(text)
        if self.port_base is None:
            return topology
        if self.port_base == 0:
            return topology.with_ports(lambda _: 0)
        try:
            return topology.shifted(self.port_base)
        except ValueError as error:
            raise OptionsError(str(error)) from error


def open_network(home: NetworkHome, options: UpOptions) -> Topology:
    """Return the topology to run: the folder's own, or a new one that is then kept there.

    HomeError when the options ask for something other than what the folder holds,
    OptionsError for what cannot be meant, PortTaken for an address in use.
    """
    text = options.description()
    if home.exists():
        if home.state().get("mode") == STANDALONE:
            raise HomeError(home.path, "its nodes run by themselves, each from its own folder")
        topology = home.topology()
        _require_same(home, topology, options, text)
        require_free((*topology.nodes(), *topology.authorities()))
        return topology
    topology = give_way(choose_ports(options.topology(text or "")))
    require_free((*topology.nodes(), *topology.authorities()))
    home.save_description(text or "")
    # From here on the network exists: whatever stops us now, the next start continues it.
    home.save_state({"pid": None, "ports": list(topology.ports())})
    return topology


def _require_same(
    home: NetworkHome, topology: Topology, options: UpOptions, text: str | None
) -> None:
    own = home.description()
    same = text is None or Topology.parse(text) == Topology.parse(own)
    if options.port_base is not None:
        ports = iter(topology.ports())

        def chosen(port: int) -> int:
            mine = next(ports)
            return port or mine

        same = same and options.topology(own).with_ports(chosen) == topology
    if not same:
        raise HomeError(
            home.path,
            "there is another network here; remove it with: gridloom reset, or use another --dir",
        )


async def run_network(
    home: NetworkHome,
    options: UpOptions,
    ready: Callable[[dict[str, Any]], None],
    progress: Progress = lambda _: None,
) -> None:
    """Run the network of ``home`` until SIGINT or SIGTERM.

    ready: called with the content of network.json as soon as all nodes serve.  NetworkRuns
    when it runs already, NodeFailed when a node's process ends, and what ``open_network``
    and the deployment of chaincodes raise.
    """
    stopped = stop_event()
    options.check()
    chaincodes = [ChaincodeSource.read(path) for path in options.chaincodes]
    with NetworkLock(home.path) as lock:
        topology = open_network(home, options)
        kept = home.organizations.exists()
        progress("reading credentials" if kept else "issuing credentials")
        builder = NodeBuilder.create(
            topology, home, in_memory=options.in_memory, development=options.development
        )
        mode = "processes" if options.processes else "single"
        state = describe(home, topology, builder.material, process_id=None, mode=mode)
        home.save_state(state)
        progress("opening ledgers")
        running: _Running = (
            _ManyProcesses(builder, home, lock)
            if options.processes
            else _OneProcess(builder, home if options.may_delegate(topology) else None)
        )
        for chaincode in chaincodes:
            chaincode.remember(home)

        async def start() -> None:
            progress("starting nodes")
            await running.start()
            await _deploy(running.access(), chaincodes, progress)

        await _keep_up(home, state, running, start(), ready=ready, stopped=stopped)


async def _deploy(
    access: NetworkAccess, chaincodes: Sequence[ChaincodeSource], progress: Progress
) -> None:
    try:
        await deploy_missing(access, chaincodes, progress)
    finally:
        await access.close()


async def _keep_up(
    home: NetworkHome,
    state: dict[str, Any],
    running: _Running,
    start: Coroutine[Any, Any, None],
    *,
    ready: Callable[[dict[str, Any]], None],
    stopped: asyncio.Event,
) -> None:
    """Start, keep network.json true until the event or a failure, stop the nodes."""
    failure = None
    try:
        await unless(stopped, start)
        if not stopped.is_set():
            state |= {"pid": os.getpid(), "processes": running.process_ids}
            home.save_state(state)
            ready(state)

            def changed() -> None:
                home.save_state(state | {"processes": dict(running.process_ids)})

            await unless(stopped, running.wait(changed))
    except (GridloomError, OSError) as error:
        failure = str(error)
        raise
    finally:
        await running.stop()
        # Others may have made channels meanwhile.
        state["channels"] = home.describe_channels(home.topology())
        home.save_state(state | {"pid": None, "processes": {}, "failure": failure})


class _Running(Protocol):
    """The nodes of a network, wherever they run."""

    @property
    def process_ids(self) -> Mapping[str, int]:
        """Process ids by name of those nodes that have a process of their own."""

    async def start(self) -> None:
        """Return when all serve."""

    def access(self) -> NetworkAccess:
        """The way to them for who runs them; to be closed."""

    async def wait(self, changed: Callable[[], None] = ...) -> None:
        """Return never; raise when one of them fails; changed: told when process_ids have."""

    async def stop(self) -> None:
        """End them all."""


class _OneProcess:
    """All nodes in this process; home: where another one that endorses may read the ledgers."""

    def __init__(self, builder: NodeBuilder, home: NetworkHome | None) -> None:
        from .network import Network  # noqa: PLC0415 - it imports every kind of node

        self._worker: EndorsingWorker | None = None
        if home is not None:
            names = [peer.name for peer in builder.topology.peers()]
            self._worker = EndorsingWorker(home, names, development=builder.development)
            self._network = Network(builder, self._worker.deputy)
        else:
            self._network = Network(builder)
        self.process_ids: Mapping[str, int] = {}

    async def start(self) -> None:
        await self._network.start()
        await self._network.serve()
        cut_on_signal(self._network.orderers.values())
        renew_on_signal(self._renew)
        settle_memory()

    def access(self) -> NetworkAccess:
        return self._network.access

    async def _renew(self) -> None:
        for name in await self._network.renew():
            log.info("%s has new certificates", name)

    async def wait(self, changed: Callable[[], None] = lambda: None) -> None:
        await asyncio.Event().wait()

    async def stop(self) -> None:
        if self._worker is not None:
            await self._worker.stop()
        await self._network.stop()


class _ManyProcesses(NodeProcesses):
    """One process for each node."""

    def __init__(self, builder: NodeBuilder, home: NetworkHome, lock: NetworkLock) -> None:
        for channel in builder.topology.channels:
            builder.genesis_block(channel)
        extra = ("--development",) if builder.development else ()
        super().__init__(home, builder.topology, extra, inherited=(lock.descriptor,))

    def access(self) -> NetworkAccess:
        return NetworkAccess.open(self._home)

    async def start(self) -> None:
        await super().start()
        # Every node knows the certificates of all, so all of them begin anew.
        renew_on_signal(self.restart)
