"""chaincode/energy/auction on a feeder: what the operator must show, and what is refused."""

from dataclasses import replace
from datetime import timedelta

import pytest

from gridloom.chaincode import ChaincodeError
from gridloom.chaincode.energy.auction import Auction
from gridloom.chaincode.energy.auction_grid import (
    UNSOLVED,
    HouseholdPlace,
    SessionGrid,
    ShownPoint,
)
from gridloom.chaincode.energy.auction_records import Clearing, OrderTerms, SessionTerms
from gridloom.chaincode.energy.baas.grid_records import (
    Feeder,
    FeederLine,
    FeederNode,
    NodeKind,
    NodePower,
    Terms,
)
from gridloom.chaincode.energy.rules.auctions import RULES
from gridloom.chaincode.energy.rules.lottery import arrange, commitment_of
from gridloom.chaincode.energy.rules.orders import Order, Side
from gridloom.chaincode.energy.rules.prices import GridPrices
from gridloom.market.power_flow.ledger_point import solve_for_ledger
from harness.energy_market import UNITS_MSP, EnergyMarket, person

LOT = "drawn"
WISHES = [
    ("a", Side.SELL, 1000),
    ("b", Side.SELL, 1000),
    ("c", Side.BUY, 900),
    ("d", Side.BUY, 900),
]
ORDERS = [Order(name, side, energy, 200_000, 0) for name, side, energy in WISHES]
GRID = GridPrices(80_000, 300_000)
FEEDER = Feeder(
    100_000,
    [FeederNode(NodeKind.SLACK), FeederNode(NodeKind.PQ), FeederNode(NodeKind.PQ)],
    [FeederLine(0, 1, 20_000, 10_000, 60_000), FeederLine(1, 2, 40_000, 20_000, 1_200)],
    [],
    Terms(0, 0, 0),
)
PLACES = [HouseholdPlace(name, node) for name, node in zip("abcd", (2, 2, 1, 1), strict=True)]
WEAK = SessionGrid("day", FEEDER, [NodePower()] * 3, PLACES, 60)


class Street(EnergyMarket):
    """Two sellers behind a weak line, two buyers before it, and an open session."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.auction = self.ledger.deploy("auction", Auction())
        self.people = {name: person(UNITS_MSP, name, "BU,SU") for name in "abcd"}
        for each in self.people.values():
            self.auction.submit("join", by=each)
        closes = int((self.ledger.now + timedelta(hours=1)).timestamp())
        terms = SessionTerms(
            "day", "pay_as_clear", commitment_of(LOT), closes, [GRID.sell], [GRID.buy]
        )
        self.auction.submit("open", terms, by=self.operator)

    def connect(self, grid=WEAK, by=None):
        self.auction.submit("connect", grid, by=by or self.operator)

    def ordered(self):
        for name, side, energy in WISHES:
            terms = [OrderTerms(0, side, energy, 200_000)]
            self.auction.submit("place", "day", terms, by=self.people[name])
        self.auction.submit("close", "day", LOT, by=self.operator)

    def clear(self, shown, by=None):
        cleared = self.auction.submit("clear_on_grid", "day", 0, shown, by=by or self.operator)
        return cleared.value(Clearing)


@pytest.fixture
def street():
    return Street()


def refused(status, says):
    return pytest.raises(ChaincodeError, match=says, check=lambda error: error.status == status)


def trades():
    return RULES["pay_as_clear"](arrange(LOT, ORDERS), GRID).trades


def shown(*counts, grid=WEAK):
    return [
        ShownPoint(count, solve_for_ledger(grid.feeder, grid.powers(ORDERS, trades()[:count])))
        for count in counts
    ]


def test_the_last_trades_that_a_line_cannot_carry_are_refused_with_its_name(street):
    street.connect()
    street.ordered()
    made = trades()
    cleared = street.clear(shown(*range(1, len(made) + 1)))
    left = len(cleared.trades)
    assert 0 < left < len(made)
    assert [each.as_trade() for each in cleared.trades] == list(made[:left])
    assert [each.trade.as_trade() for each in reversed(cleared.refused)] == list(made[left:])
    assert {name for each in cleared.refused for name in each.violations} == {"line:1"}
    assert street.auction.evaluate("clearing", "day", 0).value(Clearing) == cleared


def test_a_feeder_that_carries_everything_needs_one_point_and_refuses_nothing(street):
    lines = [replace(line, limit=60_000) for line in FEEDER.lines]
    strong = replace(WEAK, feeder=replace(FEEDER, lines=lines))
    street.connect(strong)
    street.ordered()
    cleared = street.clear(shown(len(trades()), grid=strong))
    assert (len(cleared.trades), cleared.refused) == (len(trades()), [])


def test_what_no_point_is_shown_for_is_refused(street):
    street.connect()
    street.ordered()
    cleared = street.clear([])
    assert (cleared.trades, cleared.price) == ([], None)
    assert [each.violations for each in cleared.refused] == [[UNSOLVED]] * len(trades())


def test_a_point_of_other_trades_is_no_proof(street):
    street.connect()
    street.ordered()
    (safe,) = shown(0)
    with refused(422, "not an operating point"):
        street.clear([replace(safe, trades=len(trades()))])


def test_a_session_on_a_feeder_is_cleared_on_it_and_another_is_not(street):
    street.ordered()
    with refused(404, "grid of session day"):
        street.clear([])
    other = Street()
    other.connect()
    other.ordered()
    with refused(422, "clear_on_grid"):
        other.auction.submit("clear", "day", 0, by=other.operator)


def test_only_the_operator_connects_and_only_once_and_before_the_gate_closes(street):
    with refused(403, "operator"):
        street.connect(by=street.people["a"])
    with refused(404, "session night"):
        street.connect(replace(WEAK, session="night"))
    street.connect()
    with refused(409, "grid of session day"):
        street.connect()
    with refused(403, "operator"):
        street.clear([], by=street.people["a"])
    late = Street()
    late.ordered()
    with refused(409, "closed"):
        late.connect()


@pytest.mark.parametrize(
    ("changes", "status", "says"),
    [
        ({"minutes": 0}, 422, "minutes"),
        ({"own": []}, 422, "0 entries for 3 nodes"),
        ({"places": [*PLACES, PLACES[0]]}, 409, "place of a"),
        ({"places": [HouseholdPlace("a", 3)]}, 422, "no node 3"),
        ({"feeder": replace(FEEDER, nodes=FEEDER.nodes[1:])}, 422, "neither a slack nor a PD"),
        ({"feeder": replace(FEEDER, base_power=0)}, 422, "base_power"),
    ],
)
def test_a_grid_that_cannot_be_meant_is_refused(street, changes, status, says):
    with refused(status, says):
        street.connect(replace(WEAK, **changes))


def test_a_household_that_is_nowhere_on_the_feeder_cannot_be_cleared(street):
    street.connect(replace(WEAK, places=PLACES[:-1]))
    street.ordered()
    with refused(404, "place of d on the feeder"):
        street.clear([])


def test_the_name_of_what_nobody_can_solve():
    assert WEAK.violations([NodePower()] * 3, None) == [UNSOLVED]
