"""Chaincode of the active distribution network: buying from suppliers (paper 004, 3.2).

Suppliers and users join under a name; the operator opens an interval; suppliers offer, users
say what they need.  After the interval is closed the operator hands in a purchase, found by the
particle swarm off the chain.  The ledger recomputes what it costs, the cap of eq. (7) and the
merit order's cost of the same quantity, refuses a purchase that breaks the one or misses the
other, and writes everybody's bill.  (Fabric counterpart: none.)
"""

from __future__ import annotations

from dataclasses import replace

from gridloom.chaincode import Context, Contract, transaction

from .distribution.purchase_faults import CapExceeded, TooDear
from .distribution.purchases import (
    FoundedDesk,
    Interval,
    Participant,
    Purchase,
    PurchaseTerms,
    SupplierOffer,
    UserDemand,
    bill,
    cost_of,
    standard,
    within_cap,
)
from .faults import (
    BadTerms,
    Duplicate,
    GateClosed,
    NegativeEnergy,
    NotEntitled,
    NotFound,
    NotOwner,
    WrongStage,
)
from .gate import transaction_time
from .roles import Role, demand_operator, demand_role

_DESK = "desk"
_INTERVAL = "interval"
_PARTICIPANT = "participant"
_OFFER = "offer"
_DEMAND = "demand"
_PURCHASE = "purchase"


class PowerPurchase(Contract):
    """The users' common purchase under the price cap."""

    name = "power_purchase"

    @transaction
    def found(self, ctx: Context, terms: PurchaseTerms) -> FoundedDesk:
        """Found the desk: the caller's organisation operates it from now on; once."""
        demand_role(ctx, Role.OPERATOR)
        if ctx.get(_DESK, FoundedDesk) is not None:
            raise Duplicate("the purchase desk")
        if terms.cap <= 0 or terms.slack < 0:
            raise BadTerms("terms", f"cap {terms.cap} must be > 0, slack {terms.slack} >= 0")
        founded = FoundedDesk(ctx.client_identity.msp_id, terms)
        ctx.put(_DESK, founded)
        return founded

    @transaction
    def join(self, ctx: Context, name: str, role: Role) -> Participant:
        """Take part as a supplier (SU) or a user (BU) under a name of one's own."""
        terms, who = _desk(ctx).terms, ctx.client_identity
        if not name:
            raise BadTerms("name", "is empty")
        if role not in (Role.SU, Role.BU):
            raise BadTerms("role", f"{role.value} neither sells nor buys")
        demand_role(ctx, role)
        if who.msp_id not in (terms.supplier_msps if role is Role.SU else terms.user_msps):
            raise NotEntitled(role.value, f"{who.msp_id} is not an organisation of that role")
        key = ctx.stub.create_composite_key(_PARTICIPANT, [name])
        if ctx.get(key, Participant) is not None:
            raise Duplicate(f"participant {name}")
        participant = Participant(name, role, who.msp_id, who.id)
        ctx.put(key, participant)
        return participant

    @transaction
    def open(self, ctx: Context, interval: int, closes_at: int) -> Interval:
        """Open an interval for offers and demands (operator only)."""
        demand_operator(ctx, _desk(ctx).operator_msp)
        if interval < 0:
            raise BadTerms("interval", f"{interval} is negative")
        if closes_at <= transaction_time(ctx):
            raise BadTerms("closes_at", f"{closes_at} is already past")
        key = _key(ctx, _INTERVAL, interval)
        if ctx.get(key, Interval) is not None:
            raise Duplicate(f"interval {interval}")
        opened = Interval(interval, closes_at, closed=False)
        ctx.put(key, opened)
        return opened

    @transaction
    def offer(self, ctx: Context, offer: SupplierOffer) -> None:
        """Offer energy (a supplier, in its own name); replaces its standing offer."""
        _demand_owner(ctx, offer.supplier, Role.SU)
        _demand_open(ctx, offer.interval)
        if offer.capacity < 0:
            raise NegativeEnergy(f"capacity of {offer.supplier}", offer.capacity)
        if min(offer.price, offer.transmission) < 0:
            raise BadTerms("price", f"{offer.price} and {offer.transmission} must be >= 0")
        ctx.put(_key(ctx, _OFFER, offer.interval, offer.supplier), offer)

    @transaction
    def demand(self, ctx: Context, demand: UserDemand) -> None:
        """Say what a user needs (in its own name); replaces what it said before."""
        _demand_owner(ctx, demand.user, Role.BU)
        _demand_open(ctx, demand.interval)
        if demand.energy < 0:
            raise NegativeEnergy(f"demand of {demand.user}", demand.energy)
        ctx.put(_key(ctx, _DEMAND, demand.interval, demand.user), demand)

    @transaction
    def close(self, ctx: Context, interval: int) -> Interval:
        """End an interval's offers and demands (operator only)."""
        demand_operator(ctx, _desk(ctx).operator_msp)
        opened = _interval(ctx, interval)
        if opened.closed:
            raise GateClosed(interval, "the operator has closed it")
        closed = replace(opened, closed=True)
        ctx.put(_key(ctx, _INTERVAL, interval), closed)
        return closed

    @transaction
    def purchase(self, ctx: Context, interval: int, energies: list[int]) -> Purchase:
        """Buy for all users of a closed interval (operator only); once.

        energies: Wh of each offer, suppliers in order of their names.  All of the demand that
        offers and cap admit must be bought.
        """
        demand_operator(ctx, _desk(ctx).operator_msp)
        if not _interval(ctx, interval).closed:
            raise WrongStage(interval, "it is still open, offers may change")
        key = _key(ctx, _PURCHASE, interval)
        if ctx.get(key, Purchase) is not None:
            raise Duplicate(f"the purchase of interval {interval}")
        offers, demands = _offers(ctx, interval), _demands(ctx, interval)
        bought = _judge(offers, demands, energies, _desk(ctx).terms, interval)
        ctx.put(key, bought)
        ctx.stub.set_event("Purchased", str(interval).encode())
        return bought

    @transaction("evaluate")
    def offers(self, ctx: Context, interval: int) -> list[SupplierOffer]:
        """An interval's offers, suppliers in order of their names."""
        return _offers(ctx, interval)

    @transaction("evaluate")
    def demands(self, ctx: Context, interval: int) -> list[UserDemand]:
        """An interval's demands, users in order of their names."""
        return _demands(ctx, interval)

    @transaction("evaluate")
    def bought(self, ctx: Context, interval: int) -> Purchase:
        """An interval's purchase."""
        found = ctx.get(_key(ctx, _PURCHASE, interval), Purchase)
        if found is None:
            raise NotFound(f"purchase of interval {interval} yet")
        return found


