"""The channel participation API: joining, listing and giving up channels over HTTP.

It imports the web framework; who serves it does so when somebody asks (`common/http_server.py`).
(Fabric: orderer/common/channelparticipation/restapi.go; PROTOCOL 22.)
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Protocol, TypeVar

from fastapi import FastAPI, Request
from fastapi.responses import RedirectResponse, Response
from google.protobuf.message import Message
from starlette.exceptions import HTTPException

from gridloom.common.channel.errors import ConfigError
from gridloom.common.channel.names import check_channel_id
from gridloom.common.errors import GridloomError, MalformedMessage
from gridloom.common.multipart import MalformedForm, read_form
from gridloom.common.wire import parse
from gridloom.protos.common.common_pb2 import Block, Envelope

from .chain import ChainUnavailable
from .follower.chain import NotConsenter
from .participation_answers import (
    BASE,
    CHANNELS,
    Refusal,
    created,
    json_answer,
    not_routed,
    refused,
    shown,
    status_of,
    url_of,
    words_of,
)
from .participation_checks import (
    BlockId,
    InvalidBlockId,
    InvalidJoinBlock,
    InvalidUpdate,
    check_block_id,
    check_join_block,
    check_update,
)
from .registrar import ChannelExists, ChannelInfo, ChannelMissing, ChannelPendingRemoval

M = TypeVar("M", bound=Message)

ONE_CHANNEL = f"{CHANNELS}/{{channel_id}}"
ONE_BLOCK = f"{ONE_CHANNEL}/blocks/{{block_id}}"
CONFIG_BLOCK = "config-block"
CONFIG_UPDATE = "config-update-envelope"

MAX_BODY = 1024 * 1024
"""Largest request in bytes (Fabric: orderer.yaml, ChannelParticipation.MaxRequestBodySize)."""

_MEDIA = ("application/json", "application/*", "*/*")
_FORM = re.compile(r"multipart/form-data*")
_NO_STORE = {"Cache-Control": "no-store"}


class ChannelManagement(Protocol):
    """What the API administers; ``Registrar`` says what each method raises."""

    def channels(self) -> Sequence[ChannelInfo]: ...

    def info(self, channel_id: str) -> ChannelInfo: ...

    def join(self, block: Block) -> ChannelInfo: ...

    async def remove(self, channel_id: str) -> None: ...

    async def update(self, channel_id: str, envelope: Envelope) -> ChannelInfo: ...

    def block(self, channel_id: str, block_id: BlockId) -> Block: ...


def participation(
    channels: ChannelManagement, *, enabled: bool = True, max_body: int = MAX_BODY
) -> FastAPI:
    """Return the API over an orderer's channels; not enabled, it answers 503 to everything."""
    app = FastAPI(openapi_url=None, redirect_slashes=False)
    app.add_exception_handler(Refusal, refused)
    app.add_exception_handler(HTTPException, not_routed)
    if not enabled:
        app.add_api_route("/{path:path}", _disabled, methods=["GET", "POST", "PUT", "DELETE"])
        return app
    api = _Participation(channels, max_body)
    app.add_api_route(CHANNELS, api.list, methods=["GET"])
    app.add_api_route(CHANNELS, api.join, methods=["POST"])
    app.add_api_route(CHANNELS, api.update, methods=["PUT"])
    app.add_api_route(ONE_CHANNEL, api.show, methods=["GET"])
    app.add_api_route(ONE_CHANNEL, api.remove, methods=["DELETE"])
    app.add_api_route(ONE_BLOCK, api.fetch, methods=["GET"])
    app.add_api_route(BASE, _to_channels, methods=["GET"])
    return app


