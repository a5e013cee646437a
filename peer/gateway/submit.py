"""Submit: hand a signed transaction to the ordering service (Fabric: gateway/submit.go)."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable, Sequence
from random import Random

from gridloom.common.rpc import Code, RpcError
from gridloom.protos.common.common_pb2 import Status
from gridloom.protos.gateway.gateway_pb2 import ErrorDetail, SubmitRequest, SubmitResponse
from gridloom.protos.orderer.ab_pb2 import BroadcastResponse

from .broadcast_streams import CLIENT_ERRORS, BroadcastStreams, OrdererInfo
from .registry import Registry, UnknownChannel
from .responses import describe

ALREADY_THERE = "failed to submit request: request already exists"


OrdererDirectory = Callable[[str], Sequence[OrdererInfo]]
"""The orderers of a channel by its id."""

_Broadcast = Callable[[OrdererInfo], Awaitable[BroadcastResponse]]
"""Sends the envelope to an orderer and returns its answer; RpcError if there is none."""


async def submit(
    registry: Registry,
    directory: OrdererDirectory,
    streams: BroadcastStreams,
    request: SubmitRequest,
    *,
    broadcast_timeout: float,
    random: Random,
) -> SubmitResponse:
    """Broadcast to one orderer, or to all of a BFT service; RpcError unless accepted.

    broadcast_timeout: seconds for each orderer.
    """
    if not request.HasField("prepared_transaction"):
        raise RpcError(Code.INVALID_ARGUMENT, "a prepared transaction is required")
    envelope = request.prepared_transaction
    if not envelope.signature:
        raise RpcError(Code.INVALID_ARGUMENT, "prepared transaction must be signed")
    try:
        channel = registry.require_channel(request.channel_id)
    except UnknownChannel as error:
        raise RpcError(Code.FAILED_PRECONDITION, str(error)) from error
    orderers = directory(request.channel_id)
    if not orderers:
        raise RpcError(Code.UNAVAILABLE, "no orderer nodes available")

    def broadcast(orderer: OrdererInfo) -> Awaitable[BroadcastResponse]:
        return streams.send(request.channel_id, orderer, envelope, broadcast_timeout)

    if channel.bundle.orderer.consensus_type == "BFT":
        return await _to_all(orderers, broadcast)
    return await _to_one(random.sample(orderers, len(orderers)), broadcast)


async def _to_one(orderers: Sequence[OrdererInfo], broadcast: _Broadcast) -> SubmitResponse:
    details: list[ErrorDetail] = []
    for orderer in orderers:
        try:
            response = await broadcast(orderer)
        except RpcError as error:
            details.append(_detail(orderer, describe(error)))
            continue
        if response.status == Status.SUCCESS:
            return SubmitResponse()
        if response.status in CLIENT_ERRORS:
            raise RpcError(Code.ABORTED, _refusal(response))
    raise RpcError(Code.UNAVAILABLE, "no orderers could successfully process transaction", details)


async def _to_all(orderers: Sequence[OrdererInfo], broadcast: _Broadcast) -> SubmitResponse:
    quorum = bft_quorum(len(orderers))
    tasks = [asyncio.create_task(_accepted(o, broadcast)) for o in orderers]
    details: list[ErrorDetail] = []
    accepted = 0
    try:
        for next_done in asyncio.as_completed(tasks):
            detail = await next_done
            if detail is not None:
                details.append(detail)
                if len(details) > len(orderers) - quorum:
                    break
                continue
            accepted += 1
            if accepted >= quorum:
                return SubmitResponse()
    finally:
        for task in tasks:
            task.cancel()
    raise RpcError(
        Code.UNAVAILABLE,
        "insufficient number of orderers could successfully process transaction to satisfy "
        "quorum requirement",
        details,
    )


def bft_quorum(nodes: int) -> int:
    """Return ceil((n + f + 1) / 2) with f = (n - 1) // 3, the votes that decide."""
    return math.ceil((nodes + (nodes - 1) // 3 + 1) / 2)


async def _accepted(orderer: OrdererInfo, broadcast: _Broadcast) -> ErrorDetail | None:
    try:
        response = await broadcast(orderer)
    except RpcError as error:
        return _detail(orderer, describe(error))
    known = response.status == Status.SERVICE_UNAVAILABLE and response.info == ALREADY_THERE
    if response.status == Status.SUCCESS or known:
        return None
    return _detail(orderer, _refusal(response))


def _refusal(response: BroadcastResponse) -> str:
    name = Status.Name(response.status) if response.status in Status.values() else response.status
    return f"received unsuccessful response from orderer: status={name}, info={response.info}"


def _detail(orderer: OrdererInfo, message: str) -> ErrorDetail:
    return ErrorDetail(address=orderer.endpoint, msp_id=orderer.msp_id, message=message)
