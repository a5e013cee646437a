"""Plain HTTP requests to a web application of this process, with and without a socket."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPSConnection
from typing import Any
from urllib.parse import unquote

from gridloom.common.http_server import Application, HttpServer
from gridloom.common.rpc.tls import ServerTls

TIMEOUT = 120
"""Seconds: a busy machine may take long to load the web framework for the first request."""


@dataclass(frozen=True)
class Answer:
    """What came back; headers: by their lower-case names."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Web:
    """A client of one server."""

    port: int
    tls: ssl.SSLContext | None = None

    async def __call__(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        return await asyncio.to_thread(self._converse, method, path, body, dict(headers or {}))

    def _converse(
        self, method: str, path: str, body: bytes | None, headers: dict[str, str]
    ) -> Answer:
        connection = (
            HTTPConnection("127.0.0.1", self.port, timeout=TIMEOUT)
            if self.tls is None
            else HTTPSConnection("127.0.0.1", self.port, timeout=TIMEOUT, context=self.tls)
        )
        with closing(connection):
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            found = {name.lower(): value for name, value in answer.getheaders()}
            return Answer(answer.status, found, answer.read())


@asynccontextmanager
async def serving(
    application: Callable[[], Application],
    server_tls: ServerTls | None = None,
    client_tls: ssl.SSLContext | None = None,
) -> AsyncIterator[Web]:
    """Serve an application for a while, at any free port."""
    server = HttpServer(application, "127.0.0.1:0", server_tls)
    port = await server.start()
    try:
        yield Web(port, client_tls)
    finally:
        await server.stop()


@dataclass(frozen=True)
class Direct:
    """A client that calls an application without any server."""

    application: Application

    async def __call__(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        sent: list[dict[str, Any]] = []
        requests = [{"type": "http.request", "body": body or b"", "more_body": False}]

        async def receive() -> dict[str, Any]:
            if requests:
                return requests.pop()
            await asyncio.Event().wait()  # it never disconnects
            raise AssertionError("unreachable")

        async def send(event: dict[str, Any]) -> None:
            sent.append(event)

        await self.application(_scope(method, path, headers or {}), receive, send)
        start, *parts = sent
        found = {name.decode(): value.decode() for name, value in start["headers"]}
        return Answer(start["status"], found, b"".join(part.get("body", b"") for part in parts))


def _scope(method: str, path: str, headers: Mapping[str, str]) -> dict[str, Any]:
    path, _, query = path.partition("?")
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": unquote(path),
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
        "server": ("127.0.0.1", 80),
    }
