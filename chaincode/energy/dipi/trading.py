"""Chaincode dipi_trading on channel JY1: orders, matching, execution, settlement.

Steps 2 to 4 of the cycle.  The scheduling chain's word comes in the operator's name and
is tied to JY1's own data by digest; credits come as coloured coins and are decoded here.
The matching and all money are computed on the ledger.  (Fabric counterpart: none.)
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum

from gridloom.chaincode import Context, Contract, transaction

from ..faults import BadTerms, Duplicate, NegativeEnergy, NotFound, WrongStage
from ..neighbours import AUTHENTICATION, ask
from ..qualifications import Unit
from ..roles import Role, unit_name
from .coin import credit_of
from .digest import digest_of
from .matching import PlacedBid, Standing, match_orders
from .records import (
    Bid,
    Check,
    CreditProof,
    Match,
    Matching,
    Offer,
    PeriodRecord,
    Reading,
    Schedule,
)
from .trade_settlement import settle_match

_ROUND = "round"
_OFFER = "offer"
_BID = "bid"
_MATCHING = "matching"
_RECORD = "record"
_CREDIT = "credit"
_NEWCOMER = 100 * 10**6


class Stage(StrEnum):
    """How far a period has come."""

    OPEN = "open"
    MATCHED = "matched"
    EXECUTED = "executed"
    REJECTED = "rejected"
    SETTLED = "settled"


@dataclass(frozen=True, slots=True)
class Round:
    """A trading period on JY1."""

    schedule: Schedule
    stage: Stage
    reason: str = ""


@dataclass(frozen=True, slots=True)
class KnownCredit:
    """What JY1 knows of a seller, millionths of a point; stability: mean share of the
    agreed energy that he generated, over count trades."""

    unit: str
    credit: int = _NEWCOMER
    shares: int = 0
    count: int = 0

    @property
    def standing(self) -> Standing:
        """As the matching wants it."""
        return Standing(self.credit, self.shares // self.count if self.count else _NEWCOMER)


@dataclass(frozen=True, slots=True)
class OrderBook:
    """A period's standing orders."""

    offers: list[Offer] = field(default_factory=list)
    bids: list[PlacedBid] = field(default_factory=list)


class DipiTrading(Contract):
    """The trading chain."""

    name = "dipi_trading"

    @transaction
    def open(self, ctx: Context, schedule: Schedule) -> Round:
        """Step 1 arrives: open a period for orders (operator only)."""
        _authorise(ctx, Role.OPERATOR)
        if ctx.get(_key(ctx, _ROUND, schedule.period), Round) is not None:
            raise Duplicate(f"period {schedule.period}")
        if schedule.volume < 0:
            raise NegativeEnergy(f"volume of period {schedule.period}", schedule.volume)
        opened = Round(schedule, Stage.OPEN)
        ctx.put(_key(ctx, _ROUND, schedule.period), opened)
        return opened

    @transaction
    def inform(self, ctx: Context, proofs: list[CreditProof]) -> None:
        """Step 2: take over credits from the credit chain, as coloured coins (operator only)."""
        _authorise(ctx, Role.OPERATOR)
        for proof in proofs:
            known = _known(ctx, proof.unit)
            ctx.put(_unit_key(ctx, proof.unit), replace(known, credit=credit_of(proof)))

    @transaction
    def offer(self, ctx: Context, offer: Offer) -> None:
        """Step 3: a seller's offer, one for each period."""
        ask(ctx, AUTHENTICATION, "qualify", Unit, Role.SU.value, str(offer.su_id))
        if offer.renewable not in (0, 1) or offer.capacity < 0:
            raise BadTerms("offer", "renewable is 0 or 1, capacity not negative")
        self._place(ctx, _OFFER, unit_name(Role.SU, offer.su_id), offer, offer)

    @transaction
    def bid(self, ctx: Context, bid: Bid) -> None:
        """Step 3: a buyer's bid, one for each period."""
        ask(ctx, AUTHENTICATION, "qualify", Unit, Role.BU.value, str(bid.bu_id))
        now = ctx.stub.get_tx_timestamp()
        placed = int(now.timestamp()) * 10**6 + now.microsecond
        self._place(ctx, _BID, unit_name(Role.BU, bid.bu_id), bid, PlacedBid(bid, placed))

    @transaction
    def match(self, ctx: Context, period: int) -> Matching:
        """Step 3: match the orders and close the period for them (operator only)."""
        _authorise(ctx, Role.OPERATOR)
        round_ = _at(ctx, period, Stage.OPEN)
        book = _book(ctx, period)
        standings = {
            offer.su_id: _known(ctx, unit_name(Role.SU, offer.su_id)).standing
            for offer in book.offers
        }
        matches = match_orders(book.offers, book.bids, standings, round_.schedule.volume)
        matching = Matching(period, matches, digest_of(period, matches))
        ctx.put(_key(ctx, _MATCHING, period), matching)
        ctx.put(_key(ctx, _ROUND, period), replace(round_, stage=Stage.MATCHED))
        return matching

    @transaction
    def execute(self, ctx: Context, check: Check) -> Round:
        """Steps 3 and 4: the scheduling chain's verdict turns matches into contracts."""
        _authorise(ctx, Role.OPERATOR)
        round_ = _at(ctx, check.period, Stage.MATCHED)
        if check.digest != _matching(ctx, check.period).digest:
            raise WrongStage(check.period, "the check is of another matching")
        stage = Stage.EXECUTED if check.executable else Stage.REJECTED
        executed = replace(round_, stage=stage, reason=check.reason)
        ctx.put(_key(ctx, _ROUND, check.period), executed)
        return executed

    @transaction
    def settle(self, ctx: Context, period: int, readings: list[Reading]) -> PeriodRecord:
        """Step 4: settle all contracts of a period by the meters (grid only)."""
        _authorise(ctx, Role.GRID)
        round_ = _at(ctx, period, Stage.EXECUTED)
        matches = _matching(ctx, period).matches
        metered = _check_readings(matches, readings)
        terms = round_.schedule.terms
        trades = [settle_match(match, metered[match.number], terms) for match in matches]
        record = PeriodRecord(period, trades, digest_of(period, trades))
        ctx.put(_key(ctx, _RECORD, period), record)
        ctx.put(_key(ctx, _ROUND, period), replace(round_, stage=Stage.SETTLED))
        self._remember(ctx, matches, metered)
        return record

    @transaction("evaluate")
    def book(self, ctx: Context, period: int) -> OrderBook:
        """A period's orders."""
        return _book(ctx, period)

    @transaction("evaluate")
    def matching(self, ctx: Context, period: int) -> Matching:
        """A period's matches."""
        return _matching(ctx, period)

    @transaction("evaluate")
    def settled(self, ctx: Context, period: int) -> PeriodRecord:
        """A settled period."""
        record = ctx.get(_key(ctx, _RECORD, period), PeriodRecord)
        if record is None:
            raise NotFound(f"settlement of period {period}")
        return record

    @transaction("evaluate")
    def known(self, ctx: Context, unit: str) -> KnownCredit:
        """What JY1 knows of a unit."""
        return _known(ctx, unit)

    def _place(
        self, ctx: Context, kind: str, unit: str, order: Offer | Bid, stored: object
    ) -> None:
        _at(ctx, order.period, Stage.OPEN)
        if order.energy <= 0:
            raise NegativeEnergy(f"the order of {unit}", order.energy)
        if order.price < 0:
            raise BadTerms("price", f"{order.price} is negative")
        key = ctx.stub.create_composite_key(kind, [str(order.period), unit])
        if ctx.stub.get_state(key):
            raise Duplicate(f"the order of {unit} for period {order.period}")
        ctx.put(key, stored)

    def _remember(self, ctx: Context, matches: list[Match], metered: dict[int, Reading]) -> None:
        """Every seller's stability, from what he generated of what was agreed."""
        shares: dict[str, list[int]] = {}
        for match in matches:
            generated = min(metered[match.number].generated, match.energy)
            share = _NEWCOMER * generated // match.energy
            shares.setdefault(unit_name(Role.SU, match.su_id), []).append(share)
        for unit, own in shares.items():
            known = _known(ctx, unit)
            ctx.put(
                _unit_key(ctx, unit),
                replace(known, shares=known.shares + sum(own), count=known.count + len(own)),
            )


