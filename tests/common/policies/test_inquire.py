"""Minimal combinations against exhaustive search, and planning at scale."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridloom.common.policies.evaluate import NOutOf, SignedBy
from gridloom.common.policies.implicit_meta import ImplicitMetaPolicy
from gridloom.common.policies.inquire import MAX_COMBINATIONS, merge_principal_sets, principal_sets
from gridloom.common.policies.language import parse, parse_implicit
from gridloom.common.policies.policy import InvalidPolicy, RejectPolicy
from gridloom.common.policies.principals import describe_principal
from gridloom.protos.common.policies_pb2 import SignaturePolicyEnvelope
from gridloom.protos.msp.msp_principal_pb2 import MSPPrincipal
from harness.fake_msps import FakeMsps

NAMES = ("A.peer", "B.peer", "C.peer")
RULES = st.recursive(
    st.builds(SignedBy, st.integers(0, len(NAMES) - 1)),
    lambda inner: st.builds(
        NOutOf, st.integers(0, 3), st.lists(inner, min_size=1, max_size=3).map(tuple)
    ),
    max_leaves=6,
)


def _envelope(rule) -> SignaturePolicyEnvelope:
    envelope = parse(f"AND({', '.join(map(repr, NAMES))})")

    def fill(rule, message) -> None:
        if isinstance(rule, SignedBy):
            message.signed_by = rule.principal
            return
        message.n_out_of.n = rule.n
        for inner in rule.rules:
            fill(inner, message.n_out_of.rules.add())

    envelope.rule.Clear()
    fill(rule, envelope.rule)
    return envelope


def _leaves(rule) -> list[int]:
    if isinstance(rule, SignedBy):
        return [rule.principal]
    return [leaf for inner in rule.rules for leaf in _leaves(inner)]


def _holds(rule, signed: list[bool]) -> bool:
    """Whether the rule holds when exactly the leaves marked (consumed in order) are signed."""
    if isinstance(rule, SignedBy):
        return signed.pop(0)
    return sum([_holds(inner, signed) for inner in rule.rules]) >= rule.n


def _exhaustive(rule) -> set[tuple[str, ...]]:
    leaves = _leaves(rule)
    found = set()
    for mask in range(1 << len(leaves)):
        marks = [bool(mask >> index & 1) for index in range(len(leaves))]
        if _holds(rule, list(marks)):
            chosen = (NAMES[leaf] for leaf, mark in zip(leaves, marks, strict=True) if mark)
            found.add(tuple(sorted(chosen)))
    found.discard(())
    return {each for each in found if not any(Counter(o) < Counter(each) for o in found)}


def _named(sets) -> list[tuple[str, ...]]:
    return [tuple(sorted(describe_principal(p).strip("'") for p in each)) for each in sets]


@given(RULES)
def test_the_combinations_are_those_of_exhaustive_search(rule):
    found = _named(principal_sets(_envelope(rule)))
    assert len(found) == len(set(found))
    if not _holds(rule, [False] * len(_leaves(rule))):
        assert set(found) == _exhaustive(rule)


@given(RULES, RULES)
def test_a_merged_combination_satisfies_both_and_is_minimal(first, second):
    one, other = (principal_sets(_envelope(rule)) for rule in (first, second))
    merged = [Counter(each) for each in _named(merge_principal_sets([one, other]))]
    for sets in (one, other):
        counters = [Counter(each) for each in _named(sets)]
        assert all(any(part <= each for part in counters) for each in merged)
    assert not any(a < b for a in merged for b in merged)
    expected = {
        frozenset((a | b).items())
        for a in map(Counter, _named(one))
        for b in map(Counter, _named(other))
    }
    assert {frozenset(each.items()) for each in merged} <= expected


def test_the_number_of_combinations_is_bounded():
    names = ", ".join(f"'Org{number}.peer'" for number in range(26))
    sets = principal_sets(parse(f"OutOf(13, {names})"))
    assert len(sets) == MAX_COMBINATIONS
    assert all(len(each) == 13 for each in sets)


def test_unusable_principals_leave_room_for_the_usable():
    names = ", ".join(f"'Org{number:02}.peer'" for number in range(40))
    alive = {f"'Org{number:02}.peer'" for number in range(20, 40)}
    policy = parse(f"OutOf(20, {names})")
    sets = principal_sets(policy, usable=lambda p: describe_principal(p) in alive)
    assert [set(map(describe_principal, each)) for each in sets] == [alive]


def test_a_channel_policy_is_inquired_through_its_signature_form():
    children = {"A": RejectPolicy("Endorsement")}
    policy = ImplicitMetaPolicy(parse_implicit("ANY Endorsement"), children, FakeMsps())
    with pytest.raises(InvalidPolicy, match="no such policy"):
        principal_sets(policy)


def test_principals_of_unknown_kind_cannot_be_planned():
    envelope = parse("OR('A.peer')")
    envelope.identities[0].principal_classification = MSPPrincipal.ANONYMITY
    with pytest.raises(InvalidPolicy, match="cannot be compared"):
        principal_sets(envelope)


def test_nothing_merged_is_nothing():
    assert merge_principal_sets([]) == []
    assert merge_principal_sets([principal_sets(parse("OR('A.peer')")), []]) == []
