"""A channel to a node in the same process: methods are called, messages passed as they are.

What gRPC would do to a call happens here too: deadlines, cancellation, and errors that
become an RpcError with the code the wire would show.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from typing import Any, TypeVar

from google.protobuf.message import Message

from ..errors import GridloomError
from .deadline import within
from .server import Call, ServiceRegistry
from .status import Code, RpcError

M = TypeVar("M", bound=Message)


class LocalChannel:
    """Calls the services of ``registry`` directly (see Channel for the contract).

    certificate: DER of what the caller shows where a server asks for a TLS certificate.
    """

    def __init__(self, registry: ServiceRegistry, certificate: bytes | None = None) -> None:
        self._registry = registry
        self._certificate = certificate
        self._closed = False

    async def unary(
        self, method: str, request: Message, response_type: type[M], *, timeout: float | None = None
    ) -> M:
        handler = self._handler(method)
        try:
            end = None if timeout is None else asyncio.get_running_loop().time() + timeout
            answering = handler(request, self._call(timeout))
            return _typed(await within(end, answering), response_type)
        except Exception as error:
            raise as_rpc_error(error, method) from error

    async def server_stream(
        self, method: str, request: Message, response_type: type[M], *, timeout: float | None = None
    ) -> AsyncGenerator[M, None]:
        responses = self._handler(method)(request, self._call(timeout))
        async with aclosing(self._iterate(method, responses, timeout)) as iterated:
            async for response in iterated:
                yield _typed(response, response_type)

    async def stream(
        self,
        method: str,
        requests: AsyncIterator[Message],
        response_type: type[M],
        *,
        timeout: float | None = None,
    ) -> AsyncGenerator[M, None]:
        responses = self._handler(method)(requests, self._call(timeout))
        async with aclosing(self._iterate(method, responses, timeout)) as iterated:
            async for response in iterated:
                yield _typed(response, response_type)

    async def close(self) -> None:
        self._closed = True

    def _call(self, timeout: float | None) -> Call:
        return Call(certificate=self._certificate, deadline=timeout)

    def _handler(self, method: str) -> Callable[..., Any]:
        if self._closed:
            raise RpcError(Code.CANCELLED, "the channel is closed")
        return self._registry.find(method).handler

    async def _iterate(
        self, method: str, responses: AsyncGenerator[Message, None], timeout: float | None
    ) -> AsyncGenerator[Message, None]:
        loop = asyncio.get_running_loop()
        end = None if timeout is None else loop.time() + timeout
        try:
            while True:
                try:
                    async with asyncio.timeout_at(end):
                        response = await anext(responses)
                except StopAsyncIteration:
                    return
                yield response
        except Exception as error:
            raise as_rpc_error(error, method) from error
        finally:
            await responses.aclose()


def as_rpc_error(error: Exception, method: str) -> RpcError:
    """Return what the caller of ``method`` sees of an exception its implementation raised."""
    if isinstance(error, RpcError):
        return error
    if isinstance(error, TimeoutError):
        return RpcError(Code.DEADLINE_EXCEEDED, f"{method}: deadline exceeded")
    if isinstance(error, GridloomError):
        return RpcError(Code.UNKNOWN, str(error))
    return RpcError(Code.UNKNOWN, f"{type(error).__name__}: {error}")


def _typed(message: Message, expected: type[M]) -> M:
    if not isinstance(message, expected):
        raise RpcError(
            Code.INTERNAL,
            f"the service answered {type(message).__name__}, not {expected.__name__}",
        )
    return message
