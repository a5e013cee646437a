"""chaincode/energy/dipi: settlement, credit, matching score and sequence numbers."""

import csv
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridloom.chaincode.energy.dipi import sequence_number as coloured
from gridloom.chaincode.energy.dipi.credit import mean_credit, score
from gridloom.chaincode.energy.dipi.matching_score import WEIGHTS, matching_scores
from gridloom.chaincode.energy.dipi.sequence_number import Colouring
from gridloom.chaincode.energy.dipi.settlement import Prices, settle
from harness.shared import shared

TABLE_2 = shared("papers", "tables", "p001_table2_settlement.csv")
TABLE_1 = shared("papers", "tables", "p001_table1_weights.csv")
amounts = st.fractions(0, 1000, max_denominator=1000)
prices = st.builds(Prices, amounts, amounts, amounts, amounts)


def table_2() -> list[dict[str, Fraction]]:
    with TABLE_2.open() as file:
        return [
            {name: Fraction(cell) for name, cell in row.items()} for row in csv.DictReader(file)
        ]


def test_the_settlement_reproduces_table_2_but_for_its_last_row():
    residuals = []
    for row in table_2():
        bill = settle(
            row["actual_use_kWh"],
            row["actual_output_kWh"],
            Prices(
                row["agreed_price_yuan_per_kWh"],
                row["wheeling_charge_yuan_per_kWh"],
                Fraction("0.615"),
                Fraction("0.41"),
            ),
        )
        printed = (
            row["buyer_spending_yuan"], row["seller_income_yuan"], row["grid_income_yuan"],
        )  # fmt: skip
        rule = (bill.buyer, bill.seller, bill.grid)
        residuals.append([p - r for p, r in zip(printed, rule, strict=True)])
    assert residuals == [[0, 0, 0]] * 6 + [[Fraction("0.4"), 0, Fraction("0.4")]]


@given(amounts, amounts, prices)
def test_what_the_buyer_pays_is_what_seller_and_grid_earn(used, generated, agreed):
    bill = settle(used, generated, agreed)
    assert bill.buyer == bill.seller + bill.grid
    assert bill.traded + bill.deficit == used
    assert bill.traded + bill.surplus == generated
    assert not (bill.deficit and bill.surplus)


def test_the_scores_of_table_2_but_for_its_last_sellers():
    for row in table_2():
        agreed = row["agreed_volume_kWh"]
        seller = score(row["actual_output_kWh"], agreed)
        assert score(row["actual_use_kWh"], agreed) == row["credit_buyer"] or row["no"] == 7
        assert seller == row["credit_seller"] or row["no"] in (6, 7)


@given(amounts, amounts, st.fractions(0, Fraction(3, 10), max_denominator=100))
def test_a_score_rises_with_what_was_delivered_and_never_exceeds_100(actual, agreed, alpha):
    points = score(actual, agreed, alpha)
    assert 0 <= points <= 100
    assert score(actual + 1, agreed, alpha) >= points
    assert points >= score(actual, agreed)


def test_as_printed_the_natural_factor_overshoots_before_it_drops():
    near, alpha = Fraction(180), Fraction(1, 5)
    assert score(near, Fraction(200), alpha, capped=False) == 108
    assert score(near, Fraction(200), alpha) == 100
    assert mean_credit([Fraction(100), Fraction(100), Fraction(90)]) == Fraction(290, 3)


def test_the_weights_are_table_1s():
    with TABLE_1.open() as file:
        printed = {row["symbol"][-1]: Fraction(row["basic_weight"]) for row in csv.DictReader(file)}
    assert printed == WEIGHTS


candidates = st.lists(
    st.fixed_dictionaries({name: st.integers(0, 5).map(Fraction) for name in WEIGHTS}),
    min_size=1,
    max_size=5,
)


@given(candidates)
def test_scores_lie_in_the_unit_interval_and_the_first_best_wins(listed):
    judged = matching_scores(listed)
    scores = [judged[i] for i in range(len(judged))]
    assert all(0 <= points <= 1 for points in scores)
    assert scores[judged.best] == max(scores)
    assert max(scores) not in scores[: judged.best]


@given(candidates)
def test_the_score_is_the_weighted_mean_of_the_scaled_attributes(listed):
    judged = matching_scores(listed)
    for i, candidate in enumerate(listed):
        points = Fraction(0)
        for name, weight in WEIGHTS.items():
            low, high = (f(each[name] for each in listed) for f in (min, max))
            share = Fraction(1) if low == high else (candidate[name] - low) / (high - low)
            inverted = name in {"l", "p"} and low != high
            points += weight * (1 - share if inverted else share)
        assert judged[i] == points / 4


@given(candidates, st.integers(1, 9), st.integers(-9, 9))
def test_the_unit_of_an_attribute_does_not_matter(listed, factor, offset):
    changed = [{**each, "c": each["c"] * factor + offset} for each in listed]
    one, other = matching_scores(changed), matching_scores(listed)
    assert [one[i] for i in range(len(one))] == [other[i] for i in range(len(other))]


@given(st.sampled_from(Colouring), st.integers(0, 63), st.integers(0, 0xFFFFF))
def test_a_sequence_number_says_what_it_was_made_of(colouring, code, serial):
    sequence = coloured.sequence_number(colouring, code, serial)
    assert 0 <= sequence < 2**32
    assert coloured.colouring_of(sequence) is colouring
    assert (coloured.padding_code(sequence), coloured.serial_of(sequence)) == (code, serial)


@given(st.integers(0, 2**63))
def test_the_smallest_padding_is_large_enough_and_half_of_it_is_not(least):
    code = coloured.smallest_code(least)
    assert coloured.padding(code) >= least
    assert code == 0 or coloured.padding(code - 1) < least


def test_what_does_not_fit_into_a_sequence_number_is_refused():
    for make in (
        lambda: coloured.smallest_code(2**63 + 1),
        lambda: coloured.smallest_code(-1),
        lambda: coloured.sequence_number(Colouring.GENESIS, 64),
        lambda: coloured.sequence_number(Colouring.GENESIS, 0, 2**20),
    ):
        with pytest.raises(ValueError, match=r"no padding|does not fit"):
            make()
    assert coloured.colouring_of(0xFFFFFFFF) is None
