"""market/kinds/p004: the paper's cases, and what is said about bad ones."""

import numpy as np
import pytest

from gridloom.market.errors import CaseError
from harness.cases import answer, judged
from harness.shared import shared

STORAGE = {"E_s": 50, "G_r": 30, "E_l": 100, "D": 0}
REQUEST = {
    "stores": [5.0, 4.0, 9.0], "dist": [[0, 1, 2], [1, 0, 3], [2, 3, 0]],
    "requester": 0, "W": 12, "c_b": 0.4, "c_t": 0.02,
}  # fmt: skip
OFFERS = {"price": [0.3, 0.5], "transmission": [0.05, 0.05], "capacity": [10, 20], "avg_cap": 0.5}


def test_all_cases_of_the_paper_pass_its_comparator(tmp_path):
    assert judged("p004", tmp_path) == "22/22 ok"


@pytest.mark.parametrize("seed", range(4))
def test_the_archive_of_any_front_meets_the_papers_acceptance(seed):
    rng = np.random.default_rng(seed)
    suppliers = int(rng.integers(1, 10))
    offers = {
        "price": np.round(rng.uniform(0.25, 0.6, suppliers), 3).tolist(),
        "transmission": np.round(rng.uniform(0.03, 0.1, suppliers), 3).tolist(),
        "capacity": np.round(rng.uniform(10, 250, suppliers)).tolist(),
        "avg_cap": 0.5,
    }
    offers["price"][0] = 0.35
    found = answer("continuous_front", offers)
    quantity, cost = np.asarray(found["archive"]).T
    corners = np.asarray(found["breakpoints_Q_cost"])
    assert len(quantity) >= 100
    assert found["hypervolume"] >= 0.98 * found["hv_sup"]
    assert np.all(cost <= 0.5 * quantity)
    above = cost - np.interp(quantity, corners[:, 0], corners[:, 1])
    assert above.max() <= 1e-3 * corners[-1, 1]


def test_offers_that_are_all_too_dear_leave_only_nothing():
    dear = {**OFFERS, "price": [0.6, 0.7]}
    found = answer("continuous_front", dear)
    assert found["breakpoints_Q_cost"] == [[0.0, 0.0]]
    assert (found["Qmax"], found["hv_sup"]) == (0.0, 0.0)
    assert answer("discrete_front", dear) == []


def test_nothing_is_left_over_by_rounding():
    stores = [0.0, 0.1, 0.2, 5.0]
    dist = [[0, 1, 2, 3]] * 4
    case = {**REQUEST, "stores": stores, "dist": dist, "W": 0.3}
    assert answer("cost_aware", case)["legs"] == [[1, 0.1], [2, 0.2]]
    assert answer("request", {"E_s": 0.1, "W": 0.3}) == [0.1, 0.2]


def test_what_nobody_holds_waits():
    found = answer("storage_aware", {**REQUEST, "W": 40})
    assert (found["waiting"], found["stores"]) == (22.0, [0.0, 0.0, 0.0])


def test_the_parameters_of_the_paper_stand_in_its_table():
    rows = shared("papers", "tables", "p004_parameters.csv").read_text()
    assert "avg_price_cap,0.5,yuan/kWh" in rows


@pytest.mark.parametrize(
    ("kind", "values", "says"),
    [
        ("storage", {**STORAGE, "D": 2}, r"D: 2 is neither 0 \(generates\) nor 1"),
        ("storage", {**STORAGE, "E_s": -1}, "E_s: -1.0 is not in"),
        ("request", {"E_s": 1}, "W: is missing"),
        ("cost_aware", {**REQUEST, "requester": 3}, "requester: 3 is none of the 3 positions"),
        ("cost_aware", {**REQUEST, "requester": 1.5}, "requester: is a number, not a whole"),
        ("cost_aware", {**REQUEST, "dist": [[0]]}, "dist: has 1 rows for 3 stores"),
        ("cost_aware", {**REQUEST, "dist": [[0]] * 3}, r"dist\[0\]: has 1 entries, not 3"),
        ("storage_aware", {**REQUEST, "stores": [1, -2, 3]}, r"stores\[1\]: -2.0 is not in"),
        ("storage_aware", {**REQUEST, "stores": []}, "requester: 0 is none of the 0 positions"),
        ("continuous_front", {**OFFERS, "price": []}, "price: is empty"),
        ("continuous_front", {**OFFERS, "capacity": [1]}, "capacity: has 1 entries, not 2"),
        ("discrete_front", {k: [0.1] * 21 for k in OFFERS} | {"avg_cap": 1}, "price: 21 suppliers"),
    ],
)
def test_a_case_that_cannot_be_solved_is_named_by_field(kind, values, says):
    with pytest.raises(CaseError, match=f"case c1: {says}"):
        answer(kind, values)
