"""What a message must pass to be ordered, one rule per file.

(Fabric: orderer/common/msgprocessor; PROTOCOL 19.)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from gridloom.common.channel.bundle import ChannelBundle
from gridloom.common.envelopes import Clock, OpenEnvelope

from .expiration import ExpirationFilter
from .signature import SignatureFilter
from .size import empty_filter, size_filter

Filter = Callable[[OpenEnvelope, ChannelBundle], None]
"""Raises MessageRejected, or does nothing."""


def standard_filters(now: Clock, *, check_expiration: bool = True) -> Sequence[Filter]:
    """The filters of a channel in Fabric's order: the cheap ones before the signature."""
    expiration: Sequence[Filter] = [ExpirationFilter(now)] if check_expiration else []
    return [empty_filter, size_filter, *expiration, SignatureFilter()]
