"""market/kinds/p002: the paper's cases, and what is said about bad ones."""

import pytest

from gridloom.market.errors import CaseError
from harness.cases import answer, judged

PRICES = {"CG": 0.42, "CU": 0.55, "GC": 0.59, "GU": 0.68}
HOUR = {"gen_g": 500, "load_g": 300, "demand_u": 400, "prices": PRICES, "subsidy": 0.05}
BOX = {"GU": [0.5, 0.7], "GC": [0.5, 0.7], "CU": [0.4, 0.6], "CG": [0.4, 0.6]}
SOLD = {"GU": 200, "GC": 0, "CU": 200, "CG": 0}
WEIGHTED = {"Q": SOLD, "w_G": 1, "w_C": 0, "w_U": 0, "box": BOX}
GAME = {
    "b": 1.6, "D": 500, "SG": 500, "P_GC": 0.42, "cC": 0.12, "s": 0.05,
    "box_GU": [0.5, 0.7], "box_CU": [0.4, 0.6],
}  # fmt: skip
QUOTES = [{"id": "a", "x": [0.5, 60]}, {"id": "b", "x": [0.6, 61]}]
NEAREST = {"target": [0.55, 60], "quotes": QUOTES, "scale": [0.3, 75]}


def test_all_cases_of_the_paper_pass_its_comparator(tmp_path):
    assert judged("p002", tmp_path) == "35/35 ok"


def test_a_bureau_with_little_to_sell_leaves_somebody_unserved():
    found = answer("objectives", {**HOUR, "gen_g": 200, "gen_c": 450})
    assert found["Q"] == {"GU": 0, "GC": 0, "CU": 400, "CG": 50, "unserved": 50}
    assert abs(found["zero_sum"]) < 1e-9


def test_the_papers_subsidy_and_smallest_evaporation_are_the_defaults():
    without = {name: value for name, value in HOUR.items() if name != "subsidy"}
    assert answer("objectives", without) == answer("objectives", HOUR)
    assert answer("rho", {"improved": [False] * 11})[-1] == 0.1
    assert answer("rho", {"improved": [True, False, True]}) == [1.0, 0.8, 0.8]


def test_equally_near_quotes_yield_to_the_lowest_id():
    tie = {"target": [0.3], "quotes": [{"id": "z", "x": [0.1]}, {"id": "m", "x": [0.5]}]}
    assert answer("nearest", tie) == {"id": "m", "dist": pytest.approx(0.2)}


@pytest.mark.parametrize(
    ("kind", "values", "says"),
    [
        ("objectives", {**HOUR, "gen_g": -1}, r"gen_g: -1.0 is not in \[0.0, inf\]"),
        ("objectives", {**HOUR, "demand_u": None}, "demand_u: is null, not a number"),
        ("objectives", {**HOUR, "prices": 3}, "prices: is a number, not an object"),
        ("objectives", {**HOUR, "prices": {"CG": 1}}, "prices.GU: is missing"),
        ("objectives", {**HOUR, "gen_g": float("nan")}, "gen_g: is nan, not a finite number"),
        ("weighted", {**WEIGHTED, "Q": {**SOLD, "GC": "x"}}, "Q.GC: is text, not a number"),
        ("weighted", {**WEIGHTED, "box": {**BOX, "CU": [2, 1]}}, "box.CU: 2.0 is above 1.0"),
        ("weighted", {**WEIGHTED, "w_U": -1}, "w_U: -1.0 is not in"),
        ("nash_fixed", {"Q": SOLD, "box": {**BOX, "CU": [2]}}, "box.CU: has 1 entries, not 2"),
        ("elastic_nash", {**GAME, "b": -1}, "b: -1.0 is not in"),
        ("elastic_nash", {**GAME, "box_GU": [0.7, 0.5]}, "box_GU: 0.7 is above 0.5"),
        ("nearest", {**NEAREST, "quotes": []}, "quotes: is empty"),
        ("nearest", {**NEAREST, "quotes": QUOTES * 2}, r"quotes\[2\].id: 'a' is used twice"),
        ("nearest", {**NEAREST, "scale": [0.3, 0]}, r"scale\[1\]: is zero"),
        ("nearest", {**NEAREST, "target": [1]}, r"quotes\[0\].x: has 2 entries, not 1"),
        ("nearest", {**NEAREST, "quotes": [{"id": 1, "x": [1, 2]}]}, r"quotes\[0\].id: is a numb"),
        (
            "objectives",
            {**HOUR, "prices": {**PRICES, "CU": 1e308}},
            r"\(all\): the numbers are too large",
        ),
        ("elastic_nash", {**GAME, "cC": 1e308}, r"\(all\): the numbers are too large"),
        ("nearest", {**NEAREST, "target": [1e308, 60]}, r"\(all\): the numbers are too large"),
        ("rho", {"improved": [1]}, r"improved\[0\]: is not true or false"),
        ("rho", {"improved": [True], "rho_min": 2}, "rho_min: 2.0 is not in"),
    ],
)
def test_a_case_that_cannot_be_solved_is_named_by_field(kind, values, says):
    with pytest.raises(CaseError, match=f"case c1: {says}"):
        answer(kind, values)


def test_a_game_without_equilibrium_says_so():
    game = {**GAME, "b": 3, "SG": 400, "P_GC": 0.05, "cC": 0.05}
    game |= {"box_GU": [0.3, 1.0], "box_CU": [0.3, 1.0]}
    found = answer("elastic_nash", game)
    assert found["P_GU"] is None
    assert found["period"] == 3
    assert "no equilibrium in pure prices" in found["reason"]
