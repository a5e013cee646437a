"""Running studies in tests: a consortium on a ledger in memory, runs without a screen."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from importlib import import_module
from itertools import count
from pathlib import Path
from typing import TypeVar

from gridloom.chaincode import Contract
from gridloom.chaincode.testing import MemoryLedger
from gridloom.market.cases import Fields
from gridloom.market.errors import ScenarioError
from gridloom.market.journal import Member
from gridloom.market.study import ONE_CHANNEL, Chain, Consortium, Progress, Run

from .energy_market import START, MemoryNetwork, MemorySigner, person

T = TypeVar("T")

_MSPS = {"operator": "OperatorMSP", "prosumers": "ProsumersMSP", "utility": "UtilityMSP"}


class MemoryConsortium:
    """A consortium (market.study.Consortium) on a ledger in memory."""

    def __init__(self, channels: Mapping[str, Sequence[str]] = ONE_CHANNEL) -> None:
        self.channel, *others = channels
        self.others = {name: MemoryConsortium({name: channels[name]}) for name in others}
        self.ledger = MemoryLedger(self.channel, now=START)
        self.blocks: list[str] = []
        self._members: dict[tuple[str, str], Member] = {}

    def on(self, channel: str) -> MemoryConsortium:
        """A ledger of its own for every other channel."""
        return self if channel == self.channel else self.others[channel]

    async def deploy(self, chaincode: str) -> None:
        """Deploy the contracts of a module of chaincode/energy."""
        module = import_module(f"gridloom.chaincode.energy.{chaincode}")
        contracts = getattr(module, "contracts", None) or [
            found
            for found in vars(module).values()
            if isinstance(found, type)
            and issubclass(found, Contract)
            and found.__module__ == module.__name__
        ]
        self.ledger.deploy(chaincode.replace(".", "_"), *(contract() for contract in contracts))

    def member(
        self, organisation: str, name: str, roles: str = "", capacity: int | None = None
    ) -> Member:
        """Somebody of an organisation; the same one for the same name."""
        key = (organisation, name)
        if key not in self._members:
            watts = None if capacity is None else str(capacity)
            identity = person(_MSPS[organisation], name, roles or None, watts)
            network = MemoryNetwork(self.ledger, identity, self.blocks)
            signer = MemorySigner(identity.private_key)
            self._members[key] = Member(name, _MSPS[organisation], network, signer)
        return self._members[key]

    async def chain(self) -> Chain:
        """One block for each transaction; bytes are not kept here."""
        return Chain(len(self.blocks), 0)


def on_memory_ledger(
    work: Callable[[Consortium], Awaitable[T]],
    channels: Mapping[str, Sequence[str]] = ONE_CHANNEL,
) -> T:
    """Run work on a new ledger in memory, or several."""

    async def whole() -> T:
        return await work(MemoryConsortium(channels))

    return asyncio.run(whole())


def run_of(
    parameters: Mapping[str, object],
    *,
    seed: int = 0,
    folder: Path = Path(),
    progress: Progress = lambda what, done, total: None,
) -> Run:
    """A run with these parameters, whose clocks count."""
    ticks = count()
    return Run(
        Fields("test", parameters, ScenarioError),
        seed,
        progress,
        on_memory_ledger,
        folder,
        clock=lambda: float(next(ticks)),
        cpu_clock=lambda: 0.0,
        now=lambda: START,
    )
