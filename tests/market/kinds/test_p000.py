"""market/kinds/p000: the published cases, and what is said about bad ones."""

import json
import subprocess
import sys

import pytest

from gridloom.market.errors import CaseError
from gridloom.market.solve import solve
from harness.shared import shared

CASES = shared("papers", "cases", "p000.json")
DS = {"frame": ["a", "b"], "sources": [{"a": "0.6", "a|b": "0.4"}], "eps1": "0.1", "eps2": "0.5"}
DISCOUNT = {"frame": ["a", "b"], "source": {"a": "1"}, "reliability": "0.9"}
PENALTY = {"plan": 10, "actual": 8, "value_1": "0.85", "value_2": "0.6"}
FLOW = {
    "nodes": [{"type": "slack", "V": 1.0}, {"type": "PQ", "PL": 0.1}],
    "lines": [{"from": 0, "to": 1, "r": 0.02, "x": 0.04}],
}
POTENTIAL = {
    "n": 2, "lines": [{"from": 0, "to": 1, "pmax": 0.5, "P0": 0.0, "beta": 1.0}],
    "source": 0, "dP": 0.1, "candidates": [1], "alpha": 0.1, "gamma": {"1": 0.05},
}  # fmt: skip
GOOD = {
    "ds": DS, "discount": DISCOUNT, "penalty": PENALTY, "powerflow": FLOW, "potential": POTENTIAL,
}  # fmt: skip


def answer(kind, values):
    return solve({"cases": [{"id": "c", "kind": kind, "input": values}]})["c"]


@pytest.mark.parametrize("paper", ["p000", "p001"])
def test_all_cases_of_the_paper_pass_its_comparator(tmp_path, paper):
    cases = CASES.with_name(f"{paper}.json")
    answers = tmp_path / "got.json"
    answers.write_text(json.dumps(solve(json.loads(cases.read_text()))))
    judge = subprocess.run(
        [sys.executable, CASES.with_name("compare.py"), cases, answers],
        capture_output=True,
        text=True,
        check=False,
    )
    assert judge.returncode == 0, judge.stdout


@pytest.mark.parametrize(
    ("kind", "change", "field", "says"),
    [
        ("ds", {"frame": []}, "frame", "it has no hypotheses"),
        ("ds", {"frame": ["a", "a"]}, "frame", "twice"),
        ("ds", {"frame": ["a|b"]}, "frame[0]", "does not name a hypothesis"),
        ("ds", {"sources": [{"a": "0.6"}]}, "sources[0]", "add up to 0.6, not 1"),
        ("ds", {"sources": [{"c": "1"}]}, "sources[0].c", "not in the frame"),
        ("ds", {"sources": [{"a": "-1", "b": "2"}]}, "sources[0].a", "-1 is below 0"),
        ("ds", {"sources": [{"a": "one"}]}, "sources[0].a", "not a decimal or a fraction"),
        ("ds", {"sources": [{"a": "1/0"}]}, "sources[0].a", "not a decimal or a fraction"),
        ("ds", {"sources": [["a"]]}, "sources[0]", "is a list, not an object"),
        ("ds", {"eps1": float("nan")}, "eps1", "not a finite number"),
        ("discount", {"reliability": "1.1"}, "reliability", "11/10 is above 1"),
        ("penalty", {"actual": -1}, "actual", "-1 is below 0"),
        ("penalty", {"plan": None}, "plan", "is null, not a number"),
        ("powerflow", {"nodes": []}, "nodes", "0 entries"),
        ("powerflow", {"nodes": [{"type": "PX"}]}, "nodes[0].type", "'PX' is none of slack"),
        ("powerflow", {"nodes": [{"type": "PD"}]}, "nodes[0].mp", "is missing"),
        ("powerflow", {"nodes": [{"type": "PV", "V": 0}]}, "nodes[0].V", "is no voltage"),
        ("powerflow", {"lines": [{"from": 0, "to": 2}]}, "lines[0].to", "2.0 is not in"),
        ("powerflow", {"lines": [{"from": 1, "to": 1}]}, "lines[0]", "from node 1 to itself"),
        ("powerflow", {"lines": [{"from": 0.5, "to": 1}]}, "lines[0].from", "not a whole number"),
        (
            "powerflow",
            {"lines": [{"from": 0, "to": 1, "r": 0, "x": 0}]},
            "lines[0]",
            "has no impedance",
        ),
        ("potential", {"candidates": [1, 1]}, "candidates[1]", "is there twice"),
        ("potential", {"gamma": {}}, "gamma.1", "is null, not a number"),
        ("potential", {"dP": -0.1}, "dP", "below 0"),
    ],
)
def test_a_bad_field_is_named_with_its_case(kind, change, field, says):
    answer(kind, GOOD[kind])
    with pytest.raises(CaseError) as caught:
        answer(kind, {**GOOD[kind], **change})
    assert (caught.value.case_id, caught.value.field) == ("c", field)
    assert says in str(caught.value)


@pytest.mark.parametrize(
    ("nodes", "says"),
    [
        ([{"type": "PQ"}, {"type": "PQ"}], "neither a slack nor a PD node"),
        ([{"type": "slack"}, {"type": "PQ"}, {"type": "PQ"}], "no line leads from nodes 2"),
        ([{"type": "slack"}, {"type": "PQ", "PL": 90.0}], "p.u. in P at node 1"),
        (
            [{"type": "PD", "mp": 0.01, "Pmax": 0.1}, {"type": "PQ", "PL": 0.5}],
            "every PD node is at its limit",
        ),
        ([{"type": "PD", "mp": 0}, {"type": "PD", "mp": 0}], "nodes 0, 1 all hold the frequency"),
    ],
)
def test_a_feeder_without_a_power_flow_is_told_why(nodes, says):
    given = answer("powerflow", {**FLOW, "nodes": nodes})
    assert given["error"] == "infeasible"
    assert says in given["reason"]


def test_sets_are_named_as_the_case_names_them():
    given = {**DS, "frame": ["b", "a"], "sources": [{"b|a": "0.4", "a": "0.6"}]}
    assert answer("ds", given)["mass"] == {"a": "3/5", "b": "0", "b|a": "2/5"}


def test_a_guard_against_conflict_may_be_asked_for():
    zadeh = [{"a": "0.99", "b": "0.01"}, {"b": "0.01", "c": "0.99"}]
    case = {**DS, "frame": ["a", "b", "c"], "sources": zadeh}
    assert answer("ds", case)["choice"] == "b"
    guarded = answer("ds", {**case, "K_max": "0.95"})
    assert (guarded["choice"], guarded["failed"]) == (None, ["conflict"])
