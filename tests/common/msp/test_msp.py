"""What an MSP accepts, rule by rule of PROTOCOL 4."""

import random
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from gridloom.ca.issuer import Issuer, Profile
from gridloom.ca.subjects import Subject
from gridloom.common import crypto, pem
from gridloom.common.identities import (
    InvalidIdentity,
    InvalidSignature,
    SigningIdentity,
    UnknownMsp,
    serialize,
)
from gridloom.common.identity_errors import InvalidMspConfig
from gridloom.common.msp import Msp, MspManager, MspVersion, check_well_formed
from gridloom.protos.msp.msp_principal_pb2 import MSPRole
from harness.authorities import (
    MSP_ID,
    NOW,
    Clock,
    member,
    msp_of,
    role,
    root_ca,
    with_high_s,
)

CA = root_ca()


def accept(msp: Msp, signer: SigningIdentity) -> None:
    msp.validate(msp.deserialize(signer.serialized))


def refuse(msp: Msp, signer: SigningIdentity, reason: str) -> None:
    with pytest.raises(InvalidIdentity, match=reason):
        msp.validate(msp.deserialize(signer.serialized))


@pytest.mark.parametrize("unit", ["client", "peer", "admin", "orderer"])
def test_each_node_ou_makes_a_member(unit):
    accept(msp_of(CA), member(CA, units=(unit,)))


def test_no_node_ou_or_two_of_them_are_refused():
    msp = msp_of(CA)
    refuse(msp, member(CA, units=()), "does not have an OU")
    refuse(msp, member(CA, units=("department1",)), "does not have an OU")
    refuse(msp, member(CA, units=("client", "peer")), "not a combination")
    accept(msp, member(CA, units=("client", "department1")))


def test_v1_3_knows_only_clients_and_peers():
    admin = member(CA, "Admin", ("client",))
    msp = msp_of(CA, version=MspVersion.V1_3, admins=[admin])
    accept(msp, member(CA, units=("peer",)))
    refuse(msp, member(CA, units=("admin",)), "does not have an OU")
    accept(msp, member(CA, units=("client", "admin")))


def test_without_node_ous_any_certificate_of_the_ca_is_a_member():
    msp = msp_of(CA, node_ous=False, admins=[member(CA, "Admin", ())])
    accept(msp, member(CA, units=()))


def test_a_stranger_is_refused_before_validation():
    stranger = member(root_ca(seed=2))
    with pytest.raises(InvalidIdentity, match="was not signed by ca"):
        msp_of(CA).deserialize(stranger.serialized)


def test_expiry_is_ignored_but_a_certificate_older_than_its_ca_is_not():
    clock = Clock()
    ca = root_ca(clock=clock)
    msp = msp_of(ca)
    accept(msp, member(ca, lifetime=timedelta(seconds=1)))
    clock.now = NOW - timedelta(days=1)
    with pytest.raises(InvalidIdentity, match="expired or is not yet valid"):
        msp.deserialize(member(ca).serialized)
    clock.now = NOW + timedelta(days=3651)
    with pytest.raises(InvalidIdentity, match="expired or is not yet valid"):
        msp.deserialize(member(ca).serialized)


def test_a_ca_is_nobody():
    intermediate = CA.subordinate(Subject("inter"))
    signer = SigningIdentity(MSP_ID, intermediate.certificate.pem(), intermediate._key)
    refuse(msp_of(CA), signer, "cannot be used as an identity")
    root = SigningIdentity(MSP_ID, CA.certificate.pem(), CA._key)
    refuse(msp_of(CA), root, "cannot be used as an identity")


def test_members_of_an_intermediate_ca_are_accepted_and_the_root_may_not_issue_any_more():
    intermediate = CA.subordinate(Subject("inter"))
    msp = msp_of(CA, intermediates=[intermediate])
    accept(msp, member(intermediate))
    refuse(msp, member(CA), "should be a leaf of the certification tree")


