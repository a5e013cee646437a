"""A consortium for studies on a ledger in memory: no network, no files (market.study)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from importlib import import_module
from typing import TypeVar

from gridloom.chaincode.contract import Contract
from gridloom.chaincode.testing import MemoryLedger
from gridloom.market.cases import Fields
from gridloom.market.errors import ScenarioError
from gridloom.market.journal import Member
from gridloom.market.result import Result
from gridloom.market.studies import STUDIES
from gridloom.market.study import Chain, Consortium, Run

from .energy_market import START, MemoryNetwork, MemorySigner, person

T = TypeVar("T")


class MemoryConsortium:
    """One block for each transaction; members as they are asked for."""

    def __init__(self) -> None:
        self.channel = "market"
        self._ledger = MemoryLedger(self.channel, now=START)
        self._blocks: list[str] = []
        self._members: dict[tuple[str, str], Member] = {}

    async def deploy(self, chaincode: str) -> None:
        """Deploy the contract of chaincode/energy's module of that name."""
        module = import_module(f"gridloom.chaincode.energy.{chaincode}")
        contracts = [
            each
            for each in vars(module).values()
            if isinstance(each, type) and issubclass(each, Contract) and each.name == chaincode
        ]
        self._ledger.deploy(chaincode, contracts[0]())

    async def chain(self) -> Chain:
        """Blocks so far; what a block in memory weighs is not known."""
        return Chain(len(self._blocks), 0)

    def member(self, organisation: str, name: str, roles: str = "") -> Member:
        """Somebody of an organisation, always the same under the same name."""
        if (organisation, name) not in self._members:
            msp_id = f"{organisation.capitalize()}MSP"
            identity = person(msp_id, name, roles or None)
            network = MemoryNetwork(self._ledger, identity, self._blocks)
            signer = MemorySigner(identity.private_key)
            self._members[organisation, name] = Member(name, msp_id, network, signer)
        return self._members[organisation, name]


def on_memory(work: Callable[[Consortium], Awaitable[T]]) -> T:
    """Do the work on a ledger of its own."""

    async def run() -> T:
        return await work(MemoryConsortium())

    return asyncio.run(run())


def run_study(name: str, seed: int = 1, **parameters: object) -> Result:
    """Carry out a study with these parameters."""
    fields = Fields("test", parameters, ScenarioError)
    run = Run(fields, seed, lambda what, done, total: None, on_memory)
    return STUDIES[name].run(run)
