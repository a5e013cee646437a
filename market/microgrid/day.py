"""Trades a day on the network, through the client SDK, in the names of its members.

Founding, registration and approval first; then every hour for itself: the users' signed
orders, the pricing system's price, the sellers' answers to it, the gate, matchmaking,
compensation against the grid, meter readings, settlement, dispatch.  Hours run side by side, as
many at once as keep the network busy.  (Fabric counterpart: an application on the
Gateway SDK.)
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

from gridloom.chaincode.energy.compensations import (
    HourBalance,
    HourErrors,
    Reading,
    Settlement,
)
from gridloom.chaincode.energy.dispatch_records import DispatchPlan
from gridloom.chaincode.energy.neighbours import (
    AUTHENTICATION,
    COMPENSATION,
    DISPATCH,
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

from ..journal import Journal, LedgerEntry, Member, Network
from ..tips import Tips
from ..together import together
from .energy_day import EnergyDay
from .order_desk import OrderDesk
from .period import Regime
from .pricing import DEFAULT_MODE
from .pricing_system import PricedHour, Pricer, price_hour

T = TypeVar("T")

_HOURS_AT_ONCE = 12
_GATE = timedelta(days=1)  # orders are taken that long; the operator closes before
_STEPS_OF_A_DAY = 4
_STEPS_OF_AN_HOUR = 6

Progress = Callable[[str, int, int], None]
"""Called with what has just been done, and how many of how many steps that makes."""


@dataclass(frozen=True, slots=True)
class Members:
    """Everybody who takes part in the market of a channel; users[0] is user 1, and so on."""

    channel: str
    operator: Member
    grid: Member
    users: Sequence[Member]

    @property
    def peers(self) -> list[Network]:
        """One connection for each organisation."""
        everybody = (self.operator, self.grid, *self.users)
        return list({member.msp_id: member.network for member in everybody}.values())


@dataclass(frozen=True, slots=True)
class HourResult:
    """A traded hour: the model's answer, and what the ledger made of it."""

    hour: int
    priced: PricedHour
    match: HourMatch
    balance: HourBalance
    errors: HourErrors
    settlement: Settlement
    plan: DispatchPlan
    entries: tuple[LedgerEntry, ...]

    @property
    def block(self) -> int:
        """The block that settled the hour."""
        return next(entry.block for entry in self.entries if entry.function == "settle")


@dataclass(frozen=True, slots=True)
class DayResult:
    """A traded day; users: their names; preparations: the transactions before the first
    hour."""

    scenario: EnergyDay
    mode: str
    users: tuple[str, ...]
    hours: tuple[HourResult, ...]
    preparations: tuple[LedgerEntry, ...]


async def trade_day(
    scenario: EnergyDay,
    members: Members,
    *,
    now: Callable[[], datetime],
    mode: str = DEFAULT_MODE,
    seed: int = 0,
    pricer: Pricer | None = None,
    progress: Progress = lambda what, done, total: None,
) -> DayResult:
    """Trade every hour of the scenario and return what the ledger recorded.

    mode: a name of pricing.MECHANISMS; seed: of the particle swarm; pricer: prices the
    hours in their place.  The chaincodes must
    be deployed under the names of chaincode.energy.neighbours, and every member's
    certificate must carry its role (a user's: scenario.attributes).
    """
    limit = asyncio.Semaphore(_HOURS_AT_ONCE)
    async with Tips(members.peers) as tips:
        price = pricer or partial(price_hour, mode=mode, seed=seed)
        day = _Day(scenario, members, price, progress=progress, journal=Journal(tips))
        await day.prepare(now())
        preparations = tuple(day.journal.entries)

        async def trade(hour: int) -> HourResult:
            async with limit:
                return await day.trade(hour)

        hours = await together(trade(hour) for hour in scenario.hours)
    names = tuple(user.name for user in members.users)
    return DayResult(scenario, mode, names, tuple(hours), preparations)


