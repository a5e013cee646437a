"""chaincode/energy/auction: what the ledger lets happen, and everything it refuses."""

from datetime import timedelta

import pytest

from gridloom.chaincode import ChaincodeError
from gridloom.chaincode.energy.auction import Auction
from gridloom.chaincode.energy.auction_records import (
    AccountRecord,
    Clearing,
    IntervalAccounts,
    MeterReading,
    OrderTerms,
    PlacedOrder,
    Session,
    SessionTerms,
)
from gridloom.chaincode.energy.rules.auctions import RULES
from gridloom.chaincode.energy.rules.lottery import arrange, commitment_of
from gridloom.chaincode.energy.rules.orders import Side
from harness.energy_market import GRID_MSP, OPERATOR_MSP, UNITS_MSP, EnergyMarket, person

LOT = "drawn"
P_S, P_B = 80_000, 300_000


class Street(EnergyMarket):
    """A founded market with the auction, two sellers and two buyers, and an open session."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.auction = self.ledger.deploy("auction", Auction())
        self.people = {name: person(UNITS_MSP, name, "BU,SU") for name in "abcd"}
        for each in self.people.values():
            self.auction.submit("join", by=each)
        self.open("day")

    def open(self, session, rule="pay_as_clear", **changes):
        closes = int((self.ledger.now + timedelta(hours=1)).timestamp())
        terms = SessionTerms(
            session,
            rule,
            commitment_of(LOT),
            changes.get("gate_closes_at", closes),
            changes.get("sell", [P_S, P_S]),
            changes.get("buy", [P_B, P_B]),
        )
        self.auction.submit("open", terms, by=changes.get("by", self.operator))

    def order(self, name, side, energy, price, interval=0, session="day"):
        terms = [OrderTerms(interval, side, energy, price)]
        self.auction.submit("place", session, terms, by=self.people[name])

    def trade_until(self, step):
        """Orders of all four; closed, cleared, metered, settled as far as step."""
        self.order("a", Side.SELL, 1000, 100_000)
        self.order("b", Side.SELL, 500, 250_000)
        self.order("c", Side.BUY, 700, 280_000)
        self.order("d", Side.BUY, 900, 200_000)
        readings = [
            MeterReading("a", 900), MeterReading("b", 500),
            MeterReading("c", -700), MeterReading("d", -1000),
        ]  # fmt: skip
        steps = {
            "close": lambda: self.auction.submit("close", "day", LOT, by=self.operator),
            "clear": lambda: self.auction.submit("clear", "day", 0, by=self.operator),
            "meter": lambda: self.auction.submit("meter", "day", 0, readings, by=self.grid),
            "settle": lambda: self.auction.submit("settle", "day", 0, by=self.operator),
        }
        for name, act in steps.items():
            act()
            if name == step:
                return


@pytest.fixture
def street():
    return Street()


def refused(status, says):
    return pytest.raises(ChaincodeError, match=says, check=lambda error: error.status == status)


def test_a_session_runs_from_orders_to_accounts_that_sum_to_zero(street):
    street.trade_until("settle")
    cleared = street.auction.evaluate("clearing", "day", 0).value(Clearing)
    assert sum(trade.energy for trade in cleared.trades) == 1000
    assert cleared.price == (200_000 + 200_000) // 2
    settled = street.auction.evaluate("accounts", "day", 0).value(IntervalAccounts)
    assert sum(account.money for account in settled.accounts) == 0
    assert sum(account.energy for account in settled.accounts) == 0
    a = street.auction.evaluate("statement", "day", "a").value(AccountRecord)
    assert a.money == 1000 * 200 - 100 * 300  # what a did not deliver, it bought from the grid


@pytest.mark.parametrize("rule", RULES)
def test_the_ledger_clears_by_the_rule_of_the_session_and_by_lot(street, rule):
    street.open("other", rule)
    for name, side, price in (("a", Side.SELL, 80_000), ("b", Side.SELL, 0), ("c", Side.BUY, P_B)):
        street.order(name, side, 600, price, session="other")
    street.auction.submit("close", "other", LOT, by=street.operator)
    street.auction.submit("clear", "other", 0, by=street.operator)
    session = street.auction.evaluate("session", "other").value(Session)
    orders = [
        PlacedOrder("a", Side.SELL, 600, 80_000).as_order(),
        PlacedOrder("b", Side.SELL, 600, 0).as_order(),
        PlacedOrder("c", Side.BUY, 600, P_B).as_order(),
    ]
    expected = RULES[rule](arrange(session.lot, orders), session.terms.grid(0))
    found = street.auction.evaluate("clearing", "other", 0).value(Clearing)
    assert [record.as_trade() for record in found.trades] == list(expected.trades)


def test_a_later_order_replaces_the_earlier_one_and_a_withdrawn_one_does_not_count(street):
    street.order("a", Side.SELL, 1000, 100_000)
    street.order("a", Side.SELL, 300, 100_000)
    street.order("b", Side.SELL, 1000, 100_000)
    street.auction.submit("withdraw", "day", [0], by=street.people["b"])
    street.order("c", Side.BUY, 5000, P_B)
    street.auction.submit("close", "day", LOT, by=street.operator)
    street.auction.submit("clear", "day", 0, by=street.operator)
    cleared = street.auction.evaluate("clearing", "day", 0).value(Clearing)
    assert [(trade.seller, trade.energy) for trade in cleared.trades] == [("a", 300)]


def test_who_has_not_joined_or_is_suspended_cannot_order(street):
    street.people["x"] = person(UNITS_MSP, "x", "BU,SU")
    with refused(404, "household x"):
        street.order("x", Side.BUY, 1, P_B)
    street.auction.submit("suspend", "a", True, by=street.operator)
    with refused(403, "a is not approved"):
        street.order("a", Side.SELL, 1, P_S)
    street.auction.submit("suspend", "a", False, by=street.operator)
    street.order("a", Side.SELL, 1, P_S)


def test_a_name_belongs_to_who_joined_with_it(street):
    thief = person(UNITS_MSP, "a", "BU,SU")
    with refused(409, "household a exists"):
        street.auction.submit("join", by=thief)


def test_the_certificate_of_another_ca_is_not_the_household(street):
    street.people["a"] = person(OPERATOR_MSP, "a", "BU,SU")
    with refused(403, "another identity|not an organisation"):
        street.order("a", Side.SELL, 1, P_S)


@pytest.mark.parametrize("name", ["grid", "operator"])
def test_the_markets_own_accounts_are_no_households(street, name):
    with refused(422, "account of the market itself"):
        street.auction.submit("join", by=person(UNITS_MSP, name, "BU"))


def test_who_may_only_buy_cannot_sell(street):
    buyer = street.people["e"] = person(UNITS_MSP, "e", "BU")
    street.auction.submit("join", by=buyer)
    street.order("e", Side.BUY, 1, P_B)
    with refused(403, "may not act as SU"):
        street.order("e", Side.SELL, 1, P_S)


@pytest.mark.parametrize(
    ("orders", "status", "says"),
    [
        ([OrderTerms(2, Side.BUY, 1, P_B)], 404, "interval 2 in session day"),
        ([OrderTerms(-1, Side.BUY, 1, P_B)], 404, "interval -1"),
        ([OrderTerms(0, Side.BUY, 0, P_B)], 422, "0 Wh is not above zero"),
        ([OrderTerms(0, Side.BUY, -5, P_B)], 422, "-5 Wh is not above zero"),
        ([OrderTerms(0, Side.BUY, 10**18, P_B)], 422, "absurd"),
        ([OrderTerms(0, Side.BUY, 1, P_B + 1)], 422, "price 300001 is not in"),
        ([OrderTerms(0, Side.SELL, 1, -1)], 422, "price -1 is not in"),
        ([OrderTerms(0, Side.BUY, 1, 9), OrderTerms(0, Side.SELL, 1, 9)], 409, "interval 0 exists"),
    ],
)
def test_orders_that_cannot_be_meant_are_refused(street, orders, status, says):
    with refused(status, says):
        street.auction.submit("place", "day", orders, by=street.people["a"])


@pytest.mark.parametrize("lot", ["", "another"])
def test_the_lot_is_the_one_the_operator_committed_to(street, lot):
    with refused(422, "lot: is not the one"):
        street.auction.submit("close", "day", lot, by=street.operator)


def test_after_the_gate_nobody_orders_or_withdraws(street):
    street.order("a", Side.SELL, 1000, 100_000)
    street.ledger.now += timedelta(hours=1)
    with refused(409, "since Unix time"):
        street.order("a", Side.SELL, 1, P_S)
    street.auction.submit("close", "day", LOT, by=street.operator)
    with refused(409, "the operator has closed it"):
        street.auction.submit("withdraw", "day", [0], by=street.people["a"])
    with refused(409, "the operator has closed it"):
        street.auction.submit("close", "day", LOT, by=street.operator)


def test_every_step_waits_for_the_one_before(street):
    with refused(409, "gate is still open"):
        street.auction.submit("clear", "day", 0, by=street.operator)
    with refused(404, "clearing of day"):
        street.auction.submit("meter", "day", 0, [], by=street.grid)
    street.trade_until("clear")
    with refused(409, "meters are not read"):
        street.auction.submit("settle", "day", 0, by=street.operator)


@pytest.mark.parametrize("step", ["clear", "meter", "settle"])
def test_no_step_is_taken_twice(street, step):
    street.trade_until("settle")
    by = street.grid if step == "meter" else street.operator
    arguments = ([],) if step == "meter" else ()
    with refused(409, "exists already"):
        street.auction.submit(step, "day", 0, *arguments, by=by)


@pytest.mark.parametrize("step", ["open", "close", "clear", "settle", "suspend"])
def test_only_the_operator_runs_the_market(street, step):
    street.trade_until("meter" if step == "settle" else "close" if step == "clear" else "")
    arguments = {
        "close": ("day", LOT),
        "clear": ("day", 0),
        "settle": ("day", 0),
        "suspend": ("a", True),
    }
    with refused(403, "may not act as operator"):
        if step == "open":
            street.open("mine", by=street.people["a"])
        else:
            street.auction.submit(step, *arguments.get(step, ("day",)), by=street.people["a"])


@pytest.mark.parametrize(
    ("readings", "status", "says"),
    [
        ([], 422, "no reading of a, c, d"),
        ([MeterReading("a", 1), MeterReading("a", 1)], 409, "reading of a exists"),
        ([MeterReading("a", 10**18)], 422, "cannot be meant"),
        ([MeterReading("grid", 1)], 422, "cannot be meant"),
    ],
)
def test_meters_speak_for_every_trader_once(street, readings, status, says):
    street.trade_until("clear")
    with refused(status, says):
        street.auction.submit("meter", "day", 0, readings, by=street.grid)


def test_only_the_grid_reads_meters(street):
    street.trade_until("clear")
    with refused(403, "may not act as grid"):
        street.auction.submit("meter", "day", 0, [], by=street.operator)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"rule": "lottery"}, "rule: 'lottery' is none of bill_sharing"),
        ({"sell": [P_S]}, "one price for each interval"),
        ({"sell": [], "buy": []}, "one price for each interval"),
        ({"sell": [P_S, P_B]}, "does not hold in interval 1"),
        ({"gate_closes_at": 5}, "already past"),
    ],
)
def test_a_session_needs_terms_that_can_be_meant(street, changes, says):
    with refused(422, says):
        street.open("other", **changes)


def test_a_sessions_rule_is_final(street):
    with refused(409, "session day exists"):
        street.open("day", "mid_market")


def test_a_stranger_to_the_consortium_has_no_rights(street):
    with refused(403, "not an organisation of that role"):
        street.auction.submit("clear", "day", 0, by=person(GRID_MSP, "op", "operator"))
