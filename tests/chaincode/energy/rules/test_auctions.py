"""rules/auctions: what every clearing rule must keep, and what each one is by definition."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridloom.chaincode.energy.rules.auctions import RULES
from gridloom.chaincode.energy.rules.orders import Order, Side
from gridloom.chaincode.energy.rules.prices import GridPrices

GRID = GridPrices(sell=80, buy=300)
few = settings(max_examples=40)
POOLS = ("mid_market", "supply_demand", "bill_sharing")


@st.composite
def books(draw):
    sizes = draw(
        st.lists(st.tuples(st.booleans(), st.integers(1, 9), st.integers(0, 6)), max_size=9)
    )
    return [
        Order(f"u{i}", Side.BUY if buys else Side.SELL, energy, 50 * price, i)
        for i, (buys, energy, price) in enumerate(sizes)
    ]


def buy(energy, price, sequence=0):
    return Order(f"b{sequence}", Side.BUY, energy, price, sequence)


def sell(energy, price, sequence=0):
    return Order(f"s{sequence}", Side.SELL, energy, price, sequence)


@pytest.mark.parametrize("name", RULES)
@few
@given(orders=books())
def test_nobody_trades_beyond_his_order(name, orders):
    of = {order.party: order for order in orders}
    cleared = RULES[name](orders, GRID)
    traded = dict.fromkeys(of, 0)
    for trade in cleared.trades:
        assert trade.energy > 0
        assert trade.pays >= trade.earns
        assert of[trade.seller].side is Side.SELL
        assert of[trade.seller].admits(trade.earns)
        assert of[trade.buyer].side is Side.BUY
        assert of[trade.buyer].admits(trade.pays)
        assert cleared.price is None or trade.pays == trade.earns == cleared.price
        traded[trade.seller] += trade.energy
        traded[trade.buyer] += trade.energy
    assert all(traded[party] <= of[party].energy for party in of)


@pytest.mark.parametrize("name", RULES)
@few
@given(orders=books(), data=st.data())
def test_the_answer_depends_on_the_sequence_only_not_on_the_list(name, orders, data):
    assert RULES[name](orders, GRID) == RULES[name](data.draw(st.permutations(orders)), GRID)


def largest_welfare(orders):
    """By trying every price: the most energy worth trading, unit by unit."""
    bids = sorted(
        (o.price for o in orders if o.side is Side.BUY for _ in range(o.energy)), reverse=True
    )
    asks = sorted(o.price for o in orders if o.side is Side.SELL for _ in range(o.energy))
    return sum(max(bid - ask, 0) for bid, ask in zip(bids, asks, strict=False))


@pytest.mark.parametrize("name", ["pay_as_clear", "pay_as_bid"])
@few
@given(orders=books())
def test_call_auctions_reach_the_largest_welfare(name, orders):
    of = {order.party: order for order in orders}
    trades = RULES[name](orders, GRID).trades
    gain = sum(t.energy * (of[t.buyer].price - of[t.seller].price) for t in trades)
    assert gain == largest_welfare(orders)


@few
@given(orders=books())
def test_at_the_clearing_price_nobody_who_wants_to_trade_is_left_on_both_sides(orders):
    cleared = RULES["pay_as_clear"](orders, GRID)
    if cleared.price is None:
        best = [max((o.price for o in orders if o.side is Side.BUY), default=-1)]
        assert all(o.price > best[0] for o in orders if o.side is Side.SELL)
        return
    for side in Side:
        willing = sum(
            o.energy
            for o in orders
            if o.side is side and o.admits(cleared.price) and o.price != cleared.price
        )
        assert willing <= cleared.energy


@few
@given(orders=books())
def test_the_continuous_book_is_never_crossed_afterwards(orders):
    left = {order.party: order.energy for order in orders}
    for trade in RULES["continuous"](orders, GRID).trades:
        left[trade.seller] -= trade.energy
        left[trade.buyer] -= trade.energy
    bids = [o.price for o in orders if o.side is Side.BUY and left[o.party]]
    asks = [o.price for o in orders if o.side is Side.SELL and left[o.party]]
    assert all(bid < ask for bid, ask in itertools.product(bids, asks))


@pytest.mark.parametrize("name", POOLS)
@few
@given(orders=books())
def test_a_pool_trades_all_of_the_shorter_willing_side_and_shares_the_longer(name, orders):
    cleared = RULES[name](orders, GRID)
    if cleared.price is None:
        return
    for side in Side:
        willing = [o for o in orders if o.side is side and o.admits(cleared.price)]
        whole = sum(o.energy for o in willing)
        for order in willing:
            share = sum(t.energy for t in cleared.trades if order.party in (t.seller, t.buyer))
            assert abs(share - cleared.energy * order.energy / whole) < 1
    assert len(cleared.trades) <= len(orders)


def test_the_uniform_price_is_the_middle_of_what_clears_the_market():
    orders = [buy(10, 300, 1), buy(10, 200, 2), sell(10, 100, 3), sell(10, 250, 4)]
    cleared = RULES["pay_as_clear"](orders, GRID)
    assert (cleared.energy, cleared.price) == (10, (200 + 250) // 2)


def test_the_rest_of_a_marginal_order_sets_the_uniform_price():
    cleared = RULES["pay_as_clear"]([buy(10, 300, 1), sell(4, 100, 2)], GRID)
    assert cleared.price == 300


def test_pay_as_bid_leaves_the_spread_to_the_operator():
    (trade,) = RULES["pay_as_bid"]([buy(10, 300, 1), sell(4, 100, 2)], GRID).trades
    assert (trade.energy, trade.pays, trade.earns) == (4, 300, 100)


def test_the_continuous_auction_trades_at_the_standing_orders_price():
    early_seller = RULES["continuous"]([sell(5, 100, 1), buy(5, 300, 2)], GRID).trades
    early_buyer = RULES["continuous"]([buy(5, 300, 1), sell(5, 100, 2)], GRID).trades
    assert (early_seller[0].pays, early_buyer[0].pays) == (100, 300)


def test_equal_limits_are_served_by_time():
    trades = RULES["continuous"]([sell(5, 100, 1), sell(5, 100, 2), buy(5, 100, 3)], GRID).trades
    assert [trade.seller for trade in trades] == ["s1"]


def test_the_mid_market_rate_is_the_middle_of_the_grids_prices():
    assert RULES["mid_market"]([buy(1, 300), sell(1, 80)], GRID).price == 190


@pytest.mark.parametrize(("supply", "price"), [(10, 80), (20, 80), (5, 126), (1, 235)])
def test_the_supply_demand_ratio_sets_the_price_by_liu(supply, price):
    cleared = RULES["supply_demand"]([buy(10, 300), sell(supply, 0)], GRID)
    ratio = min(1, supply / 10)
    assert cleared.price == price
    assert price == pytest.approx(80 * 300 / (220 * ratio + 80), abs=0.5)


def test_bill_sharing_shares_at_zero_among_those_who_accept_it():
    cleared = RULES["bill_sharing"]([buy(10, 300, 1), sell(4, 0, 2), sell(5, 80, 3)], GRID)
    assert (cleared.price, cleared.energy) == (0, 4)


def test_without_a_market_nothing_is_traded():
    assert RULES["grid_only"]([buy(10, 300), sell(4, 0)], GRID).trades == ()


@few
@given(orders=books())
def test_the_supply_demand_price_lies_between_the_grids(orders):
    price = RULES["supply_demand"](orders, GRID).price
    assert price is None or GRID.admits(price)
