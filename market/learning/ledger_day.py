"""The learning market's day on the ledger, which must come to the same orders.

Every stage is opened, its quotes are sent side by side by their parties, the targets are
announced and valued by the ledger, and the close makes the orders; then the meters speak.
(Fabric counterpart: an application on the Gateway SDK.)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from gridloom.chaincode.energy.learning.credit import Execution
from gridloom.chaincode.energy.learning.matching import SmartOrder
from gridloom.chaincode.energy.learning.parties import Founded, Kind, Party, Society, Terms
from gridloom.chaincode.energy.learning.stages import Targets, Window
from gridloom.chaincode.energy.neighbours import AUTOMATIC_AUCTION

from ..errors import LedgerDiffers
from ..journal import Journal, LedgerEntry, Member
from ..study import Chain, Consortium
from ..tips import Tips
from ..together import in_turn, together
from .day import BUREAU, COMPANY, HourResult, StageResult

_CLOSES_AT = 2**40  # the operator closes every stage
_HOURS_AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class LedgerDay:
    """targets: what the ledger found the prices worth, stage by stage; entries, chain: what it
    took."""

    targets: tuple[Targets, ...]
    entries: tuple[LedgerEntry, ...]
    chain: Chain


async def trade_on_ledger(
    consortium: Consortium,
    terms: Terms,
    hours: Sequence[HourResult],
    progress: Callable[[str, int, int], None],
) -> LedgerDay:
    """Trade the day anew; LedgerDiffers if the ledger makes other orders or judgements.

    The organisations of terms are replaced by the consortium's.
    """
    await consortium.deploy(AUTOMATIC_AUCTION)
    operator = consortium.member("operator", "desk", "operator")
    meter = consortium.member("utility", "meter", "grid")
    users = sorted({q.party for hour in hours for s in hour.stages for q in s.quotes})
    people = {
        name: consortium.member(
            "utility" if name == BUREAU else "prosumers", f"learning-{name}", _kind(name).value
        )
        for name in users
    }
    networks = {m.msp_id: m.network for m in (operator, meter, *people.values())}
    async with Tips(networks.values()) as tips:
        trading = _Day(operator, meter, people, Journal(tips))
        await trading.found(terms)
        stages = await in_turn(
            (trading.trade(hour) for hour in hours),
            at_once=_HOURS_AT_ONCE,
            done=lambda count: progress("hours on the ledger", count, len(hours)),
        )
        found = tuple(targets for own in stages for targets in own)
        entries = tuple(trading.journal.entries)
        return LedgerDay(found, entries, await consortium.chain())


def _kind(name: str) -> Kind:
    return {COMPANY: Kind.COMPANY, BUREAU: Kind.BUREAU}.get(name, Kind.USER)


class _Day:
    """One day on its way over the ledger."""

    def __init__(
        self, operator: Member, meter: Member, people: dict[str, Member], journal: Journal
    ) -> None:
        self.journal = journal
        self._operator = operator
        self._meter = meter
        self._people = people
        self._submit = partial(journal.submit, operator, AUTOMATIC_AUCTION)

    async def found(self, terms: Terms) -> None:
        """The market and its parties."""
        msps = {_kind(name): member.msp_id for name, member in self._people.items()}
        msps.setdefault(Kind.BUREAU, self._meter.msp_id)
        own = {
            kind: Society(msps.get(kind, self._meter.msp_id), terms.society(kind).bounds)
            for kind in Kind
        }
        real = Terms(
            own[Kind.COMPANY], own[Kind.BUREAU], own[Kind.USER],
            terms.subsidy, terms.price_scale, terms.energy_scale, terms.game,
        )  # fmt: skip
        await self._submit("found", real, result=Founded)
        await together(
            self.journal.submit(member, AUTOMATIC_AUCTION, "join", name, _kind(name), result=Party)
            for name, member in self._people.items()
        )
        await self._submit("admit", list(self._people), result=type(None))

    async def trade(self, hour: HourResult) -> list[Targets]:
        """Take an hour from its first stage to its metering."""
        number = hour.data.hour
        targets = [await self._stage(hour, stage) for stage in hour.stages]
        execution = await self.journal.submit(
            self._meter,
            AUTOMATIC_AUCTION,
            "meter",
            number,
            list(hour.readings),
            result=Execution,
            hour=number,
        )
        if execution != hour.execution:
            raise LedgerDiffers(f"judgement of hour {number}", execution, hour.execution)
        return targets

    async def _stage(self, hour: HourResult, own: StageResult) -> Targets:
        number, stage = hour.data.hour, own.stage
        place = (number, stage)
        submit = partial(self._submit, hour=number)
        await submit("open_stage", *place, _CLOSES_AT, result=Window)
        await together(
            self.journal.submit(
                self._people[quote.party],
                AUTOMATIC_AUCTION,
                "quote",
                quote,
                result=type(None),
                hour=number,
            )
            for quote in own.quotes
        )
        forecast = hour.data.known[stage]
        targets: Targets = await submit(
            "announce", *place, forecast, own.found.prices, result=Targets
        )
        orders = await submit("close_stage", *place, result=list[SmartOrder])
        if tuple(orders) != own.orders:
            raise LedgerDiffers(f"orders of hour {number}, {stage.value}", orders, own.orders)
        return targets
