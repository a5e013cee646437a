"""Market hour: one delivery hour of the paper's market from its opening to its settlement.

A transaction of this workload is the whole hour: opening, an order of every unit, the gate,
matchmaking, balance, meter readings, settlement.  (Fabric counterpart: none)
"""

from __future__ import annotations

import itertools
import time
from typing import ClassVar

from ..energy_market import NETWORK, EnergyMarket, energy_chaincodes
from ..errors import WorkloadError
from ..workload import Workload, WorkloadContext

_FIRST_HOUR = int(time.time()) % 10**8
"""Hours of a run that follows another on the same network must be new ones."""


class MarketHour(Workload):
    """Trades one delivery hour after the other on a market of its own."""

    network = NETWORK
    chaincodes = energy_chaincodes()
    arguments: ClassVar = {"energy": "Wh that a buyer asks for (1500)"}

    async def initialize(self, context: WorkloadContext) -> None:
        if context.workers > 1:
            raise WorkloadError(context.round_name, "one market has one operator: use one worker")
        self.energy = context.number("energy", 1500, least=2)
        self.hours = itertools.count(_FIRST_HOUR)
        self.market = await EnergyMarket.found(context.connections)

    async def submit(self) -> None:
        await self.market.trade(next(self.hours), self.energy)

    async def cleanup(self) -> None:
        await self.market.close()
