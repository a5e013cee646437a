"""A day of the learning market, hour by hour and stage by stage, without a network.

In each stage the colony finds the target prices for what is then known; the parties quote what
is still to be traded; the ledger's own rules match the quotes and, after the last stage, judge
the orders by what came.  Between a seller and a single buyer the buyer bids the target; users
bid at random between the seller's lowest price and their own highest [X: the paper's quotes are
not given].  (Paper 002, II.B-D; Fabric counterpart: none.)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from gridloom.chaincode.energy.learning.credit import Execution, Reading, judge
from gridloom.chaincode.energy.learning.flows import dispatch
from gridloom.chaincode.energy.learning.matching import SmartOrder, Yardstick, match
from gridloom.chaincode.energy.learning.parties import Flow, Kind, Side, Terms
from gridloom.chaincode.energy.learning.payments import Account
from gridloom.chaincode.energy.learning.stages import Quote, Stage

from .profiles import HourData
from .targets import Found, PriceSearch

COMPANY, BUREAU = "company", "bureau"
_SINGLE = {Kind.COMPANY: COMPANY, Kind.BUREAU: BUREAU}


@dataclass(frozen=True, slots=True)
class StageResult:
    """A stage's targets, quotes and orders."""

    stage: Stage
    found: Found
    quotes: tuple[Quote, ...]
    orders: tuple[SmartOrder, ...]


@dataclass(frozen=True, slots=True)
class HourResult:
    """An hour after its last stage and its metering."""

    data: HourData
    stages: tuple[StageResult, ...]
    readings: tuple[Reading, ...]
    execution: Execution

    @property
    def orders(self) -> tuple[SmartOrder, ...]:
        """Every order of the hour, stage by stage."""
        return tuple(order for stage in self.stages for order in stage.orders)

    @property
    def account(self) -> Account:
        """Micro-yuan earned by company and bureau, and paid by users; it sums to zero."""
        money = dict.fromkeys(Flow, 0)
        for order in self.orders:
            money[order.flow] += order.amount
        return Account(
            company=money[Flow.GU] + money[Flow.GC] - money[Flow.CG],
            bureau=money[Flow.CU] + money[Flow.CG] - money[Flow.GC],
            users=money[Flow.GU] + money[Flow.CU],
        )

    def traded(self, flow: Flow) -> int:
        """Wh ordered in a flow."""
        return sum(order.energy for order in self.orders if order.flow is flow)


def user_name(number: int) -> str:
    """The users' names: user1, user2, ..."""
    return f"user{number}"


def trade_day(
    day: Sequence[HourData],
    search: PriceSearch,
    rng: Callable[[int], np.random.Generator],
    progress: Callable[[int], None] = lambda hours: None,
) -> tuple[HourResult, ...]:
    """Trade every hour; rng: a generator of its own for each hour; progress: hours done."""
    results = []
    for data in day:
        results.append(_trade_hour(data, search, rng(data.hour)))
        progress(len(results))
    return tuple(results)


def _trade_hour(data: HourData, search: PriceSearch, rng: np.random.Generator) -> HourResult:
    stages: list[StageResult] = []
    orders: list[SmartOrder] = []
    for stage in Stage:
        found = search.find(data.known[stage], rng)
        quotes = _Bidding(data, search.terms, rng).quotes(stage, found, orders)
        made = _orders(quotes, found, search.terms)
        orders += made
        stages.append(StageResult(stage, found, tuple(quotes), tuple(made)))
    readings = _readings(data, orders)
    execution = judge(data.hour, orders, {reading.party: reading for reading in readings})
    return HourResult(data, tuple(stages), tuple(readings), execution)


def _orders(quotes: Sequence[Quote], found: Found, terms: Terms) -> list[SmartOrder]:
    """What the ledger will make of the quotes."""
    yardstick = Yardstick(terms.price_scale, terms.energy_scale)
    orders: list[SmartOrder] = []
    for flow in Flow:
        own = [quote for quote in quotes if quote.flow is flow]
        offers = [quote for quote in own if quote.side is Side.SELL]
        bids = [quote for quote in own if quote.side is Side.BUY]
        target = found.prices.of(flow)
        if target is not None:
            orders += match(offers, bids, target, yardstick, terms.subsidy)
    return orders


@dataclass(frozen=True, slots=True)
class _Bidding:
    """How the parties quote in an hour."""

    data: HourData
    terms: Terms
    rng: np.random.Generator

    def quotes(self, stage: Stage, found: Found, orders: Sequence[SmartOrder]) -> list[Quote]:
        """What every party still has to sell or buy, as it is known in the stage."""
        known = self.data.known[stage]
        flows = dispatch(known.generation, known.load, known.demand, known.bureau)
        quotes: list[Quote] = []
        for flow, energy in zip(Flow, flows[:4], strict=True):
            target = found.prices.of(flow)
            left = energy - sum(order.energy for order in orders if order.flow is flow)
            if target is None or left <= 0:
                continue
            lowest = self.terms.society(flow.seller).bounds.low
            seller = _SINGLE[flow.seller]
            offer = Quote(seller, self.data.hour, stage, flow, Side.SELL, left, lowest, 0)
            bid = replace(offer, side=Side.BUY, price=target)
            quotes.append(offer)
            if flow.buyer is Kind.USER:
                share = Fraction(energy, known.demand)
                quotes += self._user_bids(replace(bid, price=lowest), share, orders)
            else:
                quotes.append(replace(bid, party=_SINGLE[flow.buyer]))
        return quotes

    def _user_bids(self, bid: Quote, share: Fraction, orders: Sequence[SmartOrder]) -> list[Quote]:
        """Each user bids for his share of the flow, less what he has ordered in it already."""
        demands = self.data.users[bid.stage]
        highest = self.terms.user.bounds.high
        low = min(bid.price, highest)
        prices = self.rng.integers(low, highest, len(demands), endpoint=True)
        bids = []
        for number, (demand, price) in enumerate(zip(demands, prices, strict=True), start=1):
            name = user_name(number)
            mine = [order for order in orders if order.buyer == name and order.flow is bid.flow]
            left = -(-demand * share // 1) - sum(order.energy for order in mine)
            if left > 0:
                bids.append(replace(bid, party=name, energy=left, price=int(price)))
        return bids


def _readings(data: HourData, orders: Sequence[SmartOrder]) -> list[Reading]:
    """What the meters say: the company delivers what it has, users take what they need."""
    sold = {name: 0 for order in orders for name in (order.seller, order.buyer)}
    bought = dict(sold)
    for order in orders:
        sold[order.seller] += order.energy
        bought[order.buyer] += order.energy
    actual = data.actual
    taken = {user_name(n): own for n, own in enumerate(data.users[Stage.REAL_TIME], start=1)}
    taken[COMPANY] = max(actual.load - actual.generation, 0)
    surplus = max(actual.generation - actual.load, 0)
    readings = []
    for name in sorted(sold):
        delivered = min(sold[name], surplus) if name == COMPANY else sold[name]
        readings.append(Reading(name, delivered, taken.get(name, bought[name])))
    return readings
