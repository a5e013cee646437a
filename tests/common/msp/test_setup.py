"""Which MSP definitions are refused when a channel or a node sets them up."""

import pytest

from gridloom.ca.subjects import Subject
from gridloom.common.identities import InvalidMspConfig
from gridloom.common.msp import Msp, MspVersion
from gridloom.protos.msp.msp_config_pb2 import FabricMSPConfig, MSPConfig
from harness.authorities import Clock, member, msp_config, msp_of, root_ca

CA = root_ca()


def edited(change, **options) -> MSPConfig:
    """A good definition after ``change`` has been at it."""
    wrapped = msp_config([CA], **options)
    config = FabricMSPConfig.FromString(wrapped.config)
    change(config)
    return MSPConfig(config=config.SerializeToString())


def refuse(config: MSPConfig, reason: str, version: MspVersion = MspVersion.V1_4_3) -> None:
    with pytest.raises(InvalidMspConfig, match=reason) as caught:
        Msp.from_config(config, version)
    assert caught.value.msp_id in ("Org1MSP", "")


def test_a_definition_needs_a_root():
    refuse(msp_config([]), "at least one CA certificate")


def test_idemix_and_garbage_are_refused():
    refuse(MSPConfig(type=1), "unsupported MSP type 1")
    refuse(MSPConfig(config=b"\xff\xff"), "FabricMSPConfig")
    refuse(edited(lambda c: c.root_certs.append(b"no pem")), "could not decode the PEM")


def test_a_root_must_be_a_ca_that_signed_itself():
    refuse(edited(lambda c: c.root_certs.append(member(CA).certificate_pem)), "traverse")
    intermediate = CA.subordinate(Subject("inter"))
    refuse(edited(lambda c: c.root_certs.append(intermediate.certificate.pem())), "traverse")


def test_an_intermediate_must_be_a_ca_below_a_root():
    leaf = member(CA).certificate_pem
    refuse(edited(lambda c: c.intermediate_certs.append(leaf)), "did not have the CA attribute")
    foreign = root_ca(seed=9).subordinate(Subject("inter"))
    refuse(edited(lambda c: c.intermediate_certs.append(foreign.certificate.pem())), "not signed")


def test_tls_cas_are_checked_likewise():
    Msp.from_config(msp_config([CA], tls_roots=[root_ca("tlsca")]))
    leaf = member(CA).certificate_pem
    refuse(edited(lambda c: c.tls_root_certs.append(leaf)), "did not have the CA attribute")


def test_a_revoked_intermediate_is_refused():
    intermediate = CA.subordinate(Subject("inter"))
    crl = CA.revocation_list({intermediate.certificate.serial_number: Clock()()})
    refuse(msp_config([CA], [intermediate], crls=[crl]), "revoked")


@pytest.mark.parametrize("crl", [b"", b"junk", b"-----BEGIN X509 CRL-----\nAQID\n"])
def test_a_malformed_revocation_list_is_refused(crl):
    refuse(msp_config([CA], crls=[crl]), "RevocationList")


def test_without_an_admin_ou_admins_must_be_listed():
    refuse(msp_config([CA], node_ous=False), "administrators must be declared")
    refuse(
        edited(lambda c: c.fabric_node_ous.ClearField("admin_ou_identifier")),
        "administrators must be declared",
    )
    msp_of(CA, node_ous=False, admins=[member(CA, "Admin", ())])
    Msp.from_config(msp_config([CA], node_ous=False, admins=[member(CA)]), MspVersion.V1_3)


def test_v1_3_needs_no_admins_at_all():
    Msp.from_config(msp_config([CA], node_ous=False), MspVersion.V1_3)


@pytest.mark.parametrize(("unit", "good"), [("client", True), ("admin", True), ("peer", False)])
def test_listed_admins_carry_the_client_or_admin_ou(unit, good):
    config = msp_config([CA], admins=[member(CA, "Admin", (unit,))])
    if good:
        Msp.from_config(config)
    else:
        refuse(config, "admin 0 is invalid")


def test_v1_3_wants_admins_to_be_clients():
    good = msp_config([CA], admins=[member(CA, "Admin", ("client",))])
    Msp.from_config(good, MspVersion.V1_3)
    bad = msp_config([CA], admins=[member(CA, "Admin", ("peer",))])
    refuse(bad, "admin 0 is invalid", MspVersion.V1_3)


def test_a_listed_admin_of_a_strange_ca_is_refused():
    stranger = member(root_ca(seed=3), "Admin")
    refuse(msp_config([CA], admins=[stranger]), "not signed|unknown authority")


def test_v1_3_needs_a_client_and_a_peer_ou():
    def without_peer(config):
        config.fabric_node_ous.ClearField("peer_ou_identifier")

    admin = member(CA, "Admin")
    refuse(edited(without_peer, admins=[admin]), "PeerOU must be different", MspVersion.V1_3)
    Msp.from_config(edited(without_peer), MspVersion.V1_4_3)


def test_node_ous_without_any_unit_are_off():
    def without_units(config):
        for role in ("client", "peer", "admin", "orderer"):
            config.fabric_node_ous.ClearField(f"{role}_ou_identifier")

    refuse(edited(without_units), "administrators must be declared")
    msp = Msp.from_config(edited(without_units, admins=[member(CA, "Admin", ())]))
    msp.validate(msp.identity(member(CA, units=()).certificate_pem))


def test_a_node_ou_must_name_a_ca_of_this_msp():
    def foreign(config):
        unit = config.fabric_node_ous.client_ou_identifier
        unit.certificate = member(CA).certificate_pem

    refuse(edited(foreign), "not in root or intermediate certs")


def test_a_node_ou_bound_to_one_ca_refuses_members_of_another():
    intermediate, other = (CA.subordinate(Subject(name)) for name in ("inter", "other"))
    wrapped = msp_config([CA], [intermediate, other])
    config = FabricMSPConfig.FromString(wrapped.config)
    config.fabric_node_ous.client_ou_identifier.certificate = intermediate.certificate.pem()
    msp = Msp.from_config(MSPConfig(config=config.SerializeToString()))
    msp.validate(msp.identity(member(intermediate).certificate_pem))
    msp.validate(msp.identity(member(other, units=("peer",)).certificate_pem))
    with pytest.raises(Exception, match="certifiersIdentifier does not match"):
        msp.validate(msp.identity(member(other).certificate_pem))


@pytest.mark.parametrize(
    ("family", "function"), [("MD5", "SHA256"), ("SHA2", "SHA1")], ids=["family", "function"]
)
def test_unknown_hashes_are_refused(family, function):
    def change(config):
        config.crypto_config.signature_hash_family = family
        config.crypto_config.identity_identifier_hash_function = function

    refuse(edited(change), "hash not recognized")


def test_a_sha_3_msp_verifies_over_sha_3():
    def change(config):
        config.crypto_config.signature_hash_family = "SHA3"
        config.crypto_config.identity_identifier_hash_function = "SHA3_256"

    msp = Msp.from_config(edited(change))
    signer = member(CA)
    identity = msp.deserialize(signer.serialized)
    with pytest.raises(Exception, match="The signature is invalid"):
        identity.verify(b"message", signer.sign(b"message"))


def test_the_same_root_twice_is_one_root():
    msp = msp_of(CA, CA)
    msp.validate(msp.identity(member(CA).certificate_pem))
