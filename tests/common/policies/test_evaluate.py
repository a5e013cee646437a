"""Signature policies against a naive model of the rule, and what does not compile."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridloom.common.policies.evaluate import (
    NOutOf,
    SignedBy,
    apply_rule,
    compile_signature_policy,
    unmet_leaves,
)
from gridloom.common.policies.language import parse
from gridloom.common.policies.policy import InvalidPolicy, PolicyNotSatisfied
from gridloom.protos.common.policies_pb2 import SignaturePolicyEnvelope
from harness.fake_msps import FakeIdentity, FakeMsps, signed

PRINCIPALS = 4
RULES = st.recursive(
    st.builds(SignedBy, st.integers(0, PRINCIPALS - 1)),
    lambda inner: st.builds(NOutOf, st.integers(-1, 4), st.lists(inner, max_size=4).map(tuple)),
    max_leaves=8,
)
MATRICES = st.lists(st.lists(st.booleans(), min_size=PRINCIPALS, max_size=PRINCIPALS), max_size=5)


def naive(rule, matrix: list[list[bool]], used: list[bool]) -> bool:
    """The rule word for word, with a list of marks that is copied for each sub-rule."""
    if isinstance(rule, SignedBy):
        for identity, satisfied in enumerate(matrix):
            if not used[identity] and satisfied[rule.principal]:
                used[identity] = True
                return True
        return False
    succeeded = 0
    for inner in rule.rules:
        copy = list(used)
        if naive(inner, matrix, copy):
            succeeded += 1
            used[:] = copy
    return succeeded >= rule.n


@given(RULES, MATRICES)
def test_evaluation_equals_the_rule_word_for_word(rule, matrix):
    used = [False] * len(matrix)
    expected = naive(rule, matrix, used)
    after = apply_rule(rule, len(matrix), lambda i, p: matrix[i][p])
    assert (after is not None) == expected
    if after is not None:
        assert [bool(after >> i & 1) for i in range(len(matrix))] == used


@given(RULES, MATRICES)
def test_a_failing_rule_names_leaves_unless_no_signer_could_help(rule, matrix):
    if apply_rule(rule, len(matrix), lambda i, p: matrix[i][p]) is None:
        for principal, taken in unmet_leaves(rule, len(matrix), lambda i, p: matrix[i][p]):
            assert taken == any(row[principal] for row in matrix)


def test_a_policy_judges_only_the_identities_that_count():
    policy = compile_signature_policy(parse("AND('A.peer', 'B.peer')"), FakeMsps())
    policy.evaluate(signed(["A.peer", "B.peer"]))
    with pytest.raises(PolicyNotSatisfied) as caught:
        policy.evaluate(
            [*signed(["A.peer", "A.peer", "Unknown1.peer"]), *signed(["B.peer"], b"bad")]
        )
    assert str(caught.value) == "signature set did not satisfy policy"
    assert caught.value.unmet == ("'B.peer'",)
    assert caught.value.seen == ("A peer",)
    assert caught.value.ignored == (
        "A (signed twice)",
        "malformed identity (Refused)",
        "B (Refused)",
    )
    assert caught.value.__notes__ == [caught.value.explanation]


def test_a_bad_signature_does_not_block_a_later_good_one_by_the_same_identity():
    policy = compile_signature_policy(parse("OR('A.peer')"), FakeMsps())
    policy.evaluate([*signed(["A.peer"], b"bad"), *signed(["A.peer"])])


def test_an_accepted_identity_is_not_verified_again():
    policy = compile_signature_policy(parse("AND('A.peer', 'A.peer')"), FakeMsps())
    with pytest.raises(PolicyNotSatisfied) as caught:
        policy.evaluate(signed(["A.peer"] * 1000))
    assert caught.value.ignored == ("A (signed twice)",) * 999


def test_accept_all_and_reject_all():
    accept, reject = SignaturePolicyEnvelope(), SignaturePolicyEnvelope()
    accept.rule.n_out_of.n = 0
    reject.rule.n_out_of.n = 1
    compile_signature_policy(accept, FakeMsps()).evaluate([])
    with pytest.raises(PolicyNotSatisfied, match="did not satisfy"):
        compile_signature_policy(reject, FakeMsps()).evaluate(signed(["A.peer"]))


@pytest.mark.parametrize("index", [-1, 1, 2**31 - 1])
def test_a_leaf_outside_the_principals_does_not_compile(index):
    envelope = parse("OR('A.peer')")
    envelope.rule.n_out_of.rules[0].signed_by = index
    with pytest.raises(InvalidPolicy, match=f"requested {index}, but identities length is 1"):
        compile_signature_policy(envelope, FakeMsps())


def test_an_empty_rule_does_not_compile():
    with pytest.raises(InvalidPolicy, match="empty policy element"):
        compile_signature_policy(SignaturePolicyEnvelope(), FakeMsps())
    nested = parse("OR('A.peer')")
    nested.rule.n_out_of.rules.add()
    with pytest.raises(InvalidPolicy, match="empty policy element"):
        compile_signature_policy(nested, FakeMsps())


def test_the_version_of_an_envelope_that_comes_with_a_chaincode_is_not_looked_at():
    envelope = parse("OR('A.peer')")
    envelope.version = 7
    compile_signature_policy(envelope, FakeMsps()).evaluate(signed(["A.peer"]))


def test_roles_that_an_identity_has_not_are_not_named():
    policy = compile_signature_policy(parse("OR('A.orderer')"), FakeMsps())
    with pytest.raises(PolicyNotSatisfied) as caught:
        policy.evaluate_identities([FakeIdentity("A.admin"), FakeIdentity("B.member")])
    assert caught.value.seen == ("A admin", "B member")
