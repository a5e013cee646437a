"""Matching an identity against a policy's principal.

ROLE, ORGANIZATION_UNIT, IDENTITY, ANONYMITY and COMBINED, with the differences between
MSP versions.  (Fabric: satisfiesPrincipalInternal… and collectPrincipals of msp/mspimpl.go)
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from gridloom.protos.msp.msp_principal_pb2 import (
    CombinedPrincipal,
    MSPIdentityAnonymity,
    MSPPrincipal,
    MSPRole,
    OrganizationUnit,
)

from ..identity_errors import IdentityError, InvalidIdentity, PrincipalNotSatisfied
from ..wire import parse
from .node_ous import ADMIN, ORDERER
from .version import MspVersion

if TYPE_CHECKING:
    from ..identities import Identity
    from .msp import Msp


def flatten(principal: MSPPrincipal) -> Iterator[MSPPrincipal]:
    """Yield the simple principals that all must hold, at any depth of combination.

    Raises MalformedMessage for garbage, PrincipalNotSatisfied for an empty combination.
    """
    waiting = [principal]
    while waiting:
        part = waiting.pop()
        if part.principal_classification != MSPPrincipal.COMBINED:
            yield part
            continue
        combined = parse(CombinedPrincipal, part.principal, "CombinedPrincipal")
        if not combined.principals:
            raise PrincipalNotSatisfied("No principals in CombinedPrincipal")
        waiting.extend(reversed(combined.principals))


def check(msp: Msp, identity: Identity, principal: MSPPrincipal) -> None:
    """Raise an IdentityError or MalformedMessage unless a simple principal holds."""
    match principal.principal_classification:
        case MSPPrincipal.ROLE:
            role = parse(MSPRole, principal.principal, "MSPRole")
            _require_same_msp(msp, role.msp_identifier, identity)
            _check_role(msp, identity, role.role)
        case MSPPrincipal.ORGANIZATION_UNIT:
            unit = parse(OrganizationUnit, principal.principal, "OrganizationUnit")
            _require_same_msp(msp, unit.msp_identifier, identity)
            _check_unit(msp, identity, unit)
        case MSPPrincipal.IDENTITY:
            _check_identity(msp, identity, principal.principal)
        case MSPPrincipal.ANONYMITY:
            wish = parse(MSPIdentityAnonymity, principal.principal, "MSPIdentityAnonymity")
            if wish.anonymity_type != MSPIdentityAnonymity.NOMINAL:
                raise PrincipalNotSatisfied(
                    "Principal is anonymous, but X.509 MSP does not support anonymous identities"
                )
        case unknown:
            raise PrincipalNotSatisfied(f"invalid principal type {unknown}")


def _require_same_msp(msp: Msp, msp_id: str, identity: Identity) -> None:
    if msp_id != msp.msp_id:
        raise PrincipalNotSatisfied(
            f"the identity is a member of a different MSP (expected {msp_id},"
            f" got {identity.msp_id})"
        )


def _check_role(msp: Msp, identity: Identity, role: MSPRole.MSPRoleType.ValueType) -> None:
    by_unit = msp.version >= MspVersion.V1_4_3 and msp.node_ous is not None
    match role:
        case MSPRole.MEMBER:
            msp.validate(identity)
        case MSPRole.ADMIN:
            if msp.is_admin_by_certificate(identity):
                return
            if not by_unit:
                raise PrincipalNotSatisfied("This identity is not an admin")
            _check_node_role(msp, identity, ADMIN)
        case MSPRole.CLIENT | MSPRole.PEER:
            _check_node_role(msp, identity, role)
        case MSPRole.ORDERER if by_unit:
            _check_node_role(msp, identity, ORDERER)
        case _:
            raise PrincipalNotSatisfied(f"invalid MSP role type {role}")


def _check_node_role(msp: Msp, identity: Identity, role: MSPRole.MSPRoleType.ValueType) -> None:
    """A valid member whose unit stands for the role; impossible without node OUs."""
    try:
        msp.validate(identity)
    except InvalidIdentity as error:
        raise PrincipalNotSatisfied(
            f"The identity is not valid under this MSP [{msp.msp_id}]: {error.reason}"
        ) from error
    name = MSPRole.MSPRoleType.Name(role)
    missing = f"The identity is not a [{name}] under this MSP [{msp.msp_id}]"
    if msp.node_ous is None:
        raise PrincipalNotSatisfied(
            f"{missing}: NodeOUs not activated. Cannot tell apart identities."
        )
    if role not in msp.node_ous.roles:
        raise PrincipalNotSatisfied(
            f"{missing}: cannot test for classification, node ou for type [{name}], not defined"
        )
    if not msp.node_ous.has_role(role, identity.details.organizational_units):
        raise PrincipalNotSatisfied(f"{missing}: The identity does not contain OU [{name}]")


def _check_unit(msp: Msp, identity: Identity, unit: OrganizationUnit) -> None:
    certifiers = msp.certifiers_identifier(identity)
    if (
        unit.organizational_unit_identifier not in identity.details.organizational_units
        or unit.certifiers_identifier != certifiers
    ):
        raise PrincipalNotSatisfied("The identities do not match")


def _check_identity(msp: Msp, identity: Identity, serialized: bytes) -> None:
    try:
        named = msp.deserialize(serialized)
    except IdentityError as error:
        raise PrincipalNotSatisfied(
            f"invalid identity principal, not a certificate: {error}"
        ) from error
    if named.details.raw != identity.details.raw:
        raise PrincipalNotSatisfied("The identities do not match")
    msp.validate(named)