def _check_readings(matches: list[Match], readings: list[Reading]) -> dict[int, Reading]:
    numbers = [match.number for match in matches]
    metered: dict[int, Reading] = {}
    for reading in readings:
        if reading.number not in numbers:
            raise NotFound(f"match {reading.number}")
        if reading.number in metered:
            raise Duplicate(f"the reading of match {reading.number}")
        if reading.used < 0 or reading.generated < 0:
            worst = min(reading.used, reading.generated)
            raise NegativeEnergy(f"reading of match {reading.number}", worst)
        metered[reading.number] = reading
    missing = [number for number in numbers if number not in metered]
    if missing:
        raise BadTerms("readings", f"no reading of match {missing[0]}")
    return metered


def _authorise(ctx: Context, role: Role) -> None:
    ask(ctx, AUTHENTICATION, "authorise", type(None), role.value)


def _key(ctx: Context, kind: str, period: int) -> str:
    if period < 0:
        raise BadTerms("period", f"{period} is negative")
    return ctx.stub.create_composite_key(kind, [str(period)])


def _unit_key(ctx: Context, unit: str) -> str:
    return ctx.stub.create_composite_key(_CREDIT, [unit])


def _known(ctx: Context, unit: str) -> KnownCredit:
    return ctx.get(_unit_key(ctx, unit), KnownCredit) or KnownCredit(unit)


def _at(ctx: Context, period: int, stage: Stage) -> Round:
    round_ = ctx.get(_key(ctx, _ROUND, period), Round)
    if round_ is None:
        raise NotFound(f"period {period}: the operator has not opened it")
    if round_.stage is not stage:
        raise WrongStage(period, f"it is {round_.stage.value}, not {stage.value}")
    return round_


def _matching(ctx: Context, period: int) -> Matching:
    matching = ctx.get(_key(ctx, _MATCHING, period), Matching)
    if matching is None:
        raise NotFound(f"matching of period {period}")
    return matching


def _book(ctx: Context, period: int) -> OrderBook:
    place = [str(period)]
    offers = ctx.stub.get_state_by_partial_composite_key(_OFFER, place)
    bids = ctx.stub.get_state_by_partial_composite_key(_BID, place)
    return OrderBook(
        sorted((ctx.decode(k, v, Offer) for k, v in offers), key=lambda offer: offer.su_id),
        sorted((ctx.decode(k, v, PlacedBid) for k, v in bids), key=lambda p: p.bid.bu_id),
    )
