"""What every transport must do: run by the local channel and by gRPC."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from google.protobuf.any_pb2 import Any as AnyMessage

from gridloom.common.errors import MalformedMessage
from gridloom.common.rpc import Call, Channel, Code, RpcError, ServiceRegistry
from gridloom.protos.common.common_pb2 import Envelope, Status
from gridloom.protos.gateway.gateway_pb2 import (
    ChaincodeEventsResponse,
    ErrorDetail,
    EvaluateRequest,
    EvaluateResponse,
    SignedChaincodeEventsRequest,
)
from gridloom.protos.orderer.ab_pb2 import BroadcastResponse

EVALUATE = "/gateway.Gateway/Evaluate"
EVENTS = "/gateway.Gateway/ChaincodeEvents"
BROADCAST = "/orderer.AtomicBroadcast/Broadcast"


class ScriptedGateway:
    """Answers as the request's transaction id says."""

    def __init__(self) -> None:
        self.closed = asyncio.Event()

    async def evaluate(self, request: EvaluateRequest, call: Call) -> EvaluateResponse:
        response = EvaluateResponse()
        match request.transaction_id:
            case "details":
                detail = ErrorDetail(address="peer0:7051", msp_id="Org1MSP", message="no")
                raise RpcError(Code.ABORTED, "failed: see détails", [detail])
            case "malformed":
                raise MalformedMessage("proposal", "it is not one")
            case "bug":
                raise ZeroDivisionError("division by zero")
            case "slow":
                await asyncio.sleep(10)
            case "cancelled":
                raise asyncio.CancelledError
            case "deadline":
                response.result.message = str(call.deadline is not None)
            case _:
                response.result.payload = request.proposed_transaction.proposal_bytes
        return response

    async def chaincode_events(
        self, request: SignedChaincodeEventsRequest, call: Call
    ) -> AsyncIterator[ChaincodeEventsResponse]:
        try:
            for number in range(1000):
                yield ChaincodeEventsResponse(block_number=number)
                if request.request == b"wait":
                    await asyncio.sleep(10)
        finally:
            self.closed.set()


class EchoingOrderer:
    async def broadcast(
        self, requests: AsyncIterator[Envelope], call: Call
    ) -> AsyncIterator[BroadcastResponse]:
        async for envelope in requests:
            if envelope.payload == b"bad":
                yield BroadcastResponse(status=Status.BAD_REQUEST)
                return
            yield BroadcastResponse(status=Status.SUCCESS, info=envelope.payload.decode())


def scripted_registry() -> tuple[ServiceRegistry, ScriptedGateway]:
    registry, gateway = ServiceRegistry(), ScriptedGateway()
    registry.add("gateway.Gateway", gateway)
    registry.add("orderer.AtomicBroadcast", EchoingOrderer())
    return registry, gateway


async def envelopes(*payloads: bytes) -> AsyncIterator[Envelope]:
    for payload in payloads:
        yield Envelope(payload=payload)


class TransportConformance:
    """Subclass it with fixtures ``channel`` and ``gateway``."""

    async def call(
        self, channel: Channel, script: str, timeout: float | None = None
    ) -> EvaluateResponse:
        request = EvaluateRequest(transaction_id=script)
        return await channel.unary(EVALUATE, request, EvaluateResponse, timeout=timeout)

    async def test_a_request_gets_its_response(self, channel: Channel) -> None:
        request = EvaluateRequest()
        request.proposed_transaction.proposal_bytes = b"x" * 5_000_000
        response = await channel.unary(EVALUATE, request, EvaluateResponse)
        assert response.result.payload == b"x" * 5_000_000

    async def test_an_error_keeps_its_code_message_and_details(self, channel: Channel) -> None:
        with pytest.raises(RpcError) as caught:
            await self.call(channel, "details")
        assert (caught.value.code, caught.value.message) == (Code.ABORTED, "failed: see détails")
        (detail,) = caught.value.details
        packed = detail if isinstance(detail, AnyMessage) else AnyMessage()
        if packed is not detail:
            packed.Pack(detail)
        unpacked = ErrorDetail()
        assert packed.Unpack(unpacked)
        assert unpacked.message == "no"

    @pytest.mark.parametrize("script", ["malformed", "bug"])
    async def test_any_other_exception_is_unknown_and_the_server_goes_on(
        self, channel: Channel, script: str
    ) -> None:
        with pytest.raises(RpcError) as caught:
            await self.call(channel, script)
        assert caught.value.code is Code.UNKNOWN
        assert (await self.call(channel, "fine")).result.payload == b""

    async def test_a_deadline_ends_the_call_and_is_known_to_the_service(
        self, channel: Channel
    ) -> None:
        with pytest.raises(RpcError) as caught:
            await self.call(channel, "slow", timeout=0.05)
        assert caught.value.code is Code.DEADLINE_EXCEEDED
        assert (await self.call(channel, "deadline", timeout=60)).result.message == "True"
        assert (await self.call(channel, "deadline")).result.message == "False"

    async def test_an_unknown_method_is_unimplemented(self, channel: Channel) -> None:
        with pytest.raises(RpcError) as caught:
            await channel.unary("/gateway.Gateway/Nothing", EvaluateRequest(), EvaluateResponse)
        assert caught.value.code is Code.UNIMPLEMENTED

    async def test_a_server_streams_and_ends(self, channel: Channel) -> None:
        responses = channel.server_stream(
            EVENTS, SignedChaincodeEventsRequest(), ChaincodeEventsResponse
        )
        assert [r.block_number async for r in responses] == list(range(1000))

    async def test_closing_a_stream_ends_it_on_the_server(
        self, channel: Channel, gateway: ScriptedGateway
    ) -> None:
        request = SignedChaincodeEventsRequest(request=b"wait")
        responses = channel.server_stream(EVENTS, request, ChaincodeEventsResponse)
        assert (await anext(responses)).block_number == 0
        await responses.aclose()
        await asyncio.wait_for(gateway.closed.wait(), 60)

    async def test_requests_and_responses_stream_until_the_client_is_done(
        self, channel: Channel
    ) -> None:
        responses = channel.stream(BROADCAST, envelopes(b"a", b"b"), BroadcastResponse)
        assert [r.info async for r in responses] == ["a", "b"]

    async def test_a_server_may_end_the_stream_first(self, channel: Channel) -> None:
        responses = channel.stream(BROADCAST, envelopes(b"a", b"bad", b"c"), BroadcastResponse)
        assert [r.status async for r in responses] == [Status.SUCCESS, Status.BAD_REQUEST]
