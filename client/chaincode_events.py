"""Events that transactions emit (official SDKs: ChaincodeEventsRequest)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass

from gridloom.common.envelopes import NEXT_COMMIT, block_position
from gridloom.protos.gateway.gateway_pb2 import (
    ChaincodeEventsRequest,
    SignedChaincodeEventsRequest,
)
from gridloom.protos.orderer.ab_pb2 import SeekPosition

from .checkpointers import Checkpoint
from .session import Session


@dataclass(frozen=True, slots=True)
class ChaincodeEvent:
    """One event of one valid transaction."""

    block_number: int
    transaction_id: str
    chaincode_name: str
    event_name: str
    payload: bytes


class ChaincodeEvents:
    """A request for events; iterate it asynchronously, close the iterator to stop.

    Without a start only events of blocks yet to come are delivered.
    """

    def __init__(
        self,
        session: Session,
        channel_id: str,
        chaincode_name: str,
        *,
        start_block: int | None = None,
        checkpoint: Checkpoint | None = None,
    ) -> None:
        self._session = session
        request = ChaincodeEventsRequest(
            channel_id=channel_id,
            chaincode_id=chaincode_name,
            identity=session.signer.serialized,
            start_position=start_position(start_block, checkpoint),
        )
        if checkpoint is not None and checkpoint.transaction_id:
            request.after_transaction_id = checkpoint.transaction_id
        self._signed = SignedChaincodeEventsRequest(request=request.SerializeToString())

    @property
    def digest(self) -> bytes:
        """What has to be signed to sign the request."""
        return self._session.digest(self._signed.request)

    def set_signature(self, signature: bytes) -> None:
        """Sign with a signature made elsewhere over ``digest``."""
        self._signed.signature = signature

    async def __aiter__(self) -> AsyncIterator[ChaincodeEvent]:
        """Yield events in the order of the ledger, for ever; GatewayError."""
        if not self._signed.signature:
            self._signed.signature = self._session.signer.sign(self._signed.request)
        async with aclosing(self._session.chaincode_events(self._signed)) as responses:
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
