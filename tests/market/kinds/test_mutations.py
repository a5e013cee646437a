"""market/kinds: whatever stands in a case of papers 000 and 001, it is solved or named."""

import copy
import json
from random import Random

import pytest

from gridloom.market.errors import CaseError
from gridloom.market.solve import solve
from harness.shared import shared

LONGEST = 6_000
JUNK = [
    None, True, "x", "", -1, 0, 1e308, -1e308, 1e-308, float("nan"), float("inf"), [], {},
    "1/3", "1/0", "1e999", "-5", 10**40, "9" * 500, 0.5, [1], {"a": 1}, "a|b", 2**64,
]  # fmt: skip


def published():
    for paper in ("p000", "p001"):
        for case in json.loads(shared("papers", "cases", f"{paper}.json").read_text())["cases"]:
            if case["kind"] != "mine" and len(json.dumps(case)) < LONGEST:
                yield case


def places(value, path=()):
    """Every path below a value."""
    keys = value if isinstance(value, dict) else range(len(value))
    for key in keys:
        yield (*path, key)
        if isinstance(value[key], dict | list):
            yield from places(value[key], (*path, key))


def spoilt(case, rng):
    case = copy.deepcopy(case)
    for _ in range(rng.randint(1, 3)):
        found = list(places(case["input"]))
        if not found:
            break
        *path, last = rng.choice(found)
        holder = case["input"]
        for key in path:
            holder = holder[key]
        if isinstance(holder, dict) and rng.random() < 0.2:
            del holder[last]
        else:
            holder[last] = copy.deepcopy(rng.choice(JUNK))
    return case


@pytest.mark.parametrize("seed", range(8))
def test_a_spoilt_case_is_solved_or_refused_by_its_field(seed):
    rng, cases = Random(seed), list(published())
    for _ in range(250):
        case = spoilt(rng.choice(cases), rng)
        refused = None
        try:
            json.dumps(solve({"cases": [case]}))
        except CaseError as error:
            refused = error
        assert refused is None or (refused.case_id, bool(refused.field)) == (case["id"], True)
