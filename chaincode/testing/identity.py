"""Made-up clients with a real certificate (Fabric: an enrolled user)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from gridloom.protos.msp import identities_pb2

from ..client_identity import ATTRIBUTES_OID

_NOT_BEFORE = datetime(2026, 1, 1, tzinfo=UTC)
_NOT_AFTER = datetime(2056, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Identity:
    """A client of a test; nobody checks its signatures.

    certificate: PEM; serialized: the msp.SerializedIdentity that contracts see as the creator;
    private_key: for contracts that check signatures of their own.
    """

    msp_id: str
    name: str
    certificate: bytes
    serialized: bytes
    private_key: ec.EllipticCurvePrivateKey = field(repr=False)

    @classmethod
    def create(
        cls,
        msp_id: str,
        name: str,
        *,
        attributes: Mapping[str, str] | None = None,
        units: Sequence[str] = ("client",),
    ) -> Identity:
        """Make a client whose certificate carries these attributes and organisational units."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = [x509.NameAttribute(NameOID.COMMON_NAME, name)]
        subject += [x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, unit) for unit in units]
        issuer = [x509.NameAttribute(NameOID.COMMON_NAME, f"ca.{msp_id.lower()}")]
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name(subject))
            .issuer_name(x509.Name(issuer))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(_NOT_BEFORE)
            .not_valid_after(_NOT_AFTER)
        )
        if attributes:
            document = json.dumps({"attrs": dict(attributes)}, sort_keys=True).encode()
            extension = x509.UnrecognizedExtension(ATTRIBUTES_OID, document)
            builder = builder.add_extension(extension, critical=False)
        certificate = builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)
        identity = identities_pb2.SerializedIdentity(mspid=msp_id, id_bytes=certificate)
        return cls(msp_id, name, certificate, identity.SerializeToString(), key)
