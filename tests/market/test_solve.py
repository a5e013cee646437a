"""market/solve: case files, their answers and what is said about bad ones."""

import json
import subprocess
import sys

import pytest

from gridloom.market.errors import CaseError
from gridloom.market.solve import solve
from harness.shared import shared

CASES = shared("papers", "cases", "p003.json")
PERIOD = {"pv": [4.0, 0.0], "load": [1.0, 9.0], "p_s": 0.77, "p_b": 0.85}
BAYES = {"types": [[[1.0, 1.2]]], "g": [8.0], "demand": 9.0, "p_s": 0.77, "p_b": 0.85}
METERED = {"agreed": [1.0], "actual": [0.9], "price": 0.8, "p_s": 0.77, "p_b": 0.85}


def one(kind, values, case_id="c1"):
    return {"cases": [{"id": case_id, "kind": kind, "input": values}]}


def test_all_cases_of_the_paper_pass_its_comparator(tmp_path):
    answers = tmp_path / "got.json"
    answers.write_text(json.dumps(solve(json.loads(CASES.read_text()))))
    judge = subprocess.run(
        [sys.executable, CASES.with_name("compare.py"), CASES, answers],
        capture_output=True,
        text=True,
        check=False,
    )
    assert judge.stdout.splitlines()[-1] == "85/85 ok", judge.stdout


def test_mode_band_and_lam_may_be_left_out():
    answer = solve(one("period", PERIOD))["c1"]
    explicit = {**PERIOD, "mode": "nash_bargain", "band": None, "lam": None}
    assert answer == solve(one("period", explicit))["c1"]
    assert answer["regime"] == "deficit"


@pytest.mark.parametrize(
    ("kind", "change", "field", "says"),
    [
        ("period", {"mode": "auction"}, "mode", "none of clearing"),
        ("period", {"load": [1.0]}, "load", "1 entries, not 2"),
        ("period", {"load": [1.0, "9"]}, "load[1]", "is text, not a number"),
        ("period", {"load": [1.0, float("nan")]}, "load[1]", "not a finite number"),
        ("period", {"pv": [-1.0, 0.0]}, "pv[0]", "-1.0 is not in"),
        ("period", {"pv": None}, "pv", "is null, not a list"),
        ("period", {"pv": [True, 0.0]}, "pv[0]", "true or false, not a number"),
        ("period", {"pv": [10**400, 0.0]}, "pv[0]", "too large"),
        ("period", {"p_s": 0.85}, "p_s", "not below p_b"),
        ("period", {"p_s": 0.0}, "p_s", "not above zero"),
        ("period", {"p_b": float("inf")}, "p_b", "not a finite number"),
        ("period", {"band": 1.5}, "band", "1.5 is not in [0.0, 1.0]"),
        ("period", {"lam": [1.0]}, "lam", "1 entries, not 2"),
        ("bayes", {"types": []}, "types", "0 sellers for 1 entries of g"),
        ("bayes", {"types": [[[0.4, 1.2]]]}, "types[0]", "add up to 0.4"),
        ("bayes", {"types": [[[1.0]]]}, "types[0][0]", "not a pair"),
        ("bayes", {"types": [[[1.0, -1.0]]]}, "types[0][0][1]", "-1.0 is not in"),
        ("bayes", {"objective": "profit"}, "objective", "'profit' is none of"),
        ("bayes", {"demand": 0}, "demand", "is zero"),
        ("compensate", {"actual": [0.9, 1.0]}, "actual", "2 entries, not 1"),
        ("compensate", {"price": 0.9}, "price", "0.9 is not in [0.77, 0.85]"),
    ],
)
def test_a_bad_field_is_named_with_its_case(kind, change, field, says):
    good = {"period": PERIOD, "bayes": BAYES, "compensate": METERED}[kind]
    solve(one(kind, good))
    with pytest.raises(CaseError) as caught:
        solve(one(kind, {**good, **change}, "hour-7"))
    assert (caught.value.case_id, caught.value.field) == ("hour-7", field)
    assert says in str(caught.value)


@pytest.mark.parametrize("missing", ["pv", "load", "p_s", "p_b"])
def test_a_missing_field_is_named(missing):
    values = {name: value for name, value in PERIOD.items() if name != missing}
    with pytest.raises(CaseError, match=f"case c1: {missing}: is missing"):
        solve(one("period", values))


def test_more_type_profiles_than_can_be_enumerated_are_refused():
    types = [[[0.5, 1.0], [0.5, 1.1]]] * 15
    with pytest.raises(CaseError, match="32768 joint profiles"):
        solve(one("bayes", {**BAYES, "types": types, "g": [1.0] * 15}))


@pytest.mark.parametrize(
    ("document", "says"),
    [
        ([], r"cases: is not a list"),
        ({"cases": {}}, r"cases: is not a list"),
        ({"cases": [7]}, r"case number 0: case: is not an object"),
        ({"cases": [{"kind": "period", "input": PERIOD}]}, r"case number 0: id: is not text"),
        (one("auction", PERIOD), r"case c1: kind: 'auction' is none of"),
        (one("period", [PERIOD]), r"case c1: input: is not an object"),
        ({"cases": one("period", PERIOD)["cases"] * 2}, r"case c1: id: is used twice"),
    ],
)
def test_a_file_that_is_no_case_file_is_refused(document, says):
    with pytest.raises(CaseError, match=says):
        solve(document)
