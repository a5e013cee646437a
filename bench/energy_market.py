"""A small market on the paper's chaincodes, to trade hours on: two buyers, two sellers.

(Fabric counterpart: an application on the Gateway SDK)
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from gridloom.chaincode import energy
from gridloom.chaincode.energy.compensations import HourBalance, HourErrors, Reading, Settlement
from gridloom.chaincode.energy.neighbours import (
    AUTHENTICATION,
    COMPENSATION,
    ENERGY_UNITS,
    MATCHMAKING,
)
from gridloom.chaincode.energy.orders import Hour, HourTerms
from gridloom.chaincode.energy.qualifications import (
    BuyerQualification,
    Market,
    SellerQualification,
    Unit,
    UnitId,
)
from gridloom.chaincode.energy.roles import Role
from gridloom.chaincode.energy.trades import HourMatch, PriceAnnouncement
from gridloom.market.journal import Journal, Member
from gridloom.market.microgrid.energy_day import PAPER_GRID
from gridloom.market.microgrid.order_desk import OrderDesk
from gridloom.market.tips import Tips

from .workload import ChaincodeNeed, Connections

NETWORK = "market"
OPERATOR, PROSUMERS, UTILITY = "OperatorMSP", "ProsumersMSP", "UtilityMSP"
_PRICE = (PAPER_GRID.sell + PAPER_GRID.buy) // 2
_DAY = 86_400
_BUYERS, _SELLERS = (1, 2), (1, 2)


def energy_chaincodes() -> tuple[ChaincodeNeed, ...]:
    """Return the market's four chaincodes."""
    source = Path(energy.__file__).parent
    names = (AUTHENTICATION, ENERGY_UNITS, MATCHMAKING, COMPENSATION)
    return tuple(ChaincodeNeed(name, source, f"energy.{name}") for name in names)


@dataclass(frozen=True, slots=True)
class EnergyMarket:
    """A founded market with its members."""

    operator: Member
    grid: Member
    buyers: list[Member]
    sellers: list[Member]
    journal: Journal
    desk: OrderDesk
    tips: Tips

    @classmethod
    async def found(cls, connections: Connections) -> Self:
        """Found the market and admit its units; NotCommitted, GatewayError."""

        def member(msp_id: str, user: str) -> Member:
            network = connections.gateway(msp_id, user).get_network(connections.channel)
            return Member(user, msp_id, network, connections.users[msp_id, user])

        operator, grid = member(OPERATOR, "desk"), member(UTILITY, "meter")
        buyers = [member(PROSUMERS, f"buyer{number}") for number in _BUYERS]
        sellers = [member(PROSUMERS, f"seller{number}") for number in _SELLERS]
        tips = Tips([operator.network, grid.network, buyers[0].network])
        journal = Journal(tips)
        desk = OrderDesk(connections.channel, PAPER_GRID, journal)
        market = cls(operator, grid, buyers, sellers, journal, desk, tips)
        await journal.submit(
            operator, AUTHENTICATION, "found", [PROSUMERS], grid.msp_id, result=Market
        )
        units = [await market._register(Role.BU, n, who) for n, who in enumerate(buyers, 1)]
        units += [await market._register(Role.SU, n, who) for n, who in enumerate(sellers, 1)]
        desk.accounts = {(unit.role, unit.unit_id): unit.address for unit in units}
        admitted = [UnitId(unit.role, unit.unit_id) for unit in units]
        await journal.submit(operator, AUTHENTICATION, "approve", admitted, result=type(None))
        return market

    async def trade(self, hour: int, watt_hours: int) -> None:
        """Take an hour from its opening to its settlement; each unit orders so much."""
        submit = self.journal.submit
        closes = int(time.time()) + _DAY
        terms = HourTerms(hour, closes, PAPER_GRID.sell, PAPER_GRID.buy)
        await submit(self.operator, ENERGY_UNITS, "open_hours", [terms], result=type(None))
        orders = [(who, n, -watt_hours) for n, who in enumerate(self.buyers, 1)]
        orders += [(who, n, watt_hours) for n, who in enumerate(self.sellers, 1)]
        await asyncio.gather(
            *(self.desk.publish(who, number, hour, net) for who, number, net in orders)
        )
        await submit(
            self.operator, MATCHMAKING, "announce_price", hour, _PRICE, result=PriceAnnouncement
        )
        await submit(self.operator, ENERGY_UNITS, "close_hour", hour, result=Hour)
        match = await submit(self.operator, MATCHMAKING, "match", hour, result=HourMatch)
        readings = [Reading(share.unit_id, share.ordered) for share in match.sellers]
        await asyncio.gather(
            submit(self.operator, COMPENSATION, "balance", hour, result=HourBalance),
            submit(self.grid, COMPENSATION, "meter", hour, readings, result=HourErrors),
        )
        await submit(self.operator, COMPENSATION, "settle", hour, result=Settlement)

    async def close(self) -> None:
        """Stop following the blocks."""
        await self.tips.__aexit__()

    async def _register(self, role: Role, number: int, who: Member) -> Unit:
        if role is Role.BU:
            facts = BuyerQualification("resident", number, who.name, "no entries", "own use")
            return await self.journal.submit(
                who, AUTHENTICATION, "register_buyer", facts, result=Unit
            )
        offer = SellerQualification("solar", who.name, number, 10_000, "no entries")
        return await self.journal.submit(who, AUTHENTICATION, "register_seller", offer, result=Unit)