def _judge(
    offers: list[SupplierOffer],
    demands: list[UserDemand],
    energies: list[int],
    terms: PurchaseTerms,
    interval: int,
) -> Purchase:
    """The purchase with its bills; refuses one that should not be made."""
    if len(energies) != len(offers):
        raise BadTerms("energies", f"{len(energies)} entries for {len(offers)} offers")
    for offer, energy in zip(offers, energies, strict=True):
        if not 0 <= energy <= offer.capacity:
            reason = f"{energy} Wh of {offer.supplier} is not in [0, {offer.capacity}]"
            raise BadTerms("energies", reason)
    if not within_cap(offers, energies, terms.cap):
        raise CapExceeded(cost_of(offers, energies), sum(energies), terms.cap)
    exact = standard(offers, terms.cap)
    quantity = sum(energies)
    due = min(sum(demand.energy for demand in demands), exact.most)
    if quantity != due:
        raise BadTerms("energies", f"{quantity} Wh are bought where {due} Wh are due")
    cost = cost_of(offers, energies)
    if not exact.allows(cost, quantity, terms.slack):
        raise TooDear(cost, exact.cheapest(quantity))
    return bill(interval, offers, energies, demands, exact)


def _key(ctx: Context, kind: str, interval: int, *rest: str) -> str:
    return ctx.stub.create_composite_key(kind, [str(interval), *rest])


def _desk(ctx: Context) -> FoundedDesk:
    desk = ctx.get(_DESK, FoundedDesk)
    if desk is None:
        raise NotFound("purchase desk yet")
    return desk


def _demand_owner(ctx: Context, name: str, role: Role) -> None:
    """The caller must own the name and have joined in that role, which he still carries."""
    key = ctx.stub.create_composite_key(_PARTICIPANT, [name])
    participant, who = ctx.get(key, Participant), ctx.client_identity
    if participant is None:
        raise NotFound(f"participant {name}")
    if (participant.owner_msp, participant.owner_id) != (who.msp_id, who.id):
        raise NotOwner(name)
    if participant.role is not role:
        raise NotEntitled(role.value, f"{name} joined as {participant.role.value}")
    demand_role(ctx, role)


def _interval(ctx: Context, interval: int) -> Interval:
    found = ctx.get(_key(ctx, _INTERVAL, interval), Interval)
    if found is None:
        raise NotFound(f"interval {interval}: the operator has not opened it")
    return found


def _demand_open(ctx: Context, interval: int) -> None:
    opened = _interval(ctx, interval)
    if opened.closed:
        raise GateClosed(interval, "the operator has closed it")
    if transaction_time(ctx) >= opened.closes_at:
        raise GateClosed(interval, f"since Unix time {opened.closes_at}")


def _offers(ctx: Context, interval: int) -> list[SupplierOffer]:
    stored = ctx.stub.get_state_by_partial_composite_key(_OFFER, [str(interval)])
    found = [ctx.decode(key, value, SupplierOffer) for key, value in stored]
    return sorted(found, key=lambda offer: offer.supplier)


def _demands(ctx: Context, interval: int) -> list[UserDemand]:
    stored = ctx.stub.get_state_by_partial_composite_key(_DEMAND, [str(interval)])
    found = [ctx.decode(key, value, UserDemand) for key, value in stored]
    return sorted(found, key=lambda demand: demand.user)
