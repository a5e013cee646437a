"""When orders for a delivery hour are taken: by what the ledger carries, no clock.

An hour's gate shuts when the operator closes it, or for a transaction whose own timestamp
is not before the closing time.  A client may set its timestamp back; the operator's close
is what ends the matter, and matchmaking waits for it.
(Fabric counterpart: none; the timestamp is the channel header's.)
"""

from __future__ import annotations

from gridloom.chaincode import Context

from .faults import BadTerms, GateClosed, NotFound
from .orders import Hour, HourTerms

_HOUR = "hour"


def transaction_time(ctx: Context) -> int:
    """Unix time in seconds, as the transaction itself says."""
    return int(ctx.stub.get_tx_timestamp().timestamp())


def hour_key(ctx: Context, delivery_time: int) -> str:
    """The ledger key of a delivery hour."""
    if delivery_time < 0:
        raise BadTerms("delivery_time", f"{delivery_time} is negative")
    return ctx.stub.create_composite_key(_HOUR, [str(delivery_time)])


def read_hour(ctx: Context, delivery_time: int) -> Hour:
    """The hour; NotFound if it was never opened."""
    hour = ctx.get(hour_key(ctx, delivery_time), Hour)
    if hour is None:
        raise NotFound(f"delivery hour {delivery_time}: the operator has not opened it")
    return hour


def demand_open_gate(ctx: Context, delivery_time: int) -> Hour:
    """The hour, if it takes this transaction's order; else GateClosed."""
    hour = read_hour(ctx, delivery_time)
    if hour.closed:
        raise GateClosed(delivery_time, "the operator has closed it")
    if transaction_time(ctx) >= hour.terms.gate_closes_at:
        raise GateClosed(delivery_time, f"since Unix time {hour.terms.gate_closes_at}")
    return hour


def check_terms(ctx: Context, terms: HourTerms) -> None:
    """BadTerms unless 0 < p_s < p_b and the gate closes after this transaction."""
    if not 0 < terms.grid_sell_price < terms.grid_buy_price:
        prices = f"{terms.grid_sell_price} and {terms.grid_buy_price}"
        raise BadTerms("grid_sell_price", f"0 < p_s < p_b does not hold for {prices}")
    if terms.gate_closes_at <= transaction_time(ctx):
        raise BadTerms("gate_closes_at", f"{terms.gate_closes_at} is already past")
