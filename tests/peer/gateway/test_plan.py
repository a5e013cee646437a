"""A plan: bookkeeping of peers, answers and layouts, without asking anybody."""

import pytest

from gridloom.peer.gateway.plan import Plan
from harness.gateway_parts import GatewayBench, success

BENCH = GatewayBench()
P0, P1 = BENCH.infos["peer0.org1"], BENCH.infos["peer1.org1"]
Q0, Q1 = BENCH.infos["peer0.org2"], BENCH.infos["peer1.org2"]
R0 = BENCH.infos["peer0.org3"]
GROUPS = {"G0": [P0, P1], "G1": [Q0, Q1], "G2": [R0]}


def answer(peer, payload=b"payload"):
    return success(payload=payload, endorser=peer.endpoint.encode())


def endorsers(plan):
    """Who endorsed what is complete."""
    endorsements = plan.endorsements()
    return None if endorsements is None else [e.endorser.decode() for e in endorsements]


def names(*peers):
    return [peer.endpoint for peer in peers]


@pytest.fixture
def plan():
    return Plan([{"G0": 1, "G1": 1}, {"G0": 1, "G2": 1}], GROUPS)


def test_the_first_of_each_group_is_asked_and_nobody_twice(plan):
    assert plan.next_endorsers() == [P0, Q0]
    assert (plan.replacement(P0), plan.replacement(Q0)) == (P1, Q1)
    assert plan.replacement(P0) is None
    assert plan.endorsements() is None


def test_a_layout_is_complete_with_its_last_answer(plan):
    plan.next_endorsers()
    plan.accept(Q0, answer(Q0))
    assert plan.endorsements() is None
    plan.accept(P0, answer(P0))
    assert endorsers(plan) == names(Q0, P0)
    assert plan.response_payload == b"payload"


def test_a_failing_peer_is_replaced_by_the_next_of_its_group(plan):
    plan.next_endorsers()
    plan.fail(Q0, "broken")
    assert plan.replacement(Q0) == Q1
    assert [(e.address, e.msp_id, e.message) for e in plan.errors] == [
        (Q0.endpoint, "Org2MSP", "broken")
    ]


def test_without_a_next_peer_the_next_layout_goes_on_with_what_there_is(plan):
    plan.next_endorsers()
    plan.accept(P0, answer(P0))
    plan.fail(Q0, "broken")
    plan.fail(plan.replacement(Q0), "broken too")
    assert plan.replacement(Q1) is None
    assert plan.next_endorsers() == [R0]
    plan.accept(R0, answer(R0))
    assert endorsers(plan) == names(P0, R0)


def test_without_any_layout_left_nobody_is_asked(plan):
    plan.next_endorsers()
    for peer in (P0, P1):
        plan.fail(peer, "broken")
    assert plan.next_endorsers() == []
    assert plan.endorsements() is None


def test_another_payload_is_an_error_of_the_peer_that_gave_it(plan):
    assert plan.accept(P0, answer(P0))
    assert not plan.accept(Q0, answer(Q0, b"other"))
    assert plan.next_endorsers() == [Q1]
    assert plan.errors[0].message == "ProposalResponsePayloads do not match"


def test_a_response_without_endorsement_does_not_count(plan):
    response = answer(P0)
    response.ClearField("endorsement")
    assert not plan.accept(P0, response)
    assert plan.next_endorsers() == [P1, Q0]


def test_an_answer_from_outside_the_plan_is_counted_where_it_belongs(plan):
    plan.accept(P1, answer(P1))
    assert plan.next_endorsers() == [Q0]


def test_an_answer_of_no_group_sets_what_the_others_must_say_and_no_more():
    plan = Plan([{"G1": 1}], {"G1": [Q0]})
    plan.accept(P0, answer(P0))
    assert plan.endorsements() is None
    assert plan.next_endorsers() == [Q0]
    plan.accept(Q0, answer(Q0))
    assert endorsers(plan) == names(Q0)


def test_a_peer_of_two_groups_takes_the_place_where_it_is_needed():
    plan = Plan([{"peer": 1, "member": 1}], {"peer": [P0], "member": [P0, P1]})
    plan.accept(P0, answer(P0))
    assert plan.next_endorsers() == [P1]
    plan.accept(P1, answer(P1))
    assert endorsers(plan) == names(P0, P1)


def test_any_layout_that_happens_to_be_complete_will_do():
    plan = Plan([{"G0": 1, "G1": 1}, {"G2": 1}], GROUPS)
    plan.next_endorsers()
    plan.accept(R0, answer(R0))
    assert endorsers(plan) == names(R0)
