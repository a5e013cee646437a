"""chaincode/energy/rules/grid_admission: which trades a grid admits."""

from hypothesis import given
from hypothesis import strategies as st

from gridloom.chaincode.energy.rules.grid_admission import admit
from gridloom.chaincode.energy.rules.orders import Trade

NAMES = st.frozensets(st.sampled_from(["line:0", "line:1", "voltage:2", "frequency"]))
FOUND = st.lists(NAMES, max_size=6)
"""What is violated with 1, 2, ... trades."""


@given(FOUND)
def test_the_longest_secure_beginning_is_left_and_the_rest_refused_with_its_violations(found):
    made = [Trade(f"s{i}", "b", 1, 1, 1) for i in range(len(found))]
    admitted = admit(made, lambda count: sorted(found[count - 1]))
    secure = [count for count, names in enumerate(found, start=1) if not names]
    left = max(secure, default=0)
    assert list(admitted.trades) == made[:left]
    assert [each.trade for each in reversed(admitted.refused)] == made[left:]
    assert [set(each.violations) for each in reversed(admitted.refused)] == found[left:]


def test_without_trades_nothing_is_asked():
    assert admit([], lambda count: [str(count)]) == ((), ())
