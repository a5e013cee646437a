"""The client's side of the seam: a channel to one server (Fabric: grpc.ClientConn)."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from typing import Final, Protocol, TypeVar

from google.protobuf.message import Message

M = TypeVar("M", bound=Message)

UNIX: Final = "unix:"
"""What the address of a Unix domain socket begins with, in gRPC's own names."""


class Channel(Protocol):
    """Calls methods of one server by full path, such as ``/protos.Endorser/ProcessProposal``.

    Every call raises RpcError when it ends with a status other than OK.  ``timeout`` is in
    seconds.  Closing the generator of a stream (``aclose``) cancels its call.  Messages that
    come out of a channel are read-only: in one process they are the sender's own objects.
    """

    async def unary(
        self, method: str, request: Message, response_type: type[M], *, timeout: float | None = None
    ) -> M:
        """One request, one response."""
        ...

    def server_stream(
        self, method: str, request: Message, response_type: type[M], *, timeout: float | None = None
    ) -> AsyncGenerator[M, None]:
        """One request, a stream of responses."""
        ...

    def stream(
        self,
        method: str,
        requests: AsyncIterator[Message],
        response_type: type[M],
        *,
        timeout: float | None = None,
    ) -> AsyncGenerator[M, None]:
        """A stream of requests, a stream of responses."""
        ...

    async def close(self) -> None:
        """Release the connection; calls under way end with CANCELLED."""
        ...
