"""chaincode/energy/compensation: the grid's part, meters and settlement."""

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridloom.chaincode import ChaincodeError
from gridloom.chaincode.energy.compensations import (
    HourBalance,
    HourErrors,
    PartyAccount,
    Reading,
    Settlement,
)
from gridloom.chaincode.energy.roles import Role
from gridloom.chaincode.energy.rules.amounts import value_of
from harness.energy_market import P_A, P_B, P_S, EnergyMarket

PRICE = 809_908


def matched_hour(
    market: EnergyMarket, supplies: dict[int, int], demands: dict[int, int], price: int | None
) -> None:
    """Hour 7 with these orders (Wh by unit), matched at price."""
    market.open(7)
    for unit_id, energy in supplies.items():
        market.send(market.admit(Role.SU, unit_id), Role.SU, unit_id, energy)
    for unit_id, energy in demands.items():
        market.send(market.admit(Role.BU, unit_id), Role.BU, unit_id, energy)
    if price is not None:
        market.matchmaking.submit("announce_price", 7, price, by=market.operator)
    market.energy_units.submit("close_hour", 7, by=market.operator)
    market.matchmaking.submit("match", 7, by=market.operator)


def settle(market: EnergyMarket, readings: dict[int, int]) -> dict[str, PartyAccount]:
    market.compensation.submit("balance", 7, by=market.operator)
    meters = [Reading(su_id, actual) for su_id, actual in readings.items()]
    market.compensation.submit("meter", 7, meters, by=market.grid)
    settlement = market.compensation.submit("settle", 7, by=market.operator).value(Settlement)
    assert sum(account.energy for account in settlement.accounts) == 0
    assert sum(account.amount for account in settlement.accounts) == 0
    return {account.party: account for account in settlement.accounts}


def test_a_shortage_is_bought_from_the_grid_by_the_buyers(market):
    matched_hour(market, {1: 4_000}, {3: 6_000, 4: 4_000}, PRICE)
    accounts = settle(market, {1: 4_000})
    assert accounts["SU1"].amount == value_of(4_000, PRICE)
    assert accounts["grid"] == PartyAccount("grid", 6_000, value_of(6_000, P_B))
    bill = value_of(2_400, PRICE) + value_of(3_600, P_B)
    assert -accounts["BU3"].amount == pytest.approx(bill, abs=1)
    assert accounts["BU3"].energy == -6_000


def test_a_surplus_is_sold_to_the_grid_by_the_sellers(market):
    matched_hour(market, {1: 6_000, 2: 3_000}, {3: 3_000}, P_A)
    accounts = settle(market, {1: 6_000, 2: 3_000})
    assert accounts["grid"].energy == -6_000
    assert accounts["grid"].amount == -value_of(6_000, P_S)
    assert accounts["SU1"].amount == value_of(2_000, P_A) + value_of(4_000, P_S)


def test_the_balance_tells_every_units_dealing_with_the_grid(market):
    matched_hour(market, {1: 4_000}, {3: 6_000, 4: 4_000}, PRICE)
    outcome = market.compensation.submit("balance", 7, by=market.operator)
    records = outcome.value(HourBalance).compensations
    assert [(record.bu_id, record.su_id, record.energy) for record in records] == [
        (3, None, 3_600),
        (4, None, 2_400),
    ]
    first = records[0]
    assert (first.agreed_electricity_sales, first.agreed_electricity_purchases) == (4_000, 10_000)
    assert (first.difference, first.grid_price) == (-6_000, P_B)
    assert (first.microgrid_compromise_price, first.electricity_price_in_microgrid) == (P_A, PRICE)


def test_a_seller_who_delivers_less_buys_the_shortfall_at_the_grids_price(market):
    matched_hour(market, {1: 4_000}, {3: 6_000, 4: 4_000}, PRICE)
    accounts = settle(market, {1: 3_500})
    assert accounts["SU1"].energy == 3_500
    assert accounts["SU1"].amount == value_of(4_000, PRICE) - value_of(500, P_B)
    assert accounts["grid"].energy == 6_500
    assert accounts["BU3"].energy == -6_000


def test_a_seller_who_delivers_more_sells_the_excess_at_the_feed_in_price(market):
    matched_hour(market, {1: 4_000}, {3: 6_000}, PRICE)
    accounts = settle(market, {1: 4_700})
    assert accounts["SU1"].amount == value_of(4_000, PRICE) + value_of(700, P_S)
    assert accounts["grid"].energy == 2_000 - 700


def test_error_records_share_the_shortfall_over_the_sellers_paths(market):
    matched_hour(market, {1: 4_000}, {3: 6_000, 4: 2_000}, PRICE)
    outcome = market.compensation.submit("meter", 7, [Reading(1, 3_600)], by=market.grid)
    errors = outcome.value(HourErrors)
    assert [(path.bu_id, path.difference) for path in errors.paths] == [(3, -300), (4, -100)]
    key = "\0path\x007\x001\x003\0"
    record = market.matchmaking.state[key]
    assert errors.paths[0].hash == hashlib.sha256(record).hexdigest()
    assert errors.paths[0].transaction_record == "path,7,1,3"
    assert errors.sellers[0].shortfall == 400


