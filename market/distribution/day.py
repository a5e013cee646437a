"""The distribution network's 24 hours: each hour bought from the swarm's archive.

`trade_day` needs no network; `trade_on_ledger` does the same purchases on one, where the chaincode
power_purchase judges and bills them.  (Paper 004, section 4.1; Fabric counterpart: an
application on the Gateway SDK.)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from gridloom.chaincode.energy.distribution.purchases import (
    FoundedDesk,
    Interval,
    Participant,
    Purchase,
    PurchaseTerms,
)
from gridloom.chaincode.energy.neighbours import POWER_PURCHASE
from gridloom.chaincode.energy.roles import Role

from ..errors import LedgerDiffers
from ..journal import Journal, LedgerEntry, Member
from ..pareto.mopso import Flight
from ..study import Chain, Consortium
from ..tips import Tips
from ..together import in_turn, together
from .profiles import HourData
from .purchase import Bought, buy

CAP = 500_000
"""Eq. (7), micro-yuan per kWh."""

SLACK = 1_000
"""What a purchase may miss the merit order by, millionths of C(Q_max)."""

PLANT = "plant"
"""How the names of suppliers' members begin."""

_CLOSES_AT = 2**40  # the operator closes every interval
_HOURS_AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class HourResult:
    """An hour's offers and demands, and what was bought."""

    data: HourData
    bought: Bought


@dataclass(frozen=True, slots=True)
class LedgerDay:
    """What the day took on the ledger."""

    entries: tuple[LedgerEntry, ...]
    chain: Chain


def trade_day(
    day: Sequence[HourData],
    rng: Callable[[int], np.random.Generator],
    *,
    cap: int = CAP,
    flight: Flight | None = None,
    progress: Callable[[int], None] = lambda hours: None,
) -> tuple[HourResult, ...]:
    """Buy for every hour; rng: a generator of its own for each hour; progress: hours done."""
    results = []
    for data in day:
        own = rng(data.hour)
        bought = buy(data.hour, data.offers, data.demands, cap, own, flight=flight)
        results.append(HourResult(data, bought))
        progress(len(results))
    return tuple(results)


async def trade_on_ledger(
    consortium: Consortium,
    hours: Sequence[HourResult],
    cap: int,
    progress: Callable[[str, int, int], None],
) -> LedgerDay:
    """Offer, demand and buy anew; LedgerDiffers if the ledger bills otherwise."""
    await consortium.deploy(POWER_PURCHASE)
    operator = consortium.member("operator", "desk", "operator")
    suppliers = {offer.supplier for hour in hours for offer in hour.data.offers}
    users = {demand.user for hour in hours for demand in hour.data.demands}
    people = {
        **{n: consortium.member("utility", f"{PLANT}-{n}", "SU") for n in sorted(suppliers)},
        **{n: consortium.member("prosumers", f"site-{n}", "BU") for n in sorted(users)},
    }
    networks = {m.msp_id: m.network for m in (operator, *people.values())}
    async with Tips(networks.values()) as tips:
        trading = _Day(operator, people, Journal(tips))
        await trading.found(cap)
        await in_turn(
            (trading.trade(hour) for hour in hours),
            at_once=_HOURS_AT_ONCE,
            done=lambda count: progress("hours on the ledger", count, len(hours)),
        )
        return LedgerDay(tuple(trading.journal.entries), await consortium.chain())


async def join(journal: Journal, member: Member, name: str) -> None:
    """Take part in the role that the member's own name tells (see trade_on_ledger)."""
    role = Role.SU if member.name.startswith(PLANT) else Role.BU
    await journal.submit(member, POWER_PURCHASE, "join", name, role, result=Participant)


class _Day:
    """One day on its way over the ledger."""

    def __init__(self, operator: Member, people: dict[str, Member], journal: Journal) -> None:
        self.journal = journal
        self._people = people
        self._submit = partial(journal.submit, operator, POWER_PURCHASE)

    async def found(self, cap: int) -> None:
        """The purchase desk and everybody at it."""
        msps = sorted({member.msp_id for member in self._people.values()})
        await self._submit("found", PurchaseTerms(msps, msps, cap, SLACK), result=FoundedDesk)
        await together(join(self.journal, member, name) for name, member in self._people.items())

    async def trade(self, hour: HourResult) -> None:
        """Take an hour from its opening to its bills."""
        number = hour.data.hour
        submit = partial(self._submit, hour=number)
        await submit("open", number, _CLOSES_AT, result=Interval)
        await together(
            [
                *(self._send(o.supplier, "offer", o, number) for o in hour.data.offers),
                *(self._send(d.user, "demand", d, number) for d in hour.data.demands),
            ]
        )
        await submit("close", number, result=Interval)
        purchase = await submit("purchase", number, list(hour.bought.energies), result=Purchase)
        if purchase != hour.bought.purchase:
            raise LedgerDiffers(f"purchase of hour {number}", purchase, hour.bought.purchase)

    async def _send(self, name: str, function: str, record: object, hour: int) -> None:
        await self.journal.submit(
            self._people[name], POWER_PURCHASE, function, record, result=type(None), hour=hour
        )
