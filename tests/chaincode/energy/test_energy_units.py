"""chaincode/energy/energy_units: publishing, changing and withdrawing orders."""

from dataclasses import replace
from datetime import timedelta

import pytest

from gridloom.chaincode import ChaincodeError
from gridloom.chaincode.energy.order_text import Action
from gridloom.chaincode.energy.orders import Book, Hour, HourTerms
from gridloom.chaincode.energy.qualifications import UnitId
from gridloom.chaincode.energy.roles import Role
from harness.energy_market import GRID_MSP, P_B, P_S, START, UNITS_MSP, EnergyMarket, person


@pytest.fixture
def buyer(market):
    market.open(7)
    return market.admit(Role.BU, 3)


def book(market: EnergyMarket, hour: int = 7) -> Book:
    value: Book = market.energy_units.evaluate("book", hour).value(Book)
    return value


def test_the_book_holds_both_sides_by_number(market):
    market.open(7)
    for unit_id in (10, 9):
        seller = market.admit(Role.SU, unit_id)
        market.send(seller, Role.SU, unit_id, 1_000 * unit_id)
    market.send(market.admit(Role.BU, 3), Role.BU, 3, 3_000)
    found = book(market)
    assert [order.su_id for order in found.supplies] == [9, 10]
    assert (found.total_supply, found.total_demand) == (19_000, 3_000)


def test_an_order_can_be_modified_withdrawn_and_published_anew(market, buyer):
    market.send(buyer, Role.BU, 3, 3_000)
    market.send(buyer, Role.BU, 3, 2_500, action=Action.MODIFY, revision=1)
    assert book(market).demands[0].energy_demand_information == 2_500
    market.send(buyer, Role.BU, 3, 2_500, action=Action.WITHDRAW, revision=2)
    assert book(market).demands == []
    market.send(buyer, Role.BU, 3, 10, revision=3)
    assert book(market).total_demand == 10


def test_a_second_order_for_the_same_hour_is_a_duplicate(market, buyer):
    market.send(buyer, Role.BU, 3, 3_000)
    with pytest.raises(ChaincodeError, match="the order of BU3 for hour 7 exists already"):
        market.send(buyer, Role.BU, 3, 3_000, revision=1)


@pytest.mark.parametrize("action", [Action.MODIFY, Action.WITHDRAW])
def test_what_was_never_published_cannot_be_changed(market, buyer, action):
    with pytest.raises(ChaincodeError, match=f"no order of BU3 for hour 7 to {action.value}"):
        market.send(buyer, Role.BU, 3, 3_000, action=action)


def test_an_old_version_of_an_order_cannot_be_replayed(market, buyer):
    market.send(buyer, Role.BU, 3, 3_000)
    market.send(buyer, Role.BU, 3, 2_000, action=Action.MODIFY, revision=1)
    with pytest.raises(ChaincodeError, match="revision: is 1, the next one is 2"):
        market.send(buyer, Role.BU, 3, 2_000, action=Action.MODIFY, revision=1)


def test_negative_energy_is_refused_and_none_at_all_is_not(market, buyer):
    with pytest.raises(ChaincodeError, match="energy must not be negative, got -5 Wh"):
        market.send(buyer, Role.BU, 3, -5)
    market.send(buyer, Role.BU, 3, 0)
    assert book(market).total_demand == 0


@pytest.mark.parametrize("price", [P_S - 1, P_B + 1, -1])
def test_a_price_outside_the_grids_prices_is_refused(market, buyer, price):
    with pytest.raises(ChaincodeError, match=rf"price {price} is outside \[770000, 850000\]"):
        market.send(buyer, Role.BU, 3, 3_000, price=price)


def test_orders_of_an_unapproved_unit_are_refused(market):
    market.open(7)
    stranger = person(UNITS_MSP, "user3", "BU")
    market.register(Role.BU, 3, stranger)
    with pytest.raises(ChaincodeError, match="BU3 is not approved by the operator") as caught:
        market.send(stranger, Role.BU, 3, 3_000)
    assert caught.value.status == 403


def test_orders_of_a_unit_whose_approval_was_withdrawn_are_refused(market, buyer):
    market.authentication.submit("revoke", [UnitId(Role.BU, 3)], by=market.operator)
    with pytest.raises(ChaincodeError, match="BU3 is not approved"):
        market.send(buyer, Role.BU, 3, 3_000)


def test_orders_of_an_unknown_unit_are_refused(market):
    market.open(7)
    with pytest.raises(ChaincodeError, match="there is no unit BU8"):
        market.send(person(UNITS_MSP, "user8", "BU"), Role.BU, 8, 3_000)


def test_somebody_elses_order_cannot_be_touched(market, buyer):
    market.send(buyer, Role.BU, 3, 3_000)
    thief = market.admit(Role.BU, 4)
    for action in (Action.MODIFY, Action.WITHDRAW):
        with pytest.raises(ChaincodeError, match="BU3 and its orders belong to another identity"):
            market.send(thief, Role.BU, 3, 1, action=action, revision=1)


