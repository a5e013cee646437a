"""Chaincode 2, energy units: demand and supply for a delivery hour (Tables 3 and 4).

The operator opens hours and closes their gates; between, admitted units publish, modify
and withdraw one order each, signed by their own key.  Every order has its own key on the
ledger, so units never get in each other's way.  (Fabric counterpart: none.)
"""

from __future__ import annotations

from dataclasses import replace

from gridloom.chaincode import Context, Contract, transaction

from .faults import (
    BadSignature,
    BadTerms,
    Duplicate,
    GateClosed,
    NegativeEnergy,
    NotFound,
    PriceOutOfRange,
)
from .gate import check_terms, demand_open_gate, hour_key, read_hour
from .neighbours import AUTHENTICATION, ask
from .order_text import Action, is_signed_by, order_text
from .orders import Book, Demand, Hour, HourTerms, OrderFacts, Supply, facts_of
from .qualifications import Unit
from .roles import Role, unit_name

_DEMAND = "demand"
_SUPPLY = "supply"


class EnergyUnits(Contract):
    """The order book of buying and selling units."""

    name = "energy_units"

    @transaction
    def open_hours(self, ctx: Context, hours: list[HourTerms]) -> None:
        """Open delivery hours for orders (operator only)."""
        ask(ctx, AUTHENTICATION, "authorise", type(None), Role.OPERATOR.value)
        seen: list[int] = []
        for terms in hours:
            check_terms(ctx, terms)
            key = hour_key(ctx, terms.delivery_time)
            if terms.delivery_time in seen or ctx.get(key, Hour) is not None:
                raise Duplicate(f"delivery hour {terms.delivery_time}")
            seen.append(terms.delivery_time)
            ctx.put(key, Hour(terms, closed=False))

    @transaction
    def close_hour(self, ctx: Context, delivery_time: int) -> Hour:
        """Shut the gate of an hour for good (operator only)."""
        ask(ctx, AUTHENTICATION, "authorise", type(None), Role.OPERATOR.value)
        hour = read_hour(ctx, delivery_time)
        if hour.closed:
            raise GateClosed(delivery_time, "the operator has closed it")
        closed = replace(hour, closed=True)
        ctx.put(hour_key(ctx, delivery_time), closed)
        return closed

    @transaction
    def publish_demand(self, ctx: Context, order: Demand) -> None:
        """Order energy for an hour (the buying unit itself)."""
        self._write(ctx, Action.PUBLISH, order)

    @transaction
    def publish_supply(self, ctx: Context, order: Supply) -> None:
        """Offer energy for an hour (the selling unit itself)."""
        self._write(ctx, Action.PUBLISH, order)

    @transaction
    def modify_demand(self, ctx: Context, order: Demand) -> None:
        """Replace one's standing demand."""
        self._write(ctx, Action.MODIFY, order)

    @transaction
    def modify_supply(self, ctx: Context, order: Supply) -> None:
        """Replace one's standing supply."""
        self._write(ctx, Action.MODIFY, order)

    @transaction
    def withdraw_demand(self, ctx: Context, order: Demand) -> None:
        """Take one's demand back; order repeats it with the next revision."""
        self._write(ctx, Action.WITHDRAW, order)

    @transaction
    def withdraw_supply(self, ctx: Context, order: Supply) -> None:
        """Take one's supply back; order repeats it with the next revision."""
        self._write(ctx, Action.WITHDRAW, order)

    @transaction("evaluate")
    def hour(self, ctx: Context, delivery_time: int) -> Hour:
        """A delivery hour."""
        return read_hour(ctx, delivery_time)

    @transaction("evaluate")
    def book(self, ctx: Context, delivery_time: int) -> Book:
        """The standing orders of an hour."""
        hour = read_hour(ctx, delivery_time)
        span = [str(delivery_time)]
        demands = [
            ctx.decode(key, value, Demand)
            for key, value in ctx.stub.get_state_by_partial_composite_key(_DEMAND, span)
        ]
        supplies = [
            ctx.decode(key, value, Supply)
            for key, value in ctx.stub.get_state_by_partial_composite_key(_SUPPLY, span)
        ]
        return Book(
            hour,
            sorted((d for d in demands if not d.withdrawn), key=lambda order: order.bu_id),
            sorted((s for s in supplies if not s.withdrawn), key=lambda order: order.su_id),
        )

    def _write(self, ctx: Context, action: Action, order: Demand | Supply) -> None:
        facts = facts_of(order)
        hour = demand_open_gate(ctx, facts.delivery_time)
        unit = ask(ctx, AUTHENTICATION, "qualify", Unit, facts.role.value, str(facts.unit_id))
        _check_content(ctx, action, facts, unit)
        if not hour.terms.grid.admits(facts.price):
            raise PriceOutOfRange(facts.price, hour.terms.grid)
        key = _order_key(ctx, facts)
        _check_revision(action, facts, ctx.get(key, type(order)))
        ctx.put(key, replace(order, withdrawn=action is Action.WITHDRAW))


def _order_key(ctx: Context, facts: OrderFacts) -> str:
    kind = _DEMAND if facts.role is Role.BU else _SUPPLY
    return ctx.stub.create_composite_key(kind, [str(facts.delivery_time), str(facts.unit_id)])


def _check_content(ctx: Context, action: Action, facts: OrderFacts, unit: Unit) -> None:
    if facts.energy < 0:
        raise NegativeEnergy(f"order of {facts.unit}", facts.energy)
    if facts.address != unit.address:
        raise BadTerms("address", f"{facts.address!r} is not the account of {facts.unit}")
    text = order_text(
        channel=ctx.stub.get_channel_id(),
        action=action,
        unit=facts.unit,
        address=facts.address,
        delivery_time=facts.delivery_time,
        energy=facts.energy,
        price=facts.price,
        revision=facts.revision,
    )
    if not is_signed_by(unit.public_key, text, facts.signature):
        raise BadSignature(facts.unit, facts.delivery_time)


def _check_revision(action: Action, facts: OrderFacts, standing: Demand | Supply | None) -> None:
    name = f"order of {unit_name(facts.role, facts.unit_id)} for hour {facts.delivery_time}"
    if action is Action.PUBLISH:
        if standing is not None and not standing.withdrawn:
            raise Duplicate(f"the {name}")
    elif standing is None or standing.withdrawn:
        raise NotFound(f"{name} to {action.value}")
    following = 0 if standing is None else standing.revision + 1
    if facts.revision != following:
        raise BadTerms("revision", f"is {facts.revision}, the next one is {following}")
