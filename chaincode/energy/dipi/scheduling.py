"""Chaincode dipi_scheduling on channel DU1: volumes, checks, the record of what happened.

Steps 1, 3, 4 and 5 of the cycle, from the side of the dispatchers.  What JY1 reports is
recomputed from DU1's own schedule.  (Fabric counterpart: none.)
"""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

from gridloom.chaincode import Context, Contract, transaction

from ..faults import BadTerms, Duplicate, NegativeEnergy, NotFound, WrongStage
from ..neighbours import AUTHENTICATION, ask
from ..roles import Role
from .digest import digest_of
from .records import (
    Check,
    Expectation,
    GridTerms,
    LinePlan,
    Match,
    PeriodRecord,
    Reading,
    Schedule,
    SettledTrade,
)
from .trade_settlement import settle_match

T = TypeVar("T")

_SCHEDULE = "schedule"
_CHECK = "check"
_EXPECTATION = "expectation"
_CONTRACTS = "contracts"
_RECORD = "record"


class DipiScheduling(Contract):
    """The scheduling chain."""

    name = "dipi_scheduling"

    @transaction
    def plan(self, ctx: Context, period: int, lines: list[LinePlan], terms: GridTerms) -> Schedule:
        """Step 1: what is left on the lines may be traded in the period (operator only)."""
        _authorise(ctx)
        if not 0 <= terms.buyback < terms.retail or terms.wheeling < 0:
            prices = f"{terms.buyback}, {terms.retail}, {terms.wheeling}"
            raise BadTerms("terms", f"buyback < retail and wheeling >= 0 do not hold for {prices}")
        for line in lines:
            if line.capacity < 0 or line.planned < 0:
                raise NegativeEnergy(f"line {line.line}", min(line.capacity, line.planned))
        if len({line.line for line in lines}) != len(lines):
            raise Duplicate("a line of the plan")
        volume = sum(max(line.capacity - line.planned, 0) for line in lines)
        schedule = Schedule(period, volume, terms)
        _once(ctx, _SCHEDULE, period, "the schedule")
        ctx.put(_key(ctx, _SCHEDULE, period), schedule)
        return schedule

    @transaction
    def check(self, ctx: Context, period: int, matches: list[Match]) -> Check:
        """Step 3: whether a matching can be executed; the answer is on record."""
        _authorise(ctx)
        schedule = _read(ctx, _SCHEDULE, period, Schedule)
        _once(ctx, _CHECK, period, "the check")
        reason = _obstacle(schedule, matches)
        checked = Check(period, digest_of(period, matches), not reason, reason)
        ctx.put(_key(ctx, _CHECK, period), checked)
        return checked

    @transaction
    def expect(self, ctx: Context, period: int, matches: list[Match]) -> Expectation:
        """Step 5: take note of the executed contracts, which must be those checked."""
        _authorise(ctx)
        checked = _read(ctx, _CHECK, period, Check)
        if not checked.executable or digest_of(period, matches) != checked.digest:
            raise WrongStage(period, "these contracts are not the ones found executable")
        _once(ctx, _EXPECTATION, period, "the expectation")
        expected = Expectation(period, sum(match.energy for match in matches))
        ctx.put(_key(ctx, _EXPECTATION, period), expected)
        ctx.put(_key(ctx, _CONTRACTS, period), matches)
        return expected

    @transaction
    def record(self, ctx: Context, period: int, trades: list[SettledTrade]) -> PeriodRecord:
        """Step 4 of the next period: record what was traded; every bill is recomputed."""
        _authorise(ctx)
        schedule = _read(ctx, _SCHEDULE, period, Schedule)
        expected = _read(ctx, _EXPECTATION, period, Expectation)
        _once(ctx, _RECORD, period, "the record")
        contracts = _read(ctx, _CONTRACTS, period, list[Match])
        if len(trades) != len(contracts):
            raise BadTerms("trades", f"are {len(trades)}, the contracts {len(contracts)}")
        for match, trade in zip(contracts, trades, strict=True):
            reading = Reading(match.number, trade.used, trade.generated)
            if min(trade.used, trade.generated) < 0:
                raise NegativeEnergy(f"trade {match.number}", min(trade.used, trade.generated))
            if settle_match(match, reading, schedule.terms) != trade:
                reason = "is not what its contract and the rule give"
                raise BadTerms(f"trades: {match.number}", reason)
        deviation = sum(
            abs(trade.used - trade.agreed) + abs(trade.generated - trade.agreed) for trade in trades
        )
        ctx.put(_key(ctx, _EXPECTATION, period), replace(expected, deviation=deviation))
        recorded = PeriodRecord(period, trades, digest_of(period, trades))
        ctx.put(_key(ctx, _RECORD, period), recorded)
        return recorded

    @transaction("evaluate")
    def schedule(self, ctx: Context, period: int) -> Schedule:
        """A period's schedule."""
        return _read(ctx, _SCHEDULE, period, Schedule)

    @transaction("evaluate")
    def expectation(self, ctx: Context, period: int) -> Expectation:
        """What was expected of a period, and how it came out."""
        return _read(ctx, _EXPECTATION, period, Expectation)


def _obstacle(schedule: Schedule, matches: list[Match]) -> str:
    total = sum(match.energy for match in matches)
    if any(match.energy <= 0 for match in matches):
        return "a match carries no energy"
    if total > schedule.volume:
        return f"{total} Wh are matched, {schedule.volume} Wh are scheduled"
    return ""


def _authorise(ctx: Context) -> None:
    ask(ctx, AUTHENTICATION, "authorise", type(None), Role.OPERATOR.value)


def _key(ctx: Context, kind: str, period: int) -> str:
    if period < 0:
        raise BadTerms("period", f"{period} is negative")
    return ctx.stub.create_composite_key(kind, [str(period)])


def _once(ctx: Context, kind: str, period: int, what: str) -> None:
    if ctx.stub.get_state(_key(ctx, kind, period)):
        raise Duplicate(f"{what} of period {period}")


def _read(ctx: Context, kind: str, period: int, type_: type[T]) -> T:
    found = ctx.get(_key(ctx, kind, period), type_)
    if found is None:
        raise NotFound(f"{kind} of period {period}")
    return found
