"""chaincode/energy/energy_requests: requests between nodes, and what is refused."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridloom.chaincode import ChaincodeError
from gridloom.chaincode.energy.distribution.deliveries import Decision, Statement, Waiting
from gridloom.chaincode.energy.distribution.nodes import Generated
from gridloom.chaincode.energy.distribution.requests import Scheme
from gridloom.chaincode.energy.energy_requests import EnergyRequests
from harness.distribution_network import NETWORK_TERMS, STORES, RequestNetwork
from harness.energy_market import GRID_MSP, OPERATOR_MSP, UNITS_MSP, person
from harness.learning_market import new_ledger


@pytest.fixture
def network() -> RequestNetwork:
    return RequestNetwork()


def test_the_papers_first_case_is_decided_on_the_ledger(network):
    network.ask(0, 160_000)
    decision = network.decide().value(Decision)
    assert decision.inside == [73_000]
    assert [(d.supplier, d.energy) for d in decision.deliveries] == [(2, 61_000), (1, 26_000)]
    assert decision.stores == [0, 22_000, 0, 54_000]
    assert sum(d.basic + d.transmission for d in decision.deliveries) == 34_891_820
    assert network.requests.evaluate("stores").value(list[int]) == decision.stores
    assert network.requests.evaluate("decision", 1).value(Decision) == decision
    assert network.ledger.events == [("energy_requests", "PeriodDecided", b"1")]


def test_the_scheme_the_network_was_founded_with_serves():
    network = RequestNetwork(replace(NETWORK_TERMS, scheme=Scheme.STORAGE_AWARE))
    network.ask(1, 100_000)
    decision = network.decide().value(Decision)
    assert [(d.supplier, d.energy) for d in decision.deliveries] == [(3, 52_000)]


def test_what_waits_is_served_first_in_the_next_period(network):
    network.ask(0, 200_000)
    network.ask(1, 150_000)
    first = network.decide().value(Decision)
    assert first.order == [1, 0]  # node 1's turn in period 1
    assert first.waiting == [Waiting(1, 0, 114_000)]
    report = network.requests.submit("generate", 2, 2, 50_000, by=network.meter)
    assert report.value(Generated).stored == 50_000
    network.ask(3, 10_000, period=2)
    second = network.decide(2).value(Decision)
    assert second.order == [0, 3]
    assert [(d.asked_in, d.requester, d.energy) for d in second.deliveries] == [(1, 0, 50_000)]
    assert second.waiting == [Waiting(1, 0, 64_000), Waiting(2, 3, 10_000)]


def test_a_store_is_filled_to_its_limit_and_no_further(network):
    report = network.requests.submit("generate", 1, 0, 30_000, by=network.meter)
    assert report.value(Generated).stored == 7_000
    assert network.requests.evaluate("stores").value(list[int])[0] == 80_000


def test_statements_tell_what_nodes_earned_and_paid(network):
    network.ask(0, 160_000)
    network.decide()
    supplier, requester = (
        network.requests.evaluate("statement", number).value(Statement) for number in (2, 0)
    )
    assert (supplier.delivered, supplier.earned, supplier.paid) == (61_000, 24_400_000, 0)
    assert (requester.received, requester.paid) == (87_000, 34_891_820)


@settings(max_examples=15, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.integers(1, 200_000)), min_size=12, max_size=12),
       st.sampled_from(Scheme))  # fmt: skip
def test_over_three_periods_energy_is_conserved_and_stores_keep_their_limits(acts, scheme):
    network = RequestNetwork(replace(NETWORK_TERMS, scheme=scheme))
    stored = sum(STORES)
    for period in (1, 2, 3):
        for number in range(4):
            requests, energy = acts[4 * (period - 1) + number]
            if requests:
                network.ask(number, energy, period)
            else:
                made = network.requests.submit("generate", period, number, energy, by=network.meter)
                stored += made.value(Generated).stored
        decision = network.decide(period).value(Decision)
        stored -= sum(decision.inside) + sum(d.energy for d in decision.deliveries)
        assert sum(decision.stores) == stored
        assert all(0 <= store <= 80_000 for store in decision.stores)
    accounts = [network.requests.evaluate("statement", n).value(Statement) for n in range(4)]
    assert sum(a.delivered for a in accounts) == sum(a.received for a in accounts)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"basic": -1}, "terms: no fee or limit may be negative"),
        ({"node_msps": []}, "some organisation needed"),
    ],
)
def test_terms_that_make_no_sense_found_no_network(changes, says):
    requests = new_ledger().deploy("energy_requests", EnergyRequests())
    founder = person(OPERATOR_MSP, "desk", "operator")
    with pytest.raises(ChaincodeError, match=says):
        requests.submit("found", replace(NETWORK_TERMS, **changes), by=founder)


def test_the_network_is_founded_once_and_run_by_its_founder(network):
    with pytest.raises(ChaincodeError, match="the network exists already"):
        network.requests.submit("found", NETWORK_TERMS, by=network.operator)
    with pytest.raises(ChaincodeError, match="may not act as operator"):
        network.decide(by=network.meter)
    rival = person(GRID_MSP, "rival", "operator")
    with pytest.raises(ChaincodeError, match="GridMSP did not found the market"):
        network.decide(by=rival)
    empty = new_ledger().deploy("energy_requests", EnergyRequests())
    with pytest.raises(ChaincodeError, match="there is no network yet"):
        empty.submit("decide", 1, by=network.operator)


@pytest.mark.parametrize(
    ("number", "changes", "says"),
    [
        (4, {"deposit": 999}, "deposit: is 999, at least 1000 is needed"),
        (4, {"limit": -1}, "storage limit of node 4: energy must not be negative"),
        (4, {"distances": [1, 1]}, "distances: node 4 needs 4 distances >= 0"),
        (4, {"distances": [1, 1, 1, -1]}, "distances: node 4 needs 4 distances >= 0"),
        (0, {}, "node 0 exists already"),
    ],
)
def test_a_node_joins_with_deposit_limit_and_distances(network, number, changes, says):
    newcomer = person(UNITS_MSP, "node4", None)
    with pytest.raises(ChaincodeError, match=says):
        network.join(number, by=newcomer, **changes)


def test_strangers_bring_no_nodes_and_newcomers_wait_to_be_admitted(network):
    with pytest.raises(ChaincodeError, match="OperatorMSP brings no nodes"):
        network.join(4, by=network.operator)
    newcomer = person(UNITS_MSP, "node4", None)
    network.join(4, by=newcomer)
    network.nodes.append(newcomer)
    with pytest.raises(ChaincodeError, match="node 4 is not approved"):
        network.ask(4, 1)
    with pytest.raises(ChaincodeError, match=r"stores: node 4: 80001 is not in \[0, 80000\]"):
        network.requests.submit("admit", [0, 0, 0, 0, 80_001], by=network.operator)
    network.requests.submit("admit", [0, 0, 0, 0, 5], by=network.operator)
    assert network.requests.evaluate("stores").value(list[int]) == [*STORES, 5]
    with pytest.raises(ChaincodeError, match="there is no node 5"):
        network.requests.submit("admit", [0] * 6, by=network.operator)


@pytest.mark.parametrize(
    ("number", "energy", "changes", "says"),
    [
        (0, 0, {}, r"energy: 0 Wh is not in \(0, 200000\]"),
        (0, 200_001, {}, r"energy: 200001 Wh is not in \(0, 200000\]"),
        (0, 5, {"digest": "00"}, "digest: is not the SHA-256 of the request's text"),
        (0, 5, {"signature": b"0"}, "the order of node 0 for hour 1 is not signed"),
        (0, 5, {"period": -1}, "period: -1 is negative"),
    ],
)
def test_a_request_says_what_its_node_signed(network, number, energy, changes, says):
    with pytest.raises(ChaincodeError, match=says):
        network.ask(number, energy, **changes)


def test_a_request_changed_after_signing_is_refused(network):
    changed = replace(network.signed(0, 5), energy=6)
    with pytest.raises(ChaincodeError, match="digest: is not the SHA-256 of the request's text"):
        network.requests.submit("request", changed, by=network.nodes[0])


def test_nobody_requests_for_another_node_or_with_another_key(network):
    with pytest.raises(ChaincodeError, match="node 0 and its orders belong to another identity"):
        network.ask(0, 5, by=network.nodes[1])
    forged = network.signed(1, 5)
    own = network.signed(0, 5)
    with pytest.raises(ChaincodeError, match="not signed by the unit's own key"):
        network.requests.submit(
            "request", replace(own, signature=forged.signature), by=network.nodes[0]
        )


def test_a_node_acts_once_in_a_period_and_before_it_is_decided(network):
    generate = network.requests.submit
    network.ask(0, 5)
    with pytest.raises(ChaincodeError, match="the request of node 0 in period 1 exists already"):
        network.ask(0, 6)
    with pytest.raises(ChaincodeError, match="the request of node 0 in period 1 exists already"):
        generate("generate", 1, 0, 5, by=network.meter)
    generate("generate", 1, 1, 5, by=network.meter)
    with pytest.raises(ChaincodeError, match="the generation of node 1 in period 1 exists"):
        network.ask(1, 5)
    network.decide()
    with pytest.raises(ChaincodeError, match="is decided already"):
        network.ask(2, 5)
    with pytest.raises(ChaincodeError, match="cannot be decided, it is not after 1"):
        network.decide()
    with pytest.raises(ChaincodeError, match="no decision of period 2 yet"):
        network.requests.evaluate("decision", 2)


def test_generation_is_reported_by_the_meters_and_not_below_zero(network):
    with pytest.raises(ChaincodeError, match="may not act as grid"):
        network.requests.submit("generate", 1, 0, 5, by=network.nodes[0])
    foreign = person(UNITS_MSP, "own meter", "grid")
    with pytest.raises(ChaincodeError, match="the meters are another organisation's"):
        network.requests.submit("generate", 1, 0, 5, by=foreign)
    with pytest.raises(ChaincodeError, match="generation of node 0: energy must not be negative"):
        network.requests.submit("generate", 1, 0, -5, by=network.meter)
