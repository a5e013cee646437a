"""The policy language on everything it can say, and bytes as Fabric's tools write them."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridloom.common.errors import GridloomError
from gridloom.common.policies.evaluate import compile_signature_policy
from gridloom.common.policies.language import (
    PolicyLanguageError,
    parse,
    parse_implicit,
    parse_policy,
    render,
)
from gridloom.protos.common.policies_pb2 import ImplicitMetaPolicy, Policy
from gridloom.protos.msp.msp_principal_pb2 import MSPPrincipal
from harness.fake_msps import FakeMsps

PRINCIPALS = st.builds(
    "'{}.{}'".format,
    st.sampled_from(["Org1MSP", "a.b-c", "X"]),
    st.sampled_from(["member", "admin", "client", "peer", "orderer"]),
)


def _gate(arguments: list[str], extra: int, name: str) -> str:
    joined = ", ".join(arguments)
    return (
        f"OutOf({extra % (len(arguments) + 2)}, {joined})"
        if name == "OutOf"
        else f"{name}({joined})"
    )


GATES = st.recursive(
    st.builds(_gate, st.lists(PRINCIPALS, min_size=1, max_size=3), st.integers(0, 9),
              st.sampled_from(["AND", "OR", "OutOf"])),
    lambda inner: st.builds(
        _gate, st.lists(inner | PRINCIPALS, min_size=1, max_size=3), st.integers(0, 9),
        st.sampled_from(["AND", "OR", "OutOf"]),
    ),
    max_leaves=6,
)  # fmt: skip


@given(GATES)
def test_parsing_what_was_rendered_gives_the_same_envelope(text):
    envelope = parse(text)
    assert parse(render(envelope)) == envelope
    compile_signature_policy(envelope, FakeMsps())
    assert len(envelope.identities) == text.count("'") // 2


@given(st.text(alphabet="ANDORoutf('\".member), 0123456789-\\\t\nÄ", max_size=40))
def test_no_text_breaks_the_parser(text):
    with contextlib.suppress(GridloomError):
        compile_signature_policy(parse(text), FakeMsps())


def test_very_deep_nesting_is_refused_clearly():
    text = "AND(" * 5000 + "'A.member'" + ")" * 5000
    with pytest.raises(PolicyLanguageError, match="more than 40 gates nested"):
        parse(text)


def test_the_bytes_are_those_of_fabric():
    # Org1MSP.peer as configtxgen writes it: role number 3 in an MSPRole in a principal.
    principal = b"\x12\x0b\x0a\x07Org1MSP\x10\x03"
    rule = b"\x12\x08\x12\x06\x08\x01\x12\x02\x08\x00"
    envelope = parse("OR('Org1MSP.peer')")
    assert envelope.SerializeToString() == rule + b"\x1a" + bytes([len(principal)]) + principal


def test_implicit_rules_parse():
    assert parse_implicit("MAJORITY Endorsement") == ImplicitMetaPolicy(
        rule=ImplicitMetaPolicy.MAJORITY, sub_policy="Endorsement"
    )
    assert parse_policy("ANY Readers").type == Policy.IMPLICIT_META
    assert parse_policy("OR('A.member')").type == Policy.SIGNATURE


@pytest.mark.parametrize(
    "text", ["", "ANY", "any Readers", "ANY  Readers", "SOME Readers", "ANY a b"]
)
def test_implicit_rules_that_are_none_are_refused(text):
    with pytest.raises(PolicyLanguageError):
        parse_implicit(text)


def test_a_policy_the_language_cannot_say_is_not_rendered():
    envelope = parse("OR('A.member')")
    envelope.identities[0].principal_classification = MSPPrincipal.IDENTITY
    with pytest.raises(PolicyLanguageError, match="no role of an MSP"):
        render(envelope)
    accept_all = parse("OR('A.member')")
    del accept_all.rule.n_out_of.rules[:]
    with pytest.raises(PolicyLanguageError, match="1 out of 0"):
        render(accept_all)


def test_a_bare_leaf_renders_as_a_gate_of_one():
    envelope = parse("OR('A.member')")
    envelope.rule.signed_by = 0
    assert render(envelope) == "OR('A.member')"
