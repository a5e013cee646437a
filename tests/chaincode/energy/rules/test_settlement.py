"""chaincode/energy/rules: grid balance, error compensation and settlement together."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridloom.chaincode.energy.rules.allocation import allocate
from gridloom.chaincode.energy.rules.amounts import payments, value_of
from gridloom.chaincode.energy.rules.error_compensation import compensate
from gridloom.chaincode.energy.rules.grid_balance import balance
from gridloom.chaincode.energy.rules.prices import GridPrices
from gridloom.chaincode.energy.rules.settlement import (
    GRID,
    Account,
    Transfer,
    UnbalancedSettlement,
    WrongPosition,
    check_zero_sum,
    settle,
)
from gridloom.market.microgrid.metering import compensate as compensate_in_yuan
from gridloom.market.tariff import Tariff

PRICES = GridPrices(sell=770_000, buy=850_000)
ENERGY = st.integers(0, 30_000)


@given(st.lists(ENERGY, max_size=6), st.lists(ENERGY, max_size=6))
def test_the_grid_takes_exactly_what_the_allocation_leaves_over(supplies, demands):
    inside = allocate(supplies, demands)
    grid = balance(supplies, demands, inside, PRICES)
    exported = sum(share.energy for share in grid.exported)
    imported = sum(share.energy for share in grid.imported)
    assert exported - imported == sum(supplies) - sum(demands)
    assert min(exported, imported) == 0
    assert sum(share.money for share in grid.imported) == value_of(imported, PRICES.buy)
    assert sum(share.money for share in grid.exported) == value_of(exported, PRICES.sell)


@given(ENERGY, ENERGY, st.integers(770_000, 850_000))
def test_error_compensation_agrees_with_the_model_in_yuan(agreed, metered, price):
    error = compensate(agreed, 0, metered, PRICES)
    model = compensate_in_yuan(
        [agreed / 1e3], [metered / 1e3], price / 1e6, Tariff(sell=0.77, buy=0.85)
    )
    net = value_of(agreed, price) - error.cost + error.income
    assert net == pytest.approx(model.seller_net[0] * 1e6, abs=1.5)
    assert error.shortfall == pytest.approx(model.shortfall[0] * 1e3, abs=1e-6)


@given(ENERGY, ENERGY, ENERGY)
def test_a_planned_sale_to_the_grid_shrinks_before_anything_is_bought(agreed, planned, metered):
    error = compensate(agreed, planned, metered, PRICES)
    assert agreed + planned + error.export_change - error.shortfall == metered
    assert error.export_change >= -planned
    assert error.shortfall == 0 or error.export_change == -planned
    assert (error.income < 0) == (error.export_change < 0) or error.income == 0


@given(
    st.lists(st.tuples(ENERGY, ENERGY), min_size=1, max_size=4),
    st.lists(ENERGY, min_size=1, max_size=4),
    st.integers(770_000, 850_000),
)
def test_an_hour_sums_to_zero_whatever_the_meters_say(sellers, demands, price):
    supplies = [supply for supply, _ in sellers]
    inside = allocate(supplies, demands)
    grid = balance(supplies, demands, inside, PRICES)
    money = payments([path.energy for path in inside.paths], price)
    transfers = [
        Transfer(f"SU{p.seller}", f"BU{p.buyer}", p.energy, paid)
        for p, paid in zip(inside.paths, money, strict=True)
    ]
    transfers += [Transfer(f"SU{i}", GRID, *share) for i, share in enumerate(grid.exported)]
    transfers += [Transfer(GRID, f"BU{j}", *share) for j, share in enumerate(grid.imported)]
    for i, (_, metered) in enumerate(sellers):
        error = compensate(inside.sold[i], grid.exported[i].energy, metered, PRICES)
        transfers.append(Transfer(GRID, f"SU{i}", error.shortfall, error.cost))
        transfers.append(Transfer(f"SU{i}", GRID, error.export_change, error.income))
    positions = {f"SU{i}": metered for i, (_, metered) in enumerate(sellers)}
    positions |= {f"BU{j}": -demand for j, demand in enumerate(demands)}
    accounts = {account.party: account for account in settle(transfers, positions)}
    assert sum(account.money for account in accounts.values()) == 0
    assert sum(account.energy for account in accounts.values()) == 0
    assert all(accounts[party].energy == energy for party, energy in positions.items())
    assert all(accounts[f"BU{j}"].money <= 0 for j in range(len(demands)))


def test_a_settlement_that_contradicts_the_meters_is_refused():
    with pytest.raises(WrongPosition, match="SU1: settled for 5 Wh, position is 6 Wh"):
        settle([Transfer("SU1", "BU1", 5, 4)], {"SU1": 6, "BU1": -5})


def test_accounts_that_do_not_sum_to_zero_are_refused():
    with pytest.raises(UnbalancedSettlement) as caught:
        check_zero_sum([Account("SU1", 5, 4), Account("BU1", -5, -3)])
    assert (caught.value.energy, caught.value.money) == (0, 1)


def test_a_party_without_a_trade_still_has_an_account():
    assert settle([], {"SU1": 0}) == (Account("SU1", 0, 0), Account("grid", 0, 0))
