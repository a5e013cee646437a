"""Certificates, identities, MSP definitions, revocation lists, signatures and keys."""

from __future__ import annotations

import random

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from gridloom.common import certificates, crypto, pem
from gridloom.common.identities import serialize
from gridloom.common.keystore import key_pem, read_key
from gridloom.common.msp import Msp, MspManager, MspVersion, check_well_formed
from gridloom.common.msp.revocation import RevocationLists
from gridloom.common.policies.policy import SignedData, valid_identities
from gridloom.common.wire import parse
from gridloom.protos.msp.msp_config_pb2 import MSPConfig
from gridloom.protos.msp.msp_principal_pb2 import MSPPrincipal
from harness.authorities import NOW, member, root_ca
from harness.consortium import consortium
from harness.fuzz import fuzz
from harness.shared import shared

# The parser warns of certificates it takes all the same.
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


def golden_certificates() -> list[bytes]:
    files = sorted(shared("golden", "msp", "crypto").rglob("signcerts/*.pem"))
    return [file.read_bytes() for file in files[:4]]


@pytest.fixture(scope="module")
def msp_config() -> MSPConfig:
    return consortium().material.msp_config("Org1MSP")


@pytest.fixture(scope="module")
def msp(msp_config) -> Msp:
    return Msp.from_config(msp_config, version=MspVersion.V3_0)


def test_certificates():
    seeds = [pem.decode(data).contents for data in golden_certificates()]

    def read(data: bytes) -> None:
        certificate = certificates.parse(data)
        repr(certificate)
        certificates.attributes(certificate.certificate)
        certificate.is_issued_by(certificate)

    fuzz(read, seeds)


def test_pem():
    def read(data: bytes) -> None:
        pem.decode(data)
        certificates.parse_pem(data)

    fuzz(read, golden_certificates())


def test_serialized_identities(msp):
    manager = MspManager([msp])
    roles = [consortium().user(), consortium().peer()]
    signature = consortium().user().sign(b"data")

    def judge(data: bytes) -> None:
        valid_identities([SignedData(b"data", data, signature)], manager)
        check_well_formed(data)
        identity = manager.deserialize(data)
        manager.validate(identity)
        identity.verify(b"data", signature)

    fuzz(judge, [signer.serialized for signer in roles])


def test_identities_with_any_certificate(msp):
    seeds = [pem.decode(data).contents for data in golden_certificates()]
    seeds.append(consortium().user().details.raw)

    def judge(data: bytes) -> None:
        identity = msp.deserialize(serialize("Org1MSP", pem.encode("CERTIFICATE", data)))
        msp.validate(identity)

    fuzz(judge, seeds)


def test_signatures():
    key = crypto.VerificationKey(ec.generate_private_key(ec.SECP256R1()).public_key())
    seeds = [consortium().user().sign(bytes((number,))) for number in range(8)]
    fuzz(lambda data: key.verify(b"message", data), seeds)


def test_principals(msp):
    identity = msp.deserialize(consortium().user().serialized)
    policy = consortium().bundle().policies.get("/Channel/Application/Readers").convert()
    principals = [principal.SerializeToString() for principal in policy.identities]

    def judge(data: bytes) -> None:
        msp.satisfies(identity, parse(MSPPrincipal, data))

    fuzz(judge, principals)


def test_msp_definitions(msp_config):
    def define(data: bytes) -> None:
        Msp.from_config(parse(MSPConfig, data), version=MspVersion.V1_4_3)

    fuzz(define, [msp_config.SerializeToString()])


def test_revocation_lists():
    authority = root_ca()
    revoked = member(authority)
    crl = authority.revocation_list({revoked.details.serial_number: NOW})

    def judge(data: bytes) -> None:
        RevocationLists([data]).check(revoked.details, authority.certificate)

    fuzz(judge, [crl, pem.decode(crl).contents])


def test_private_keys():
    key = crypto.generate_key(random.Random(1).randbytes)
    fuzz(read_key, [key_pem(key), pem.decode(key_pem(key)).contents])