class _Day:
    """One day being traded."""

    def __init__(
        self,
        scenario: EnergyDay,
        members: Members,
        pricer: Pricer,
        *,
        progress: Progress,
        journal: Journal,
    ) -> None:
        self.journal = journal
        self._scenario = scenario
        self._members = members
        self._pricer = pricer
        self._progress = progress
        self._desk = OrderDesk(members.channel, scenario.grid, self.journal)
        self._done = 0
        self._total = _STEPS_OF_A_DAY + _STEPS_OF_AN_HOUR * len(scenario.hours)

    async def prepare(self, now: datetime) -> None:
        """Found the market, admit its units and open its hours."""
        submit, members = self.journal.submit, self._members
        msps = list(dict.fromkeys(user.msp_id for user in members.users))
        await submit(
            members.operator, AUTHENTICATION, "found", msps, members.grid.msp_id, result=Market
        )
        self._step("market founded")
        units = await together(
            (
                self._register(number, user, role)
                for number, user in zip(self._scenario.users, members.users, strict=True)
                for role in self._roles(number)
            )
        )
        self._desk.accounts = {(unit.role, unit.unit_id): unit.address for unit in units}
        self._step(f"{len(units)} units registered")
        admitted = [UnitId(unit.role, unit.unit_id) for unit in units]
        await submit(members.operator, AUTHENTICATION, "approve", admitted, result=type(None))
        self._step("units approved")
        closes, grid = int((now + _GATE).timestamp()), self._scenario.grid
        terms = [HourTerms(hour, closes, grid.sell, grid.buy) for hour in self._scenario.hours]
        await submit(members.operator, ENERGY_UNITS, "open_hours", terms, result=type(None))
        self._step("hours opened")

    async def trade(self, hour: int) -> HourResult:
        """Take an hour from its orders to its settlement."""
        await self._publish(hour)
        self._step(f"hour {hour}: orders published")
        priced = await asyncio.to_thread(self._pricer, self._scenario, hour)
        await self._announce(hour, priced)
        self._step(f"hour {hour}: priced")
        await self._operator(ENERGY_UNITS, "close_hour", hour, result=Hour)
        match = await self._operator(MATCHMAKING, "match", hour, result=HourMatch)
        self._step(f"hour {hour}: matched")
        readings = [
            Reading(share.unit_id, self._scenario.metered(hour, share.unit_id, share.ordered))
            for share in match.sellers
        ]
        balance, errors = await asyncio.gather(
            self._operator(COMPENSATION, "balance", hour, result=HourBalance),
            self.journal.submit(
                self._members.grid,
                COMPENSATION,
                "meter",
                hour,
                readings,
                result=HourErrors,
                hour=hour,
            ),
        )
        self._step(f"hour {hour}: compensated")
        settlement = await self._operator(COMPENSATION, "settle", hour, result=Settlement)
        self._step(f"hour {hour}: settled")
        plan = await self._operator(DISPATCH, "call", hour, result=DispatchPlan)
        self._step(f"hour {hour}: dispatched")
        entries = self.journal.of_hour(hour)
        return HourResult(hour, priced, match, balance, errors, settlement, plan, entries)

    async def _publish(self, hour: int) -> None:
        """Every user's order: his net output as it stands before any price."""
        nets = self._scenario.net(hour)
        users = zip(self._scenario.users, self._members.users, nets, strict=True)
        await together((self._desk.publish(user, number, hour, net) for number, user, net in users))

    async def _announce(self, hour: int, priced: PricedHour) -> None:
        """The price, and the sellers' answers to it where energy is short."""
        if priced.price is None:
            return
        await self.journal.submit(
            self._members.operator,
            MATCHMAKING,
            "announce_price",
            hour,
            priced.price,
            result=PriceAnnouncement,
            hour=hour,
        )
        if priced.outcome.regime is Regime.DEFICIT:
            supply = self._answers(hour, priced)
            await together(
                (
                    self._desk.modify_supply(self._members.users[number - 1], number, hour, energy)
                    for number, energy in supply.items()
                )
            )

    def _answers(self, hour: int, priced: PricedHour) -> dict[int, int]:
        """Supply of the sellers whose load the price has changed, Wh by user number."""
        generation = self._scenario.generation[self._scenario.hours.index(hour)]
        nets = self._scenario.net(hour)
        supply = {
            number: generation[number - 1] - load for number, load in priced.seller_load.items()
        }
        return {number: energy for number, energy in supply.items() if energy != nets[number - 1]}

    async def _register(self, number: int, user: Member, role: Role) -> Unit:
        if role is Role.BU:
            return await self.journal.submit(
                user,
                AUTHENTICATION,
                "register_buyer",
                BuyerQualification("resident", number, user.name, "no entries", "own use"),
                result=Unit,
            )
        capacity = self._scenario.capacity(number)
        return await self.journal.submit(
            user,
            AUTHENTICATION,
            "register_seller",
            SellerQualification("solar", user.name, number, capacity, "no entries"),
            result=Unit,
        )

    def _roles(self, number: int) -> list[Role]:
        roles = ((Role.BU, self._scenario.buys(number)), (Role.SU, self._scenario.sells(number)))
        return [role for role, plays in roles if plays]

    async def _operator(self, chaincode: str, function: str, hour: int, *, result: type[T]) -> T:
        operator = self._members.operator
        return await self.journal.submit(
            operator, chaincode, function, hour, result=result, hour=hour
        )

    def _step(self, what: str) -> None:
        self._done += 1
        self._progress(what, self._done, self._total)
