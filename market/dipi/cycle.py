"""One period through the three chains: paper 001, section 3, steps 1 to 5.

The dispatcher carries every message from one chain to the next; each chain recomputes or
recognises by digest what it is told, so that the carrier need not be trusted with more
than delivering.  (Fabric counterpart: an application on the Gateway SDK.)
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from gridloom.chaincode.energy.dipi.credit_index import Anchor
from gridloom.chaincode.energy.dipi.records import (
    Bid,
    Check,
    CreditProof,
    Expectation,
    GridTerms,
    LinePlan,
    Match,
    Matching,
    Offer,
    PeriodRecord,
    Reading,
    Schedule,
)
from gridloom.chaincode.energy.dipi.trading import Round

from ..journal import Journal, Member

T = TypeVar("T")

SCHEDULING = "dipi_scheduling"
TRADING = "dipi_trading"
CREDIT = "dipi_credit_index"

DU1, JY1, LH1 = "du1", "jy1", "lh1"
"""The channels: scheduling, trading, credit."""


@dataclass(frozen=True, slots=True)
class Chain:
    """One channel: its journal, and the dispatcher on it."""

    journal: Journal
    dispatcher: Member


@dataclass(frozen=True, slots=True)
class Parties:
    """Members of JY1: the grid's meter, sellers and buyers by id."""

    meter: Member
    sellers: Mapping[int, Member]
    buyers: Mapping[int, Member]


@dataclass(frozen=True, slots=True)
class PeriodInput:
    """What comes from outside: lines and prices, orders, and what the meters will say."""

    period: int
    lines: Sequence[LinePlan]
    terms: GridTerms
    offers: Sequence[Offer]
    bids: Sequence[Bid]
    meter: Callable[[Match], Reading]


@dataclass(frozen=True, slots=True)
class PeriodOutcome:
    """What the chains made of a period; record and proofs: None and () if DU1 refused."""

    schedule: Schedule
    matching: Matching
    check: Check
    record: PeriodRecord | None = None
    proofs: tuple[CreditProof, ...] = ()


class Cycle:
    """The cycle between the chains."""

    def __init__(self, du1: Chain, jy1: Chain, lh1: Chain, parties: Parties) -> None:
        self._du1, self._jy1, self._lh1 = du1, jy1, lh1
        self._parties = parties

    async def trade(self, given: PeriodInput) -> PeriodOutcome:
        """Take a period through all five steps; the client's errors pass through."""
        schedule = await self._schedule(given)
        await self._place_orders(given)
        matching, check = await self._match(given.period)
        await self._relay(self._jy1, TRADING, "execute", check, result=Round)
        if not check.executable:
            return PeriodOutcome(schedule, matching, check)
        await self._relay(  # step 5: what DU1 may expect
            self._du1, SCHEDULING, "expect", given.period, matching.matches, result=Expectation
        )
        record = await self._settle(given, matching)
        proofs = await self._assess(record)
        return PeriodOutcome(schedule, matching, check, record, tuple(proofs))

    async def _schedule(self, given: PeriodInput) -> Schedule:
        """Step 1: DU1 computes the volume and tells JY1."""
        schedule = await self._relay(
            self._du1, SCHEDULING, "plan", given.period, list(given.lines), given.terms,
            result=Schedule,
        )  # fmt: skip
        await self._relay(self._jy1, TRADING, "open", schedule, result=Round)
        return schedule

    async def _place_orders(self, given: PeriodInput) -> None:
        """Steps 2 and 3: sellers and buyers publish what they would trade."""
        journal = self._jy1.journal

        async def send(member: Member, function: str, order: Offer | Bid) -> None:
            await journal.submit(
                member, TRADING, function, order, result=type(None), hour=given.period
            )

        offers = (send(self._parties.sellers[o.su_id], "offer", o) for o in given.offers)
        await asyncio.gather(*offers)
        for bid in given.bids:  # one after another: time decides among equal prices
            await send(self._parties.buyers[bid.bu_id], "bid", bid)

    async def _match(self, period: int) -> tuple[Matching, Check]:
        """Step 3: JY1 matches, DU1 checks."""
        matching = await self._relay(self._jy1, TRADING, "match", period, result=Matching)
        check = await self._relay(
            self._du1, SCHEDULING, "check", period, matching.matches, result=Check
        )
        return matching, check

    async def _settle(self, given: PeriodInput, matching: Matching) -> PeriodRecord:
        """Step 4: the meters settle on JY1, DU1 records, LH1 gets the digest."""
        readings = [given.meter(match) for match in matching.matches]
        record = await self._jy1.journal.submit(
            self._parties.meter, TRADING, "settle", given.period, readings,
            result=PeriodRecord, hour=given.period,
        )  # fmt: skip
        return await self._relay(
            self._du1, SCHEDULING, "record", given.period, record.trades, result=PeriodRecord
        )

    async def _assess(self, record: PeriodRecord) -> list[CreditProof]:
        """Credit: LH1 scores what has the anchored digest, JY1 learns the credits."""
        period = record.period
        await self._relay(self._lh1, CREDIT, "anchor", period, record.digest, result=Anchor)
        proofs = await self._relay(
            self._lh1, CREDIT, "assess", period, record.trades, result=list[CreditProof]
        )
        await self._relay(self._jy1, TRADING, "inform", proofs, result=type(None))
        return proofs

    async def _relay(
        self, chain: Chain, chaincode: str, function: str, *arguments: object, result: type[T]
    ) -> T:
        return await chain.journal.submit(
            chain.dispatcher, chaincode, function, *arguments, result=result
        )
