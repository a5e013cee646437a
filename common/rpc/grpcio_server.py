"""Serving a node's services with Google's library: what ``grpc_server`` is measured against."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from typing import Any

import grpc
import grpc.aio
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from google.protobuf.message import DecodeError, Message

from ..errors import GridloomError
from .liveness import MAX_MESSAGE_BYTES, MIN_PING_INTERVAL_MS, PING_TIMEOUT_MS, SERVER_PING_MS
from .local import as_rpc_error
from .server import Call, Method, ServiceRegistry
from .status import Code, RpcError
from .status_details import DETAILS_TRAILER, pack_details
from .tls import ServerTls

log = logging.getLogger(__name__)

STATUS_CODES = {code.value[0]: code for code in grpc.StatusCode}

_OPTIONS = (
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
    ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.keepalive_time_ms", SERVER_PING_MS),
    ("grpc.keepalive_timeout_ms", PING_TIMEOUT_MS),
    ("grpc.so_reuseport", 0),
)

_Context = grpc.aio.ServicerContext[Any, Any]


def credentials(tls: ServerTls) -> grpc.ServerCredentials:
    """Return grpc's form of a server's TLS."""
    if tls.current_client_roots is not None:
        return _following(tls, tls.current_client_roots)
    return grpc.ssl_server_credentials(
        [(tls.private_key, tls.certificate)],
        root_certificates=tls.client_roots,
        require_client_auth=tls.client_roots is not None,
    )


def _following(tls: ServerTls, current: Callable[[], bytes]) -> grpc.ServerCredentials:
    """Return credentials that trust what is current at each connection.

    Only a change is told to grpc: exchanging equal ones while connections are being made
    has crashed its core.
    """
    told = current()

    def changed() -> grpc.ServerCertificateConfiguration | None:
        nonlocal told
        roots = current()
        if roots == told:
            return None
        told = roots
        return _configuration(tls, roots)

    return grpc.dynamic_ssl_server_credentials(
        _configuration(tls, told),
        changed,  # type: ignore[arg-type]  # None is for no change; the stubs do not know
        require_client_authentication=True,
    )


def _configuration(tls: ServerTls, roots: bytes) -> grpc.ServerCertificateConfiguration:
    pair = (tls.private_key, tls.certificate)
    return grpc.ssl_server_certificate_configuration([pair], root_certificates=roots)


class GrpcioServer:
    """One listening address that serves a registry.

    address: ``host:port``, port 0 for any free one; ``port`` holds the bound one after
    :meth:`start`; or ``unix:path``.  OSError when the address cannot be bound.
    min_ping_interval: milliseconds; a client that pings more often is sent away.
    """

    def __init__(
        self,
        registry: ServiceRegistry,
        address: str,
        tls: ServerTls | None = None,
        *,
        min_ping_interval: int = MIN_PING_INTERVAL_MS,
    ) -> None:
        self._registry = registry
        self._address = address
        self._tls = tls
        self._min_ping_interval = min_ping_interval
        self._server: grpc.aio.Server | None = None
        self.port = 0

    async def start(self) -> int:
        """Bind and serve; return the bound port."""
        pings = ("grpc.http2.min_ping_interval_without_data_ms", self._min_ping_interval)
        server = grpc.aio.server(options=(*_OPTIONS, pings))
        mutual = self._tls is not None and self._tls.client_roots is not None
        for service in self._registry.services:
            handlers = {
                method.path.rpartition("/")[2]: _method_handler(method, mutual)
                for method in self._registry
                if method.path.startswith(f"/{service}/")
            }
            server.add_generic_rpc_handlers(
                (grpc.method_handlers_generic_handler(service, handlers),)
            )
        try:
            self.port = (
                server.add_insecure_port(self._address)
                if self._tls is None
                else server.add_secure_port(self._address, credentials(self._tls))
            )
        except RuntimeError as error:
            raise OSError(f"cannot listen on {self._address}: {error}") from error
        if self.port == 0:
            raise OSError(f"cannot listen on {self._address}: the address is in use or not ours")
        await server.start()
        self._server = server
        return self.port

    async def stop(self, grace: float = 0.5) -> None:
        """Refuse new calls, give those under way ``grace`` seconds, then cancel them."""
        if self._server is not None:
            server, self._server = self._server, None
            await server.stop(grace)


def _method_handler(method: Method, mutual: bool) -> grpc.RpcMethodHandler[Any, Any]:
    # Requests are parsed by _decode, not by grpc, which has no good answer to malformed ones.
    encode = method.response_type.SerializeToString
    if method.client_streaming:
        return grpc.stream_stream_rpc_method_handler(_stream(method, mutual), None, encode)
    if method.server_streaming:
        return grpc.unary_stream_rpc_method_handler(_stream(method, mutual), None, encode)
    return grpc.unary_unary_rpc_method_handler(_unary(method, mutual), None, encode)


def _unary(method: Method, mutual: bool) -> Callable[[bytes, _Context], Awaitable[Message]]:
    handler = method.handler

    async def answer(request: bytes, context: _Context) -> Message:
        try:
            response: Message = await handler(_decode(method, request), _call(context, mutual))
        except Exception as error:
            await _abort(context, error, method.path)
            raise
        return response

    return answer


def _stream(method: Method, mutual: bool) -> Callable[[Any, _Context], AsyncIterator[Message]]:
    handler = method.handler

    async def decoded(requests: AsyncIterator[bytes]) -> AsyncIterator[Message]:
        async for request in requests:
            yield _decode(method, request)

    async def answer(requests: Any, context: _Context) -> AsyncIterator[Message]:  # noqa: ANN401  # bytes, or a stream of them
        try:
            first = decoded(requests) if method.client_streaming else _decode(method, requests)
            async with aclosing(handler(first, _call(context, mutual))) as responses:
                async for response in responses:
                    yield response
        except Exception as error:
            await _abort(context, error, method.path)

    return answer


def _decode(method: Method, request: bytes) -> Message:
    try:
        return method.request_type.FromString(request)
    except DecodeError as error:
        raise RpcError(Code.INTERNAL, f"grpc: error unmarshalling request: {error}") from error


def _call(context: _Context, mutual: bool) -> Call:
    certificate = None
    if mutual:  # nobody else was asked for a certificate
        for pem in context.auth_context().get("x509_pem_cert", ()):
            certificate = x509.load_pem_x509_certificate(pem).public_bytes(Encoding.DER)
            break
    remaining: float | None = context.time_remaining()
    # grpc reports "no deadline" as a time far beyond any real one.
    deadline = None if remaining is None or remaining > 10**9 else remaining
    return Call(certificate=certificate, mutual_tls=mutual, deadline=deadline)


async def _abort(context: _Context, error: Exception, path: str) -> None:
    status = as_rpc_error(error, path)
    if not isinstance(error, GridloomError | TimeoutError):
        log.error("%s failed: %s", path, error, exc_info=error)
    trailer = ((DETAILS_TRAILER, pack_details(status)),) if status.details else ()
    await context.abort(STATUS_CODES[status.code], status.message, trailer)
