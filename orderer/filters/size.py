"""Messages that are empty or larger than the channel allows.

(Fabric: orderer/common/msgprocessor/filter.go, sizefilter.go.)
"""

from __future__ import annotations

from gridloom.common.envelopes import OpenEnvelope

from .rejection import MessageRejected


class SizeFilter:
    """Rejects a message without payload, and one whose payload and signature exceed a limit.

    limit: AbsoluteMaxBytes of a block.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit

    def __call__(self, message: OpenEnvelope) -> None:
        data, _, signature = message.signed_data
        if not data:
            raise MessageRejected("Message was empty")
        size = len(data) + len(signature)
        if size > self._limit:
            raise MessageRejected(
                f"message payload is {size} bytes and exceeds maximum allowed {self._limit} bytes"
            )
