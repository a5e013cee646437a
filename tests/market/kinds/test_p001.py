"""market/kinds/p001: answers at the edges, and what is said about bad cases."""

import pytest

from gridloom.market.errors import CaseError
from gridloom.market.solve import solve

SETTLE = {
    "price": "0.55", "wheel": "0.02", "use": "220", "output": "200",
    "retail": "0.615", "buyback": "0.41",
}  # fmt: skip
GOOD = {
    "settle": SETTLE,
    "credit": {"previous_scores": [100], "actual": 180, "agreed": 200, "alpha": "0"},
    "sequence": {"sequence": 51},
    "padcode": {"min_padding": 546},
    "match": {"candidates": [{"c": 1, "p": 2}], "weights": {"c": 1, "p": 1}},
    "poca_probs": {"credits": [91, 100], "tau": 10, "blocks": 50},
    "mine": {"merkle": "00ff", "credit": 100, "p0_bits": 8},
    "race": {"p": [0.1, 0.2]},
}


def answer(kind, values):
    return solve({"cases": [{"id": "c", "kind": kind, "input": values}]})["c"]


@pytest.mark.parametrize(
    ("kind", "change", "field", "says"),
    [
        ("settle", {"use": "-1"}, "use", "-1 is below 0"),
        ("settle", {"price": "x"}, "price", "not a decimal"),
        ("credit", {"alpha": "-0.1"}, "alpha", "below 0"),
        ("credit", {"cap": 1}, "cap", "neither true nor false"),
        ("credit", {"previous_scores": ["x"]}, "previous_scores[0]", "not a decimal"),
        ("sequence", {"sequence": 2**32}, "sequence", "not a whole number of at most"),
        ("sequence", {"sequence": 0.5}, "sequence", "not a whole number"),
        ("padcode", {"min_padding": 2**63 + 1}, "min_padding", "at most"),
        ("match", {"candidates": []}, "candidates", "is empty"),
        ("match", {"candidates": [{"c": 1}]}, "candidates[0].p", "is missing"),
        ("match", {"weights": {"c": 0}}, "weights", "are all zero"),
        ("match", {"sense": {"c": "up"}}, "sense.c", "neither max nor min"),
        ("poca_probs", {"tau": 0}, "tau", "is zero"),
        ("poca_probs", {"credits": []}, "credits", "is empty"),
        ("mine", {"merkle": "xyz"}, "merkle", "not hexadecimal"),
        ("mine", {"merkle": 7}, "merkle", "not hexadecimal"),
        ("mine", {"p0_bits": 60}, "p0_bits", "more than 2^30 tries"),
        ("mine", {"tau": 0}, "tau", "not above zero"),
        ("mine", {"credit": 10**9}, "credit", "beyond any target"),
        ("race", {"p": [0.0, 0.0]}, "p", "nobody can hit"),
        ("race", {"p": [1.5]}, "p[0]", "not in [0.0, 1.0]"),
    ],
)
def test_a_bad_field_is_named_with_its_case(kind, change, field, says):
    answer(kind, GOOD[kind])
    with pytest.raises(CaseError) as caught:
        answer(kind, {**GOOD[kind], **change})
    assert (caught.value.case_id, caught.value.field) == ("c", field)
    assert says in str(caught.value)


def test_money_is_exact():
    assert answer("settle", {**SETTLE, "use": "2/7", "output": "0"})["buyer"] == "123/700"
    assert answer("settle", SETTLE) == {
        "traded": "200", "buyer": "126.3", "seller": "110", "grid": "16.3",
    }  # fmt: skip


def test_a_single_candidate_scores_fully_and_equals_go_to_the_first():
    assert answer("match", GOOD["match"]) == {"scores": [1.0], "best": 0}
    twins = {**GOOD["match"], "candidates": [{"c": 1, "p": 2}] * 3}
    assert answer("match", twins)["best"] == 0


def test_nothing_agreed_is_fulfilled_by_nothing():
    empty = {"previous_scores": [], "actual": 0, "agreed": 0}
    assert answer("credit", empty) == {"score": 100.0, "credit": 100.0}
