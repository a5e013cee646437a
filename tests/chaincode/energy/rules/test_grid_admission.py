"""chaincode/energy/rules/grid_admission: which trades a grid admits."""

from hypothesis import given
from hypothesis import strategies as st

from gridloom.chaincode.energy.rules.grid_admission import admit
from gridloom.chaincode.energy.rules.orders import Trade

NAMES = st.frozensets(st.sampled_from(["line:0", "line:1", "voltage:2", "frequency"]))
FOUND = st.lists(NAMES, min_size=1, max_size=7)
"""What is violated with 0, 1, 2, ... trades."""


def trades(count):
    return [Trade(f"s{i}", "b", 1, 1, 1) for i in range(count)]


@given(FOUND)
def test_what_is_left_violates_nothing_new_and_what_is_refused_would(found):
    made = trades(len(found) - 1)
    admitted = admit(made, lambda count: sorted(found[count]))
    left = len(admitted.trades)
    assert [*admitted.trades, *(each.trade for each in reversed(admitted.refused))] == made
    assert found[left] <= found[0]
    for count, refused in zip(range(len(made), left, -1), admitted.refused, strict=True):
        assert set(refused.violations) == found[count] - found[0] != set()


@given(FOUND)
def test_a_secure_interval_is_asked_for_once(found):
    asked = []

    def violations_with(count):
        asked.append(count)
        return ()

    made = trades(len(found) - 1)
    assert admit(made, violations_with) == (tuple(made), ())
    assert asked == ([len(made)] if made else [])
