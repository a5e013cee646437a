"""Who the client is, from the certificate in its identity."""

import json
from base64 import b64decode
from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from gridloom.chaincode import ChaincodeError, ClientIdentity
from gridloom.chaincode.client_identity import ATTRIBUTES_OID
from gridloom.chaincode.testing import Identity
from gridloom.protos.common import common_pb2
from gridloom.protos.msp.identities_pb2 import SerializedIdentity
from gridloom.protos.peer import proposal_pb2
from harness.shared import shared


def golden_creator() -> bytes:
    """The creator of a proposal that went to a real peer: User1 of org1, made by cryptogen."""
    path = shared("golden", "wire", "01-endorser-invoke-Endorser_ProcessProposal.req.pb")
    signed = proposal_pb2.SignedProposal.FromString(path.read_bytes())
    proposal = proposal_pb2.Proposal.FromString(signed.proposal_bytes)
    header = common_pb2.Header.FromString(proposal.header)
    return common_pb2.SignatureHeader.FromString(header.signature_header).creator


def certificate(subject: list[tuple[x509.ObjectIdentifier, str]], attributes: bytes = b"") -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(oid, value) for oid, value in subject])
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "ca")]))
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime(2026, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2036, 1, 1, tzinfo=UTC))
    )
    if attributes:
        extension = x509.UnrecognizedExtension(ATTRIBUTES_OID, attributes)
        builder = builder.add_extension(extension, critical=False)
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)


def identity(pem: bytes, msp_id: str = "Org1MSP") -> ClientIdentity:
    return ClientIdentity(SerializedIdentity(mspid=msp_id, id_bytes=pem).SerializeToString())


def test_the_id_of_a_real_client_in_the_forms_of_both_official_libraries():
    client = ClientIdentity(golden_creator())
    assert client.msp_id == "Org1MSP"
    assert client.id == (
        "x509::/C=US/ST=California/L=San Francisco/OU=client/CN=User1@org1.example.com"
        "::/C=US/ST=California/L=San Francisco/O=org1.example.com/CN=ca.org1.example.com"
    )
    assert b64decode(client.go_id).decode() == (
        "x509::CN=User1@org1.example.com,ST=California,L=San Francisco,OU=client,C=US"
        "::CN=ca.org1.example.com,ST=California,L=San Francisco,O=org1.example.com,C=US"
    )
    assert client.has_ou("client")
    assert not client.has_ou("admin")
    assert client.attributes == {}


def test_go_joins_values_of_one_kind_and_escapes_them():
    client = identity(
        certificate(
            [
                (NameOID.ORGANIZATIONAL_UNIT_NAME, "client"),
                (NameOID.ORGANIZATIONAL_UNIT_NAME, "org1"),
                (NameOID.EMAIL_ADDRESS, "a@b"),
                (NameOID.COMMON_NAME, ' #a,b+"c\\<d>;e '),
            ]
        )
    )
    assert b64decode(client.go_id).decode() == (
        r"x509::CN=\ #a\,b\+\"c\\\<d\>\;e\ ,OU=client+OU=org1::CN=ca"
    )
    assert client.id.endswith("::/CN=ca")
    assert "/OU=client/OU=org1/E=a@b/CN=" in client.id


def test_node_escapes_the_first_slash_and_has_few_short_names():
    client = identity(certificate([(NameOID.SERIAL_NUMBER, "5"), (NameOID.COMMON_NAME, "a/b/c")]))
    assert client.id == r"x509::/=5/CN=a\/b/c::/CN=ca"


def test_attributes_are_read_from_the_certificate():
    made = Identity.create("Org1MSP", "alice", attributes={"role": "seller", "hf.Type": "client"})
    client = ClientIdentity.of(made.serialized)
    assert client.attribute("role") == "seller"
    assert client.attribute("colour") is None
    client.assert_attribute("role", "seller")
    with pytest.raises(ChaincodeError, match="attribute 'role' equals 'seller', not 'buyer'"):
        client.assert_attribute("role", "buyer")
    with pytest.raises(ChaincodeError, match="attribute 'colour' was not found"):
        client.assert_attribute("colour", "red")
    assert ClientIdentity.of(made.serialized) is client


@pytest.mark.parametrize(
    "data", [b"{", b"[]", b'{"attrs":[]}', b"{}", b"\xff", json.dumps("x").encode()]
)
def test_attributes_that_cannot_be_read_are_an_error_not_an_absence(data):
    client = identity(certificate([(NameOID.COMMON_NAME, "eve")], data))
    with pytest.raises(ChaincodeError, match="cannot be read"):
        client.attribute("role")


def test_an_identity_without_a_certificate_is_an_error_when_one_is_needed():
    with pytest.raises(ChaincodeError, match="identity cannot be read"):
        ClientIdentity(b"\xff")
    client = identity(b"idemix", "IdemixMSP")
    assert client.msp_id == "IdemixMSP"
    with pytest.raises(ChaincodeError, match="IdemixMSP holds no X"):
        _ = client.id
