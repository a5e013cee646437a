"""Matching identities with principals, kind by kind."""

import hashlib

import pytest

from gridloom.common.identities import PrincipalNotSatisfied
from gridloom.common.msp import Msp, MspVersion
from gridloom.protos.msp.msp_principal_pb2 import (
    CombinedPrincipal,
    MSPIdentityAnonymity,
    MSPPrincipal,
    MSPRole,
    OrganizationUnit,
)
from harness.authorities import MSP_ID, NOW, member, msp_of, role, root_ca

CA = root_ca()
MSP = msp_of(CA)
UNITS = {
    MSPRole.CLIENT: "client",
    MSPRole.PEER: "peer",
    MSPRole.ADMIN: "admin",
    MSPRole.ORDERER: "orderer",
}


def principal(kind, message) -> MSPPrincipal:
    data = message if isinstance(message, bytes) else message.SerializeToString()
    return MSPPrincipal(principal_classification=kind, principal=data)


def combined(*parts: MSPPrincipal) -> MSPPrincipal:
    return principal(MSPPrincipal.COMBINED, CombinedPrincipal(principals=parts))


def satisfied(msp: Msp, signer, wanted: MSPPrincipal) -> bool:
    identity = msp.deserialize(signer.serialized)
    try:
        msp.satisfies(identity, wanted)
    except PrincipalNotSatisfied:
        return False
    return True


@pytest.mark.parametrize("carried", UNITS)
@pytest.mark.parametrize("wanted", UNITS)
def test_a_role_is_the_node_ou_carried(carried, wanted):
    signer = member(CA, units=(UNITS[carried],))
    assert satisfied(MSP, signer, role(wanted)) == (carried == wanted)
    assert satisfied(MSP, signer, role(MSPRole.MEMBER))


def test_a_revoked_or_unclassified_identity_has_no_role_not_even_member():
    bad = member(CA, "bad", ("admin",))
    msp = msp_of(CA, crls=[CA.revocation_list({bad.details.serial_number: NOW})])
    nobody = member(CA, "nobody", ())
    for kind in (MSPRole.MEMBER, *UNITS):
        assert not satisfied(msp, bad, role(kind))
        assert not satisfied(MSP, nobody, role(kind))


def test_a_listed_admin_is_an_admin_even_when_revoked():
    admin = member(CA, "Admin", ("client",))
    crl = CA.revocation_list({admin.details.serial_number: NOW})
    msp = msp_of(CA, admins=[admin], crls=[crl])
    assert satisfied(msp, admin, role(MSPRole.ADMIN))
    assert not satisfied(msp, admin, role(MSPRole.MEMBER))
    assert not satisfied(msp, member(CA, "other"), role(MSPRole.ADMIN))


def test_without_node_ous_only_member_and_listed_admins_exist():
    admin = member(CA, "Admin", ("admin",))
    msp = msp_of(CA, node_ous=False, admins=[admin])
    assert satisfied(msp, admin, role(MSPRole.ADMIN))
    assert satisfied(msp, member(CA, "x", ("admin",)), role(MSPRole.MEMBER))
    assert not satisfied(msp, member(CA, "x", ("admin",)), role(MSPRole.ADMIN))
    for kind in (MSPRole.CLIENT, MSPRole.PEER, MSPRole.ORDERER):
        assert not satisfied(msp, member(CA, "x", (UNITS[kind],)), role(kind))


def test_v1_3_has_no_admin_ou_and_no_orderers():
    admin = member(CA, "Admin", ("client",))
    msp = msp_of(CA, version=MspVersion.V1_3, admins=[admin])
    assert satisfied(msp, admin, role(MSPRole.ADMIN))
    assert satisfied(msp, member(CA, "p", ("peer",)), role(MSPRole.PEER))
    assert not satisfied(msp, member(CA, "a", ("client", "admin")), role(MSPRole.ADMIN))
    assert not satisfied(msp, member(CA, "o", ("client", "orderer")), role(MSPRole.ORDERER))


def test_a_role_in_another_msp_and_an_unknown_role_are_not_satisfied():
    signer = member(CA)
    assert not satisfied(MSP, signer, role(MSPRole.MEMBER, "Org2MSP"))
    assert not satisfied(MSP, signer, role(77))  # type: ignore[arg-type]


def test_a_unit_needs_its_path_of_cas():
    signer = member(CA, units=("client", "trading"))
    path = hashlib.sha256(CA.certificate.raw).digest()

    def wanted(name, certifiers, msp_id=MSP_ID):
        unit = OrganizationUnit(
            msp_identifier=msp_id,
            organizational_unit_identifier=name,
            certifiers_identifier=certifiers,
        )
        return principal(MSPPrincipal.ORGANIZATION_UNIT, unit)

    assert satisfied(MSP, signer, wanted("trading", path))
    assert not satisfied(MSP, signer, wanted("trading", b""))
    assert not satisfied(MSP, signer, wanted("accounting", path))
    assert not satisfied(MSP, signer, wanted("trading", path, "Org2MSP"))
    assert not satisfied(MSP, member(CA, units=("trading",)), wanted("trading", path))


def test_an_identity_principal_is_one_certificate_that_is_still_valid():
    one, other = member(CA, "one"), member(CA, "other")
    wanted = principal(MSPPrincipal.IDENTITY, one.serialized)
    assert satisfied(MSP, one, wanted)
    assert not satisfied(MSP, other, wanted)
    msp = msp_of(CA, crls=[CA.revocation_list({one.details.serial_number: NOW})])
    assert not satisfied(msp, one, wanted)


def test_x509_identities_are_nominal():
    for kind, answer in (
        (MSPIdentityAnonymity.NOMINAL, True),
        (MSPIdentityAnonymity.ANONYMOUS, False),
    ):
        wanted = principal(MSPPrincipal.ANONYMITY, MSPIdentityAnonymity(anonymity_type=kind))
        assert satisfied(MSP, member(CA), wanted) == answer


def test_a_combination_needs_every_part_at_any_depth():
    signer = member(CA)
    client, peer, anyone = role(MSPRole.CLIENT), role(MSPRole.PEER), role(MSPRole.MEMBER)
    assert satisfied(MSP, signer, combined(client, anyone))
    assert satisfied(MSP, signer, combined(client, combined(anyone, combined(client))))
    assert not satisfied(MSP, signer, combined(client, combined(anyone, peer)))
    assert not satisfied(MSP, signer, combined())
    assert not satisfied(MSP, signer, combined(client, combined()))


def test_a_combination_nested_a_thousand_deep_is_only_deep():
    wanted = role(MSPRole.CLIENT)
    for _ in range(1000):
        wanted = combined(wanted)
    assert satisfied(MSP, member(CA), wanted)


@pytest.mark.parametrize("kind", [0, 1, 2, 3, 4, 5, 99])
@pytest.mark.parametrize("data", [b"\xff\xff", b"\x0a\xff"])
def test_garbage_in_a_principal_satisfies_nobody(kind, data):
    wanted = MSPPrincipal(principal_classification=kind, principal=data)
    assert not satisfied(MSP, member(CA), wanted)
    assert not satisfied(MSP, member(CA), wanted)  # the remembered answer is the same
