"""Messages signed with a certificate whose time is over.

(Fabric: orderer/common/msgprocessor/expiration.go.)
"""

from __future__ import annotations

from gridloom.common.channel.bundle import ChannelBundle
from gridloom.common.envelopes import Clock, OpenEnvelope
from gridloom.common.errors import GridloomError

from .rejection import MessageRejected


class ExpirationFilter:
    """Rejects a signer whose certificate has expired by this orderer's clock.

    Only where the orderer capability V1_1 or a later one is on.
    """

    def __init__(self, now: Clock) -> None:
        self._now = now

    def __call__(self, message: OpenEnvelope, bundle: ChannelBundle) -> None:
        if not bundle.capabilities.orderer.supports("V1_1"):
            return
        try:
            identity = bundle.msp_manager.deserialize(message.signed_data.identity)
        except GridloomError:
            return  # of no known MSP: the signature filter says so
        if self._now() >= identity.expires_at:
            raise MessageRejected("broadcast client identity expired")