class _Participation:
    """The routes, each with Fabric's checks in Fabric's order."""

    def __init__(self, channels: ChannelManagement, max_body: int) -> None:
        self._channels = channels
        self._max_body = max_body

    async def list(self, request: Request) -> Response:
        _negotiate(request)
        found = [
            {"name": each.name, "url": url_of(each.name)} for each in self._channels.channels()
        ]
        return json_answer({"systemChannel": None, "channels": found or None}, headers=_NO_STORE)

    async def show(self, request: Request, channel_id: str) -> Response:
        _negotiate(request)
        _check_channel(channel_id)
        try:
            return json_answer(shown(self._channels.info(channel_id)), headers=_NO_STORE)
        except ChannelMissing as error:
            raise Refusal(404, words_of(error)) from error

    async def join(self, request: Request) -> Response:
        block = _parsed(await self._file(request, CONFIG_BLOCK), Block, CONFIG_BLOCK, "a block")
        try:
            check_join_block(block)
        except InvalidJoinBlock as error:
            raise Refusal(400, f"invalid join block: {error.reason}") from error
        try:
            return created(self._channels.join(block))
        except ChannelExists as error:
            raise Refusal(405, f"cannot join: {words_of(error)}", "GET, DELETE") from error
        except GridloomError as error:
            raise Refusal(status_of(error), f"cannot join: {words_of(error)}") from error

    async def update(self, request: Request) -> Response:
        data = await self._file(request, CONFIG_UPDATE)
        envelope = _parsed(data, Envelope, CONFIG_UPDATE, "an envelope")
        try:
            channel_id = check_update(envelope)
        except InvalidUpdate as error:
            raise Refusal(400, str(error)) from error
        try:
            return created(await self._channels.update(channel_id, envelope))
        except ChannelMissing as error:
            raise Refusal(405, f"cannot update: {words_of(error)}") from error
        except ChannelPendingRemoval as error:
            raise Refusal(status_of(error), f"cannot update: {words_of(error)}") from error
        except NotConsenter as error:
            raise Refusal(403, f"cannot update: {words_of(error)}") from error
        except GridloomError as error:
            failed = f"cannot update: failed update config of channel {channel_id}"
            if isinstance(error, ChainUnavailable):
                failed += " with SERVICE_UNAVAILABLE: rejected by Consenter"
            raise Refusal(400, f"{failed}: {error}") from error

    async def remove(self, request: Request, channel_id: str) -> Response:
        _negotiate(request)
        _check_channel(channel_id)
        try:
            await self._channels.remove(channel_id)
        except ChannelMissing as error:
            raise Refusal(404, f"cannot remove: {words_of(error)}") from error
        except ChannelPendingRemoval as error:
            raise Refusal(409, f"cannot remove: {words_of(error)}") from error
        except OSError as error:
            raise Refusal(400, f"cannot remove: {error}") from error
        return Response(status_code=204)

    async def fetch(self, request: Request, channel_id: str, block_id: str) -> Response:
        _negotiate(request)
        _check_channel(channel_id)
        try:
            block = self._channels.block(channel_id, check_block_id(block_id))
        except InvalidBlockId as error:
            raise Refusal(400, f"invalid block ID: {error}") from error
        except GridloomError as error:
            raise Refusal(404, words_of(error)) from error
        return Response(block.SerializeToString(), 200, _NO_STORE, "application/octet-stream")

    async def _file(self, request: Request, name: str) -> bytes:
        """The only file of the form in a request's body."""
        content_type = request.headers.get("content-type", "")
        if _FORM.search(content_type) is None:
            given = " ".join(request.headers.getlist("content-type"))
            raise Refusal(400, f"unsupported Content-Type: [{given}]")
        _negotiate(request)
        try:
            parts = read_form(content_type, await self._body(request))
        except MalformedForm as error:
            reason = f"cannot read form from request body: multipart: {error.reason}"
            raise Refusal(400, reason) from error
        files = [part for part in parts if part.name and part.filename is not None]
        if all(part.name != name for part in files):
            raise Refusal(400, f"form does not contains part key: {name}")
        if {part.name for part in parts if part.name} != {name} or len(files) != len(parts):
            raise Refusal(400, "form contains too many parts")
        return files[0].content

    async def _body(self, request: Request) -> bytes:
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > self._max_body:
                raise MalformedForm("NextPart: http: request body too large")
        return bytes(body)


def _negotiate(request: Request) -> None:
    """406 unless the client takes JSON."""
    accepted = request.headers.get("accept", "")
    if accepted and not any(media in accepted for media in _MEDIA):
        raise Refusal(406, "response Content-Type is application/json only")


def _check_channel(channel_id: str) -> None:
    try:
        check_channel_id(channel_id)
    except ConfigError as error:
        raise Refusal(400, f"invalid channel ID: {error}") from error


def _parsed(data: bytes, kind: type[M], name: str, what: str) -> M:
    try:
        return parse(kind, data)
    except MalformedMessage as error:
        reason = f"cannot unmarshal file part {name} into {what}: {error.reason}"
        raise Refusal(400, reason) from error


async def _to_channels(request: Request) -> Response:
    return RedirectResponse(CHANNELS, 302)


async def _disabled(request: Request) -> Response:
    return json_answer({"error": "channel participation API is disabled"}, 503)
