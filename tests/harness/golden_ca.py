"""The recorded dialogues of a real fabric-ca server, and a server that repeats them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from harness.shared import shared


def dialogue(name: str) -> dict[str, Any]:
    """Return a dialogue by its name without the number, such as ``enroll-user``."""
    (path,) = shared("golden", "ca").glob(f"[0-9][0-9]-{name}.json")
    recorded: dict[str, Any] = json.loads(path.read_text())
    return recorded


def route(recorded: dict[str, Any]) -> tuple[str, str]:
    """Return method and path with query; the path counts from /api/v1, as clients may do."""
    request = recorded["request"]
    path = request["path"]
    return request["method"], path if path.startswith("/api/v1") else f"/api/v1{path}"


@dataclass
class Asked:
    """A request as the server saw it."""

    method: str
    uri: str
    body: bytes
    authorization: str

    @property
    def document(self) -> Any:
        """The body's JSON, None if there is no body."""
        return json.loads(self.body) if self.body else None


@dataclass
class Player:
    """An application that gives recorded answers, whatever the requests say; it keeps these."""

    names: list[str] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        body = b""
        while True:
            event = await receive()
            body += event.get("body", b"")
            if not event.get("more_body"):
                break
        headers = dict(scope["headers"])
        query = scope["query_string"].decode()
        uri = scope["raw_path"].decode() + (f"?{query}" if query else "")
        authorization = headers.get(b"authorization", b"").decode()
        self.asked.append(Asked(scope["method"], uri, body, authorization))
        answer = dialogue(self.names.pop(0))["response"]
        text = "" if answer["body"] is None else json.dumps(answer["body"])
        await send({"type": "http.response.start", "status": answer["status"], "headers": []})
        await send({"type": "http.response.body", "body": text.encode()})
