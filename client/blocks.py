"""Blocks as they are committed (official SDKs: BlockEventsRequest and its two siblings)."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Final, Generic, Self, TypeVar

from gridloom.common.envelopes import NEVER, channel_header
from gridloom.common.rpc import Code
from gridloom.common.wire import parse
from gridloom.protos.common.common_pb2 import (
    DELIVER_SEEK_INFO,
    Block,
    Envelope,
    Header,
    Payload,
    SignatureHeader,
    Status,
)
from gridloom.protos.orderer.ab_pb2 import SeekInfo
from gridloom.protos.peer.events_pb2 import BlockAndPrivateData, DeliverResponse, FilteredBlock

from .chaincode_events import start_position
from .checkpointers import Checkpoint
from .errors import GatewayError
from .event_stream import EventsRequest
from .session import Session

B = TypeVar("B", Block, FilteredBlock, BlockAndPrivateData)


@dataclass(frozen=True, slots=True)
class Delivery(Generic[B]):
    """A form in which peers deliver blocks: the method of protos.Deliver, and its answer."""

    method: str
    block: Callable[[DeliverResponse], B]


FULL: Final[Delivery[Block]] = Delivery("Deliver", lambda response: response.block)
FILTERED: Final[Delivery[FilteredBlock]] = Delivery(
    "DeliverFiltered", lambda response: response.filtered_block
)
WITH_PRIVATE_DATA: Final[Delivery[BlockAndPrivateData]] = Delivery(
    "DeliverWithPrivateData", lambda response: response.block_and_private_data
)


class BlockEvents(EventsRequest[B]):
    """A request for blocks; iterate it asynchronously, or enter it to listen at once."""

    def __init__(self, session: Session, delivery: Delivery[B], envelope: Envelope) -> None:
        super().__init__(session, envelope, envelope.payload)
        self._delivery: Delivery[B] = delivery
        self._envelope = envelope

    @classmethod
    def create(
        cls,
        session: Session,
        channel_id: str,
        delivery: Delivery[B],
        *,
        start_block: int | None = None,
        checkpoint: Checkpoint | None = None,
    ) -> Self:
        """Return an unsigned request; a checkpoint that holds something wins over start_block."""
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
        return cls(session, delivery, Envelope(payload=payload.SerializeToString()))

    @classmethod
    def read(cls, session: Session, delivery: Delivery[B], data: bytes) -> Self:
        """Return the request that ``serialized`` gave these bytes; MalformedMessage."""
        return cls(session, delivery, parse(Envelope, data, "block events request"))

    async def _events(self) -> AsyncGenerator[B, None]:
        responses = self._session.deliver(self._delivery.method, self._envelope)
        async with aclosing(responses):
            async for response in responses:
                if response.WhichOneof("Type") == "status":
                    raise _refusal(response.status)
                yield self._delivery.block(response)


def _refusal(status: Status.ValueType) -> GatewayError:
    code = {
        Status.FORBIDDEN: Code.PERMISSION_DENIED,
        Status.NOT_FOUND: Code.NOT_FOUND,
        Status.BAD_REQUEST: Code.INVALID_ARGUMENT,
        Status.SERVICE_UNAVAILABLE: Code.UNAVAILABLE,
    }.get(status, Code.ABORTED)
    name = Status.Name(status) if status in Status.values() else str(status)
    return GatewayError(code, f"the peer ended delivery with status {name}")
