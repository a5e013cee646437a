"""Talking HTTP to a certificate authority: one connection for each call, JSON in and out.

(Fabric: fabric-ca lib/client.go SendReq)
"""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any, Final
from urllib.parse import SplitResult, urlencode, urlsplit

from gridloom.common.documents import load_json
from gridloom.common.errors import GridloomError
from gridloom.common.rpc.tls import ClientTls
from gridloom.common.tls_context import client_context

API: Final = "/api/v1/"
TIMEOUT: Final = 30.0
"""Seconds an authority may take to answer."""

DEFAULT_PORT: Final = 7054

Authorize = Callable[[str, str, bytes], str]
"""The Authorization header for a request's method, URI and body."""


class AuthorityUnreachable(GridloomError):
    """No conversation with a certificate authority: its URL, and why."""

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(f"no answer from the certificate authority at {url}: {reason}")
        self.url = url
        self.reason = reason


class BadAuthorityUrl(GridloomError):
    """A URL at which no certificate authority can be: the URL (without a secret), and why."""

    def __init__(self, url: str, reason: str) -> None:
        self.url = url.rpartition("@")[2]
        self.reason = reason
        super().__init__(f"{self.url}: {reason}")


@dataclass(frozen=True, slots=True)
class Complaint:
    """One error in an authority's answer, by fabric-ca's number for it."""

    code: int
    message: str


class AuthorityRefused(GridloomError):
    """A certificate authority's refusal: the HTTP status and what it complains of.

    It reads as fabric-ca-client has it, for scripts that look for that.
    """

    def __init__(self, status: int, complaints: tuple[Complaint, ...], text: str = "") -> None:
        said = "; ".join(f"Error Code: {each.code} - {each.message}" for each in complaints)
        super().__init__(f"Response from server: {said or f'status code {status}, {text}'}")
        self.status = status
        self.complaints = complaints
        self.text = text

    @property
    def code(self) -> int:
        """The number of the first complaint, -1 if there is none."""
        return self.complaints[0].code if self.complaints else -1


class Connection:
    """How to reach one authority; AuthorityUnreachable, AuthorityRefused.

    url: ``https://host:port``, BadAuthorityUrl if it is none; tls: whom to trust under https,
    the system's roots if None.
    """

    def __init__(self, url: str, tls: ClientTls | None = None) -> None:
        address, port = split_url(url)
        if address.scheme not in {"http", "https"} or not address.hostname:
            raise BadAuthorityUrl(url, "https://HOST:PORT is expected")
        self._port = port or DEFAULT_PORT
        self._host = address.hostname
        self._path = address.path.rstrip("/") + API
        self.url = f"{address.scheme}://{address.netloc.rpartition('@')[2]}"
        self._context = _context(tls) if address.scheme == "https" else None

    async def call(
        self,
        method: str,
        route: str,
        document: Mapping[str, Any] | None = None,
        query: Mapping[str, str] | None = None,
        authorize: Authorize | None = None,
    ) -> Any:  # noqa: ANN401 - whatever JSON the route gives
        """Return the ``result`` of a route such as ``enroll`` or ``identities/alice``.

        document: the body, None to send none; authorize: makes the header that says who asks.
        """
        uri = self._path + route
        if query:
            uri += f"?{urlencode(query)}"
        body = b"" if document is None else json.dumps(document).encode()
        headers = {} if document is None else {"Content-Type": "application/json"}
        if authorize is not None:
            headers["Authorization"] = authorize(method, uri, body)
        status, data = await asyncio.to_thread(self._converse, method, uri, body, headers)
        return _result(status, data)

    def _converse(
        self, method: str, uri: str, body: bytes, headers: Mapping[str, str]
    ) -> tuple[int, bytes]:
        try:
            with closing(self._connect()) as connection:
                connection.request(method, uri, body or None, dict(headers))
                answer = connection.getresponse()
                return answer.status, answer.read()
        except (OSError, HTTPException) as error:
            raise AuthorityUnreachable(self.url, str(error) or type(error).__name__) from error

    def _connect(self) -> HTTPConnection:
        if self._context is None:
            return HTTPConnection(self._host, self._port, timeout=TIMEOUT)
        return HTTPSConnection(self._host, self._port, timeout=TIMEOUT, context=self._context)


def _context(tls: ClientTls | None) -> ssl.SSLContext:
    context = ssl.create_default_context() if tls is None else client_context(tls)
    # As in Go, any certificate that one is told to trust ends the chain: the server's own, too.
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    return context


def _result(status: int, data: bytes) -> Any:  # noqa: ANN401
    try:
        answer = load_json(data)
        complaints = tuple(
            Complaint(int(each["code"]), str(each["message"])) for each in answer["errors"] or ()
        )
        if not complaints and status < 400 and answer["success"]:
            return answer["result"]
    except (ValueError, KeyError, TypeError):
        text = data.decode(errors="replace").strip()
        raise AuthorityRefused(status, (), text[:200] or "an empty answer") from None
    raise AuthorityRefused(status, complaints, "no reason given")


def split_url(url: str) -> tuple[SplitResult, int | None]:
    """Return the parts of a URL, and the port that it names; BadAuthorityUrl."""
    try:
        parts = urlsplit(url)
        return parts, parts.port
    except ValueError as error:
        raise BadAuthorityUrl(url, str(error)) from error
