"""Organizational units that tell clients, peers, admins and orderers apart.

(Fabric: setupOUs, setupNodeOUs and validateIdentityOUs of msp/)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from gridloom.protos.msp import msp_config_pb2
from gridloom.protos.msp.msp_principal_pb2 import MSPRole

from ..identity_errors import InvalidIdentity
from .authorities import Authorities
from .version import MspVersion

CLIENT: Final = MSPRole.CLIENT
PEER: Final = MSPRole.PEER
ADMIN: Final = MSPRole.ADMIN
ORDERER: Final = MSPRole.ORDERER


@dataclass(frozen=True, slots=True)
class NodeOu:
    """One role's unit. certifiers: the identifier of the only CA path allowed, or empty."""

    name: str
    certifiers: bytes


class NodeOus:
    """The roles an MSP recognises by unit; ``roles`` maps MSPRole types to units."""

    def __init__(self, roles: Mapping[MSPRole.MSPRoleType.ValueType, NodeOu]) -> None:
        self.roles = dict(roles)
        self._by_name = {ou.name: ou for ou in self.roles.values()}

    @classmethod
    def from_config(
        cls,
        config: msp_config_pb2.FabricNodeOUs,
        authorities: Authorities,
        version: MspVersion,
    ) -> NodeOus | None:
        """Read the definition; None when units are not to be enforced.

        Raises InvalidIdentity when a named certificate is no CA of the MSP, or when the
        version needs units that are not there.
        """
        fields = {"client": CLIENT, "peer": PEER}
        if version >= MspVersion.V1_4_3:
            fields |= {"admin": ADMIN, "orderer": ORDERER}
        roles = {}
        for field, role in fields.items():
            name = f"{field}_ou_identifier"
            unit: msp_config_pb2.FabricOUIdentifier = getattr(config, name)
            if version < MspVersion.V1_4_3 and not unit.organizational_unit_identifier:
                raise InvalidIdentity(
                    f"Failed setting up NodeOUs. {field.capitalize()}OU must be different from nil."
                )
            if config.HasField(name):  # type: ignore[arg-type]
                path = unit.certificate and authorities.certifiers_identifier(unit.certificate)
                roles[role] = NodeOu(unit.organizational_unit_identifier, path)
        return cls(roles) if config.enable and roles else None

    def check(self, units: Sequence[str], certifiers: bytes) -> None:
        """Raise InvalidIdentity unless exactly one unit names a role, on the right path."""
        found = [self._by_name[unit] for unit in units if unit in self._by_name]
        # Fabric stops at the second role, so a third one's path is never looked at.
        for ou in found[:2]:
            if ou.certifiers and ou.certifiers != certifiers:
                raise InvalidIdentity(f"certifiersIdentifier does not match: {list(units)}")
        if not found:
            raise InvalidIdentity(
                "the identity does not have an OU that resolves to client, peer, orderer, or"
                f" admin role. OUs: {list(units)}"
            )
        if len(found) > 1:
            raise InvalidIdentity(
                "the identity must have a client, a peer, an orderer, or an admin OU role to"
                f" be valid, not a combination of them. OUs: {list(units)}"
            )

    def has_role(self, role: MSPRole.MSPRoleType.ValueType, units: Iterable[str]) -> bool:
        """Does one of the units stand for this role?"""
        ou = self.roles.get(role)
        return ou is not None and ou.name in units


def read_unit_identifiers(
    config: Iterable[msp_config_pb2.FabricOUIdentifier], authorities: Authorities
) -> frozenset[tuple[str, bytes]]:
    """Return the (unit, certifiers identifier) pairs of which a member needs one."""
    return frozenset(
        (ou.organizational_unit_identifier, authorities.certifiers_identifier(ou.certificate))
        for ou in config
    )


def check_unit_identifiers(
    allowed: frozenset[tuple[str, bytes]], units: Sequence[str], certifiers: bytes
) -> None:
    """Raise InvalidIdentity when units are prescribed and the identity has none of them."""
    if not allowed or any((unit, certifiers) in allowed for unit in units):
        return
    if not units:
        raise InvalidIdentity(
            "the identity certificate does not contain an Organizational Unit (OU)"
        )
    raise InvalidIdentity(
        f"none of the identity's organizational units {list(units)} are in the MSP"
    )
