"""Chaincode of the learning market (paper 002): quotes, targets, orders, credit reports.

The operator founds the market and admits parties; for every hour he opens its three stages one
after another.  Parties quote within their bidding space; the operator announces the prices
that the colony found, and the ledger works out itself what they are worth to the three sides
and whether they are an equilibrium.  After a stage is closed the ledger matches its quotes by
the k-d tree and writes the orders.  The grid's meters judge them; every violation goes into
the party's credit report.  (Fabric counterpart: none.)
"""

from __future__ import annotations

from dataclasses import replace

from gridloom.chaincode import Context, Contract, transaction

from .faults import (
    BadTerms,
    Duplicate,
    NegativeEnergy,
    NotApproved,
    NotEntitled,
    NotFound,
    NotOwner,
    WrongStage,
)
from .gate import transaction_time
from .learning.appraisal import appraise, check_terms
from .learning.auction_faults import OutsideBounds, StageClosed
from .learning.credit import CreditReport, Execution, Reading, judge, report
from .learning.matching import SmartOrder, Yardstick, match
from .learning.parties import Flow, Founded, Kind, Party, Side, Terms
from .learning.stages import Asked, Forecast, Quote, Stage, Targets, Window
from .roles import Role, demand_operator, demand_role

_MARKET = "market"
_PARTY = "party"
_WINDOW = "window"
_QUOTE = "quote"
_TARGETS = "targets"
_ORDERS = "orders"
_EXECUTION = "execution"


