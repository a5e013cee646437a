"""ChaincodeEvents: events of a chaincode, block by block (Fabric: gateway/chaincodeevents.go)."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Protocol

from gridloom.common.errors import GridloomError, MalformedMessage
from gridloom.common.policies.policy import SignedData
from gridloom.common.rpc import Code, RpcError
from gridloom.common.wire import parse
from gridloom.protos.common.common_pb2 import Block
from gridloom.protos.gateway.gateway_pb2 import (
    ChaincodeEventsRequest,
    ChaincodeEventsResponse,
    SignedChaincodeEventsRequest,
)
from gridloom.protos.orderer.ab_pb2 import SeekPosition
from gridloom.protos.peer.chaincode_event_pb2 import ChaincodeEvent

from ..acl import GATEWAY_CHAINCODE_EVENTS, AccessControl, AccessDenied


class EventSource(Protocol):
    """A channel whose committed blocks can be followed."""

    @property
    def height(self) -> int: ...

    def block_number_of(self, tx_id: str) -> int | None:
        """Return the number of the block a transaction is in, None if it is in none."""
        ...

    def committed_blocks(self, start: int) -> AsyncGenerator[Block, None]:
        """Yield the blocks from ``start`` on, waiting for those to come."""
        ...

    def events_of(self, block: Block) -> list[ChaincodeEvent]:
        """Return the events of the block's valid transactions, in order."""
        ...


async def chaincode_events(
    access: AccessControl,
    channels: Callable[[str], EventSource | None],
    signed: SignedChaincodeEventsRequest,
) -> AsyncGenerator[ChaincodeEventsResponse, None]:
    """Yield one response for each block that holds matching events; RpcError if not allowed."""
    request = _open(signed)
    caller = SignedData(signed.request, request.identity, signed.signature)
    try:
        access.check(GATEWAY_CHAINCODE_EVENTS, request.channel_id, caller)
    except AccessDenied as error:
        raise RpcError(Code.PERMISSION_DENIED, str(error)) from error
    source = channels(request.channel_id)
    if source is None:
        raise RpcError(Code.NOT_FOUND, f"channel '{request.channel_id}' not found")
    matching = _Matcher(request.chaincode_id, request.after_transaction_id)
    try:
        async with aclosing(source.committed_blocks(_start(source, request))) as blocks:
            async for block in blocks:
                events = [event for event in source.events_of(block) if matching(event)]
                if events:
                    yield ChaincodeEventsResponse(events=events, block_number=block.header.number)
    except GridloomError as error:
        if isinstance(error, RpcError):
            raise
        raise RpcError(Code.ABORTED, str(error)) from error


class _Matcher:
    """Picks the events of one chaincode that come after a given transaction.

    With such a transaction, nothing passes before an event of it was seen, not even when it
    never emitted one: that is Fabric's rule.
    """

    def __init__(self, chaincode: str, after_transaction_id: str) -> None:
        self._chaincode = chaincode
        self._after = after_transaction_id

    def __call__(self, event: ChaincodeEvent) -> bool:
        if not (event.chaincode_id and event.event_name and event.tx_id):
            return False  # it does not count as one
        if self._after:
            if event.tx_id == self._after:
                self._after = ""
            return False
        return event.chaincode_id == self._chaincode


def _open(signed: SignedChaincodeEventsRequest) -> ChaincodeEventsRequest:
    if not signed.request:
        raise RpcError(Code.INVALID_ARGUMENT, "a chaincode events request is required")
    try:
        return parse(ChaincodeEventsRequest, signed.request)
    except MalformedMessage as error:
        raise RpcError(
            Code.INVALID_ARGUMENT, f"invalid chaincode events request: {error.reason}"
        ) from error


def _start(source: EventSource, request: ChaincodeEventsRequest) -> int:
    if request.after_transaction_id:
        number = source.block_number_of(request.after_transaction_id)
        if number is not None:
            return number
    return _position(source, request.start_position)


def _position(source: EventSource, position: SeekPosition) -> int:
    kind = position.WhichOneof("Type")
    if kind in (None, "next_commit"):
        return source.height
    if kind == "specified":
        return position.specified.number
    raise RpcError(
        Code.INVALID_ARGUMENT,
        f"invalid start position type: *orderer.SeekPosition_{(kind or '').capitalize()}",
    )