def test_only_the_lowest_intermediate_issues_members():
    upper = CA.subordinate(Subject("upper"))
    lower = upper.subordinate(Subject("lower"))
    msp = msp_of(CA, intermediates=[upper, lower])
    accept(msp, member(lower))
    refuse(msp, member(upper), "should be a leaf of the certification tree")


def test_an_intermediate_that_is_not_listed_does_not_count():
    intermediate = CA.subordinate(Subject("inter"))
    with pytest.raises(InvalidIdentity, match="unknown authority"):
        msp_of(CA).deserialize(member(intermediate).serialized)


def test_two_chains_are_one_too_many():
    """The same CA key certified by two roots: whose member is this?"""
    other = root_ca("ca.other")
    intermediate = CA.subordinate(Subject("inter"))
    twin = other.issue(
        intermediate._key.public_key(),
        Subject("inter"),
        profile=Profile.CA,
    )
    cross = Issuer(twin, intermediate._key, Clock(), random.Random(1).randbytes)
    msp = msp_of(CA, other, intermediates=[intermediate, cross])
    with pytest.raises(InvalidIdentity, match="single validation chain, got 2"):
        msp.deserialize(member(intermediate).serialized)


@pytest.mark.parametrize("version", [MspVersion.V1_3, MspVersion.V1_4_3, MspVersion.V3_0])
def test_ed25519_members_come_with_version_3(version):
    key = ed25519.Ed25519PrivateKey.from_private_bytes(bytes(32))
    certificate = CA.issue(key.public_key(), Subject("ed", ("client",)))
    signer = SigningIdentity(MSP_ID, certificate.pem(), key)
    msp = msp_of(CA, version=version, admins=[member(CA, "Admin", ("client",))])
    if version == MspVersion.V3_0:
        accept(msp, signer)
        msp.deserialize(signer.serialized).verify(b"message", signer.sign(b"message"))
    else:
        refuse(msp, signer, "Ed25519 is not supported")


def test_rsa_members_are_refused_and_other_curves_are_not():
    key = rsa.generate_private_key(65537, 2048)
    certificate = CA.issue(key.public_key(), Subject("rsa", ("client",)))
    msp = msp_of(CA)
    with pytest.raises(InvalidIdentity, match="RSA is not supported"):
        msp.validate(msp.identity(certificate.pem()))
    key384 = ec.generate_private_key(ec.SECP384R1())
    certificate = CA.issue(key384.public_key(), Subject("p384", ("client",)))
    accept(msp, SigningIdentity(MSP_ID, certificate.pem(), key384))


def test_a_high_s_certificate_is_the_same_identity_as_its_low_s_form():
    signer = member(CA)
    msp = msp_of(CA)
    high = with_high_s(signer.details)
    identity = msp.deserialize(serialize(MSP_ID, high.pem()))
    assert identity.serialized == signer.serialized
    assert identity.key == msp.deserialize(signer.serialized).key
    msp.validate(identity)


def test_a_root_with_a_high_s_signature_serves_like_any_other():
    root = root_ca()
    root.certificate = with_high_s(root.certificate)
    accept(msp_of(root, unit_identifiers=[("client", root)]), member(root))


def test_prescribed_units_need_the_unit_and_its_ca():
    intermediate, other = (CA.subordinate(Subject(name)) for name in ("inter", "other"))
    msp = msp_of(
        CA, intermediates=[intermediate, other], unit_identifiers=[("client", intermediate)]
    )
    accept(msp, member(intermediate))
    refuse(msp, member(other), "none of the identity's organizational units")
    refuse(msp, member(intermediate, units=("peer",)), "none of the identity's")
    refuse(msp, member(intermediate, units=()), "does not contain an Organizational Unit")


def test_a_listed_serial_number_is_revoked_at_once_whatever_its_date():
    clock = Clock()
    ca = root_ca(clock=clock)
    bad, good = member(ca, "bad"), member(ca, "good")
    crl = ca.revocation_list({bad.details.serial_number: NOW + timedelta(days=365)})
    msp = msp_of(ca, crls=[crl])
    refuse(msp, bad, "has been revoked")
    accept(msp, good)


