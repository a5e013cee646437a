"""Identities without certificates, for everything that only asks an MSP manager.

An identity is a text: ``Org1MSP.peer`` or, a second one like it, ``Org1MSP.peer#2``.  It
satisfies its own role and member.  The signature ``good`` holds, every other one does not.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from gridloom.common.errors import GridloomError
from gridloom.common.policies.policy import SignedData
from gridloom.protos.msp.msp_principal_pb2 import MSPPrincipal, MSPRole


class Refused(GridloomError):
    """What the fake says no with."""


@dataclass(frozen=True)
class FakeIdentity:
    text: str

    @property
    def msp_id(self) -> str:
        return self.text.partition("#")[0].rpartition(".")[0]

    @property
    def role(self) -> str:
        return self.text.partition("#")[0].rpartition(".")[2]

    @property
    def key(self) -> tuple[str, str]:
        return (self.msp_id, self.text)

    def verify(self, message: bytes, signature: bytes) -> None:
        if signature != b"good":
            raise Refused(f"bad signature by {self.text}")


class FakeMsps:
    """Knows every MSP but those whose id starts with Unknown; counts what it is asked."""

    def __init__(self) -> None:
        self.asked = 0

    def deserialize(self, serialized: bytes) -> FakeIdentity:
        identity = FakeIdentity(serialized.decode())
        if identity.msp_id.startswith("Unknown"):
            raise Refused(f"MSP {identity.msp_id} is not defined on channel")
        return identity

    def satisfies(self, identity: FakeIdentity, principal: MSPPrincipal) -> None:
        self.asked += 1
        role = MSPRole.FromString(principal.principal)
        name = MSPRole.MSPRoleType.Name(role.role).lower()
        if identity.msp_id != role.msp_identifier or name not in ("member", identity.role):
            raise Refused(f"{identity.text} is not {role.msp_identifier}.{name}")


def signed(signers: Iterable[str], signature: bytes = b"good") -> list[SignedData]:
    """Return signatures by these identities."""
    return [SignedData(b"data", signer.encode(), signature) for signer in signers]
