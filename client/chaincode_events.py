"""Events that transactions emit (official SDKs: ChaincodeEventsRequest)."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Self

from gridloom.common.envelopes import NEXT_COMMIT, block_position
from gridloom.common.wire import parse
from gridloom.protos.gateway.gateway_pb2 import (
    ChaincodeEventsRequest,
    SignedChaincodeEventsRequest,
)
from gridloom.protos.orderer.ab_pb2 import SeekPosition

from .checkpointers import Checkpoint
from .event_stream import EventsRequest
from .session import Session


@dataclass(frozen=True, slots=True)
class ChaincodeEvent:
    """One event of one valid transaction."""

    block_number: int
    transaction_id: str
    chaincode_name: str
    event_name: str
    payload: bytes


class ChaincodeEvents(EventsRequest[ChaincodeEvent]):
    """A request for events; iterate it asynchronously, or enter it to listen at once.

    Events come in the order of the ledger.  Without a start only those of blocks yet to come
    are delivered.
    """

    def __init__(self, session: Session, signed: SignedChaincodeEventsRequest) -> None:
        super().__init__(session, signed, signed.request)
        self._request = signed

    @classmethod
    def create(
        cls,
        session: Session,
        channel_id: str,
        chaincode_name: str,
        *,
        start_block: int | None = None,
        checkpoint: Checkpoint | None = None,
    ) -> Self:
        """Return an unsigned request; a checkpoint that holds something wins over start_block."""
        request = ChaincodeEventsRequest(
            channel_id=channel_id,
            chaincode_id=chaincode_name,
            identity=session.signer.serialized,
            start_position=start_position(start_block, checkpoint),
        )
        if checkpoint is not None and checkpoint.transaction_id:
            request.after_transaction_id = checkpoint.transaction_id
        return cls(session, SignedChaincodeEventsRequest(request=request.SerializeToString()))

    @classmethod
    def read(cls, session: Session, data: bytes) -> Self:
        """Return the request that ``serialized`` gave these bytes; MalformedMessage."""
        signed = parse(SignedChaincodeEventsRequest, data, "signed chaincode events request")
        return cls(session, signed)

    async def _events(self) -> AsyncGenerator[ChaincodeEvent, None]:
        async with aclosing(self._session.chaincode_events(self._request)) as responses:
            async for response in responses:
                for event in response.events:
                    yield ChaincodeEvent(
                        response.block_number,
                        event.tx_id,
                        event.chaincode_id,
                        event.event_name,
                        event.payload,
                    )


def start_position(start_block: int | None, checkpoint: Checkpoint | None) -> SeekPosition:
    """Return where to start: the checkpoint, else the block, else the next commit."""
    if checkpoint is not None and checkpoint.block_number is not None:
        return block_position(checkpoint.block_number)
    if start_block is not None:
        return block_position(start_block)
    return NEXT_COMMIT
