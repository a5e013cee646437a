"""Messages that are empty or larger than the channel allows.

(Fabric: orderer/common/msgprocessor/filter.go, sizefilter.go.)
"""

from __future__ import annotations

from gridloom.common.channel.bundle import ChannelBundle
from gridloom.common.envelopes import OpenEnvelope

from .rejection import MessageRejected


def empty_filter(message: OpenEnvelope, bundle: ChannelBundle) -> None:
    """Reject a message without payload."""
    if not message.signed_data.data:
        raise MessageRejected("Message was empty")


def size_filter(message: OpenEnvelope, bundle: ChannelBundle) -> None:
    """Reject a message whose payload and signature exceed the AbsoluteMaxBytes of a block."""
    size = len(message.signed_data.data) + len(message.signed_data.signature)
    limit = bundle.orderer.batch_size.absolute_max_bytes
    if size > limit:
        raise MessageRejected(
            f"message payload is {size} bytes and exceeds maximum allowed {limit} bytes"
        )
