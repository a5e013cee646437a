"""chaincode/energy/rules/prices."""

import pytest

from gridloom.chaincode.energy.rules.prices import GridPrices, Regime, regime_of

GRID = GridPrices(sell=770_000, buy=850_000)


def test_the_compromise_price_is_half_way_and_drops_half_a_micro_yuan():
    assert GRID.compromise == 810_000
    assert GridPrices(1, 4).compromise == 2


@pytest.mark.parametrize(
    ("price", "admitted"),
    [(769_999, False), (770_000, True), (850_000, True), (850_001, False)],
)
def test_a_price_may_lie_on_the_grids_prices_but_not_beyond(price, admitted):
    assert GRID.admits(price) is admitted


@pytest.mark.parametrize(
    ("supply", "demand", "sellers", "buyers", "regime"),
    [
        (10, 11, 1, 1, Regime.DEFICIT),
        (11, 11, 1, 1, Regime.SURPLUS),
        (12, 11, 1, 1, Regime.SURPLUS),
        (0, 11, 0, 1, Regime.NO_TRADE),
        (11, 0, 1, 0, Regime.NO_TRADE),
        (0, 5, 1, 1, Regime.DEFICIT),
    ],
)
def test_the_regime_follows_the_balance_once_both_sides_are_there(
    supply, demand, sellers, buyers, regime
):
    assert regime_of(supply, demand, sellers=sellers, buyers=buyers) is regime