def test_a_revocation_list_of_an_unknown_version_is_refused():
    crl = pem.decode(CA.revocation_list({})).contents
    version = crl.index(b"\x02\x01\x01")
    odd = crl[:version] + b"\x02\x01\x03" + crl[version + 3 :]
    with pytest.raises(InvalidMspConfig, match="could not parse RevocationList"):
        msp_of(CA, crls=[odd])


def test_a_revocation_list_of_another_ca_or_with_a_wrong_signature_does_not_count():
    signer = member(CA)
    revoked = {signer.details.serial_number: NOW}
    accept(msp_of(CA, crls=[root_ca(seed=5).revocation_list(revoked)]), signer)
    forged = Issuer(CA.certificate, root_ca(seed=5)._key, Clock(), random.Random(1).randbytes)
    accept(msp_of(CA, crls=[forged.revocation_list(revoked)]), signer)


def test_an_identity_of_another_msp_or_garbage_is_refused():
    msp = msp_of(CA)
    signer = member(CA)
    with pytest.raises(InvalidIdentity, match="expected MSP ID Org1MSP, received Org2MSP"):
        msp.deserialize(serialize("Org2MSP", signer.certificate_pem))
    for garbage in (b"\xff\xff", serialize(MSP_ID, b"no pem"), serialize(MSP_ID, b"")):
        with pytest.raises(InvalidIdentity):
            msp.deserialize(garbage)


def test_the_channel_finds_the_msp_and_remembers_the_identity():
    manager = MspManager([msp_of(CA)])
    signer = member(CA)
    identity = manager.deserialize(signer.serialized)
    assert manager.deserialize(signer.serialized) is identity
    manager.validate(identity)
    manager.satisfies(identity, role(MSPRole.CLIENT))
    identity.verify(b"message", signer.sign(b"message"))
    assert identity.expires_at == signer.expires_at
    with pytest.raises(UnknownMsp, match="MSP Org9MSP is not defined on channel"):
        manager.deserialize(serialize("Org9MSP", signer.certificate_pem))
    with pytest.raises(InvalidIdentity):
        manager.deserialize(b"\xff")


def test_a_verdict_ends_with_the_bundle_that_gave_it():
    """A new config with a CRL means a new manager, which asks again."""
    signer = member(CA)
    before = MspManager([msp_of(CA)])
    identity = before.deserialize(signer.serialized)
    before.validate(identity)
    crl = CA.revocation_list({signer.details.serial_number: NOW})
    after = MspManager([msp_of(CA, crls=[crl])])
    with pytest.raises(InvalidIdentity, match="revoked"):
        after.validate(identity)


def test_a_refusal_is_remembered_as_a_refusal():
    msp = msp_of(CA)
    identity = msp.deserialize(member(CA, units=()).serialized)
    for _ in range(2):
        with pytest.raises(InvalidIdentity, match="does not have an OU"):
            msp.validate(identity)


def test_signing_under_a_stolen_certificate_never_profits_from_the_memo():
    """What a signer remembers of its own making counts for its own key only."""
    victim, thief = member(CA, "victim"), crypto.generate_key(random.Random(66).randbytes)
    forger = SigningIdentity(MSP_ID, victim.certificate_pem, thief)
    identity = msp_of(CA).deserialize(forger.serialized)
    with pytest.raises(InvalidSignature):
        identity.verify(b"message", forger.sign(b"message"))
    identity.verify(b"message", victim.sign(b"message"))


def test_well_formed_means_one_certificate_and_nothing_else():
    signer = member(CA)
    pem = signer.certificate_pem
    check_well_formed(signer.serialized)
    for wrong, reason in [
        (pem + b"more", "trailing bytes"),
        (pem.replace(b"CERTIFICATE", b"PUBLIC KEY"), "pem type is PUBLIC KEY"),
        (b"", "empty block"),
    ]:
        with pytest.raises(InvalidIdentity, match=reason):
            check_well_formed(serialize(MSP_ID, wrong))
