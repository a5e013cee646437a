"""What every noun of the SDK shares: the channel to the gateway, the signer, the deadlines.

(hyperledger/fabric-gateway: node/src/client.ts and signingidentity.ts.)
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from google.protobuf.message import Message

from gridloom.common.rpc import Channel, RpcError
from gridloom.protos.common.common_pb2 import Envelope
from gridloom.protos.gateway.gateway_pb2 import (
    ChaincodeEventsResponse,
    CommitStatusResponse,
    EndorseRequest,
    EndorseResponse,
    EvaluateRequest,
    EvaluateResponse,
    SignedChaincodeEventsRequest,
    SignedCommitStatusRequest,
    SubmitRequest,
    SubmitResponse,
)
from gridloom.protos.peer.events_pb2 import DeliverResponse

from .errors import (
    CommitStatusError,
    EndorseError,
    GatewayError,
    SubmitError,
    gateway_error,
)
from .identity import Signer, sha256

M = TypeVar("M", bound=Message)


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Deadlines of the calls in seconds; None waits without limit.

    The defaults are those of the official samples.  Streams of events have no deadline.
    """

    evaluate: float | None = 5.0
    endorse: float | None = 15.0
    submit: float | None = 5.0
    commit_status: float | None = 60.0


@dataclass(frozen=True, slots=True)
class Session:
    """One identity's connection to one gateway.

    A call's timeout is in seconds and takes the place of the one in ``timeouts``.
    now: the time for headers, timezone-aware; random_bytes: source of nonces;
    tls_certificate_hash: SHA-256 of the client's TLS certificate, under mutual TLS;
    digest: what is signed offline.
    """

    channel: Channel
    signer: Signer
    timeouts: Timeouts
    now: Callable[[], datetime]
    random_bytes: Callable[[int], bytes]
    tls_certificate_hash: bytes = b""
    digest: Callable[[bytes], bytes] = sha256

    async def evaluate(
        self, request: EvaluateRequest, timeout: float | None = None
    ) -> EvaluateResponse:
        """Call Evaluate; GatewayError."""
        return await self._call(
            "Evaluate",
            request,
            EvaluateResponse,
            timeout=timeout or self.timeouts.evaluate,
            kind=GatewayError,
            transaction_id=request.transaction_id,
        )

    async def endorse(
        self, request: EndorseRequest, timeout: float | None = None
    ) -> EndorseResponse:
        """Call Endorse; EndorseError."""
        return await self._call(
            "Endorse",
            request,
            EndorseResponse,
            timeout=timeout or self.timeouts.endorse,
            kind=EndorseError,
            transaction_id=request.transaction_id,
        )

    async def submit(self, request: SubmitRequest, timeout: float | None = None) -> SubmitResponse:
        """Call Submit; SubmitError."""
        return await self._call(
            "Submit",
            request,
            SubmitResponse,
            timeout=timeout or self.timeouts.submit,
            kind=SubmitError,
            transaction_id=request.transaction_id,
        )

    async def commit_status(
        self,
        request: SignedCommitStatusRequest,
        transaction_id: str,
        timeout: float | None = None,
    ) -> CommitStatusResponse:
        """Call CommitStatus, which waits for the commit; CommitStatusError."""
        return await self._call(
            "CommitStatus",
            request,
            CommitStatusResponse,
            timeout=timeout or self.timeouts.commit_status,
            kind=CommitStatusError,
            transaction_id=transaction_id,
        )

    async def chaincode_events(
        self, request: SignedChaincodeEventsRequest
    ) -> AsyncGenerator[ChaincodeEventsResponse, None]:
        """Stream events, a response for each block that has any; GatewayError."""
        responses = self.channel.server_stream(
            "/gateway.Gateway/ChaincodeEvents", request, ChaincodeEventsResponse
        )
        async with aclosing(_translated(responses)) as translated:
            async for response in translated:
                yield response

    async def deliver(
        self, method: str, request: Envelope
    ) -> AsyncGenerator[DeliverResponse, None]:
        """Stream blocks from a method of protos.Deliver; GatewayError."""
        responses = self.channel.stream(
            f"/protos.Deliver/{method}", _forever(request), DeliverResponse
        )
        async with aclosing(_translated(responses)) as translated:
            async for response in translated:
                yield response

    async def _call(
        self,
        method: str,
        request: Message,
        response_type: type[M],
        *,
        timeout: float | None,
        kind: type[GatewayError],
        transaction_id: str,
    ) -> M:
        try:
            return await self.channel.unary(
                f"/gateway.Gateway/{method}", request, response_type, timeout=timeout
            )
        except RpcError as error:
            raise gateway_error(error, kind, transaction_id) from error


async def _forever(request: Envelope) -> AsyncIterator[Message]:
    """Keep the request stream open: a server may end the answers when requests end."""
    yield request
    await asyncio.Event().wait()


async def _translated(responses: AsyncGenerator[M, None]) -> AsyncGenerator[M, None]:
    try:
        async for response in responses:
            yield response
    except RpcError as error:
        raise gateway_error(error) from error
    finally:
        await responses.aclose()
