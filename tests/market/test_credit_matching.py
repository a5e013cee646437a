"""market/mechanisms/p001: credit decides between sellers who ask the same."""

import numpy as np
import pytest

from gridloom.chaincode.energy.rules.orders import Order, Side
from gridloom.chaincode.energy.rules.prices import GridPrices
from gridloom.market.community import Community, User
from gridloom.market.errors import ScenarioError
from gridloom.market.mechanisms import MECHANISMS

GRID = GridPrices(80_000, 300_000)
COMMUNITY = Community(
    tuple(User(name) for name in ("ann", "bob", "eve")),
    np.zeros((1, 3), np.int64),
    np.zeros((1, 3), np.int64),
    (GRID,),
)
ORDERS = (
    Order("ann", Side.SELL, 1000, 100_000, 0),
    Order("bob", Side.SELL, 1000, 100_000, 1),
    Order("eve", Side.BUY, 1200, 200_000, 2),
)


def cleared(credits_):
    make = MECHANISMS["credit_matching"].make
    return make({"credits": credits_}, COMMUNITY)(ORDERS, GRID)


def test_the_seller_with_more_credit_sells_first():
    for favoured, other in (("ann", "bob"), ("bob", "ann")):
        trades = cleared({other: 50}).trades
        assert [(trade.seller, trade.energy) for trade in trades] == [
            (favoured, 1000),
            (other, 200),
        ]


def test_buyers_pay_what_the_seller_asks():
    outcome = cleared({})
    assert {(trade.pays, trade.earns) for trade in outcome.trades} == {(100_000, 100_000)}
    assert outcome.price == 100_000


@pytest.mark.parametrize(
    ("parameters", "says"),
    [
        ({"credits": {"zoe": 5}}, "credits.zoe: there is no such user"),
        ({"credits": {"ann": 101}}, r"credits.ann: 101 is not in \[0, 100\]"),
        ({"credits": {"ann": "x"}}, "credits.ann"),
        ({"credits": 5}, "is no mapping"),
        ({"weights": {}}, "weights: is not known"),
    ],
)
def test_a_bad_parameter_is_named(parameters, says):
    with pytest.raises(ScenarioError, match=says):
        MECHANISMS["credit_matching"].make(parameters, COMMUNITY)
