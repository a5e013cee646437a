"""Principals: descriptions of identities, such as any peer of Org1MSP.

(Fabric: msp.MSPPrincipal; the comparison is common/policies/inquire/compare.go.)
"""

from __future__ import annotations

from dataclasses import dataclass

from google.protobuf.message import Message

from gridloom.protos.msp.identities_pb2 import SerializedIdentity
from gridloom.protos.msp.msp_principal_pb2 import (
    CombinedPrincipal,
    MSPIdentityAnonymity,
    MSPPrincipal,
    MSPRole,
    OrganizationUnit,
)

from ..errors import MalformedMessage
from ..wire import parse

_CONTENT: dict[int, type[Message]] = {
    MSPPrincipal.ROLE: MSPRole,
    MSPPrincipal.ORGANIZATION_UNIT: OrganizationUnit,
    MSPPrincipal.IDENTITY: SerializedIdentity,
    MSPPrincipal.ANONYMITY: MSPIdentityAnonymity,
    MSPPrincipal.COMBINED: CombinedPrincipal,
}


def role_principal(msp_id: str, role: MSPRole.MSPRoleType.ValueType) -> MSPPrincipal:
    """Return the principal for everybody with a role in an MSP."""
    content = MSPRole(msp_identifier=msp_id, role=role).SerializeToString(deterministic=True)
    return MSPPrincipal(principal_classification=MSPPrincipal.ROLE, principal=content)


def principal_content(principal: MSPPrincipal) -> Message | None:
    """Return the message inside; None when the kind is unknown or the bytes malformed."""
    content = _CONTENT.get(principal.principal_classification)
    if content is None:
        return None
    try:
        return parse(content, principal.principal)
    except MalformedMessage:
        return None


def describe_principal(principal: MSPPrincipal) -> str:
    """Return a principal for people: 'Org1MSP.peer', 'Org1MSP.ou=grid', 'Org1MSP.identity'."""
    content = principal_content(principal)
    match content:
        case MSPRole():
            return f"'{content.msp_identifier}.{role_name(content.role)}'"
        case OrganizationUnit():
            return f"'{content.msp_identifier}.ou={content.organizational_unit_identifier}'"
        case SerializedIdentity():
            return f"'{content.mspid}.identity'"
        case MSPIdentityAnonymity():
            kind = MSPIdentityAnonymity.MSPIdentityAnonymityType
            known = content.anonymity_type in kind.values()
            return f"'{kind.Name(content.anonymity_type).lower() if known else 'unknown'}'"
        case CombinedPrincipal():
            return " and ".join(map(describe_principal, content.principals)) or "'combined of none'"
        case _:
            return "'unknown principal'"


def role_name(role: int) -> str:
    """Return a role as the policy language writes it."""
    known = role in MSPRole.MSPRoleType.values()
    return MSPRole.MSPRoleType.Name(MSPRole.MSPRoleType.ValueType(role)).lower() if known else "?"


@dataclass(frozen=True, slots=True)
class ComparablePrincipal:
    """A principal that can be compared: role, organization unit or one identity.

    kind, msp_id and content decide equality; content is the role number, the unit with
    its certifiers, or the identity's bytes.
    """

    kind: int
    msp_id: str
    content: object
    principal: bytes

    @staticmethod
    def of(principal: MSPPrincipal) -> ComparablePrincipal | None:
        """Return the comparable form; None for kinds that cannot be compared."""
        content = principal_content(principal)
        kind = principal.principal_classification
        inner: tuple[object, ...]
        match content:
            case MSPRole():
                msp_id, inner = content.msp_identifier, (content.role,)
            case OrganizationUnit():
                unit = content.organizational_unit_identifier
                msp_id, inner = content.msp_identifier, (unit, content.certifiers_identifier)
            case SerializedIdentity():
                msp_id, inner = content.mspid, (content.id_bytes,)
            case _:
                return None
        return ComparablePrincipal(kind, msp_id, inner, principal.principal)

    def is_a(self, other: ComparablePrincipal) -> bool:
        """Return whether whoever satisfies this also satisfies the other, as far as known."""
        if self.msp_id != other.msp_id:
            return False
        if other.kind == MSPPrincipal.ROLE and other.content == (MSPRole.MEMBER,):
            return True
        return self.kind == other.kind and self.content == other.content

    def to_principal(self) -> MSPPrincipal:
        """Return the message."""
        kind = MSPPrincipal.Classification.ValueType(self.kind)
        return MSPPrincipal(principal_classification=kind, principal=self.principal)