class AutomaticAuction(Contract):
    """Automatic trading of quotes near the target prices."""

    name = "automatic_auction"

    @transaction
    def found(self, ctx: Context, terms: Terms) -> Founded:
        """Found the market: the caller's organisation operates it from now on; once."""
        demand_role(ctx, Role.OPERATOR)
        if ctx.get(_MARKET, Founded) is not None:
            raise Duplicate("the market")
        check_terms(terms)
        founded = Founded(ctx.client_identity.msp_id, terms)
        ctx.put(_MARKET, founded)
        return founded

    @transaction
    def join(self, ctx: Context, name: str, kind: Kind) -> Party:
        """Apply as a party; the certificate must carry the kind as its role."""
        terms = _market(ctx).terms
        demand_role(ctx, kind)
        who = ctx.client_identity
        if who.msp_id != terms.society(kind).msp_id:
            raise NotEntitled(kind.value, f"{who.msp_id} is not its organisation")
        if not name:
            raise BadTerms("name", "is empty")
        key = ctx.stub.create_composite_key(_PARTY, [name])
        if ctx.get(key, Party) is not None:
            raise Duplicate(f"party {name}")
        party = Party(name, kind, who.msp_id, who.id, admitted=False)
        ctx.put(key, party)
        return party

    @transaction
    def admit(self, ctx: Context, names: list[str]) -> None:
        """Admit parties after auditing them (operator only)."""
        demand_operator(ctx, _market(ctx).operator_msp)
        for name in names:
            party = _party(ctx, name)
            key = ctx.stub.create_composite_key(_PARTY, [name])
            ctx.put(key, replace(party, admitted=True))

    @transaction
    def open_stage(self, ctx: Context, hour: int, stage: Stage, closes_at: int) -> Window:
        """Open a stage of an hour for quotes (operator only); the one before must be closed."""
        demand_operator(ctx, _market(ctx).operator_msp)
        if hour < 0:
            raise BadTerms("hour", f"{hour} is negative")
        if closes_at <= transaction_time(ctx):
            raise BadTerms("closes_at", f"{closes_at} is already past")
        key = _key(ctx, _WINDOW, hour, stage)
        if ctx.get(key, Window) is not None:
            raise Duplicate(f"the {stage.value} stage of hour {hour}")
        if stage.before is not None and not _window(ctx, hour, stage.before).closed:
            raise WrongStage(hour, f"the {stage.before.value} stage is still open")
        window = Window(hour, stage, closes_at, closed=False)
        ctx.put(key, window)
        return window

    @transaction
    def quote(self, ctx: Context, quote: Quote) -> None:
        """Quote for a flow (the party itself); a later revision replaces the standing one."""
        party = _own_party(ctx, quote.party)
        window = _window(ctx, quote.hour, quote.stage)
        if window.closed or transaction_time(ctx) >= window.closes_at:
            raise StageClosed(quote.hour, quote.stage.value)
        end = quote.flow.seller if quote.side is Side.SELL else quote.flow.buyer
        if party.kind is not end:
            reason = f"a {party.kind.value} does not {quote.side.value} in {quote.flow.value}"
            raise BadTerms("flow", reason)
        if quote.energy <= 0:
            raise NegativeEnergy(f"quote of {quote.party} (zero is none)", quote.energy)
        bounds = _market(ctx).terms.society(party.kind).bounds
        if not bounds.admits(quote.price):
            raise OutsideBounds(f"quote of {quote.party}", quote.price, bounds)
        key = _key(ctx, _QUOTE, quote.hour, quote.stage, quote.flow.value, quote.party)
        standing = ctx.get(key, Quote)
        following = 0 if standing is None else standing.revision + 1
        if quote.revision != following:
            raise BadTerms("revision", f"is {quote.revision}, the next one is {following}")
        ctx.put(key, quote)

    @transaction
    def announce(
        self, ctx: Context, hour: int, stage: Stage, forecast: Forecast, prices: Asked
    ) -> Targets:
        """Announce a stage's target prices while it is open (operator only); once.

        The ledger dispatches the forecast, prices exactly the flows that there are, and
        refuses prices outside the sellers' bounds or, with a game, away from equilibrium.
        """
        demand_operator(ctx, _market(ctx).operator_msp)
        if _window(ctx, hour, stage).closed:
            raise StageClosed(hour, stage.value)
        key = _key(ctx, _TARGETS, hour, stage)
        if ctx.get(key, Targets) is not None:
            raise Duplicate(f"the target prices of hour {hour}, {stage.value}")
        terms = _market(ctx).terms
        targets = appraise(hour, stage, forecast, prices, terms)
        ctx.put(key, targets)
        return targets

    @transaction
    def close_stage(self, ctx: Context, hour: int, stage: Stage) -> list[SmartOrder]:
        """End a stage and turn its quotes into orders, flow by flow (operator only); once."""
        demand_operator(ctx, _market(ctx).operator_msp)
        window = _window(ctx, hour, stage)
        if window.closed:
            raise StageClosed(hour, stage.value)
        targets = ctx.get(_key(ctx, _TARGETS, hour, stage), Targets)
        if targets is None:
            raise WrongStage(hour, f"no target prices of the {stage.value} stage yet")
        terms = _market(ctx).terms
        yardstick = Yardstick(terms.price_scale, terms.energy_scale)
        quotes = _quotes(ctx, hour, stage)
        orders: list[SmartOrder] = []
        for flow in Flow:
            target = targets.prices.of(flow)
            own = [quote for quote in quotes if quote.flow is flow]
            offers = [quote for quote in own if quote.side is Side.SELL]
            bids = [quote for quote in own if quote.side is Side.BUY]
            if target is not None:
                orders += match(offers, bids, target, yardstick, terms.subsidy)
        ctx.put(_key(ctx, _WINDOW, hour, stage), replace(window, closed=True))
        ctx.put(_key(ctx, _ORDERS, hour, stage), orders)
        ctx.stub.set_event("OrdersMade", f"{hour} {stage.value}".encode())
        return orders

    @transaction
    def meter(self, ctx: Context, hour: int, readings: list[Reading]) -> Execution:
        """Judge an hour's orders by the meters (grid of the bureau's organisation); once.

        readings: exactly one for each party to an order of the hour.
        """
        demand_role(ctx, Role.GRID)
        if ctx.client_identity.msp_id != _market(ctx).terms.bureau.msp_id:
            raise NotEntitled(Role.GRID.value, "the meters are the bureau's organisation's")
        if not _window(ctx, hour, Stage.REAL_TIME).closed:
            raise WrongStage(hour, "its real-time stage is still open")
        key = ctx.stub.create_composite_key(_EXECUTION, [str(hour)])
        if ctx.get(key, Execution) is not None:
            raise Duplicate(f"the metering of hour {hour}")
        orders = _orders(ctx, hour)
        execution = judge(hour, orders, _by_party(orders, readings))
        ctx.put(key, execution)
        return execution

    @transaction("evaluate")
    def orders(self, ctx: Context, hour: int) -> list[SmartOrder]:
        """Every order of an hour, stage by stage."""
        return _orders(ctx, hour)

    @transaction("evaluate")
    def targets(self, ctx: Context, hour: int, stage: Stage) -> Targets:
        """A stage's target prices and what they are worth."""
        found = ctx.get(_key(ctx, _TARGETS, hour, stage), Targets)
        if found is None:
            raise NotFound(f"target price of hour {hour}, {stage.value}, yet")
        return found

    @transaction("evaluate")
    def parties(self, ctx: Context) -> list[Party]:
        """Every party by name."""
        stored = ctx.stub.get_state_by_partial_composite_key(_PARTY, [])
        found = [ctx.decode(key, value, Party) for key, value in stored]
        return sorted(found, key=lambda party: party.name)

    @transaction("evaluate")
    def credit_report(self, ctx: Context, name: str) -> CreditReport:
        """What a party kept and violated, over all judged hours."""
        _party(ctx, name)
        stored = ctx.stub.get_state_by_partial_composite_key(_EXECUTION, [])
        executions = [ctx.decode(key, value, Execution) for key, value in stored]
        return report(name, sorted(executions, key=lambda execution: execution.hour))


