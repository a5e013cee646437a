"""Blocks as they are committed (official SDKs: BlockEventsRequest and its two siblings)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from enum import Enum

from google.protobuf.message import Message

from gridloom.common.envelopes import NEVER, channel_header
from gridloom.common.rpc import Code
from gridloom.protos.common.common_pb2 import (
    DELIVER_SEEK_INFO,
    Envelope,
    Header,
    Payload,
    SignatureHeader,
    Status,
)
from gridloom.protos.orderer.ab_pb2 import SeekInfo

from .chaincode_events import start_position
from .checkpointers import Checkpoint
from .errors import GatewayError
from .session import Session


class Delivery(Enum):
    """The three forms a peer delivers blocks in: method of protos.Deliver, field of its answer."""

    FULL = ("Deliver", "block")
    FILTERED = ("DeliverFiltered", "filtered_block")
    WITH_PRIVATE_DATA = ("DeliverWithPrivateData", "block_and_private_data")


class BlockEvents:
    """A request for blocks; iterate it asynchronously, close the iterator to stop."""

    def __init__(
        self,
        session: Session,
        channel_id: str,
        delivery: Delivery,
        *,
        start_block: int | None = None,
        checkpoint: Checkpoint | None = None,
    ) -> None:
        self._session = session
        self._delivery = delivery
        header = channel_header(
            DELIVER_SEEK_INFO,
            channel_id,
            session.now(),
            tls_cert_hash=session.tls_certificate_hash,
        )
        signature_header = SignatureHeader(creator=session.signer.serialized)
        seek = SeekInfo(start=start_position(start_block, checkpoint), stop=NEVER)
        payload = Payload(
            header=Header(
                channel_header=header.SerializeToString(),
                signature_header=signature_header.SerializeToString(),
            ),
            data=seek.SerializeToString(),
        )
        self._envelope = Envelope(payload=payload.SerializeToString())

    @property
    def digest(self) -> bytes:
        """What has to be signed to sign the request."""
        return self._session.digest(self._envelope.payload)

    def set_signature(self, signature: bytes) -> None:
        """Sign with a signature made elsewhere over ``digest``."""
        self._envelope.signature = signature

    async def __aiter__(self) -> AsyncIterator[Message]:
        """Yield blocks in order, for ever; GatewayError when the peer refuses or stops."""
        if not self._envelope.signature:
            self._envelope.signature = self._session.signer.sign(self._envelope.payload)
        method, field = self._delivery.value
        async with aclosing(self._session.deliver(method, self._envelope)) as responses:
            async for response in responses:
                if response.WhichOneof("Type") == "status":
                    raise _refusal(response.status)
                yield getattr(response, field)


def _refusal(status: Status.ValueType) -> GatewayError:
    code = {
        Status.FORBIDDEN: Code.PERMISSION_DENIED,
        Status.NOT_FOUND: Code.NOT_FOUND,
        Status.BAD_REQUEST: Code.INVALID_ARGUMENT,
        Status.SERVICE_UNAVAILABLE: Code.UNAVAILABLE,
    }.get(status, Code.ABORTED)
    name = Status.Name(status) if status in Status.values() else str(status)
    return GatewayError(code, f"the peer ended delivery with status {name}")
