"""Wires for HTTP/2 connections without sockets: one that records, and two tied to each other."""

from __future__ import annotations

import asyncio

from gridloom.common.rpc.http2 import frames
from gridloom.common.rpc.http2.client_side import ClientConnection
from gridloom.common.rpc.http2.frames import Frame, FrameReader
from gridloom.common.rpc.http2.messages import PREFIX
from gridloom.common.rpc.http2.server_side import ServerConnection
from gridloom.common.rpc.server import ServiceRegistry


def prefixed(message: bytes) -> bytes:
    """Return a message as it is sent, uncompressed."""
    return PREFIX.pack(0, len(message)) + message


class RecordingWire:
    """Keeps what is written; closed: whether the connection wanted to end."""

    def __init__(self) -> None:
        self.congested = False
        self.closed = False
        self.alarms: list[float] = []
        self._written: list[bytes | memoryview] = []

    def write(self, *parts: bytes | memoryview) -> None:
        self._written += parts

    def close(self) -> None:
        self.closed = True

    def alarm(self, when: float) -> None:
        self.alarms.append(when)

    def taken(self) -> bytes:
        """Return what was written since the last time."""
        written, self._written = b"".join(self._written), []
        return written

    def frames(self) -> list[Frame]:
        """Return the frames that were written since the last time."""
        return list(FrameReader(frames.MOST_MAX_FRAME).feed(self.taken()))


class TiedWire(RecordingWire):
    """Hands what is written to the other side, in pieces, in later passes of the loop."""

    def __init__(self, piece: int) -> None:
        super().__init__()
        self.other: ServerConnection | ClientConnection | None = None
        self._piece = piece
        self._carrying = False

    def write(self, *parts: bytes | memoryview) -> None:
        super().write(*parts)
        if not self._carrying:
            self._carrying = True
            asyncio.get_running_loop().call_soon(self._carry)

    def _carry(self) -> None:
        data, self._carrying = self.taken(), False
        assert self.other is not None
        for at in range(0, len(data), self._piece):
            self.other.receive(data[at : at + self._piece])


def tied(
    registry: ServiceRegistry, piece: int = 1 << 20
) -> tuple[ServerConnection, ClientConnection]:
    """Return two sides of a connection; piece: bytes that arrive at a time."""
    to_server, to_client = TiedWire(piece), TiedWire(piece)
    server = ServerConnection(to_client, registry)
    client = ClientConnection(to_server, "peer0:7051", "https")
    to_server.other, to_client.other = server, client
    return server, client
