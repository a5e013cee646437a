"""Workload modules: what one transaction of a round is.

    class Reads(Workload):
        async def initialize(self, context):
            self.contract = context.contract("basic")

        async def submit(self):
            await self.contract.evaluate_transaction("ReadAsset", "asset1")

A file with one such class is a workload: ``--workload ./reads.py``.
(Fabric: Caliper's WorkloadModuleBase; initializeWorkloadModule, submitTransaction,
cleanupWorkloadModule)
"""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from types import ModuleType
from typing import Any, ClassVar

from gridloom.client import Contract, Gateway
from gridloom.common.identities import SigningIdentity
from gridloom.common.rpc import Channel

from . import workloads
from .errors import NetworkUnusable, WorkloadError

NETWORKS = Path(__file__).parent / "networks"
LOAD = Path(__file__).parent / "chaincode" / "load.py"


@dataclass(frozen=True, slots=True)
class ChaincodeNeed:
    """A chaincode that a workload calls, and what a network made for the run deploys for it.

    module: where the contract is in a source of several; collections: a JSON document.
    """

    name: str
    source: Path
    module: str = ""
    collections: str = ""


class Connections:
    """The ways of one worker into the network: gateways by organisation, and an orderer.

    channel: the channel's name; users: identities by MSP id and user, the worker's own first.
    """

    def __init__(
        self,
        channel: str,
        peers: Mapping[str, Sequence[Channel]],
        users: Mapping[tuple[str, str], SigningIdentity],
        orderer: Channel | None = None,
    ) -> None:
        self.channel = channel
        self.users = users
        self._peers = peers
        self._orderer = orderer
        self._gateways: dict[tuple[str, str, int], Gateway] = {}

    @property
    def own(self) -> tuple[str, str]:
        """MSP id and name of the first user."""
        return next(iter(self.users))

    def gateway(self, msp_id: str = "", user: str = "", peer: int = 0) -> Gateway:
        """Return a user's gateway through a peer of its organisation; NetworkUnusable."""
        own_msp, own_user = self.own
        msp_id = msp_id or own_msp
        key = (msp_id, user or (own_user if msp_id == own_msp else "User1"), peer)
        if key not in self._gateways:
            if key[:2] not in self.users or not self._peers.get(msp_id):
                raise NetworkUnusable(f"{key[1]} of {msp_id}", "no such user or no peer of it here")
            channels = self._peers[msp_id]
            channel = channels[peer % len(channels)]
            self._gateways[key] = Gateway(channel, self.users[key[:2]])
        return self._gateways[key]

    @property
    def signer(self) -> SigningIdentity:
        """The worker's own identity."""
        return self.users[self.own]

    @property
    def orderer(self) -> Channel:
        """The orderer; NetworkUnusable when nobody said where it is."""
        if self._orderer is None:
            raise NetworkUnusable(
                "orderer", "the profile names none; give --orderer HOST:PORT and --orderer-ca FILE"
            )
        return self._orderer


@dataclass(frozen=True, slots=True)
class WorkloadContext:
    """What a workload module is given.

    index, workers: which of how many worker processes this is; arguments: those of the round;
    random: seeded for this worker.
    """

    connections: Connections
    arguments: Mapping[str, Any]
    index: int = 0
    workers: int = 1
    round_name: str = ""
    seed: int = 0

    @property
    def random(self) -> Random:
        """A source of choices that are the same in every run."""
        return Random(f"{self.seed}-{self.index}")  # noqa: S311 - choices of keys, no secrets

    def contract(self, chaincode: str, channel: str = "") -> Contract:
        """Return a chaincode through the worker's own gateway."""
        network = self.connections.gateway().get_network(channel or self.connections.channel)
        return network.get_contract(chaincode)

    def number(self, name: str, default: int, *, least: int = 0) -> int:
        """Return a whole argument of at least ``least``; WorkloadError."""
        value = self.arguments.get(name, default)
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            reason = f"{name} must be a whole number of at least {least}, not {value!r}"
            raise WorkloadError(self.round_name, reason)
        return value


class Workload:
    """One worker's transactions of a round.

    network: the description in `networks/` that a run without a network of its own starts;
    chaincodes: what is deployed there.
    """

    network: ClassVar[str] = "default"
    chaincodes: ClassVar[Sequence[ChaincodeNeed]] = (ChaincodeNeed("load", LOAD),)
    arguments: ClassVar[Mapping[str, str]] = {}
    """What arguments a round may give, and what each means."""

    async def initialize(self, context: WorkloadContext) -> None:
        """Prepare: connect, write what will be read.  Nothing of it is measured."""

    async def submit(self) -> None:
        """Do one transaction; a GridloomError or TimeoutError is a failure that is counted."""
        raise NotImplementedError

    async def cleanup(self) -> None:
        """Tidy up after the round."""


def built_in() -> dict[str, type[Workload]]:
    """Return the workloads that come with the package, by name."""
    names = [info.name for info in pkgutil.iter_modules(workloads.__path__)]
    return {name.replace("_", "-"): find_workload(name) for name in sorted(names)}


def find_workload(name: str) -> type[Workload]:
    """Return a built-in workload by name, or the one in a Python file; WorkloadError."""
    if name.endswith(".py"):
        return _workload_in(_load_file(Path(name)), name)
    module_name = name.replace("-", "_")
    if module_name not in {info.name for info in pkgutil.iter_modules(workloads.__path__)}:
        known = ", ".join(
            sorted(i.name.replace("_", "-") for i in pkgutil.iter_modules(workloads.__path__))
        )
        raise WorkloadError(name, f"there is none of that name; there is: {known}, or a .py file")
    return _workload_in(importlib.import_module(f"{workloads.__name__}.{module_name}"), name)


def _load_file(path: Path) -> ModuleType:
    if not path.is_file():
        raise WorkloadError(str(path), "there is no such file")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise WorkloadError(str(path), "not a Python file")
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise WorkloadError(str(path), f"cannot be loaded: {error!r}") from error
    return module


def _workload_in(module: ModuleType, name: str) -> type[Workload]:
    found = [
        value
        for value in vars(module).values()
        if isinstance(value, type)
        and issubclass(value, Workload)
        and value.__module__ == module.__name__
    ]
    if len(found) != 1:
        raise WorkloadError(name, f"{len(found)} classes derive from Workload; one is needed")
    return found[0]
