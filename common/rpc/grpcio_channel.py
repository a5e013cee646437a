"""A channel with Google's library: what ``grpc_channel`` is measured against."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from contextlib import aclosing, contextmanager
from typing import Any, TypeVar

import grpc
import grpc.aio
from google.protobuf.message import Message

from .liveness import MAX_MESSAGE_BYTES, PATIENT, Liveness
from .status import Code, RpcError
from .status_details import DETAILS_TRAILER, unpack_details
from .tls import ClientTls

M = TypeVar("M", bound=Message)

_OPTIONS = (
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
    ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
    ("grpc.use_local_subchannel_pool", 1),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 2_000),  # a node that comes back is found soon
)


def _liveness_options(liveness: Liveness) -> tuple[tuple[str, int], ...]:
    shortest, longest = liveness.reconnect
    return (
        ("grpc.keepalive_time_ms", liveness.ping),
        ("grpc.keepalive_timeout_ms", liveness.ping_timeout),
        ("grpc.initial_reconnect_backoff_ms", shortest),
        ("grpc.min_reconnect_backoff_ms", liveness.attempt),  # what grpc takes it for
        ("grpc.max_reconnect_backoff_ms", longest),
        ("grpc.http2.max_pings_without_data", 0),
    )


class GrpcioChannel:
    """Connects lazily to ``target`` (``host:port``); see Channel for the contract."""

    def __init__(
        self, target: str, tls: ClientTls | None = None, liveness: Liveness = PATIENT
    ) -> None:
        self.target = target
        options: list[tuple[str, Any]] = [*_OPTIONS, *_liveness_options(liveness)]
        if tls is None:
            self._channel = grpc.aio.insecure_channel(target, options=options)
        else:
            if tls.server_name:
                options.append(("grpc.ssl_target_name_override", tls.server_name))
            credentials = grpc.ssl_channel_credentials(tls.roots, tls.private_key, tls.certificate)
            self._channel = grpc.aio.secure_channel(target, credentials, options=options)
        self._callables: dict[str, Any] = {}
        self._under_way: set[Any] = set()
        self._closed = False

    async def unary(
        self, method: str, request: Message, response_type: type[M], *, timeout: float | None = None
    ) -> M:
        call = self._callable("unary_unary", method, response_type)(request, timeout=timeout)
        with self._ending(call):
            response: M = await call
        return response

    async def server_stream(
        self, method: str, request: Message, response_type: type[M], *, timeout: float | None = None
    ) -> AsyncGenerator[M, None]:
        call = self._callable("unary_stream", method, response_type)(request, timeout=timeout)
        async with aclosing(self._responses(call)) as responses:
            async for response in responses:
                yield response

    async def stream(
        self,
        method: str,
        requests: AsyncIterator[Message],
        response_type: type[M],
        *,
        timeout: float | None = None,
    ) -> AsyncGenerator[M, None]:
        call = self._callable("stream_stream", method, response_type)(timeout=timeout)
        writing = asyncio.create_task(_write(call, requests))
        try:
            async with aclosing(self._responses(call)) as responses:
                async for response in responses:
                    yield response
        finally:
            writing.cancel()
            # What the requests' source raised ended the call and is what the caller must see.
            (failure,) = await asyncio.gather(writing, return_exceptions=True)
            if isinstance(failure, Exception):
                raise failure

    async def wait_for_ready(self) -> None:
        """Return once connected; wrap it in asyncio.timeout to bound the wait."""
        await self._channel.channel_ready()

    async def close(self) -> None:
        self._closed = True
        for call in self._under_way:
            call.cancel()
        await self._channel.close()

    @contextmanager
    def _ending(self, call: Any) -> Iterator[None]:  # noqa: ANN401
        """Tell how a call ended as the contract asks for; a closed channel cancels it."""
        self._under_way.add(call)
        try:
            yield
        except grpc.aio.AioRpcError as error:
            raise _rpc_error(error) from error
        except asyncio.CancelledError:
            if not self._closed:
                raise
            raise _closed() from None
        finally:
            self._under_way.discard(call)
            call.cancel()

    async def _responses(self, call: Any) -> AsyncGenerator[Any, None]:  # noqa: ANN401
        with self._ending(call):
            async for response in call:
                yield response

    def _callable(self, shape: str, method: str, response_type: type[M]) -> Any:  # noqa: ANN401  # grpc's multicallables are untyped
        if self._closed:
            raise _closed()
        call = self._callables.get(method)
        if call is None:
            call = getattr(self._channel, shape)(
                method,
                request_serializer=_serialize,
                response_deserializer=response_type.FromString,
            )
            self._callables[method] = call
        return call


async def _write(call: Any, requests: AsyncIterator[Message]) -> None:  # noqa: ANN401
    """Send the requests until they or the call end.

    A server may end the call while a request is on its way; the reading side learns why.
    """
    try:
        async for request in requests:
            await call.write(request)
        await call.done_writing()
    except (grpc.aio.AioRpcError, asyncio.InvalidStateError):
        return
    except BaseException:
        call.cancel()
        raise


def _serialize(message: Message) -> bytes:
    return message.SerializeToString()


def _closed() -> RpcError:
    return RpcError(Code.CANCELLED, "the channel is closed")


def _rpc_error(error: grpc.aio.AioRpcError) -> RpcError:
    details: Sequence[Message] = ()
    for key, value in error.trailing_metadata() or ():
        if key == DETAILS_TRAILER and isinstance(value, bytes):
            details = unpack_details(value)
    return RpcError(Code(error.code().value[0]), error.details() or "", details)