def test_an_hour_without_trade_is_settled_with_the_grid_alone(market):
    matched_hour(market, {}, {3: 6_000}, None)
    accounts = settle(market, {})
    assert accounts["BU3"] == PartyAccount("BU3", -6_000, -value_of(6_000, P_B))
    assert accounts["grid"].amount == value_of(6_000, P_B)


@pytest.mark.parametrize(
    ("readings", "says"),
    [
        ([], "readings: no reading of SU1, SU2"),
        ([Reading(1, 5)], "readings: no reading of SU2"),
        ([Reading(1, 5), Reading(2, 5), Reading(1, 6)], "the reading of SU1 exists already"),
        ([Reading(1, 5), Reading(2, 5), Reading(3, 5)], "no supply of SU3 in delivery hour 7"),
        ([Reading(1, 5), Reading(2, -1)], "reading of SU2: energy must not be negative"),
    ],
)
def test_readings_must_be_those_of_the_hours_sellers(market, readings, says):
    matched_hour(market, {1: 4_000, 2: 1_000}, {3: 6_000}, PRICE)
    with pytest.raises(ChaincodeError, match=says):
        market.compensation.submit("meter", 7, readings, by=market.grid)


def test_meters_are_read_by_the_grid_and_accounts_closed_by_the_operator(market):
    matched_hour(market, {1: 4_000}, {3: 6_000}, PRICE)
    with pytest.raises(ChaincodeError, match="may not act as grid"):
        market.compensation.submit("meter", 7, [Reading(1, 4_000)], by=market.operator)
    for function in ("balance", "settle"):
        with pytest.raises(ChaincodeError, match="may not act as operator"):
            market.compensation.submit(function, 7, by=market.grid)


def test_the_steps_of_an_hour_come_in_their_order_and_once(market):
    with pytest.raises(ChaincodeError, match="no match of delivery hour 7 yet"):
        market.compensation.submit("balance", 7, by=market.operator)
    matched_hour(market, {1: 4_000}, {3: 6_000}, PRICE)
    with pytest.raises(ChaincodeError, match="has not been balanced"):
        market.compensation.submit("settle", 7, by=market.operator)
    market.compensation.submit("balance", 7, by=market.operator)
    with pytest.raises(ChaincodeError, match="its meters have not been read"):
        market.compensation.submit("settle", 7, by=market.operator)
    with pytest.raises(ChaincodeError, match="no settlement of delivery hour 7 yet"):
        market.compensation.evaluate("settlement", 7)
    market.compensation.submit("meter", 7, [Reading(1, 4_000)], by=market.grid)
    market.compensation.submit("settle", 7, by=market.operator)
    again = {
        "balance": ([7], market.operator),
        "meter": ([7, [Reading(1, 4_000)]], market.grid),
        "settle": ([7], market.operator),
    }
    for function, (arguments, by) in again.items():
        with pytest.raises(ChaincodeError, match="exists already"):
            market.compensation.submit(function, *arguments, by=by)


def test_a_partys_statement_adds_up_its_settled_hours(market):
    matched_hour(market, {1: 4_000}, {3: 6_000}, PRICE)
    settle(market, {1: 4_000})
    statement = market.compensation.evaluate("statement", "SU1").value(PartyAccount)
    assert statement == PartyAccount("SU1", 4_000, value_of(4_000, PRICE))
    assert market.compensation.evaluate("statement", "BU9").value(PartyAccount).amount == 0


ENERGY = st.integers(0, 20_000)


@settings(max_examples=15)
@given(
    st.lists(st.tuples(ENERGY, ENERGY), max_size=3),
    st.lists(ENERGY, max_size=3),
    st.integers(P_S, P_B),
)
def test_any_hour_settles_to_zero(sellers, demands, price):
    market = EnergyMarket()
    supplies = {i: ordered for i, (ordered, _) in enumerate(sellers, start=1)}
    surplus = sum(supplies.values()) >= sum(demands)
    trades = supplies and demands
    matched_hour(
        market,
        supplies,
        dict(enumerate(demands, start=1)),
        (P_A if surplus else price) if trades else None,
    )
    accounts = settle(market, {i: metered for i, (_, metered) in enumerate(sellers, start=1)})
    for i, (_, metered) in enumerate(sellers, start=1):
        assert accounts[f"SU{i}"].energy == metered
    for j, demand in enumerate(demands, start=1):
        assert accounts[f"BU{j}"].energy == -demand
        assert value_of(demand, P_S) - 3 <= -accounts[f"BU{j}"].amount
        assert -accounts[f"BU{j}"].amount <= value_of(demand, P_B) + 3
