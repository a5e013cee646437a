"""Messages signed with a certificate whose time is over.

(Fabric: orderer/common/msgprocessor/expiration.go.)
"""

from __future__ import annotations

from gridloom.common.envelopes import Clock, OpenEnvelope
from gridloom.common.errors import GridloomError
from gridloom.common.msp import MspManager

from .rejection import MessageRejected


class ExpirationFilter:
    """Rejects a signer of the channel's MSPs whose certificate has expired by this node's clock."""

    def __init__(self, msps: MspManager, now: Clock) -> None:
        self._msps = msps
        self._now = now

    def __call__(self, message: OpenEnvelope) -> None:
        try:
            identity = self._msps.deserialize(message.signed_data.identity)
        except GridloomError:
            return  # of no known MSP: the signature filter says so
        if self._now() >= identity.expires_at:
            raise MessageRejected("broadcast client identity expired")
