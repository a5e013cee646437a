"""A chain whose next block is cut by whoever wins the right to by his credit.

One task does everything: it takes in messages of clients and of the other consenters,
mines in small slices between them, and carries out what the core says.
(Fabric counterpart: none; see orderer/consensus for the contract.)
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from datetime import timedelta

from gridloom.common.blocks import header_hash, is_config_block
from gridloom.common.channel.errors import ConfigError
from gridloom.common.channel.sections import OrdererConfig
from gridloom.common.errors import GridloomError, MalformedMessage
from gridloom.common.identities import Signer
from gridloom.common.poca import PocaConfig, read_config
from gridloom.common.wire import parse
from gridloom.protos.common import common_pb2
from gridloom.protos.common.common_pb2 import Envelope

from ..chain import ChainUnavailable, ConsenterSupport, CuttingMode, Timer
from .candidates import Mining, candidate_of, check_candidate
from .core import Ask, Candidate, Core, Decide, Decided, Effect, Save, Send, SendDecided, Votes
from .fellows import Fellows
from .messages import Submit, decode, encode
from .pool import Pool, Waiting
from .timers import Timers
from .votes import VoteStore

log = logging.getLogger(__name__)

PATIENCE = 0.5
"""Seconds after which an attempt, or a right that somebody else has won, is doubted."""

MOST_WAITING = 10_000
"""Messages in the pool above which ``wait_ready`` waits."""

ASK_INTERVAL = 2.0
"""Seconds between questions to another consenter whether he has got further."""

_NOBODY = -1
_NO_CONSENTER = "this orderer is no consenter of the channel"

_AT_ONCE = 50
"""Blocks sent at once to a consenter that lacks them."""


class PocaChain:
    """See ``Chain`` for the contract of each method.

    jitter: a number in [0, 1) each time it is called, for pauses that differ.
    """

    def __init__(
        self,
        support: ConsenterSupport,
        signer: Signer,
        fellows: Fellows,
        votes: VoteStore,
        *,
        cutting: CuttingMode,
        timer: Timer,
        jitter: Callable[[], float],
    ) -> None:
        self._support = support
        self._signer = signer
        self._fellows = fellows
        self._store = votes
        self._cutting = cutting
        self._jitter = jitter
        self._config = read_config(support.orderer_config.metadata)
        self._previous = header_hash(support.get_block(support.height - 1).header)
        own = self._config.number_of(signer.serialized)
        self._own = _NOBODY if own is None else own
        self._core = Core(self._own, len(self._config.consenters), self._loaded(), self._is_good)
        self._pool = Pool()
        self._inbox: deque[tuple[int, bytes]] = deque()
        self._mined: Candidate | None = None
        self._mining: Mining | None = None
        self._asked = 0
        self._cut_now = False
        self._cuts: list[tuple[set[bytes], asyncio.Future[int | None]]] = []
        self._timers = Timers(timer)
        self._refusal = "the chain is not running"
        self._work = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self._task: asyncio.Task[None] | None = None
        self.errored = asyncio.Event()

    @property
    def config(self) -> PocaConfig:
        """The consenters that agree on the next block."""
        return self._config

    @property
    def relation(self) -> str:
        """What this node is to the channel."""
        return "other" if self._own == _NOBODY else "consenter"

    @property
    def status(self) -> str:
        """How it does."""
        return "inactive" if self._refusal else "active"

    @property
    def ready(self) -> bool:
        """Whether a message would be ordered now."""
        return not self._refusal

    @property
    def leads(self) -> bool:
        """As much as anybody: each block is cut by whoever wins the right to."""
        return self._own != _NOBODY

    def _loaded(self) -> Votes:
        """The stored votes of this height; older ones, or another chain's, are spent."""
        votes, height = self._store.load(), self._support.height
        if votes is None or votes.height != height:
            return Votes(height)
        return votes if votes.value is None or self._is_good(votes.value) else Votes(height)

    def check_metadata(self, current: OrdererConfig, proposed: OrdererConfig) -> None:
        """ConfigError unless the metadata name consenters, credits and difficulty.

        They may change as they like: each height is agreed on by the consenters that the
        block before it leaves in force.
        """
        try:
            read_config(proposed.metadata)
        except MalformedMessage as error:
            raise ConfigError(str(error)) from error

    def start(self) -> None:
        if self._own == _NOBODY:
            self._refusal = _NO_CONSENTER
            self.errored.set()
            return
        self._refusal = ""
        self._fellows.configure(self._config)
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def halt(self) -> None:
        self._refusal = self._refusal or "the chain has been halted"
        self._work.set()
        if self._task is not None:
            await self._task
        await self._fellows.close()
        self._timers.stop()
        self._release("the chain has been halted")

    async def order(self, envelope: Envelope, config_sequence: int) -> None:
        self._accept(Waiting(envelope, config_sequence, is_config=False))

    async def configure(self, envelope: Envelope, config_sequence: int) -> None:
        self._accept(Waiting(envelope, config_sequence, is_config=True))

    async def wait_ready(self) -> None:
        await self._room.wait()
        self._check_accepting()

    async def cut(self) -> int | None:
        self._check_accepting()
        if not len(self._pool):
            return None
        written: asyncio.Future[int | None] = asyncio.get_running_loop().create_future()
        self._cuts.append((self._pool.keys(), written))
        self._cut_now = True
        self._work.set()
        return await written

    def receive(self, sender: int, message: bytes) -> None:
        """Take a message of another consenter, who has been recognised as ``sender``."""
        self._inbox.append((sender, message))
        self._work.set()

    def _check_accepting(self) -> None:
        if self._refusal:
            raise ChainUnavailable(self._support.channel_id, self._refusal)

    def _accept(self, message: Waiting) -> None:
        self._check_accepting()
        if not self._pool.add(message):
            return
        spoken = encode(
            Submit(message.envelope.SerializeToString(), message.config_sequence, message.is_config)
        )
        for fellow in self._others():
            self._fellows.send(fellow, spoken)
        self._added()

    def _added(self) -> None:
        if len(self._pool) > MOST_WAITING:
            self._room.clear()
        if self._cutting is CuttingMode.BATCH_TIMEOUT and "batch" not in self._timers:
            seconds = self._support.orderer_config.batch_timeout / timedelta(seconds=1)
            self._timers.start("batch", seconds, self._on_batch_timeout)
        self._work.set()

    def _others(self) -> list[int]:
        return [n for n in range(len(self._config.consenters)) if n != self._own]

    async def _run(self) -> None:
        try:
            for fellow in self._others():
                self._fellows.send(fellow, encode(Ask(self._core.height)))
            self._ask_later()
            while not self._refusal or (self._pool and not self._others()):
                await self._step()
        except Exception:
            log.exception("[channel: %s] the chain stops", self._support.channel_id)
            self._refusal = "the chain has failed"
            self._timers.stop()
            self._release(self._refusal)

    async def _step(self) -> None:
        """Messages first, then a slice of mining, then rest until there is something to do."""
        if self._inbox:
            sender, message = self._inbox.popleft()
            await self._carry_out(self._heard(sender, message))
        elif self._may_mine():
            await self._mine()
            await asyncio.sleep(0)  # the other nodes of this process get their turn
        else:
            self._work.clear()
            await self._work.wait()

    def _heard(self, sender: int, data: bytes) -> list[Effect]:
        try:
            message = decode(data)
            if isinstance(message, Submit):
                envelope = parse(Envelope, message.envelope, "envelope")
                self._take(Waiting(envelope, message.config_sequence, message.is_config))
                return []
        except MalformedMessage as error:
            log.warning("[channel: %s] from %d: %s", self._support.channel_id, sender, error)
            return []
        effects = self._core.receive(sender, message)
        if self._core.promised_to_other:
            self._doubt_later()
        return effects

    def _take(self, message: Waiting) -> None:
        """A message that another consenter has accepted; it is judged before it is cut."""
        if self._pool.add_told(Waiting(message.envelope, -1, message.is_config)):
            self._added()

    async def _carry_out(self, effects: list[Effect]) -> None:
        for effect in effects:
            match effect:
                case Send(to=to, message=message):
                    self._fellows.send(to, encode(message))
                case Save(votes=votes):
                    await self._save(votes)
                case SendDecided(to=to, height=height):
                    self._send_decided(to, height)
                case Decide(candidate=candidate):
                    await self._write(candidate)

    async def _save(self, votes: Votes) -> None:
        if self._others():  # who is alone has nobody to keep his word to
            await self._store.save(votes)

    def _send_decided(self, to: int, height: int) -> None:
        last = min(self._support.height, height + _AT_ONCE)
        for number in range(height, last):
            block = self._support.get_block(number)
            self._fellows.send(to, encode(Decided(number, candidate_of(block))))

    def _may_mine(self) -> bool:
        if self._core.deciding or self._core.attempting or self._core.promised_to_other:
            return False
        return self._mined is not None or self._wants_block()

    def _wants_block(self) -> bool:
        if not self._pool:
            return False
        if self._cut_now or self._refusal or self._cutting is CuttingMode.IDLE:
            return True
        return self._pool.batch(self._support.orderer_config.batch_size)[1]

    async def _mine(self) -> None:
        """Try some nonces; a hit is proposed."""
        if self._mined is None:
            mining = self._mining or self._begin()
            if mining is None:
                return
            self._mining = mining
            self._mined = mining.try_some(self._signer)
        if self._mined is not None:
            self._doubt_later()
            await self._carry_out(self._core.propose(self._mined))

    def _begin(self) -> Mining | None:
        self._judge_again()
        batch, _ = self._pool.batch(self._support.orderer_config.batch_size)
        if not batch:
            return None
        block = self._support.create_next_block([each.envelope for each in batch])
        return Mining(block, self._own, self._config)

    def _judge_again(self) -> None:
        for message in self._pool.judged_before(self._support.sequence):
            found = message.judged(self._support)
            if found is None:
                self._pool.forget(message)
                self._settle_cuts(None)
            else:
                self._pool.replace(message, found)

    def _is_good(self, candidate: Candidate) -> bool:
        """Whether a candidate is the next block and its maker won the right to it."""
        try:
            check_candidate(candidate, self._support.height, self._previous, self._config)
        except GridloomError as error:
            log.warning("[channel: %s] refusing a block: %s", self._support.channel_id, error)
            return False
        return True

    async def _write(self, candidate: Candidate) -> None:
        block = parse(common_pb2.Block, candidate.block, "block")
        if is_config_block(block):
            await self._support.write_config_block(block, candidate.proof)
            self._config = read_config(self._support.orderer_config.metadata)
            self._join(self._config.number_of(self._signer.serialized))
        else:
            await self._support.write_block(block, candidate.proof)
        self._previous = header_hash(block.header)
        self._pool.drop(block.data.data)
        self._mined = self._mining = None
        self._timers.stop("batch", "doubt")
        self._core.advance(self._support.height, self._own, len(self._config.consenters))
        self._settle_cuts(block.header.number)
        if len(self._pool) <= MOST_WAITING:
            self._room.set()
        if self._pool:
            self._added()

    def _join(self, own: int | None) -> None:
        """Go on under the number of a new configuration, or not at all."""
        self._fellows.configure(self._config)
        if own is None:
            self._own, self._refusal = _NOBODY, _NO_CONSENTER
            log.warning("[channel: %s] %s any more", self._support.channel_id, _NO_CONSENTER)
            self._release(_NO_CONSENTER)
        else:
            self._own = own

    def _settle_cuts(self, number: int | None) -> None:
        left = self._pool.keys()
        waiting, self._cuts = self._cuts, []
        for wanted, written in waiting:
            if wanted & left:
                self._cuts.append((wanted, written))
            elif not written.done():
                written.set_result(number)
        self._cut_now = bool(self._cuts)

    def _on_batch_timeout(self) -> None:
        self._cut_now = bool(self._pool)
        self._work.set()

    def _ask_later(self) -> None:
        if self._others():
            self._timers.start("ask", ASK_INTERVAL, self._on_ask)

    def _on_ask(self) -> None:
        """A message may have been lost: ask one of the others, in turn."""
        others = self._others()
        self._asked += 1
        if others:
            self._fellows.send(others[self._asked % len(others)], encode(Ask(self._core.height)))
        self._ask_later()

    def _doubt_later(self) -> None:
        if "doubt" not in self._timers:
            seconds = PATIENCE * (1 + self._jitter())
            self._timers.start("doubt", seconds, self._on_doubt)

    def _on_doubt(self) -> None:
        """Nobody has finished this block in time: try ourselves, in a later round."""
        self._core.doubt()
        if self._pool or self._mined is not None:
            self._doubt_later()
        self._work.set()

    def _release(self, reason: str) -> None:
        """Let nobody wait for what will not happen."""
        self._room.set()
        self.errored.set()
        for _, written in self._cuts:
            if not written.done():
                written.set_exception(ChainUnavailable(self._support.channel_id, reason))
        self._cuts.clear()
