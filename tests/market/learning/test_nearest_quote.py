"""market: the papers' matching rules as mechanisms of any community (002 and 004)."""

import numpy as np
import pytest

from gridloom.chaincode.energy.rules.orders import Order, Side
from gridloom.chaincode.energy.rules.prices import GridPrices
from gridloom.market.community import Community, User
from gridloom.market.errors import ScenarioError
from gridloom.market.mechanisms import MECHANISMS

GRID = GridPrices(100_000, 300_000)
NOBODY = Community(
    (User("a", bus=0), User("b", bus=5), User("c", bus=1), User("d", bus=2)),
    np.zeros((1, 4), dtype=np.int64), np.zeros((1, 4), dtype=np.int64), (GRID,),
)  # fmt: skip


def cleared(name, orders, **parameters):
    return MECHANISMS[name].make(parameters, NOBODY)(orders, GRID)


def test_the_bid_nearest_to_the_target_trades_at_its_own_price():
    orders = [
        Order("a", Side.SELL, 900, 150_000, 0),
        Order("b", Side.BUY, 600, 290_000, 1),
        Order("c", Side.BUY, 600, 210_000, 2),
    ]
    middle = [(t.buyer, t.energy, t.pays) for t in cleared("nearest_quote", orders).trades]
    assert middle == [("c", 600, 210_000), ("b", 300, 290_000)]
    high = [trade.buyer for trade in cleared("nearest_quote", orders, target=1).trades]
    assert high == ["b", "c"]


def test_requests_go_to_the_nearest_seller_or_to_the_one_that_has_enough():
    orders = [
        Order("a", Side.BUY, 500, 300_000, 0),
        Order("b", Side.SELL, 900, 0, 1),
        Order("c", Side.SELL, 300, 0, 2),
        Order("d", Side.SELL, 800, 250_000, 3),  # asks more than the middle
    ]
    near = [(t.seller, t.energy) for t in cleared("cost_aware", orders).trades]
    assert near == [("c", 300), ("b", 200)]
    full = [(t.seller, t.energy) for t in cleared("storage_aware", orders).trades]
    assert full == [("b", 500)]


@pytest.mark.parametrize("name", ["nearest_quote", "cost_aware", "storage_aware"])
def test_with_one_side_only_nothing_trades(name):
    assert cleared(name, [Order("a", Side.BUY, 500, 300_000, 0)]).trades == ()
    assert cleared(name, []).price is None


@pytest.mark.parametrize(
    ("name", "parameters", "says"),
    [
        ("nearest_quote", {"target": 2}, r"target: 2 is not in \[0, 1\]"),
        ("nearest_quote", {"aim": 0}, "aim: is not known"),
        ("cost_aware", {"target": 0}, "target: is not known"),
    ],
)
def test_a_bad_parameter_is_named(name, parameters, says):
    with pytest.raises(ScenarioError, match=says):
        cleared(name, [], **parameters)