def _market(ctx: Context) -> Founded:
    market = ctx.get(_MARKET, Founded)
    if market is None:
        raise NotFound("market yet")
    return market


def _party(ctx: Context, name: str) -> Party:
    party = ctx.get(ctx.stub.create_composite_key(_PARTY, [name]), Party)
    if party is None:
        raise NotFound(f"party {name}")
    return party


def _own_party(ctx: Context, name: str) -> Party:
    party, who = _party(ctx, name), ctx.client_identity
    if (party.owner_msp, party.owner_id) != (who.msp_id, who.id):
        raise NotOwner(name)
    if not party.admitted:
        raise NotApproved(name)
    return party


def _key(ctx: Context, kind: str, hour: int, stage: Stage, *rest: str) -> str:
    return ctx.stub.create_composite_key(kind, [str(hour), stage.value, *rest])


def _window(ctx: Context, hour: int, stage: Stage) -> Window:
    window = ctx.get(_key(ctx, _WINDOW, hour, stage), Window)
    if window is None:
        raise NotFound(f"{stage.value} stage of hour {hour} yet")
    return window


def _quotes(ctx: Context, hour: int, stage: Stage) -> list[Quote]:
    span = [str(hour), stage.value]
    stored = ctx.stub.get_state_by_partial_composite_key(_QUOTE, span)
    return [ctx.decode(key, value, Quote) for key, value in stored]


def _orders(ctx: Context, hour: int) -> list[SmartOrder]:
    found: list[SmartOrder] = []
    for stage in Stage:
        found += ctx.get(_key(ctx, _ORDERS, hour, stage), list[SmartOrder]) or []
    return found


def _by_party(orders: list[SmartOrder], readings: list[Reading]) -> dict[str, Reading]:
    expected = {order.seller for order in orders} | {order.buyer for order in orders}
    found: dict[str, Reading] = {}
    for reading in readings:
        if reading.party not in expected:
            raise NotFound(f"order of {reading.party} in that hour")
        if reading.party in found:
            raise Duplicate(f"the reading of {reading.party}")
        if min(reading.delivered, reading.taken) < 0:
            worst = min(reading.delivered, reading.taken)
            raise NegativeEnergy(f"reading of {reading.party}", worst)
        found[reading.party] = reading
    missing = sorted(expected - found.keys())
    if missing:
        raise BadTerms("readings", f"no reading of {', '.join(missing)}")
    return found
