"""Who may create and endorse, as the channel's configuration and capabilities have it.

Expired certificates stay good (validity of a committed transaction must not depend on the
time), revoked ones are bad at once, and Ed25519 keys need channel capability V3_0.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519

from gridloom.ca.subjects import Subject
from gridloom.common import crypto
from gridloom.common.channel.bundle import ChannelBundle
from gridloom.common.identities import SigningIdentity
from gridloom.common.policies import language
from gridloom.protos.common import configuration_pb2
from gridloom.protos.common.configtx_pb2 import Config, ConfigGroup
from gridloom.protos.msp.msp_config_pb2 import FabricMSPConfig, MSPConfig
from harness.consortium import NOW, consortium
from harness.stage_a import StageA, signature_policy
from harness.transactions import VALIDATION_PARAMETER, Draft, collection, namespace, rwset

FAILED, BAD_CREATOR = "ENDORSEMENT_POLICY_FAILURE", "BAD_CREATOR_SIGNATURE"
ORG1, ORG2 = consortium().peer(1), consortium().peer(2)
WRITES = rwset(namespace("basic", {"key": b"value"}))

Change = Callable[[ConfigGroup], None]


def stage_a(*changes: Change) -> StageA:
    """Stage A of the test channel with its configuration changed; ``basic`` is defined."""
    config = Config()
    config.CopyFrom(consortium().bundle().config)
    for change in changes:
        change(config.channel_group)
    made = StageA(ChannelBundle("mychannel", config))
    made.define("basic")
    return made


def capabilities(section: str, *names: str) -> Change:
    def change(group: ConfigGroup) -> None:
        where = group.groups[section] if section else group
        message = configuration_pb2.Capabilities()
        for name in names:
            message.capabilities[name].SetInParent()
        where.values["Capabilities"].value = message.SerializeToString()
        if not section and "V3_0" in names and "OrdererAddresses" in group.values:
            del group.values["OrdererAddresses"]

    return change


def revoked(*signers: SigningIdentity) -> Change:
    """A revocation list of Org1's CA in the channel's configuration."""
    ca = consortium().material.organization("Org1MSP").ca
    crl = ca.revocation_list({signer.details.serial_number: NOW for signer in signers})

    def change(group: ConfigGroup) -> None:
        value = group.groups["Application"].groups["Org1MSP"].values["MSP"]
        config = MSPConfig.FromString(value.value)
        inner = FabricMSPConfig.FromString(config.config)
        inner.revocation_list.append(crl)
        config.config = inner.SerializeToString()
        value.value = config.SerializeToString()

    return change


def enrolled(unit: str, key: crypto.PrivateKey | None = None, **options: object) -> SigningIdentity:
    """A further member of Org1."""
    key = key or crypto.generate_key(consortium().random_bytes)
    subject = Subject(f"{unit}9.org1.example.com", (unit,))
    ca = consortium().material.organization("Org1MSP").ca
    certificate = ca.issue(key.public_key(), subject, **options)  # type: ignore[arg-type]
    return SigningIdentity("Org1MSP", certificate.pem(), key)


def draft(*endorsers: SigningIdentity, creator: SigningIdentity | None = None, **parts) -> bytes:
    parts = {"results": WRITES, **parts}
    return Draft(creator=creator or consortium().user(), endorsers=endorsers, **parts).envelope()


def test_a_revoked_creator_is_no_creator():
    members = stage_a(revoked(consortium().user()))
    assert members.codes(draft(ORG1, ORG2)) == [BAD_CREATOR]
    assert members.codes(draft(ORG1, ORG2, creator=consortium().user(2))) == ["VALID"]


def test_a_revoked_endorser_does_not_count():
    members = stage_a(revoked(ORG1))
    assert members.codes(draft(ORG1, ORG2)) == [FAILED]
    assert members.codes(draft(enrolled("peer"), ORG1, ORG2)) == ["VALID"]


def test_a_revoked_endorser_does_not_count_for_key_policies_either():
    members = stage_a(revoked(ORG1))
    policy = language.parse("OR('Org1MSP.member')").SerializeToString()
    members.guard("basic", "key", policy)
    assert members.codes(draft(ORG1, ORG2)) == [FAILED]


@pytest.mark.parametrize("lifetime", [timedelta(minutes=6), timedelta(hours=1)])
def test_expired_creators_and_endorsers_stay_good(lifetime):
    user, peer = enrolled("client", lifetime=lifetime), enrolled("peer", lifetime=lifetime)
    assert user.expires_at < NOW + timedelta(days=1)
    assert stage_a().codes(draft(peer, ORG2, creator=user)) == ["VALID"]


@pytest.mark.parametrize("units", [(), ("nobody",), ("client", "peer")])
def test_a_creator_needs_exactly_one_role_unit(units):
    key = crypto.generate_key(consortium().random_bytes)
    ca = consortium().material.organization("Org1MSP").ca
    certificate = ca.issue(key.public_key(), Subject("odd.org1.example.com", units))
    odd = SigningIdentity("Org1MSP", certificate.pem(), key)
    assert stage_a().codes(draft(ORG1, ORG2, creator=odd)) == [BAD_CREATOR]


def test_a_ca_creates_nothing():
    organization = consortium().material.organization("Org1MSP")
    ca = SigningIdentity("Org1MSP", organization.ca.certificate.pem(), organization.ca._key)
    assert stage_a().codes(draft(ORG1, ORG2, creator=ca)) == [BAD_CREATOR]


@pytest.mark.parametrize(
    ("capability", "code"), [("V1_4_3", BAD_CREATOR), ("V2_0", BAD_CREATOR), ("V3_0", "VALID")]
)
def test_ed25519_creators_need_channel_capability_v3_0(capability, code):
    members = stage_a(capabilities("", capability))
    user = enrolled("client", ed25519.Ed25519PrivateKey.generate())
    assert members.codes(draft(ORG1, ORG2, creator=user)) == [code]


@pytest.mark.parametrize(("capability", "code"), [("V2_0", FAILED), ("V3_0", "VALID")])
def test_ed25519_endorsers_need_channel_capability_v3_0(capability, code):
    members = stage_a(capabilities("", capability))
    peer = enrolled("peer", ed25519.Ed25519PrivateKey.generate())
    assert members.codes(draft(peer, ORG2)) == [code]


def purge() -> bytes:
    """A purge of a private key; only simulations ask whether the channel has V2_5."""
    change = collection("_implicit_org_Org1MSP", {"k": b""})
    return rwset(namespace("basic", collections=[change]))


@pytest.mark.parametrize("application", ["V2_0", "V2_5"])
@pytest.mark.parametrize("channel", ["V1_4_3", "V2_0", "V3_0"])
def test_the_same_transactions_are_valid_at_every_supported_capability(application, channel):
    members = stage_a(capabilities("Application", application), capabilities("", channel))
    guarded = rwset(
        namespace("basic", {"k": b"v"}, metadata={"k": {VALIDATION_PARAMETER: b"\x08\x00"}})
    )
    private = rwset(namespace("basic", collections=[collection("nosuch", {"k": b"v"})]))
    assert members.codes(
        draft(ORG1, ORG2),
        draft(ORG1, nonce=b"2"),
        draft(ORG1, results=purge(), nonce=b"3"),
        draft(ORG1, ORG2, results=guarded, nonce=b"4"),
        draft(ORG1, ORG2, results=private, nonce=b"5"),
        draft(ORG1, ORG2, nonce=b"6", chaincode="undefined", results=b""),
    ) == ["VALID", FAILED, "VALID", "VALID", FAILED, "INVALID_CHAINCODE"]


def test_the_order_of_endorsements_decides_where_principals_overlap():
    """Fabric goes through the policy without ever coming back on a choice."""
    members = stage_a()
    policy = signature_policy("AND('Org1MSP.member', 'Org1MSP.peer')").SerializeToString()
    members.define("basic", policy)
    user = consortium().user()
    assert members.codes(draft(user, ORG1), draft(ORG1, user, nonce=b"2")) == ["VALID", FAILED]


def test_a_doubled_endorsement_is_one():
    members = stage_a()
    policy = signature_policy("OutOf(2, 'Org1MSP.peer', 'Org1MSP.peer')").SerializeToString()
    members.define("basic", policy)
    assert members.codes(
        draft(ORG1, ORG1),
        draft(ORG1, enrolled("peer"), nonce=b"2"),
        draft(ORG1, ORG1, enrolled("peer"), nonce=b"3"),
    ) == [FAILED, "VALID", "VALID"]


def test_a_key_and_its_policy_may_change_in_one_transaction_but_not_in_two_of_a_block():
    members = stage_a()
    own = language.parse("OR('Org1MSP.peer')").SerializeToString()
    both = rwset(namespace("basic", {"k": b"v"}, metadata={"k": {VALIDATION_PARAMETER: own}}))
    again = rwset(namespace("basic", metadata={"k": {VALIDATION_PARAMETER: own}}))
    assert members.codes(
        draft(ORG1, ORG2, results=both, nonce=b"1"),
        draft(ORG1, ORG2, results=again, nonce=b"2"),
        draft(ORG1, ORG2, results=rwset(namespace("basic", reads=["k"])), nonce=b"3"),
    ) == ["VALID", FAILED, "VALID"]
