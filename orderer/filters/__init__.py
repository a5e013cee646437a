"""What a message must pass to be ordered, one rule per file.

(Fabric: orderer/common/msgprocessor; PROTOCOL 19.)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from gridloom.common.channel.bundle import ChannelBundle
from gridloom.common.envelopes import Clock, OpenEnvelope

from .expiration import ExpirationFilter
from .signature import SignatureFilter
from .size import SizeFilter

Filter = Callable[[OpenEnvelope], None]
"""Raises MessageRejected, or does nothing."""


def standard_filters(
    bundle: ChannelBundle, now: Clock, *, check_expiration: bool = True
) -> Sequence[Filter]:
    """The filters of a channel under one configuration, in Fabric's order: the cheap ones first.

    Certificates that have expired are looked for from the orderer capability V1_1 on.
    """
    expire = check_expiration and bundle.capabilities.orderer.supports("V1_1")
    expiration = [ExpirationFilter(bundle.msp_manager, now)] if expire else []
    size = SizeFilter(bundle.orderer.batch_size.absolute_max_bytes)
    return [size, *expiration, SignatureFilter(bundle)]
