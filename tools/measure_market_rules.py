"""Clearing, settlement and storage beside plain numpy.

The references work on arrays made of the same orders and give the same trades; they know
neither ties nor types beyond floats, which is what one would write first.
"""

from __future__ import annotations

import numpy as np

from gridloom.chaincode.energy.rules.auctions import RULES
from gridloom.chaincode.energy.rules.interval_settlement import settle_interval
from gridloom.chaincode.energy.rules.orders import Cleared, Order, Side
from gridloom.chaincode.energy.rules.prices import GridPrices
from gridloom.market.storage import self_consume

_USERS = 1000
_GRID = GridPrices(80_000, 300_000)


def _orders() -> list[Order]:
    rng = np.random.default_rng(0)
    sells = rng.random(_USERS) < 0.5
    energy = rng.integers(1, 2000, _USERS).tolist()
    price = rng.permutation(np.arange(80_000, 300_000, 220))[:_USERS].tolist()
    return [
        Order(f"u{i}", Side.SELL if sells[i] else Side.BUY, energy[i], price[i], i)
        for i in range(_USERS)
    ]


_ORDERS = _orders()


def _plain_clear() -> list[tuple[str, str, float]]:
    """Sort, accumulate, cut at the crossing, and pair the two cumulated lines."""
    bids = [order for order in _ORDERS if order.side is Side.BUY]
    asks = [order for order in _ORDERS if order.side is Side.SELL]
    bid_price = np.array([order.price for order in bids], dtype=float)
    ask_price = np.array([order.price for order in asks], dtype=float)
    bid_order, ask_order = np.argsort(-bid_price), np.argsort(ask_price)
    bid_sum = np.cumsum(np.array([order.energy for order in bids], dtype=float)[bid_order])
    ask_sum = np.cumsum(np.array([order.energy for order in asks], dtype=float)[ask_order])
    ends = np.union1d(bid_sum, ask_sum)
    ends = ends[ends <= min(bid_sum[-1], ask_sum[-1])]
    bid = np.searchsorted(bid_sum, ends)
    ask = np.searchsorted(ask_sum, ends)
    willing = bid_price[bid_order][bid] >= ask_price[ask_order][ask]
    energy = np.diff(ends, prepend=0.0)
    return [
        (asks[ask_order[a]].party, bids[bid_order[b]].party, wh)
        for a, b, wh, yes in zip(ask, bid, energy, willing, strict=True)
        if yes
    ]


def _same_trades(ours: object, plain: object) -> bool:
    assert isinstance(ours, Cleared)
    return [(t.seller, t.buyer, float(t.energy)) for t in ours.trades] == plain


_TRADES = RULES["pay_as_clear"](_ORDERS, _GRID).trades
_NET = np.random.default_rng(1).integers(-2000, 2000, _USERS)
_METERED = {f"u{i}": int(net) for i, net in enumerate(_NET)}


def _plain_settle() -> list[tuple[str, float, float]]:
    """User, energy and money, by name: trades, and the rest with the grid."""
    place = {name: i for i, name in enumerate(_METERED)}
    rest, money = _NET.astype(float), np.zeros(_USERS)
    for trade in _TRADES:
        seller, buyer = place[trade.seller], place[trade.buyer]
        rest[seller] -= trade.energy
        rest[buyer] += trade.energy
        money[seller] += trade.energy * trade.earns / 1000
        money[buyer] -= trade.energy * trade.pays / 1000
    money += np.where(rest > 0, rest * _GRID.sell, rest * _GRID.buy) / 1000
    return sorted(zip(_METERED, _NET.tolist(), money.tolist(), strict=True))


def _same_money(ours: object, plain: object) -> bool:
    assert isinstance(ours, tuple)
    assert isinstance(plain, list)
    found = {account.party: account.money for account in ours}
    return all(abs(found[name] - money) < 20 for name, _, money in plain)


_DAY = np.random.default_rng(2).integers(-900, 900, (96, _USERS))
_CAPACITY = np.full(_USERS, 8000)
_POWER = np.full(_USERS, 4000)


def _plain_storage() -> np.ndarray:
    """The same greedy rule in floats."""
    level, levels = _CAPACITY / 2.0, []
    for net in _DAY.astype(float):
        up = np.minimum.reduce([np.maximum(net, 0), _POWER / 4, (_CAPACITY - level) / 0.92])
        down = np.minimum.reduce([np.maximum(-net, 0), _POWER / 4, level])
        level = level + 0.92 * up - down
        levels.append(level)
    return np.asarray(levels)


def _near_levels(ours: object, plain: object) -> bool:
    return bool(np.abs(np.asarray(ours) - np.asarray(plain)).max() < 2 * len(_DAY))


METHODS = {
    "pay as clear, 1,000 orders": (
        lambda: RULES["pay_as_clear"](_ORDERS, _GRID), _plain_clear, _same_trades,
    ),
    "settlement, 1,000 users": (
        lambda: settle_interval(_TRADES, _METERED, _GRID), _plain_settle, _same_money,
    ),
    "storage of 1,000 households over a day": (
        lambda: self_consume(_DAY, _CAPACITY, _POWER, 15).level, _plain_storage, _near_levels,
    ),
}  # fmt: skip
