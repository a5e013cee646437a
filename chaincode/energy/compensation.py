"""Chaincode 4, compensation: the grid's part of an hour, and its settlement (Tables 6, 7).

balance: supply-and-demand compensation of the matched orders against the grid; meter:
error compensation once the grid's meters have spoken; settle: all transfers of the hour
added up, summing to zero.  Each step reads the ledger, not its caller.
(Fabric counterpart: none.)
"""

from __future__ import annotations

from gridloom.chaincode import Context, Contract, transaction

from .compensations import (
    HourBalance,
    HourErrors,
    PartyAccount,
    Reading,
    SellerError,
    Settlement,
)
from .faults import BadTerms, Duplicate, NegativeEnergy, NotFound, WrongStage
from .hour_accounts import grid_compensations, path_errors, seller_error, settle_hour
from .neighbours import AUTHENTICATION, MATCHMAKING, ask
from .roles import Role, unit_name
from .trades import HourMatch

_BALANCE = "balance"
_ERRORS = "errors"
_SETTLEMENT = "settlement"
_GRID_RECORD = "grid"
_ERROR_RECORD = "error"


class Compensation(Contract):
    """Compensation against the grid, and settlement."""

    name = "compensation"

    @transaction
    def balance(self, ctx: Context, delivery_time: int) -> HourBalance:
        """Settle with the grid what matchmaking left over or short (operator only)."""
        ask(ctx, AUTHENTICATION, "authorise", type(None), Role.OPERATOR.value)
        matched = _matched(ctx, delivery_time)
        key = _key(ctx, _BALANCE, delivery_time)
        if ctx.get(key, HourBalance) is not None:
            raise Duplicate(f"the balance of delivery hour {delivery_time}")
        records = grid_compensations(matched)
        hour_balance = HourBalance(delivery_time, records)
        ctx.put(key, hour_balance)
        for record in records:
            ctx.put(_key(ctx, _GRID_RECORD, delivery_time, record.party), record)
        return hour_balance

    @transaction
    def meter(self, ctx: Context, delivery_time: int, readings: list[Reading]) -> HourErrors:
        """Compare what sellers fed in with what they agreed (grid only); once.

        readings: exactly one for each seller of the hour.
        """
        ask(ctx, AUTHENTICATION, "authorise", type(None), Role.GRID.value)
        matched = _matched(ctx, delivery_time)
        key = _key(ctx, _ERRORS, delivery_time)
        if ctx.get(key, HourErrors) is not None:
            raise Duplicate(f"the metering of delivery hour {delivery_time}")
        errors = _errors(ctx, matched, readings)
        ctx.put(key, errors)
        for error in errors.paths:
            pair = (str(error.su_id), str(error.bu_id))
            ctx.put(_key(ctx, _ERROR_RECORD, delivery_time, *pair), error)
        return errors

    @transaction
    def settle(self, ctx: Context, delivery_time: int) -> Settlement:
        """Close the hour's accounts (operator only); once, after balance and meter."""
        ask(ctx, AUTHENTICATION, "authorise", type(None), Role.OPERATOR.value)
        key = _key(ctx, _SETTLEMENT, delivery_time)
        if ctx.get(key, Settlement) is not None:
            raise Duplicate(f"the settlement of delivery hour {delivery_time}")
        hour_balance = ctx.get(_key(ctx, _BALANCE, delivery_time), HourBalance)
        errors = ctx.get(_key(ctx, _ERRORS, delivery_time), HourErrors)
        if hour_balance is None:
            raise WrongStage(delivery_time, "it has not been balanced against the grid")
        if errors is None:
            raise WrongStage(delivery_time, "its meters have not been read")
        matched = _matched(ctx, delivery_time)
        settlement = settle_hour(matched, hour_balance, errors)
        ctx.put(key, settlement)
        ctx.stub.set_event("HourSettled", str(delivery_time).encode())
        return settlement

    @transaction("evaluate")
    def settlement(self, ctx: Context, delivery_time: int) -> Settlement:
        """A settled hour."""
        found = ctx.get(_key(ctx, _SETTLEMENT, delivery_time), Settlement)
        if found is None:
            raise NotFound(f"settlement of delivery hour {delivery_time} yet")
        return found

    @transaction("evaluate")
    def statement(self, ctx: Context, party: str) -> PartyAccount:
        """A party's accounts (BU3, SU1, grid) over all settled hours."""
        stored = ctx.stub.get_state_by_partial_composite_key(_SETTLEMENT, [])
        accounts = [
            account
            for key, value in stored
            for account in ctx.decode(key, value, Settlement).accounts
            if account.party == party
        ]
        energy = sum(account.energy for account in accounts)
        return PartyAccount(party, energy, sum(account.amount for account in accounts))


def _matched(ctx: Context, delivery_time: int) -> HourMatch:
    return ask(ctx, MATCHMAKING, "hour_match", HourMatch, str(delivery_time))


def _key(ctx: Context, kind: str, delivery_time: int, *rest: str) -> str:
    return ctx.stub.create_composite_key(kind, [str(delivery_time), *rest])


def _errors(ctx: Context, matched: HourMatch, readings: list[Reading]) -> HourErrors:
    """Error compensation of every seller, and of every path (with its record's hash)."""
    metered = _check_readings(matched, readings)
    sellers: list[SellerError] = []
    for share in matched.sellers:
        sellers.append(seller_error(matched, share, metered[share.unit_id]))
    records = {(path.su_id, path.bu_id): ctx.encode("path", path) for path in matched.paths}
    paths = [error for seller in sellers for error in path_errors(matched, seller, records)]
    return HourErrors(matched.delivery_time, sellers, paths)


def _check_readings(matched: HourMatch, readings: list[Reading]) -> dict[int, int]:
    metered: dict[int, int] = {}
    expected = {share.unit_id for share in matched.sellers}
    for reading in readings:
        name = unit_name(Role.SU, reading.su_id)
        if reading.su_id not in expected:
            raise NotFound(f"supply of {name} in delivery hour {matched.delivery_time}")
        if reading.su_id in metered:
            raise Duplicate(f"the reading of {name}")
        if reading.actual < 0:
            raise NegativeEnergy(f"reading of {name}", reading.actual)
        metered[reading.su_id] = reading.actual
    missing = sorted(expected - metered.keys())
    if missing:
        names = ", ".join(unit_name(Role.SU, unit_id) for unit_id in missing)
        raise BadTerms("readings", f"no reading of {names}")
    return metered
