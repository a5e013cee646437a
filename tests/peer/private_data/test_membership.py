"""Who is a member: by organisation, role, unit or name, and under which configuration."""

import pytest

from gridloom.common.policies.language import parse
from gridloom.common.policies.policy import SignedData
from gridloom.peer.chaincodes.lifecycle.collections import (
    implicit_config,
    member_organizations,
    opened_to,
)
from gridloom.peer.private_data.membership import Membership, is_own
from gridloom.protos.common.policies_pb2 import SignaturePolicyEnvelope
from gridloom.protos.msp.msp_principal_pb2 import MSPPrincipal, OrganizationUnit
from gridloom.protos.peer.collection_pb2 import CollectionPolicyConfig, StaticCollectionConfig
from harness.consortium import Consortium, consortium

PEER1, PEER2, USER1 = consortium().peer(1), consortium().peer(2), consortium().user(1)


def config(policy: str | SignaturePolicyEnvelope) -> StaticCollectionConfig:
    envelope = parse(policy) if isinstance(policy, str) else policy
    return StaticCollectionConfig(
        name="c", member_orgs_policy=CollectionPolicyConfig(signature_policy=envelope)
    )


def signed(signer, data=b"data"):
    return SignedData(data, signer.serialized, signer.sign(data))


@pytest.fixture
def membership():
    bundle = consortium().bundle()
    return Membership(lambda: bundle)


def test_members_are_admitted_and_others_are_not(membership):
    org1 = config("OR('Org1MSP.member')")
    for _ in range(2):
        assert membership.admits(org1, PEER1.serialized)
        assert not membership.admits(org1, PEER2.serialized)
    assert membership.admits(config("OR('Org1MSP.peer')"), PEER1.serialized)
    assert not membership.admits(config("OR('Org1MSP.peer')"), USER1.serialized)


def test_strangers_and_garbage_are_not_admitted(membership):
    org1 = config("OR('Org1MSP.member')")
    stranger = Consortium(seed=7).peer(1)
    for identity in (stranger.serialized, b"", b"\xff\xff"):
        assert not membership.admits(org1, identity)


def test_a_policy_that_cannot_be_used_admits_nobody(membership):
    for broken in (StaticCollectionConfig(name="c"), config(SignaturePolicyEnvelope())):
        assert not membership.admits(broken, PEER1.serialized)
        assert not membership.has_signed(broken, signed(PEER1))


def test_a_signature_is_verified_each_time(membership):
    org1 = config("OR('Org1MSP.member')")
    assert membership.has_signed(org1, signed(PEER1))
    forged = SignedData(b"data", PEER1.serialized, PEER2.sign(b"data"))
    assert not membership.has_signed(org1, forged)
    assert not membership.has_signed(org1, signed(PEER2))


def test_another_configuration_is_judged_anew():
    bundles = [consortium().bundle(), Consortium(seed=7).bundle()]
    membership = Membership(lambda: bundles[0])
    org1 = config("OR('Org1MSP.member')")
    assert membership.admits(org1, PEER1.serialized)
    del bundles[0]
    assert not membership.admits(org1, PEER1.serialized)
    assert membership.admits(org1, Consortium(seed=7).peer(1).serialized)


def test_a_peer_has_a_right_to_what_its_organisation_may_hold(membership):
    clients_only = config("OR('Org1MSP.client')")
    assert is_own(clients_only, "Org1MSP", membership, PEER1.serialized)
    assert not is_own(clients_only, "Org2MSP", membership, PEER2.serialized)


def test_organisations_are_read_from_every_kind_of_principal():
    unit = OrganizationUnit(msp_identifier="Org3MSP", organizational_unit_identifier="trade")
    envelope = parse("OR('Org1MSP.member')")
    envelope.identities.add(
        principal_classification=MSPPrincipal.ORGANIZATION_UNIT,
        principal=unit.SerializeToString(),
    )
    envelope.identities.add(
        principal_classification=MSPPrincipal.IDENTITY, principal=PEER2.serialized
    )
    envelope.identities.add(principal_classification=MSPPrincipal.ROLE, principal=b"\xff")
    envelope.identities.add(principal_classification=MSPPrincipal.ANONYMITY, principal=b"")
    assert member_organizations(config(envelope)) == {"Org1MSP", "Org2MSP", "Org3MSP"}


def test_an_implicit_collection_is_its_organisations_own(membership):
    implicit = implicit_config("Org1MSP", 1, 2)
    assert implicit.name == "_implicit_org_Org1MSP"
    assert (implicit.required_peer_count, implicit.maximum_peer_count) == (1, 2)
    assert (implicit.block_to_live, implicit.member_only_read) == (0, False)
    assert membership.admits(implicit, PEER1.serialized)
    assert not membership.admits(implicit, PEER2.serialized)


def test_a_collection_opens_only_to_organisations_it_did_not_have():
    one, both = config("OR('Org1MSP.member')"), config("OR('Org1MSP.member','Org2MSP.member')")
    assert opened_to("Org2MSP", {"c": one}, {"c": both}) == ["c"]
    assert opened_to("Org1MSP", {"c": one}, {"c": both}) == []
    assert opened_to("Org2MSP", {"c": both}, {"c": one}) == []
    assert opened_to("Org2MSP", {}, {"c": both}) == []
