"""Trades a community through its intervals under a mechanism, without a ledger; pure.

Users order by what they expect and are settled by what their meters show; the difference
is the forecast error, borne by whoever erred.  ledger_day does the same on a ledger.
(Fabric counterpart: none.)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gridloom.chaincode.energy.auction_grid import ShownPoint
from gridloom.chaincode.energy.rules.grid_admission import Refused
from gridloom.chaincode.energy.rules.lottery import arrange
from gridloom.chaincode.energy.rules.orders import NOTHING, Cleared, Order

from .bidding import orders
from .community import Community, WattHours
from .grid_check import GridCheck, NoLimits, Violation
from .mechanism import Mechanism
from .settlement import Settled, settle


@dataclass(frozen=True, slots=True)
class Interval:
    """One interval after trading; alone: the same meters settled with the grid only;
    violations: of the physical flows, which settlement cannot undo; refused: trades that the
    grid cannot carry, which are not made; shown: the operating points that prove it."""

    orders: tuple[Order, ...]
    cleared: Cleared
    settled: Settled
    alone: Settled
    violations: tuple[Violation, ...]
    refused: tuple[Refused, ...] = ()
    shown: tuple[ShownPoint, ...] = ()


@dataclass(frozen=True, eq=False, slots=True)
class TradedDay:
    """expected: Wh that orders were made of, shape (intervals, users)."""

    community: Community
    mechanism: str
    expected: WattHours
    intervals: tuple[Interval, ...]


def expect(community: Community, relative_error: float, rng: np.random.Generator) -> WattHours:
    """Net energy as users forecast it: load and generation each off by a normal factor of
    that standard deviation, never below zero; without error the meters' own."""
    if not relative_error:
        return community.net
    shape = community.load.shape
    factors = np.maximum(1 + relative_error * rng.standard_normal((2, *shape)), 0.0)
    load, generation = np.rint(factors * (community.load, community.generation))
    forecast: WattHours = (generation - load).astype(np.int64)
    return forecast


def trade_day(
    community: Community,
    name: str,
    mechanism: Mechanism,
    *,
    strategy: str,
    expected: WattHours,
    rng: Callable[[int], np.random.Generator],
    lot: str = "",
    check: GridCheck | None = None,
    progress: Callable[[int], None] = lambda done: None,
) -> TradedDay:
    """Trade every interval.

    rng: of an interval's limits; lot: draws the sequence of orders; progress: called with
    how many are done.
    """
    judge = check or NoLimits()
    traded = []
    for interval, net in enumerate(expected.tolist()):
        grid = community.prices[interval]
        placed = orders(community.names, net, grid, strategy, rng(interval))
        traded.append(_trade(community, interval, arrange(lot, placed), mechanism, judge))
        progress(interval + 1)
    return TradedDay(community, name, expected, tuple(traded))


def _trade(
    community: Community,
    interval: int,
    placed: tuple[Order, ...],
    mechanism: Mechanism,
    check: GridCheck,
) -> Interval:
    """Clear the placed orders and settle with the meters."""
    prices = community.prices[interval]
    metered: list[int] = community.net[interval].tolist()
    cleared, refused, shown = check.screen(placed, mechanism(placed, prices))
    return Interval(
        placed,
        cleared,
        settle(community.names, cleared, metered, prices),
        settle(community.names, NOTHING, metered, prices),
        check.violations(metered, community.minutes),
        refused,
        shown,
    )
