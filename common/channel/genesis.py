"""The first block of a channel: its configuration, signed by nobody.

(Fabric: common/genesis.)
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from gridloom.protos.common import common_pb2
from gridloom.protos.common.configtx_pb2 import Config, ConfigEnvelope, ConfigGroup

from ..blocks import new_block, set_last_config
from ..envelopes import channel_header, signature_header, transaction_id
from .names import check_channel_id

_NONCE_BYTES = 24
_HEADER_VERSION = 1


def genesis_block(
    channel_id: str,
    channel_group: ConfigGroup,
    now: Callable[[], datetime],
    random_bytes: Callable[[int], bytes],
) -> common_pb2.Block:
    """Return block 0 with this configuration; ConfigError for a bad channel id.

    The transaction id is computed without a creator; maps are serialized in key order, so
    that equal arguments give equal bytes.
    """
    check_channel_id(channel_id)
    nonce = random_bytes(_NONCE_BYTES)
    header = channel_header(
        common_pb2.CONFIG,
        channel_id,
        now().replace(microsecond=0),
        tx_id=transaction_id(nonce, b""),
        version=_HEADER_VERSION,
    )
    config = ConfigEnvelope(config=Config(channel_group=channel_group))
    payload = common_pb2.Payload(
        header=common_pb2.Header(
            channel_header=header.SerializeToString(deterministic=True),
            signature_header=signature_header(b"", nonce),
        ),
        data=config.SerializeToString(deterministic=True),
    )
    envelope = common_pb2.Envelope(payload=payload.SerializeToString(deterministic=True))
    block = new_block(0, b"", [envelope.SerializeToString(deterministic=True)])
    set_last_config(block, 0)
    return block
