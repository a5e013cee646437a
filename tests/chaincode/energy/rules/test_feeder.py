"""rules/feeder: sections of a radial feeder against a naive sum over each subtree."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridloom.chaincode.energy.rules.feeder import Section, overloads


@st.composite
def feeders(draw):
    """A tree: every bus hangs on the grid or on one before it."""
    count = draw(st.integers(1, 7))
    before = [draw(st.integers(-1, bus - 1)) for bus in range(count)]
    limits = [draw(st.integers(1, 60)) for _ in range(count)]
    sections = [Section(f"s{b}", before[b], b, limits[b]) for b in range(count)]
    power = {bus: draw(st.integers(-40, 40)) for bus in range(count)}
    return draw(st.permutations(sections)), power


def is_behind(sections, bus, top):
    while bus != -1:
        if bus == top:
            return True
        bus = next(s.before for s in sections if s.behind == bus)
    return False


@given(feeders())
def test_a_section_is_named_exactly_when_its_subtree_exceeds_it(feeder):
    sections, power = feeder
    named = {violation.element: violation for violation in overloads(sections, power)}
    for section in sections:
        carried = abs(
            sum(w for bus, w in power.items() if is_behind(sections, bus, section.behind))
        )
        assert (section.name in named) == (carried > section.limit)
        if section.name in named:
            assert (named[section.name].value, named[section.name].unit) == (carried, "W")


def test_at_its_limit_a_section_is_not_violated():
    assert overloads([Section("transformer", -1, 0, 100)], {0: -100}) == ()


def test_a_violation_says_what_where_and_how_much():
    (violation,) = overloads([Section("transformer", -1, 0, 100)], {0: -101})
    assert str(violation) == "transformer: power 101 W, limit 100"


@pytest.mark.parametrize(
    ("sections", "says"),
    [
        ([Section("a", 1, 0, 9), Section("b", 0, 1, 9)], "bus 0 is not connected"),
        ([Section("a", -1, 0, 9), Section("b", -1, 0, 9)], "bus 0 is fed twice"),
        ([Section("a", -1, 1, 9)], "bus 0 is not connected"),
    ],
)
def test_what_is_no_radial_feeder_is_refused(sections, says):
    with pytest.raises(ValueError, match=says):
        overloads(sections, {0: 1})
