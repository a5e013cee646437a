"""What a definition may say, with Fabric's words for what it may not."""

import pytest

from gridloom.common.channel.bundle import ChannelBundle
from gridloom.common.policies.language import parse
from gridloom.peer.chaincodes.lifecycle.definitions import ChaincodeDefinition
from gridloom.peer.chaincodes.lifecycle.input_checks import (
    InvalidDefinition,
    check_against_committed,
    check_collections,
    check_name_and_version,
)
from gridloom.protos.common.policies_pb2 import SignaturePolicyEnvelope
from gridloom.protos.msp.msp_principal_pb2 import MSPPrincipal
from gridloom.protos.peer.collection_pb2 import (
    CollectionConfig,
    CollectionConfigPackage,
    StaticCollectionConfig,
)
from harness.ledger import golden_block


@pytest.fixture(scope="module")
def bundle():
    return ChannelBundle.from_config_block(golden_block(0, "orderer"))


def collection(name="coll", members="OR('Org1MSP.member', 'Org2MSP.member')", **fields):
    config = StaticCollectionConfig(name=name, **{"maximum_peer_count": 1, **fields})
    if members:
        config.member_orgs_policy.signature_policy.CopyFrom(parse(members))
    return config


def package(*collections):
    return CollectionConfigPackage(
        config=[CollectionConfig(static_collection_config=c) for c in collections]
    )


@pytest.mark.parametrize("name", ["basic", "a", "a-b_c9", "0x"])
@pytest.mark.parametrize("version", ["1", "1.0", "v1.0+beta-2_x"])
def test_good_names_and_versions_pass(name, version):
    check_name_and_version(name, version)


@pytest.mark.parametrize("name", ["", "-a", "a-", "a--b", "a.b", "ä", "a\n", "_lifecycle"])
def test_bad_names_are_refused(name):
    with pytest.raises(InvalidDefinition, match="invalid chaincode name"):
        check_name_and_version(name, "1.0")


@pytest.mark.parametrize("name", ["cscc", "escc", "lscc", "qscc", "vscc"])
def test_names_of_system_chaincodes_are_refused(name):
    with pytest.raises(InvalidDefinition, match=f"'{name}' is the name of a system chaincode"):
        check_name_and_version(name, "1.0")


@pytest.mark.parametrize("version", ["", "1 0", "1/0", "1\n"])
def test_bad_versions_are_refused(version):
    with pytest.raises(InvalidDefinition, match="invalid chaincode version"):
        check_name_and_version("basic", version)


def test_good_collections_pass(bundle):
    check_collections(
        package(collection("a"), collection("b-1_c", members="OR('Org1MSP.peer')")), bundle
    )
    check_collections(CollectionConfigPackage(), bundle)


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        (collection(name="_x"), "invalid collection name '_x'"),
        (collection(name="a b"), "invalid collection name 'a b'"),
        (
            collection(required_peer_count=2),
            "maximum peer count (1) cannot be less than the required peer count (2)",
        ),
        (
            collection(required_peer_count=-1),
            "requiredPeerCount (-1) cannot be less than zero",
        ),
        (collection(members=""), "collection member policy is not set for collection 'coll'"),
        (
            collection(members="AND('Org1MSP.member', 'Org2MSP.member')"),
            "collection-name: coll -- error in member org policy: signature policy is not an "
            "OR concatenation, NOutOf 2",
        ),
        (
            collection(members="OR('Org1MSP.member', OutOf(2, 'Org1MSP.peer', 'Org2MSP.peer'))"),
            "signature policy is not an OR concatenation",
        ),
        (
            collection(members="OR('Org1MSP.member', 'Org9MSP.member')"),
            "collection-name: coll -- collection member 'Org9MSP' is not part of the channel",
        ),
    ],
)
def test_bad_collections_are_refused(bundle, config, reason):
    with pytest.raises(InvalidDefinition) as caught:
        check_collections(package(config), bundle)
    assert reason in str(caught.value)


def test_a_collection_twice_is_refused(bundle):
    with pytest.raises(InvalidDefinition, match="found duplicate in collection configuration"):
        check_collections(package(collection(), collection()), bundle)


def test_a_config_without_payload_is_refused(bundle):
    with pytest.raises(InvalidDefinition, match="unexpected payload type"):
        check_collections(CollectionConfigPackage(config=[CollectionConfig()]), bundle)


def test_an_empty_member_policy_is_refused(bundle):
    config = collection(members="")
    config.member_orgs_policy.SetInParent()
    with pytest.raises(InvalidDefinition, match="collection member org policy is empty"):
        check_collections(package(config), bundle)


def test_a_member_policy_that_does_not_compile_is_refused(bundle):
    config = collection(members="")
    rule = SignaturePolicyEnvelope()
    rule.rule.signed_by = 7
    config.member_orgs_policy.signature_policy.CopyFrom(rule)
    with pytest.raises(InvalidDefinition, match="invalid member org policy for collection 'coll'"):
        check_collections(package(config), bundle)


@pytest.mark.parametrize(
    ("kind", "principal", "reason"),
    [
        (MSPPrincipal.ROLE, b"\xff", "cannot unmarshal identity bytes into MSPRole"),
        (MSPPrincipal.IDENTITY, b"nobody", "contains an identity that is not part of the channel"),
        (MSPPrincipal.ANONYMITY, b"", "principal type ANONYMITY is not supported"),
    ],
)
def test_principals_that_name_no_organisation_are_refused(bundle, kind, principal, reason):
    config = collection(members="OR('Org1MSP.member')")
    entry = config.member_orgs_policy.signature_policy.identities[0]
    entry.principal_classification, entry.principal = kind, principal
    with pytest.raises(InvalidDefinition, match=reason):
        check_collections(package(config), bundle)


def committed(*collections):
    return ChaincodeDefinition(1, "1.0", collections=package(*collections).SerializeToString())


def test_collections_may_be_added_but_not_dropped():
    check_against_committed(package(collection("a"), collection("b")), committed(collection("a")))
    check_against_committed(CollectionConfigPackage(), committed())
    check_against_committed(CollectionConfigPackage(), None)
    with pytest.raises(InvalidDefinition, match=r"existing collection \[a\] missing"):
        check_against_committed(package(collection("b")), committed(collection("a")))
    with pytest.raises(InvalidDefinition, match="does not contain previously defined collections"):
        check_against_committed(CollectionConfigPackage(), committed(collection("a")))


def test_block_to_live_is_for_ever():
    changed = package(collection("a", block_to_live=3))
    with pytest.raises(InvalidDefinition, match=r"\[a\] modified. Existing value \[2\]"):
        check_against_committed(changed, committed(collection("a", block_to_live=2)))


def test_long_names_are_judged_without_going_back_and_forth(bundle):
    with pytest.raises(InvalidDefinition):
        check_collections(package(collection("a" * 5000 + "!")), bundle)
    with pytest.raises(InvalidDefinition):
        check_name_and_version("a" * 5000 + "!", "1")
