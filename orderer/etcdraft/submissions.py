"""Messages that were accepted here and are not in a block yet.

Each waits until a block with it has been written on this node, which means that a majority has
it.  When the leader falls, what it had in hand is either in the log that its successor continues
or lost: as soon as an entry of the successor's term has been applied here, whatever has not come
by is lost and is sent again, so that nothing accepted is lost and nothing is ordered twice.
(Fabric has no counterpart: its Broadcast answers before; docs/decisions/0016.)
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from gridloom.common.errors import GridloomError
from gridloom.common.wire import parse
from gridloom.protos.common.common_pb2 import Envelope, Payload
from gridloom.protos.common.configtx_pb2 import ConfigEnvelope

from ..chain import Timer, TimerHandle

MAX_WAITING = 5_000
"""Messages accepted on a node and not in a block, above which the next ones wait."""


@dataclass(slots=True, eq=False)
class Submission:
    """One message and whoever waits for it.

    done: it is in a block; sent: it was given to a leader, the last one of ``sent_term``;
    deadline: ends the waiting.
    """

    envelope: Envelope
    config_sequence: int
    is_config: bool
    key: bytes
    done: asyncio.Future[None] = field(repr=False)
    sent: asyncio.Future[None] = field(repr=False)
    sent_term: int = -1
    deadline: TimerHandle | None = None


class Submissions:
    """The messages waiting on one node.

    send: gives one to the leader, False if there is none; timer, patience: after so many seconds
    a message is given up with the error that ``late`` makes.
    """

    def __init__(
        self,
        send: Callable[[Submission], bool],
        timer: Timer,
        patience: float,
        late: Callable[[], Exception],
    ) -> None:
        self._send = send
        self._timer = timer
        self._patience = patience
        self._late = late
        self._waiting: dict[bytes, list[Submission]] = {}
        self._count = 0
        self._room = asyncio.Event()
        self._room.set()

    async def wait_for_room(self) -> None:
        """Return once there are not too many."""
        await self._room.wait()

    def add(self, envelope: Envelope, config_sequence: int, *, is_config: bool) -> Submission:
        """Take a message in; it is sent by ``dispatch``."""
        loop = asyncio.get_running_loop()
        key = config_key(envelope) if is_config else envelope.SerializeToString()
        done, sent = loop.create_future(), loop.create_future()
        submission = Submission(envelope, config_sequence, is_config, key, done, sent)
        submission.deadline = self._timer(self._patience, lambda: self._give_up(submission))
        self._waiting.setdefault(key, []).append(submission)
        self._count += 1
        if self._count >= MAX_WAITING:
            self._room.clear()
        return submission

    def dispatch(self, submission: Submission, term: int) -> None:
        """Give a message to the leader of this term, if there is one."""
        if self._send(submission):
            submission.sent_term = term
            if not submission.sent.done():
                submission.sent.set_result(None)

    def dispatch_lost(self, before: int, term: int) -> None:
        """Give to the leader of ``term`` what was sent to none, or only before a term.

        Entries of the term ``before`` have been applied: what earlier leaders had is lost.
        """
        for submission in self._all():
            if submission.sent_term < before:
                self.dispatch(submission, term)

    def ordered(self, entries: Iterable[bytes], *, config: bool) -> None:
        """A block with these serialized envelopes has been written."""
        if not self._waiting:
            return
        for entry in entries:
            key = config_key(parse(Envelope, entry)) if config else entry
            waiting = self._waiting.get(key)
            if waiting:
                self._settle(waiting[0], None)

    def judge_again(self, sequence: int, judge: Callable[[Submission], None]) -> None:
        """A configuration came into force: give up what no longer passes.

        judge: raises for a message that is no longer valid; the leader comes to the same end.
        """
        for submission in self._all():
            if submission.config_sequence < sequence:
                try:
                    judge(submission)
                except GridloomError as error:
                    self._settle(submission, error)

    def give_up_all(self, error: Callable[[], Exception]) -> None:
        """Nothing will be ordered any more."""
        for submission in self._all():
            self._settle(submission, error())

    def _give_up(self, submission: Submission) -> None:
        if submission in self._waiting.get(submission.key, ()):
            self._settle(submission, self._late())

    def _all(self) -> list[Submission]:
        return [each for waiting in self._waiting.values() for each in waiting]

    def _settle(self, submission: Submission, error: Exception | None) -> None:
        waiting = self._waiting[submission.key]
        waiting.remove(submission)
        if not waiting:
            del self._waiting[submission.key]
        self._count -= 1
        if self._count < MAX_WAITING:
            self._room.set()
        if submission.deadline is not None:
            submission.deadline.cancel()
        for waiting_for in (submission.done, submission.sent):
            if waiting_for.done():
                continue
            if error is None:
                waiting_for.set_result(None)
            else:
                waiting_for.set_exception(error)
                waiting_for.exception()  # nobody need be waiting for it


def config_key(envelope: Envelope) -> bytes:
    """What a CONFIG message is known by: the update in it, for the leader wraps that anew."""
    payload = parse(Payload, envelope.payload)
    update = parse(ConfigEnvelope, payload.data, "config envelope").last_update
    return b"config:" + update.SerializeToString()
