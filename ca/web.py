"""The web application of a membership CA: HTTP around ``service.py``.

It imports the web framework; who serves it does so when somebody asks (``server.py``).
(Fabric: fabric-ca lib/serverendpoint.go)
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from concurrent.futures import Executor
from typing import Final

from fastapi import FastAPI
from fastapi import Request as HttpRequest
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import PlainTextResponse, Response, StreamingResponse

from .messages import Answer, Request, refused
from .openapi import describe
from .refusals import Code, Refusal
from .service import HANDLERS, Endpoint, Service

log = logging.getLogger(__name__)

BASES: Final = ("/", "/api/v1/")
"""Every route is there twice."""

MAX_BODY: Final = 1 << 20
"""Bytes; a signing request has less than a thousandth of it."""

_JSON: Final = "application/json"


def application(
    service: Service, threads: Executor | None = None, origins: Sequence[str] = ()
) -> FastAPI:
    """Return the web application; threads: where requests are handled, None for the loop's."""
    app = FastAPI(
        title="Gridloom membership CA",
        version="1.5",
        openapi_url="/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    if origins:
        app.add_middleware(CORSMiddleware, allow_origins=list(origins))
    app.add_exception_handler(HTTPException, _not_routed)
    for endpoint, handlers in HANDLERS.items():
        for base in BASES:
            for method in handlers:
                app.add_api_route(
                    base + endpoint.value,
                    _Route(service, endpoint, threads),
                    methods=[method],
                    response_model=None,
                    **describe(endpoint, method, base),
                )
    return app


class _Route:
    """Turns HTTP into a request of the service, and its answer into HTTP."""

    def __init__(self, service: Service, endpoint: Endpoint, threads: Executor | None) -> None:
        self._service = service
        self._endpoint = endpoint
        self._threads = threads

    async def __call__(self, request: HttpRequest) -> Response:
        loop = asyncio.get_running_loop()
        try:
            asked = await _request(request)
            answer = await loop.run_in_executor(
                self._threads, self._service.handle, self._endpoint, asked
            )
        except Refusal as refusal:
            return _refuse(request, refusal)
        log.info("%s %s %d", request.method, ascii(request.url.path), answer.status)
        return self._answered(request, answer)

    def _answered(self, request: HttpRequest, answer: Answer) -> Response:
        headers = {"Location": answer.location} if answer.location else {}
        if request.method == "HEAD":
            return Response(status_code=answer.status, headers=headers)
        chunks = _in_threads(answer.chunks(), self._threads)
        return StreamingResponse(chunks, answer.status, headers, _JSON)


async def _request(request: HttpRequest) -> Request:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            reason = f"Failed reading request body: more than {MAX_BODY} bytes"
            raise Refusal(413, Code.READING_BODY, reason)
    query = request.scope["query_string"].decode("latin-1")
    path = request.scope.get("raw_path") or request.scope["path"].encode()
    uri = path.decode("latin-1").partition("?")[0] + (f"?{query}" if query else "")
    parameters: dict[str, str] = {}
    for name, value in request.query_params.multi_items():
        parameters.setdefault(name, value)
    return Request(
        request.method,
        uri,
        request.headers.get("authorization", ""),
        bytes(body),
        parameters,
        next(iter(request.path_params.values()), ""),
    )


async def _in_threads(chunks: Iterator[str], threads: Executor | None) -> AsyncIterator[str]:
    """Fetch each chunk where the database may be waited for."""
    loop = asyncio.get_running_loop()
    following: Callable[[], str | None] = lambda: next(chunks, None)  # noqa: E731
    while (chunk := await loop.run_in_executor(threads, following)) is not None:
        yield chunk


def _refuse(request: HttpRequest, refusal: Refusal) -> Response:
    log.info(
        "%s %s %d %d %s",
        request.method,
        ascii(request.url.path),
        refusal.status,
        refusal.reason_code,
        ascii(refusal.reason),
    )

    async def chunks() -> AsyncIterator[str]:
        yield refused(refusal)

    return StreamingResponse(chunks(), refusal.status, media_type=_JSON)


async def _not_routed(request: HttpRequest, error: Exception) -> Response:
    """What there is no route for, in the words of Go's router and fabric-ca's."""
    if getattr(error, "status_code", 404) == 405:
        message = f"Method {request.method} is not allowed"
        return _refuse(request, Refusal(405, Code.METHOD_NOT_ALLOWED, message))
    headers = {"X-Content-Type-Options": "nosniff"}
    return PlainTextResponse("404 page not found\n", 404, headers)
