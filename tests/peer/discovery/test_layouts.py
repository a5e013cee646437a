"""Layouts: a peer endorses once, whatever groups it is in."""

from itertools import permutations

from hypothesis import given
from hypothesis import strategies as st

from gridloom.peer.discovery.layouts import assign

PEERS = ("a", "b", "c", "d")
groups = st.dictionaries(
    st.sampled_from(("G0", "G1", "G2")), st.lists(st.sampled_from(PEERS), unique=True), min_size=3
)
layouts = st.dictionaries(st.sampled_from(("G0", "G1", "G2")), st.integers(1, 2), min_size=1)


def naive_sets(layout, groups):
    """Every set of peers that can fill the layout, by trying them all."""
    slots = [group for group, needed in layout.items() for _ in range(needed)]
    return {
        frozenset(chosen)
        for chosen in permutations(PEERS, len(slots))
        if all(peer in groups[group] for peer, group in zip(chosen, slots, strict=True))
    }


@given(layouts, groups)
def test_peers_are_found_exactly_when_there_are_some(layout, groups):
    chosen = assign(layout, groups)
    possible = naive_sets(layout, groups)
    if chosen is None:
        assert not possible
    else:
        assert frozenset(chosen) in possible
        counts = {group: list(chosen.values()).count(group) for group in layout}
        assert counts == dict(layout)


@given(layouts, groups, st.frozensets(st.sampled_from(PEERS)))
def test_as_many_preferred_peers_as_possible_are_used(layout, groups, preferred):
    chosen = assign(layout, groups, preferred)
    possible = naive_sets(layout, groups)
    if possible:
        assert len(set(chosen) & preferred) == max(len(each & preferred) for each in possible)


def test_the_first_of_a_group_are_taken():
    chosen = assign({"G0": 2, "G1": 1}, {"G0": ("c", "a", "b"), "G1": ("d",)})
    assert chosen == {"c": "G0", "a": "G0", "d": "G1"}


def test_a_peer_of_two_groups_leaves_the_one_where_others_can_take_its_place():
    assert assign({"G0": 1, "G1": 1}, {"G0": ("a", "b"), "G1": ("a",)}) == {"b": "G0", "a": "G1"}
    assert assign({"G0": 1, "G1": 1}, {"G0": ("a",), "G1": ("a",)}) is None
