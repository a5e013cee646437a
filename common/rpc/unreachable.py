"""A channel to an address where nobody is known to be.

A channel's configuration may name orderers that the assembled network does not have: calling
one fails as a connection that cannot be made does.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from typing import TypeVar

from google.protobuf.message import Message

from .status import Code, RpcError

M = TypeVar("M", bound=Message)


class UnreachableChannel:
    """Every call ends with UNAVAILABLE; endpoint: ``host:port``."""

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint

    async def unary(
        self, method: str, request: Message, response_type: type[M], *, timeout: float | None = None
    ) -> M:
        raise self._error()

    async def server_stream(
        self, method: str, request: Message, response_type: type[M], *, timeout: float | None = None
    ) -> AsyncGenerator[M, None]:
        raise self._error()
        yield  # which makes it the generator that it has to be

    async def stream(
        self,
        method: str,
        requests: AsyncIterator[Message],
        response_type: type[M],
        *,
        timeout: float | None = None,
    ) -> AsyncGenerator[M, None]:
        raise self._error()
        yield  # as above

    async def close(self) -> None:
        """Nothing is open."""

    def _error(self) -> RpcError:
        return RpcError(Code.UNAVAILABLE, f"no node of this network is at {self.endpoint}")
