"""A community's day on the ledger: founded, ordered, cleared, metered, settled there.

Every household is a client of its own and sends its orders for all intervals in one
transaction; then the operator closes the gate and, interval by interval and several at
once, has the chaincode `auction` clear and settle what the meters say.  What comes back is
what the ledger computed, and is held against the same rule computed here.
(Fabric counterpart: an application on the Gateway SDK.)
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass

from gridloom.chaincode.energy.auction_records import (
    Clearing,
    Household,
    IntervalAccounts,
    MeterReading,
    OrderTerms,
    Session,
    SessionTerms,
)
from gridloom.chaincode.energy.neighbours import AUCTION, AUTHENTICATION
from gridloom.chaincode.energy.qualifications import Market
from gridloom.chaincode.energy.rules.grid_admission import Refused
from gridloom.chaincode.energy.rules.interval_settlement import OPERATOR
from gridloom.chaincode.energy.rules.lottery import commitment_of
from gridloom.chaincode.energy.rules.orders import Cleared
from gridloom.chaincode.energy.rules.settlement import GRID

from .errors import LedgerDiffers
from .journal import Journal, LedgerEntry, Member, Network
from .network_settings import SESSION
from .settlement import Settled
from .study import Chain, Consortium, Progress
from .tips import Tips
from .together import in_turn
from .trading import TradedDay

_GATE_CLOSES_AT = 2**40  # the operator closes it
_AT_ONCE = 48


@dataclass(frozen=True, slots=True)
class LedgerDay:
    """seconds: by phase; entries: every transaction; chain: what all of it came to."""

    seconds: dict[str, float]
    entries: tuple[LedgerEntry, ...]
    chain: Chain


async def trade_on_ledger(
    consortium: Consortium,
    day: TradedDay,
    lot: str,
    *,
    progress: Progress,
    clock: Callable[[], float],
) -> LedgerDay:
    """Trade a day's orders anew on the ledger, under the rule of the same name and lot.

    LedgerDiffers if it computes other trades or accounts; clock: seconds, for the phases.
    """
    started, community = clock(), day.community
    for chaincode in (AUTHENTICATION, AUCTION):
        await consortium.deploy(chaincode)
        progress(f"chaincode {chaincode} deployed", 0, 1)
    people = _People(
        consortium.member("operator", "desk", "operator"),
        consortium.member("utility", "meter", "grid"),
        {name: consortium.member("prosumers", name, "BU,SU") for name in community.names},
    )
    async with Tips(people.peers.values()) as tips:
        trading = _Day(day, people, Journal(tips), progress, clock)
        trading.seconds["deploying"] = clock() - started
        await trading.found()
        await trading.join()
        await trading.order(lot)
        await trading.close(lot)
        await trading.settle()
    chain = await consortium.chain()
    return LedgerDay(trading.seconds, tuple(trading.journal.entries), chain)


@dataclass(frozen=True, slots=True)
class _People:
    """Who acts; households by name."""

    operator: Member
    meter: Member
    households: dict[str, Member]

    @property
    def peers(self) -> dict[str, Network]:
        """One connection for each organisation."""
        everybody = (self.operator, self.meter, *self.households.values())
        return {each.msp_id: each.network for each in everybody}


class _Day:
    """One day on its way over the ledger."""

    def __init__(
        self,
        day: TradedDay,
        people: _People,
        journal: Journal,
        progress: Progress,
        clock: Callable[[], float],
    ) -> None:
        self.journal = journal
        self.seconds: dict[str, float] = {}
        self._day = day
        self._people = people
        self._progress = progress
        self._clock = clock

    async def found(self) -> None:
        """The market and who may do what in it."""
        msp = next(iter(self._people.households.values())).msp_id
        await self.journal.submit(
            self._people.operator,
            AUTHENTICATION,
            "found",
            [msp],
            self._people.meter.msp_id,
            result=Market,
        )

    async def join(self) -> None:
        """Every household becomes a member."""
        await self._phase(
            "joining",
            [
                self.journal.submit(household, AUCTION, "join", result=Household)
                for household in self._people.households.values()
            ],
        )

    async def order(self, lot: str) -> None:
        """The session is opened, and every household orders for all its intervals."""
        prices = self._day.community.prices
        terms = SessionTerms(
            SESSION,
            self._day.mechanism,
            commitment_of(lot),
            _GATE_CLOSES_AT,
            [grid.sell for grid in prices],
            [grid.buy for grid in prices],
        )
        operator, network = self._people.operator, self._day.community.feeder.network
        await self.journal.submit(operator, AUCTION, "open", terms, result=Session)
        if network is not None:
            await self.journal.submit(operator, AUCTION, "connect", network, result=type(None))
        wanted: dict[str, list[OrderTerms]] = {}
        for place, interval in enumerate(self._day.intervals):
            for order in interval.orders:
                own = OrderTerms(place, order.side, order.energy, order.price)
                wanted.setdefault(order.party, []).append(own)
        submit, households = self.journal.submit, self._people.households
        await self._phase(
            "ordering",
            [
                submit(households[name], AUCTION, "place", SESSION, own, result=int)
                for name, own in wanted.items()
            ],
        )

    async def close(self, lot: str) -> None:
        """Shut the gate."""
        operator = self._people.operator
        await self.journal.submit(operator, AUCTION, "close", SESSION, lot, result=Session)

    async def settle(self) -> None:
        """Clear, meter and settle every interval, and check each against our own answer."""
        places = range(len(self._day.intervals))
        await self._phase("settling", [self._settle(place) for place in places])

    async def _settle(self, place: int) -> None:
        submit, people = self.journal.submit, self._people
        names, ours = self._day.community.names, self._day.intervals[place]
        cleared = await self._clear(place)
        net: list[int] = self._day.community.net[place].tolist()
        readings = [MeterReading(name, energy) for name, energy in zip(names, net, strict=True)]
        await submit(
            people.meter, AUCTION, "meter", SESSION, place, readings, result=type(None), hour=place
        )
        settled = await submit(
            people.operator, AUCTION, "settle", SESSION, place, result=IntervalAccounts, hour=place
        )
        trades = Cleared(tuple(record.as_trade() for record in cleared.trades), cleared.price)
        if trades != ours.cleared:
            raise LedgerDiffers(f"trades of interval {place}", trades, ours.cleared)
        money = {account.party: account.money for account in settled.accounts}
        theirs = Settled(tuple(money[name] for name in names), money[OPERATOR], money[GRID])
        if theirs != ours.settled:
            raise LedgerDiffers(f"accounts of interval {place}", theirs, ours.settled)

    async def _clear(self, place: int) -> Clearing:
        """On a network, with the operating points that show what it carries."""
        submit, operator = self.journal.submit, self._people.operator
        if self._day.community.feeder.network is None:
            return await submit(
                operator, AUCTION, "clear", SESSION, place, result=Clearing, hour=place
            )
        ours = self._day.intervals[place]
        cleared = await submit(
            operator, AUCTION, "clear_on_grid", SESSION, place, list(ours.shown),
            result=Clearing, hour=place,
        )  # fmt: skip
        refused = tuple(
            Refused(each.trade.as_trade(), tuple(each.violations)) for each in cleared.refused
        )
        if refused != ours.refused:
            raise LedgerDiffers(f"refused trades of interval {place}", refused, ours.refused)
        return cleared

    async def _phase(self, name: str, works: Sequence[Coroutine[object, object, object]]) -> None:
        """Do all works, some at once; count them and take their time."""
        started = self._clock()
        await in_turn(
            works,
            at_once=_AT_ONCE,
            done=lambda count: self._progress(name, count, len(works)),
        )
        self.seconds[name] = self._clock() - started