def test_a_seller_does_not_order_demand(market):
    market.open(7)
    seller = market.admit(Role.SU, 1)
    with pytest.raises(ChaincodeError, match="there is no unit BU1"):
        market.send(seller, Role.BU, 1, 3_000)


def test_an_order_must_be_signed_by_the_units_own_key(market, buyer):
    stranger = person(UNITS_MSP, "stranger", "BU")
    with pytest.raises(ChaincodeError, match="not signed by the unit's own key"):
        market.send(buyer, Role.BU, 3, 3_000, signer=stranger)
    for garbage in (b"", b"\x30\x00", b"signature"):
        with pytest.raises(ChaincodeError, match="not signed by the unit's own key"):
            market.send(buyer, Role.BU, 3, 3_000, signature=garbage)


@pytest.mark.parametrize(
    "change",
    [
        {"energy_demand_information": 3_001},
        {"price": P_B - 1},
        {"delivery_time": 8},
    ],
)
def test_the_signature_covers_everything_the_order_says(market, buyer, change):
    market.open(8)
    forged = replace(market.order(buyer, Role.BU, 3, 3_000), **change)
    with pytest.raises(ChaincodeError, match="not signed by the unit's own key"):
        market.energy_units.submit("publish_demand", forged, by=buyer)


def test_the_account_in_an_order_must_be_the_units(market, buyer):
    with pytest.raises(ChaincodeError, match="is not the account of BU3"):
        market.send(buyer, Role.BU, 3, 3_000, address="00" * 20)


def test_after_the_operator_closed_the_gate_no_order_is_taken(market, buyer):
    market.send(buyer, Role.BU, 3, 3_000)
    market.energy_units.submit("close_hour", 7, by=market.operator)
    for action in (Action.MODIFY, Action.WITHDRAW, Action.PUBLISH):
        with pytest.raises(ChaincodeError, match="gate for delivery hour 7 is closed") as caught:
            market.send(buyer, Role.BU, 3, 1, action=action, revision=1)
        assert caught.value.status == 409


def test_the_gate_closes_by_the_time_the_transaction_carries(market, buyer):
    market.ledger.now = START + timedelta(minutes=59, seconds=59)
    market.send(buyer, Role.BU, 3, 3_000)
    market.ledger.now = START + timedelta(hours=1)
    with pytest.raises(ChaincodeError, match="delivery hour 7 is closed: since Unix time"):
        market.send(buyer, Role.BU, 3, 1, action=Action.MODIFY, revision=1)


def test_an_hour_that_was_never_opened_takes_no_orders(market, buyer):
    with pytest.raises(ChaincodeError, match="delivery hour 9: the operator has not opened it"):
        market.send(buyer, Role.BU, 3, 3_000, hour=9)


def test_an_hour_is_opened_and_closed_once(market):
    market.open(7)
    with pytest.raises(ChaincodeError, match="delivery hour 7 exists already"):
        market.open(7)
    market.energy_units.submit("close_hour", 7, by=market.operator)
    with pytest.raises(ChaincodeError, match="is closed"):
        market.energy_units.submit("close_hour", 7, by=market.operator)
    assert market.energy_units.evaluate("hour", 7).value(Hour).closed


def test_the_same_hour_twice_in_one_opening_is_a_duplicate(market):
    terms = HourTerms(7, int(START.timestamp()) + 60, P_S, P_B)
    with pytest.raises(ChaincodeError, match="delivery hour 7 exists already"):
        market.energy_units.submit("open_hours", [terms, terms], by=market.operator)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"grid_sell_price": P_B}, "0 < p_s < p_b does not hold"),
        ({"grid_sell_price": 0}, "0 < p_s < p_b does not hold"),
        ({"gate_closes_at": int(START.timestamp())}, "is already past"),
        ({"delivery_time": -1}, "delivery_time: -1 is negative"),
    ],
)
def test_an_hour_with_impossible_terms_is_not_opened(market, change, says):
    terms = replace(HourTerms(7, int(START.timestamp()) + 60, P_S, P_B), **change)
    with pytest.raises(ChaincodeError, match=says):
        market.energy_units.submit("open_hours", [terms], by=market.operator)


def test_only_the_operator_opens_and_closes(market, buyer):
    terms = HourTerms(8, int(START.timestamp()) + 60, P_S, P_B)
    for who in (buyer, person(GRID_MSP, "x", "operator")):
        with pytest.raises(ChaincodeError, match="may not act as operator"):
            market.energy_units.submit("open_hours", [terms], by=who)
        with pytest.raises(ChaincodeError, match="may not act as operator"):
            market.energy_units.submit("close_hour", 7, by=who)


def test_orders_of_different_units_and_hours_write_different_keys(market, buyer):
    market.open(10)
    market.open(1)
    other = market.admit(Role.BU, 33)
    market.send(buyer, Role.BU, 3, 1)
    market.send(other, Role.BU, 33, 2)
    market.send(buyer, Role.BU, 3, 4, hour=10)
    market.send(other, Role.BU, 33, 8, hour=1)
    assert [book(market, hour).total_demand for hour in (7, 10, 1)] == [3, 4, 8]
