"""An orderer's channels from its administrator's side, over HTTP.

(Fabric: internal/osnadmin, the library behind the osnadmin command.)
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any

from gridloom.common.documents import load_json
from gridloom.common.errors import GridloomError
from gridloom.common.multipart import Part, write_form
from gridloom.common.rpc.tls import ClientTls
from gridloom.common.tls_context import client_context
from gridloom.common.wire import parse
from gridloom.protos.common.common_pb2 import Block, Envelope

CHANNELS = "/participation/v1/channels"
TIMEOUT = 30.0
"""Seconds an orderer may take to answer."""


class ParticipationError(GridloomError):
    """An orderer's refusal: the HTTP status, and the reason it gives."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(f"the orderer answered {status}: {reason}")
        self.status = status
        self.reason = reason


class AdminUnreachable(GridloomError):
    """No conversation with an orderer's admin port: its address, and why."""

    def __init__(self, address: str, reason: str) -> None:
        super().__init__(f"no answer from the orderer's admin port at {address}: {reason}")
        self.address = address
        self.reason = reason


@dataclass(frozen=True, slots=True)
class OrdererChannel:
    """A channel on one orderer; relation, status: as Fabric names them."""

    name: str
    relation: str
    status: str
    height: int


class OrdererAdmin:
    """Administers one orderer's channels; AdminUnreachable, ParticipationError.

    address: ``host:port`` of its admin port; tls: None speaks in the clear.
    """

    def __init__(self, address: str, tls: ClientTls | None = None) -> None:
        self._address = address
        self._context = None if tls is None else client_context(tls)

    async def channels(self) -> Sequence[str]:
        """Return the names of its channels."""
        data = await self._call("GET", CHANNELS)
        with _an_answer(data) as listed:
            return [channel["name"] for channel in listed["channels"] or ()]

    async def channel(self, channel_id: str) -> OrdererChannel:
        """Return how the orderer takes part in a channel."""
        return _channel(await self._call("GET", f"{CHANNELS}/{channel_id}"))

    async def join(self, config_block: Block) -> OrdererChannel:
        """Join a channel, which is created when the block is its first."""
        part = Part("config-block", "config.block", config_block.SerializeToString())
        return _channel(await self._call("POST", CHANNELS, part))

    async def update(self, envelope: Envelope) -> OrdererChannel:
        """Have a signed config update ordered."""
        part = Part("config-update-envelope", "update.envelope", envelope.SerializeToString())
        return _channel(await self._call("PUT", CHANNELS, part))

    async def remove(self, channel_id: str) -> None:
        """Make the orderer give a channel up and delete its blocks."""
        await self._call("DELETE", f"{CHANNELS}/{channel_id}")

    async def block(self, channel_id: str, block_id: str) -> Block:
        """Return a block by its number, or newest, oldest, config."""
        data = await self._call("GET", f"{CHANNELS}/{channel_id}/blocks/{block_id}")
        return parse(Block, data, "block")

    async def _call(self, method: str, path: str, part: Part | None = None) -> bytes:
        return await asyncio.to_thread(self._converse, method, path, part)

    def _converse(self, method: str, path: str, part: Part | None) -> bytes:
        headers, body = {}, None
        if part is not None:
            headers["Content-Type"], body = write_form([part])
        try:
            with closing(self._connection()) as connection:
                connection.request(method, path, body, headers)
                answer = connection.getresponse()
                data = answer.read()
        except (OSError, HTTPException) as error:
            raise AdminUnreachable(self._address, str(error) or type(error).__name__) from error
        if answer.status >= 300:
            raise ParticipationError(answer.status, _reason(data))
        return data

    def _connection(self) -> HTTPConnection:
        host, _, port = self._address.rpartition(":")
        if self._context is None:
            return HTTPConnection(host.strip("[]"), int(port), timeout=TIMEOUT)
        return HTTPSConnection(host.strip("[]"), int(port), timeout=TIMEOUT, context=self._context)


def _channel(data: bytes) -> OrdererChannel:
    with _an_answer(data) as found:
        return OrdererChannel(
            found["name"], found["consensusRelation"], found["status"], found["height"]
        )


@contextmanager
def _an_answer(data: bytes) -> Iterator[dict[str, Any]]:
    """An answer's JSON, to be read within: whatever is missing makes it no answer."""
    try:
        yield load_json(data)
    except (ValueError, KeyError, TypeError) as error:
        raise ParticipationError(200, "what no orderer says") from error


def _reason(data: bytes) -> str:
    try:
        return str(load_json(data)["error"])
    except (ValueError, KeyError, TypeError):
        return data.decode(errors="replace").strip()
