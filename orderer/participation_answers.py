"""The answers of the channel participation API, in Fabric's words and bytes.

(Fabric: orderer/common/channelparticipation/restapi.go, orderer/common/types.)
"""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import Request
from fastapi.responses import PlainTextResponse, Response

from gridloom.common.block_store import BlockNotFound
from gridloom.common.errors import GridloomError
from gridloom.common.go_json import go_json

from .follower.chain import NotConsenter
from .registrar import ChannelExists, ChannelInfo, ChannelMissing, ChannelPendingRemoval

BASE = "/participation/v1/"
CHANNELS = f"{BASE}channels"


class Refusal(GridloomError):
    """An answer that is an error; allow: what a 405 says is allowed instead."""

    def __init__(self, status: int, reason: str, allow: str = "") -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason
        self.allow = allow


def json_answer(
    content: object, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """Return JSON as Go's encoder writes it, with a newline."""
    return Response(go_json(content) + "\n", status, headers, "application/json")


def refused(request: Request, error: Exception) -> Response:
    """Return the answer of a Refusal."""
    if not isinstance(error, Refusal):
        raise error
    headers = {"Allow": error.allow} if error.allow else None
    return json_answer({"error": error.reason}, error.status, headers)


def not_routed(request: Request, error: Exception) -> Response:
    """Return the answer for a path that is none, or a method that its path does not have."""
    path = request.url.path
    if getattr(error, "status_code", 404) != 405:
        nosniff = {"X-Content-Type-Options": "nosniff"}
        return PlainTextResponse("404 page not found\n", 404, nosniff)
    if path == BASE:
        return Response(status_code=405)
    allow = "GET" if "/blocks/" in path else "GET, DELETE"
    reason = f"invalid request method: {request.method}"
    return refused(request, Refusal(405, reason, "GET, POST, PUT" if path == CHANNELS else allow))


def created(info: ChannelInfo) -> Response:
    """Return a channel that was joined or changed."""
    return json_answer(shown(info), 201, {"Location": url_of(info.name)})


def shown(info: ChannelInfo) -> dict[str, object]:
    """Return a channel as the API shows it."""
    return {
        "name": info.name,
        "url": url_of(info.name),
        "consensusRelation": info.consensus_relation,
        "status": info.status,
        "height": info.height,
    }


def url_of(channel_id: str) -> str:
    """Return the path of a channel."""
    return f"{CHANNELS}/{channel_id}"


def status_of(error: GridloomError) -> int:
    """Return the status that a failure of the registrar has unless the route says otherwise."""
    if isinstance(error, ChannelPendingRemoval):
        return 500 if error.failed else 409
    return 400


_WORDS = {
    ChannelMissing: "channel does not exist",
    ChannelExists: "channel already exists",
    NotConsenter: "channel is not ready, he is a follower",
}


def words_of(error: GridloomError) -> str:
    """Return Fabric's words, which do not name the channel."""
    match error:
        case ChannelPendingRemoval(failed=failed):
            return "channel removal failure" if failed else "channel pending removal"
        case BlockNotFound(number=number):
            return f"no such block number [{number}] in index"
        case _:
            return _WORDS.get(type(error), str(error))
