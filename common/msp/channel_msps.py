"""All MSPs of one channel: whose identities the channel knows.

One ``MspManager`` belongs to one channel bundle.  It remembers what it has worked out for
as long as it lives, and a config update replaces bundle and manager together.
(Fabric: msp/mspmgrimpl.go with msp/cache)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from gridloom.protos.msp import msp_principal_pb2

from ..identities import Identity
from ..identity_errors import UnknownMsp
from ..memo import BoundedMemo
from .msp import Msp, check_well_formed, parse_identity


class MspManager:
    """Safe for threads. ``msps``: MSP id to MSP."""

    def __init__(self, msps: Iterable[Msp]) -> None:
        self.msps: Mapping[str, Msp] = {msp.msp_id: msp for msp in msps}
        self._identities: BoundedMemo[bytes, Identity] = BoundedMemo(1 << 10)

    def msp(self, msp_id: str) -> Msp:
        """Return the MSP with this id; UnknownMsp if the channel has none."""
        found = self.msps.get(msp_id)
        if found is None:
            raise UnknownMsp(msp_id)
        return found

    def deserialize(self, serialized: bytes) -> Identity:
        """Turn serialized bytes into an identity: UnknownMsp or InvalidIdentity if refused.

        Its chain is checked, but it is not validated: see ``validate`` and ``satisfies``.
        """
        identity = self._identities.get(serialized)
        if identity is None:
            msp = self.msp(parse_identity(serialized).mspid)
            identity = msp.deserialize(serialized)
            self._identities.put(serialized, identity)
        return identity

    def validate(self, identity: Identity) -> None:
        """Raise InvalidIdentity unless its own MSP accepts the identity."""
        self.msp(identity.msp_id).validate(identity)

    def satisfies(self, identity: Identity, principal: msp_principal_pb2.MSPPrincipal) -> None:
        """Raise PrincipalNotSatisfied unless its own MSP matches it with the principal."""
        self.msp(identity.msp_id).satisfies(identity, principal)

    def check_well_formed(self, serialized: bytes) -> None:
        """Raise InvalidIdentity unless the bytes are one canonical identity (IsWellFormed)."""
        check_well_formed(serialized)
