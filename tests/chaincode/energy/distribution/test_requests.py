"""chaincode/energy/distribution: storage, requests and merit order."""

from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridloom.chaincode.energy.distribution.merit_order import breakpoints, cheapest, keeps_cap
from gridloom.chaincode.energy.distribution.requests import Scheme, leg_cost, serve
from gridloom.chaincode.energy.distribution.storage import charge, draw

ENERGY = st.integers(0, 200)


@settings(deadline=None)
@given(ENERGY, ENERGY, ENERGY, st.booleans())
def test_storage_never_exceeds_its_limit_nor_falls(stored, generated, limit, requesting):
    stored = min(stored, limit)
    after = charge(stored, generated, limit, requesting=requesting)
    assert stored <= after <= limit
    assert after == stored or not requesting


@settings(deadline=None)
@given(ENERGY, ENERGY)
def test_a_request_is_split_without_loss(stored, wanted):
    inside, asked = draw(stored, wanted)
    assert inside + asked == wanted
    assert 0 <= inside <= stored
    assert asked == 0 or inside == stored


@st.composite
def networks(draw):
    stores = draw(st.lists(ENERGY, min_size=1, max_size=9))
    distances = draw(st.lists(st.integers(0, 9), min_size=len(stores), max_size=len(stores)))
    return stores, distances, draw(st.integers(0, len(stores) - 1)), draw(st.integers(0, 600))


@pytest.mark.parametrize("scheme", Scheme)
@settings(deadline=None)
@given(networks())
def test_energy_is_conserved_and_nobody_waits_while_somebody_holds(scheme, network):
    stores, distances, requester, wanted = network
    served = serve(scheme, stores, distances, requester, wanted)
    delivered = sum(leg.energy for leg in served.legs)
    assert served.inside + delivered + served.waiting == wanted
    assert sum(stores) - sum(served.stores) == served.inside + delivered
    assert min(served.stores) >= 0
    assert served.waiting == 0 or not any(served.stores)
    assert served.inside == min(stores[requester], wanted)
    nodes = [leg.node for leg in served.legs]
    assert len(set(nodes)) == len(nodes)
    assert requester not in nodes
    assert all(leg.energy > 0 for leg in served.legs)


def naive(scheme, stores, distances, requester, wanted):
    """The restated algorithms, word by word."""
    held = dict(enumerate(stores))
    missing = wanted - min(held.pop(requester), wanted)
    legs = []
    while missing and any(held.values()):
        able = [n for n in held if held[n]]
        if scheme is Scheme.STORAGE_AWARE:
            enough = [n for n in able if held[n] >= missing]
            fullest = [n for n in able if held[n] == max(held.values())]
            able = enough or [min(fullest)]
        node = min(able, key=lambda n: (distances[n], n))
        legs.append((node, min(held[node], missing)))
        held[node] -= legs[-1][1]
        missing -= legs[-1][1]
    return tuple(legs), missing


@pytest.mark.parametrize("scheme", Scheme)
@settings(deadline=None)
@given(networks())
def test_both_schemes_do_what_their_words_say(scheme, network):
    served = serve(scheme, *network)
    assert (served.legs, served.waiting) == naive(scheme, *network)


@settings(deadline=None)
@given(networks())
def test_cost_aware_legs_go_from_near_to_far_each_exhausted(network):
    stores, distances, requester, wanted = network
    served = serve(Scheme.COST_AWARE, stores, distances, requester, wanted)
    order = [(distances[leg.node], leg.node) for leg in served.legs]
    assert order == sorted(order)
    assert all(leg.energy == stores[leg.node] for leg in served.legs[:-1])


@settings(deadline=None)
@given(networks())
def test_storage_aware_never_needs_more_legs_than_cost_aware(network):
    stores, distances, requester, wanted = network
    legs = {scheme: serve(scheme, stores, distances, requester, wanted).legs for scheme in Scheme}
    assert len(legs[Scheme.STORAGE_AWARE]) <= len(legs[Scheme.COST_AWARE])


def test_of_equals_the_lowest_node_is_asked():
    stores, distances = [0, 5, 5, 5], [0, 2, 1, 1]
    assert serve(Scheme.COST_AWARE, stores, distances, 0, 7).legs == ((2, 5), (3, 2))
    assert serve(Scheme.STORAGE_AWARE, stores, distances, 0, 7).legs == ((1, 5), (2, 2))
    assert leg_cost(26_000, 4, 3, 2) == 78_008


OFFER = st.tuples(st.integers(1, 9), st.integers(0, 20))


@settings(deadline=None)
@given(st.lists(OFFER, min_size=1, max_size=6), st.integers(1, 9))
def test_corners_of_the_cheapest_purchases_keep_the_cap_and_rise(offers, cap):
    delivered, capacity = ([Fraction(own[k]) for own in offers] for k in (0, 1))
    corners = breakpoints(delivered, capacity, Fraction(cap))
    for corner in corners:
        assert keeps_cap(corner.cost, corner.quantity, Fraction(cap))
        assert cheapest(delivered, capacity, corner.quantity) == corner.cost
    assert all(before.quantity < after.quantity for before, after in pairwise(corners))
    most = corners[-1].quantity
    if most < sum(capacity):
        more = most + Fraction(1, 1_000)
        assert not keeps_cap(cheapest(delivered, capacity, more), more, Fraction(cap))
