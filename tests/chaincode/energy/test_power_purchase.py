"""chaincode/energy/power_purchase: the users' common purchase, and what is refused."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridloom.chaincode import ChaincodeError
from gridloom.chaincode.energy.distribution.purchases import (
    Purchase,
    SupplierOffer,
    UserDemand,
    bill,
    cost_of,
    standard,
    within_cap,
)
from gridloom.chaincode.energy.power_purchase import PowerPurchase
from gridloom.chaincode.energy.roles import Role
from harness.distribution_network import PURCHASE_TERMS, PurchaseDesk
from harness.energy_market import GRID_MSP, OPERATOR_MSP, UNITS_MSP, person
from harness.learning_market import new_ledger


@pytest.fixture
def desk() -> PurchaseDesk:
    return PurchaseDesk()


def offered(desk: PurchaseDesk) -> None:
    """Three offers, of which the dearest alone would break the cap; two users."""
    desk.offer("grid", 350_000, 50_000, 250_000)
    desk.offer("pv", 420_000, 60_000, 60_000)
    desk.offer("wind", 580_000, 70_000, 150_000)
    desk.demand("user1", 200_000)
    desk.demand("user2", 150_000)


def closed(desk: PurchaseDesk) -> None:
    offered(desk)
    desk.desk.submit("close", 9, by=desk.operator)


def test_the_cheapest_purchase_is_billed_and_money_sums_to_zero(desk):
    closed(desk)
    bought = desk.buy([250_000, 60_000, 40_000]).value(Purchase)
    assert (bought.quantity, bought.cost) == (350_000, 154_800_000)
    assert (bought.cheapest, bought.most) == (154_800_000, 460_000)
    assert [(b.user, b.energy) for b in bought.bills] == [("user1", 200_000), ("user2", 150_000)]
    earned = sum(taken.amount for taken in bought.taken) + bought.transmission
    assert sum(bill.amount for bill in bought.bills) == earned == bought.cost
    assert desk.desk.evaluate("bought", 9).value(Purchase) == bought
    assert desk.ledger.events == [("power_purchase", "Purchased", b"9")]


def test_offers_and_demands_are_listed_by_name_and_may_be_replaced(desk):
    offered(desk)
    desk.offer("pv", 430_000, 60_000, 1)
    desk.demand("user1", 7)
    offers = desk.desk.evaluate("offers", 9).value(list[SupplierOffer])
    assert [(offer.supplier, offer.price) for offer in offers][1] == ("pv", 430_000)
    demands = desk.desk.evaluate("demands", 9).value(list[UserDemand])
    assert [demand.energy for demand in demands] == [7, 150_000]


def test_a_little_more_than_the_merit_order_is_allowed_no_more(desk):
    closed(desk)
    with pytest.raises(ChaincodeError, match="the merit order 154800000"):
        desk.buy([249_000, 60_000, 41_000])
    desk.buy([249_100, 60_000, 40_900])


@pytest.mark.parametrize(
    ("energies", "says"),
    [
        ([250_000, 0, 100_000], "the purchase costs 165000000 micro-yuan, the merit order 154800"),
        ([250_000, 60_000], "energies: 2 entries for 3 offers"),
        ([250_001, 60_000, 0], r"energies: 250001 Wh of grid is not in \[0, 250000\]"),
        ([250_000, 60_000, -1], r"energies: -1 Wh of wind is not in \[0, 150000\]"),
        ([250_000, 60_000, 0], "energies: 310000 Wh are bought where 350000 Wh are due"),
        ([0, 0, 150_000], "average delivered price of 650000 micro-yuan per kWh is above 500000"),
    ],
)
def test_a_purchase_that_should_not_be_made_is_refused(desk, energies, says):
    closed(desk)
    with pytest.raises(ChaincodeError, match=says):
        desk.buy(energies)


def test_no_more_is_due_than_the_cap_admits(desk):
    desk.offer("grid", 400_000, 0, 100_000)
    desk.offer("wind", 700_000, 0, 100_000)
    desk.demand("user1", 200_000)
    desk.desk.submit("close", 9, by=desk.operator)
    with pytest.raises(ChaincodeError, match="is above 500000"):
        desk.buy([100_000, 50_001])
    assert desk.buy([100_000, 50_000]).value(Purchase).most == 150_000


def test_an_interval_without_offers_buys_nothing(desk):
    desk.demand("user1", 5)
    desk.desk.submit("close", 9, by=desk.operator)
    bought = desk.buy([]).value(Purchase)
    assert (bought.quantity, bought.cost, bought.most) == (0, 0, 0)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 900), st.integers(0, 90), st.integers(0, 9_000)), max_size=5),
    st.lists(st.integers(0, 9_000), min_size=1, max_size=4),
    st.randoms(),
)
def test_any_allowed_purchase_is_within_the_cap_and_paid_exactly(own, wanted, random):
    offers = [SupplierOffer(9, f"s{i}", 1_000 * p, 1_000 * t, c) for i, (p, t, c) in enumerate(own)]
    demands = [UserDemand(9, f"u{i}", energy) for i, energy in enumerate(wanted)]
    exact = standard(offers, 500_000)
    left = min(sum(wanted), exact.most)
    energies = [0] * len(offers)
    for i in sorted(range(len(offers)), key=lambda i: offers[i].delivered):
        energies[i] = min(left, offers[i].capacity)
        left -= energies[i]
    assert left == 0
    assert within_cap(offers, energies, 500_000)
    assert cost_of(offers, energies) == exact.cheapest(sum(energies))
    made = bill(9, offers, energies, demands, exact)
    assert sum(b.amount for b in made.bills) == made.cost
    assert sum(b.energy for b in made.bills) == made.quantity
    assert abs(made.cost - made.cheapest) <= 2 * len(offers) + 1
    for share, demand in zip(made.bills, demands, strict=True):
        assert share.energy <= demand.energy


def test_a_purchase_is_made_once_after_the_close_by_the_operator(desk):
    offered(desk)
    with pytest.raises(ChaincodeError, match="it is still open, offers may change"):
        desk.buy([250_000, 60_000, 40_000])
    with pytest.raises(ChaincodeError, match="may not act as operator"):
        desk.desk.submit("close", 9, by=desk.people["grid"])
    desk.desk.submit("close", 9, by=desk.operator)
    with pytest.raises(ChaincodeError, match="the operator has closed it"):
        desk.desk.submit("close", 9, by=desk.operator)
    with pytest.raises(ChaincodeError, match="the operator has closed it"):
        desk.offer("pv", 1, 1, 1)
    with pytest.raises(ChaincodeError, match="may not act as operator"):
        desk.buy([250_000, 60_000, 40_000], by=desk.people["grid"])
    with pytest.raises(ChaincodeError, match="no purchase of interval 9 yet"):
        desk.desk.evaluate("bought", 9)
    desk.buy([250_000, 60_000, 40_000])
    with pytest.raises(ChaincodeError, match="the purchase of interval 9 exists already"):
        desk.buy([250_000, 60_000, 40_000])


def test_offers_come_from_suppliers_in_their_own_name_while_the_interval_is_open(desk):
    offered(desk)
    with pytest.raises(ChaincodeError, match="may not act as SU: user1 joined as BU"):
        desk.offer("user1", 1, 1, 1, by=desk.people["user1"])
    with pytest.raises(ChaincodeError, match="pv and its orders belong to another identity"):
        desk.offer("pv", 1, 1, 1, by=desk.people["wind"])
    with pytest.raises(ChaincodeError, match="there is no participant pv2"):
        desk.offer("pv2", 1, 1, 1, by=desk.people["pv"])
    with pytest.raises(ChaincodeError, match="capacity of pv: energy must not be negative"):
        desk.offer("pv", 1, 1, -1)
    with pytest.raises(ChaincodeError, match="price: -1 and 1 must be >= 0"):
        desk.offer("pv", -1, 1, 1)
    with pytest.raises(ChaincodeError, match="interval 8: the operator has not opened it"):
        desk.offer("pv", 1, 1, 1, interval=8)
    desk.ledger.now += timedelta(hours=1)
    with pytest.raises(ChaincodeError, match="since Unix time"):
        desk.offer("pv", 1, 1, 1)


def test_demands_come_from_users_in_their_own_name(desk):
    offered(desk)
    with pytest.raises(ChaincodeError, match="may not act as BU: pv joined as SU"):
        desk.demand("pv", 1, by=desk.people["pv"])
    with pytest.raises(ChaincodeError, match="demand of user1: energy must not be negative"):
        desk.demand("user1", -1)
    with pytest.raises(ChaincodeError, match="user2 and its orders belong to another identity"):
        desk.demand("user2", 1, by=person(UNITS_MSP, "other", "BU"))


@pytest.mark.parametrize(
    ("msp_id", "carries", "name", "role", "says"),
    [
        (OPERATOR_MSP, "SU", "pv2", Role.SU, "OperatorMSP is not an organisation of that role"),
        (GRID_MSP, "BU", "user3", Role.BU, "GridMSP is not an organisation of that role"),
        (UNITS_MSP, "BU", "pv2", Role.SU, "may not act as SU"),
        (UNITS_MSP, None, "user3", Role.BU, "may not act as BU"),
        (UNITS_MSP, "BU", "", Role.BU, "name: is empty"),
        (UNITS_MSP, "BU", "user1", Role.BU, "participant user1 exists already"),
        (UNITS_MSP, "grid", "meter", Role.GRID, "role: grid neither sells nor buys"),
    ],
)
def test_nobody_joins_as_what_he_is_not(desk, msp_id, carries, name, role, says):
    offered(desk)
    with pytest.raises(ChaincodeError, match=says):
        desk.desk.submit("join", name, role, by=person(msp_id, "somebody", carries))


def test_intervals_are_opened_once_ahead_of_time_by_the_founder(desk):
    with pytest.raises(ChaincodeError, match="interval 9 exists already"):
        desk.open(9)
    with pytest.raises(ChaincodeError, match="is already past"):
        desk.open(10, closes_in=timedelta(0))
    with pytest.raises(ChaincodeError, match="interval: -1 is negative"):
        desk.open(-1)
    with pytest.raises(ChaincodeError, match="GridMSP did not found the market"):
        desk.open(10, by=person(GRID_MSP, "rival", "operator"))
    with pytest.raises(ChaincodeError, match="the purchase desk exists already"):
        desk.desk.submit("found", PURCHASE_TERMS, by=desk.operator)
    empty = new_ledger().deploy("power_purchase", PowerPurchase())
    with pytest.raises(ChaincodeError, match="terms: cap 0 must be > 0"):
        empty.submit("found", replace(PURCHASE_TERMS, cap=0), by=desk.operator)
    with pytest.raises(ChaincodeError, match="there is no purchase desk yet"):
        empty.submit("open", 1, 2, by=desk.operator)
