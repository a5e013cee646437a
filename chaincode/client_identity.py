"""Who asked for the transaction (Fabric: fabric-chaincode-go/pkg/cid, shim's ClientIdentity).

The two official libraries write a client's id differently; both forms are here, so that a
contract can go on with ids a Node or a Go contract has stored.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from functools import cached_property, lru_cache
from types import MappingProxyType

from cryptography import x509
from cryptography.x509.oid import NameOID

from gridloom.common.documents import load_json
from gridloom.common.errors import MalformedMessage
from gridloom.common.wire import parse
from gridloom.protos.msp import identities_pb2

from .errors import ChaincodeError

ATTRIBUTES_OID = x509.ObjectIdentifier("1.2.3.4.5.6.7.8.1")
"""The certificate extension in which a Fabric CA puts the attributes of an identity."""

_CERTIFICATE_BEGINS = b"-----BEGIN"

# Go builds a name anew from its known parts, in this order, and writes it backwards.
_GO_ORDER = (
    (NameOID.COUNTRY_NAME, "C"),
    (NameOID.ORGANIZATION_NAME, "O"),
    (NameOID.ORGANIZATIONAL_UNIT_NAME, "OU"),
    (NameOID.LOCALITY_NAME, "L"),
    (NameOID.STATE_OR_PROVINCE_NAME, "ST"),
    (NameOID.STREET_ADDRESS, "STREET"),
    (NameOID.POSTAL_CODE, "POSTALCODE"),
    (NameOID.COMMON_NAME, "CN"),
    (NameOID.SERIAL_NUMBER, "SERIALNUMBER"),
)
_GO_SINGLE = {NameOID.COMMON_NAME, NameOID.SERIAL_NUMBER}

_NODE_SHORT_NAMES = {
    NameOID.COMMON_NAME: "CN",
    NameOID.COUNTRY_NAME: "C",
    NameOID.LOCALITY_NAME: "L",
    NameOID.STATE_OR_PROVINCE_NAME: "ST",
    NameOID.ORGANIZATION_NAME: "O",
    NameOID.ORGANIZATIONAL_UNIT_NAME: "OU",
    NameOID.EMAIL_ADDRESS: "E",
}


class ClientIdentity:
    """The client's organisation, certificate and attributes; the peer has verified them."""

    def __init__(self, creator: bytes) -> None:
        """Read a serialized msp.SerializedIdentity; ChaincodeError if it holds no certificate."""
        try:
            identity = parse(identities_pb2.SerializedIdentity, creator, "creator")
        except MalformedMessage as error:
            raise ChaincodeError(f"the client's identity cannot be read: {error}") from error
        self.msp_id = identity.mspid
        self.id_bytes = identity.id_bytes

    @classmethod
    def of(cls, creator: bytes) -> ClientIdentity:
        """Return the identity of these creator bytes, from a bounded memo of recent ones."""
        return _recent(creator)

    def __repr__(self) -> str:
        return f"ClientIdentity({self.msp_id!r}, {self.id!r})"

    @cached_property
    def certificate(self) -> x509.Certificate:
        """The client's X.509 certificate."""
        start = self.id_bytes.find(_CERTIFICATE_BEGINS)
        try:
            return x509.load_pem_x509_certificate(self.id_bytes[max(start, 0) :])
        except ValueError as error:
            raise ChaincodeError(
                f"the client's identity of {self.msp_id} holds no X.509 certificate: {error}"
            ) from error

    @cached_property
    def id(self) -> str:
        """The id as the Node library writes it: ``x509::/C=US/.../CN=user::/C=US/.../CN=ca``."""
        subject, issuer = self.certificate.subject, self.certificate.issuer
        return f"x509::{_node_name(subject)}::{_node_name(issuer)}"

    @cached_property
    def go_id(self) -> str:
        """The id as the Go library writes it: base64 of ``x509::CN=user,...::CN=ca,...``."""
        subject, issuer = self.certificate.subject, self.certificate.issuer
        text = f"x509::{_go_name(subject)}::{_go_name(issuer)}"
        return base64.b64encode(text.encode()).decode("ascii")

    @cached_property
    def attributes(self) -> Mapping[str, str]:
        """All attributes of the certificate (read-only); empty if it carries none."""
        try:
            extension = self.certificate.extensions.get_extension_for_oid(ATTRIBUTES_OID)
        except x509.ExtensionNotFound:
            return MappingProxyType({})
        value = extension.value
        try:
            data = value.value if isinstance(value, x509.UnrecognizedExtension) else b""
            attributes = load_json(data)["attrs"]
            if not isinstance(attributes, dict):
                raise TypeError("attrs is not an object")
        except (ValueError, KeyError, TypeError) as error:
            raise ChaincodeError(
                f"the attributes in the client's certificate cannot be read: {error}"
            ) from error
        return MappingProxyType({str(name): str(text) for name, text in attributes.items()})

    def attribute(self, name: str) -> str | None:
        """Return the value of an attribute, None if the certificate does not carry it."""
        return self.attributes.get(name)

    def assert_attribute(self, name: str, value: str) -> None:
        """ChaincodeError unless the attribute is there and has this value."""
        actual = self.attribute(name)
        if actual is None:
            raise ChaincodeError(f"attribute '{name}' was not found")
        if actual != value:
            raise ChaincodeError(f"attribute '{name}' equals '{actual}', not '{value}'")

    def has_ou(self, unit: str) -> bool:
        """Tell whether the certificate's subject has this organisational unit."""
        units = self.certificate.subject.get_attributes_for_oid(NameOID.ORGANIZATIONAL_UNIT_NAME)
        return any(attribute.value == unit for attribute in units)


@lru_cache(maxsize=512)
def _recent(creator: bytes) -> ClientIdentity:
    return ClientIdentity(creator)


def _node_name(name: x509.Name) -> str:
    # Only the first slash is escaped, and an attribute without a short name has none: as there.
    return "".join(
        f"/{_NODE_SHORT_NAMES.get(part.oid, '')}={_text(part).replace('/', chr(92) + '/', 1)}"
        for part in name
    )


def _go_name(name: x509.Name) -> str:
    parts = []
    for oid, short in reversed(_GO_ORDER):
        values = [_text(part) for part in name.get_attributes_for_oid(oid)]
        if oid in _GO_SINGLE:
            values = values[-1:]
        if values and not (oid in _GO_SINGLE and not values[0]):
            parts.append("+".join(f"{short}={_escape(value)}" for value in values))
    return ",".join(parts)


def _escape(value: str) -> str:
    """Escape as RFC 2253 asks for."""
    escaped = ""
    last = len(value) - 1
    for position, character in enumerate(value):
        edge = (position == 0 and character in " #") or (position == last and character == " ")
        escaped += "\\" + character if edge or character in ',+"\\<>;' else character
    return escaped


def _text(part: x509.NameAttribute) -> str:  # type: ignore[type-arg]
    value = part.value
    return value if isinstance(value, str) else value.hex()
