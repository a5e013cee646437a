"""chaincode/energy/matchmaking: prices and paths."""

import pytest

from gridloom.chaincode import ChaincodeError
from gridloom.chaincode.energy.order_text import Action
from gridloom.chaincode.energy.roles import Role
from gridloom.chaincode.energy.rules.amounts import value_of
from gridloom.chaincode.energy.rules.prices import Regime
from gridloom.chaincode.energy.trades import HourMatch, PriceAnnouncement, TradePath
from harness.energy_market import P_A, P_B, P_S, EnergyMarket

PRICE = 809_908


def fill(market: EnergyMarket, supplies: dict[int, int], demands: dict[int, int]) -> None:
    """An open hour 7 with these orders, Wh by unit."""
    market.open(7)
    for unit_id, energy in supplies.items():
        market.send(market.admit(Role.SU, unit_id), Role.SU, unit_id, energy)
    for unit_id, energy in demands.items():
        market.send(market.admit(Role.BU, unit_id), Role.BU, unit_id, energy)


def close_and_match(market: EnergyMarket) -> HourMatch:
    market.energy_units.submit("close_hour", 7, by=market.operator)
    matched: HourMatch = market.matchmaking.submit("match", 7, by=market.operator).value(HourMatch)
    return matched


def announce(market: EnergyMarket, price: int) -> PriceAnnouncement:
    outcome = market.matchmaking.submit("announce_price", 7, price, by=market.operator)
    value: PriceAnnouncement = outcome.value(PriceAnnouncement)
    return value


def test_hour_7_of_the_paper_is_matched_path_by_path(market):
    fill(market, {1: 9_670, 2: 3_980}, {3: 3_000, 4: 7_080, 5: 3_580})
    assert announce(market, PRICE).regime is Regime.DEFICIT
    matched = close_and_match(market)
    assert [share.traded for share in matched.sellers] == [9_670, 3_980]
    assert sum(share.traded for share in matched.buyers) == 13_650
    assert len(matched.paths) == 6
    assert sum(path.amount for path in matched.paths) == value_of(13_650, PRICE)
    stored = market.matchmaking.evaluate("paths", 7).value(list[TradePath])
    assert stored == matched.paths
    assert market.ledger.events == [("matchmaking", "HourMatched", b"7")]


def test_sellers_may_answer_the_announced_price_before_the_gate_closes(market):
    market.open(7)
    seller, buyer = market.admit(Role.SU, 1), market.admit(Role.BU, 3)
    market.send(seller, Role.SU, 1, 4_000)
    market.send(buyer, Role.BU, 3, 9_000)
    assert announce(market, PRICE).supply == 4_000
    market.send(seller, Role.SU, 1, 4_050, action=Action.MODIFY, revision=1)
    assert close_and_match(market).sellers[0].traded == 4_050


@pytest.mark.parametrize("price", [P_S - 1, P_B + 1])
def test_the_price_of_an_hour_lies_within_the_grids_prices(market, price):
    fill(market, {1: 4_000}, {3: 9_000})
    with pytest.raises(ChaincodeError, match=rf"price {price} is outside \[770000, 850000\]"):
        announce(market, price)


def test_an_hour_with_surplus_trades_at_the_compromise_price_only(market):
    fill(market, {1: 9_000}, {3: 9_000})
    with pytest.raises(ChaincodeError, match="an hour with surplus trades at 810000"):
        announce(market, P_A + 1)
    assert announce(market, P_A).regime is Regime.SURPLUS


def test_a_price_is_announced_once_and_by_the_operator(market):
    fill(market, {1: 4_000}, {3: 9_000})
    with pytest.raises(ChaincodeError, match="may not act as operator"):
        market.matchmaking.submit("announce_price", 7, PRICE, by=market.grid)
    announce(market, PRICE)
    with pytest.raises(ChaincodeError, match="the price of delivery hour 7 exists already"):
        announce(market, PRICE + 1)
    read = market.matchmaking.evaluate("price", 7).value(PriceAnnouncement)
    assert (read.price, read.supply, read.demand) == (PRICE, 4_000, 9_000)


def test_without_both_sides_there_is_no_price_and_nothing_is_matched(market):
    fill(market, {}, {3: 9_000})
    with pytest.raises(ChaincodeError, match="not both buyers and sellers"):
        announce(market, PRICE)
    matched = close_and_match(market)
    assert (matched.price, matched.paths) == (None, [])
    assert [(share.ordered, share.traded) for share in matched.buyers] == [(9_000, 0)]


def test_matching_waits_for_the_gate_and_for_the_price(market):
    fill(market, {1: 4_000}, {3: 9_000})
    with pytest.raises(ChaincodeError, match="the gate is still open"):
        market.matchmaking.submit("match", 7, by=market.operator)
    with pytest.raises(ChaincodeError, match="its price has not been announced"):
        close_and_match(market)
    with pytest.raises(ChaincodeError, match="the gate is closed, nobody could answer"):
        announce(market, PRICE)


def test_an_hour_is_matched_once_and_by_the_operator(market):
    fill(market, {1: 4_000}, {3: 9_000})
    announce(market, PRICE)
    market.energy_units.submit("close_hour", 7, by=market.operator)
    with pytest.raises(ChaincodeError, match="may not act as operator"):
        market.matchmaking.submit("match", 7, by=market.grid)
    market.matchmaking.submit("match", 7, by=market.operator)
    with pytest.raises(ChaincodeError, match="the match of delivery hour 7 exists already"):
        market.matchmaking.submit("match", 7, by=market.operator)


def test_an_order_is_not_matched_beyond_its_own_limit(market):
    market.open(7)
    limits = {
        (Role.SU, 1): P_S,
        (Role.SU, 2): PRICE + 1,
        (Role.BU, 3): PRICE,
        (Role.BU, 4): PRICE - 1,
    }
    for (role, unit_id), price in limits.items():
        market.send(market.admit(role, unit_id), role, unit_id, 5_000, price=price)
    market.send(market.admit(Role.BU, 5), Role.BU, 5, 5_000)
    announce(market, PRICE)
    matched = close_and_match(market)
    assert [share.traded for share in matched.sellers] == [5_000, 0]
    assert [share.traded for share in matched.buyers] == [2_500, 0, 2_500]


def test_what_has_not_happened_yet_cannot_be_read(market):
    with pytest.raises(ChaincodeError, match="no match of delivery hour 7 yet"):
        market.matchmaking.evaluate("hour_match", 7)
    with pytest.raises(ChaincodeError, match="no price of delivery hour 7 yet"):
        market.matchmaking.evaluate("price", 7)
    with pytest.raises(ChaincodeError, match="the operator has not opened it"):
        market.matchmaking.submit("match", 7, by=market.operator)
