"""Certificate authorities and MSPs for tests, at a fixed time and under a seed."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)

from gridloom.ca.issuer import Issuer
from gridloom.ca.subjects import Subject
from gridloom.common import certificates, crypto, der
from gridloom.common.certificates import Certificate
from gridloom.common.identities import SigningIdentity
from gridloom.common.msp import Msp, MspVersion
from gridloom.protos.msp.msp_config_pb2 import FabricMSPConfig, FabricOUIdentifier, MSPConfig
from gridloom.protos.msp.msp_principal_pb2 import MSPPrincipal, MSPRole

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
MSP_ID = "Org1MSP"


class Clock:
    """A clock that stands where it is put."""

    def __init__(self, now: datetime = NOW) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


def root_ca(
    name: str = "ca.org1.example.com", *, seed: int = 1, clock: Clock | None = None
) -> Issuer:
    """Make a root CA; the same seed gives the same keys and serial numbers."""
    source = random.Random(f"{name}{seed}")
    return Issuer.create(Subject(name, organization="org1"), clock or Clock(), source.randbytes)


def member(
    issuer: Issuer, name: str = "User1", units: Sequence[str] = ("client",), **extra: object
) -> SigningIdentity:
    """Issue a member of Org1MSP with a key made from its name."""
    key = crypto.generate_key(random.Random(name).randbytes)
    certificate = issuer.issue(key.public_key(), Subject(name, units), **extra)  # type: ignore[arg-type]
    return SigningIdentity(MSP_ID, certificate.pem(), key)


def msp_config(
    roots: Iterable[Issuer],
    intermediates: Iterable[Issuer] = (),
    *,
    node_ous: bool = True,
    admins: Iterable[SigningIdentity] = (),
    crls: Iterable[bytes] = (),
    tls_roots: Iterable[Issuer] = (),
    unit_identifiers: Iterable[tuple[str, Issuer]] = (),
) -> MSPConfig:
    """Define an MSP; node OUs name no certificate, so that every path counts."""
    config = FabricMSPConfig(
        name=MSP_ID,
        root_certs=[ca.certificate.pem() for ca in roots],
        intermediate_certs=[ca.certificate.pem() for ca in intermediates],
        admins=[admin.certificate_pem for admin in admins],
        revocation_list=list(crls),
        tls_root_certs=[ca.certificate.pem() for ca in tls_roots],
        organizational_unit_identifiers=[
            FabricOUIdentifier(
                certificate=ca.certificate.pem(), organizational_unit_identifier=unit
            )
            for unit, ca in unit_identifiers
        ],
    )
    if node_ous:
        config.fabric_node_ous.enable = True
        for role in ("client", "peer", "admin", "orderer"):
            unit = getattr(config.fabric_node_ous, f"{role}_ou_identifier")
            unit.organizational_unit_identifier = role
    return MSPConfig(type=0, config=config.SerializeToString())


def msp_of(*roots: Issuer, version: MspVersion = MspVersion.V1_4_3, **options: object) -> Msp:
    """Set up an MSP from its root CAs and the options of ``msp_config``."""
    return Msp.from_config(msp_config(roots, **options), version)  # type: ignore[arg-type]


def role(kind: MSPRole.MSPRoleType.ValueType, msp_id: str = MSP_ID) -> MSPPrincipal:
    """A ROLE principal."""
    return MSPPrincipal(
        principal_classification=MSPPrincipal.ROLE,
        principal=MSPRole(msp_identifier=msp_id, role=kind).SerializeToString(),
    )


def with_high_s(certificate: Certificate) -> Certificate:
    """The same certificate with its signature's s in the upper half, as some CAs sign."""
    r, s = decode_dss_signature(certificate.certificate.signature)
    order = crypto.CURVE_ORDERS["secp256r1"]
    signature = encode_dss_signature(r, max(s, order - s))
    signed, rest = der.element(der.contents(certificate.raw, der.SEQUENCE))
    algorithm, _ = der.element(rest)
    value = der.encode(der.BIT_STRING, b"\x00" + signature)
    return certificates.parse(der.encode(der.SEQUENCE, signed + algorithm + value))
