"""One stream of a connection: what both sides keep of it (RFC 9113, 5)."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod

from ..status import RpcError
from .inbox import Inbox
from .messages import MessageReader

STREAM_WINDOW = 1024 * 1024
"""Bytes that may be on their way, and that may wait to be taken, on one stream."""


class Stream(ABC):
    """Windows in bytes, and which sides are done.

    used: bytes sent beyond those that were granted one by one, of the window every stream has;
    deadline: when it expires, in the loop's time; room: woken when there may be room to send;
    inbox: where messages wait, None for a call with a single one.
    """

    __slots__ = (
        "deadline",
        "inbox",
        "local_done",
        "number",
        "reader",
        "receive_window",
        "remote_done",
        "room",
        "used",
    )

    def __init__(self, number: int) -> None:
        self.number = number
        self.used = 0
        self.receive_window = STREAM_WINDOW
        self.remote_done = False
        self.local_done = False
        self.deadline: float | None = None
        self.room: asyncio.Future[None] | None = None
        self.reader: MessageReader | None = None
        self.inbox: Inbox | None = None

    def make_room(self) -> None:
        """Let who waits to send look again."""
        if self.room is not None and not self.room.done():
            self.room.set_result(None)

    def credit(self) -> int:
        """Return what the sender may be granted now, 0 if it has enough or we hold enough."""
        if self.remote_done or self.receive_window > STREAM_WINDOW // 2:
            return 0
        if self.inbox is not None and self.inbox.held >= STREAM_WINDOW:
            return 0
        granted = STREAM_WINDOW - self.receive_window
        self.receive_window = STREAM_WINDOW
        return granted

    @abstractmethod
    def message(self, message: bytes) -> None:
        """Take a message."""

    @abstractmethod
    def ended(self) -> None:
        """Know that the other side has sent its last."""

    @abstractmethod
    def fail(self, error: RpcError) -> None:
        """End for a reason of this side or of the connection; it is no longer in the connection."""

    @abstractmethod
    def expire(self) -> None:
        """Do what the deadline asks for."""

    @abstractmethod
    def refuse(self, error: RpcError) -> None:
        """End because of what the other side sent in a message's place."""
