"""The solo chain under virtual time: when it cuts, what it judges again, how it ends."""

import asyncio
from collections.abc import Callable
from datetime import timedelta

import pytest

from gridloom.common.channel.sections import BatchSize
from gridloom.common.errors import GridloomError
from gridloom.orderer.block_cutter import BlockCutter
from gridloom.orderer.chain import (
    LONGEST_REST,
    REST_PER_MESSAGE,
    ChainUnavailable,
    CuttingMode,
)
from gridloom.orderer.solo.chain import MAX_WAITING_BLOCKS, SoloChain
from gridloom.orderer.solo.rest import ENOUGH, LONGEST_WAIT
from gridloom.protos.common.common_pb2 import Block, Envelope


class VirtualTimer:
    """Time that passes when told to."""

    def __init__(self) -> None:
        self.now = 0.0
        self.running: list[tuple[float, Callable[[], None], VirtualHandle]] = []

    def __call__(self, seconds: float, action: Callable[[], None]) -> "VirtualHandle":
        handle = VirtualHandle(self)
        self.running.append((self.now + seconds, action, handle))
        return handle

    async def advance(self, seconds: float) -> None:
        end = self.now + seconds
        while due := [entry for entry in self.running if entry[0] <= end]:
            entry = min(due, key=lambda entry: entry[0])
            self.running.remove(entry)
            self.now = entry[0]
            entry[1]()
            await settle()
        self.now = end


class VirtualHandle:
    def __init__(self, timer: VirtualTimer) -> None:
        self.timer = timer

    def cancel(self) -> None:
        self.timer.running = [entry for entry in self.timer.running if entry[2] is not self]


class Config:
    batch_timeout = timedelta(seconds=2)

    def __init__(self, count: int = 3, preferred: int = 1000) -> None:
        self.batch_size = BatchSize(count, 10**6, preferred)


class FakeSupport:
    """Writes blocks into a list; a closed gate holds writing back, as a slow disk does."""

    channel_id = "mychannel"

    def __init__(self) -> None:
        self.cutter = BlockCutter()
        self.orderer_config = Config()
        self.sequence = 0
        self.blocks: list[list[str]] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.forbidden: set[str] = set()
        self.judged: list[str] = []
        self.broken = False
        self.followers_busy = False
        self.followed: Callable[[], None] = lambda: None

    @property
    def height(self) -> int:
        return len(self.blocks)

    def process_normal(self, envelope: Envelope) -> int:
        return self.judge(envelope)

    def process_config(self, envelope: Envelope) -> tuple[Envelope, int]:
        sequence = self.judge(envelope)
        return Envelope(payload=envelope.payload + b"'"), sequence

    def judge(self, envelope: Envelope) -> int:
        name = envelope.payload.decode()
        self.judged.append(name)
        if name in self.forbidden:
            raise GridloomError("no longer allowed")
        return self.sequence

    def create_next_block(self, envelopes) -> Block:
        block = Block()
        block.header.number = self.height
        block.data.data.extend(envelope.payload for envelope in envelopes)
        return block

    async def write_block(self, block: Block, consenter_metadata: bytes = b"") -> None:
        await self.gate.wait()
        if self.broken:
            raise OSError("disk on fire")
        self.blocks.append([data.decode() for data in block.data.data])

    def when_followed(self, action: Callable[[], None]) -> None:
        self.followed = action
        if not self.followers_busy:
            action()

    async def write_config_block(self, block: Block, consenter_metadata: bytes = b"") -> None:
        await self.write_block(block)
        self.sequence += 1
        self.orderer_config = Config(count=2)


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


class Bench:
    def __init__(self, cutting: CuttingMode) -> None:
        self.support = FakeSupport()
        self.timer = VirtualTimer()
        self.chain = SoloChain(self.support, cutting, self.timer, lambda: self.timer.now)
        self.chain.start()

    @property
    def blocks(self) -> list[str]:
        return [" ".join(block) for block in self.support.blocks]

    async def order(self, names: str, sequence: int = 0) -> None:
        for name in names.split():
            await self.chain.order(Envelope(payload=name.encode()), sequence)
        await settle()

    async def configure(self, name: str, sequence: int = 0) -> None:
        await self.chain.configure(Envelope(payload=name.encode()), sequence)
        await settle()


@pytest.fixture
async def bench(request):
    bench = Bench(request.param)
    yield bench
    bench.support.gate.set()
    await bench.chain.halt()


def sizes(bench: Bench) -> list[int]:
    return [len(block) for block in bench.support.blocks]


def cutting(mode: CuttingMode):
    return pytest.mark.parametrize("bench", [mode], indirect=True, ids=[mode.value])


all_modes = pytest.mark.parametrize(
    "bench", list(CuttingMode), indirect=True, ids=[mode.value for mode in CuttingMode]
)
timeout = cutting(CuttingMode.BATCH_TIMEOUT)
idle = cutting(CuttingMode.IDLE)
manual = cutting(CuttingMode.MANUAL)


@timeout
async def test_a_batch_is_cut_when_its_first_message_has_waited_long_enough(bench) -> None:
    await bench.order("a")
    await bench.timer.advance(1.5)
    await bench.order("b")
    assert bench.blocks == []
    await bench.timer.advance(0.5)
    assert bench.blocks == ["a b"]
    await bench.timer.advance(100)
    assert bench.blocks == ["a b"]


@timeout
async def test_a_full_batch_stops_the_timer_and_the_next_message_starts_it_anew(bench) -> None:
    await bench.order("a b")
    await bench.timer.advance(1)
    await bench.order("c d")
    assert bench.blocks == ["a b c"]
    await bench.timer.advance(1.9)
    assert bench.blocks == ["a b c"]
    await bench.timer.advance(0.1)
    assert bench.blocks == ["a b c", "d"]


@timeout
async def test_an_overflowing_message_waits_under_the_timer_that_runs(bench) -> None:
    """As in Fabric: the timer is only stopped when nothing is pending."""
    bench.support.orderer_config = Config(preferred=3)
    await bench.order("aa")
    await bench.timer.advance(1)
    await bench.order("bb")
    assert bench.blocks == ["aa"]
    await bench.timer.advance(1)
    assert bench.blocks == ["aa", "bb"]


@timeout
async def test_the_timer_does_not_wait_for_the_disk(bench) -> None:
    bench.support.gate.clear()
    await bench.order("a b c d")
    await bench.timer.advance(2)
    await bench.order("e")
    bench.support.gate.set()
    await settle()
    assert bench.blocks == ["a b c", "d"]


@idle
async def test_a_lone_message_is_cut_at_once(bench) -> None:
    await bench.order("a")
    assert bench.blocks == ["a"]
    await bench.timer.advance(LONGEST_REST)
    await bench.order("b")
    assert bench.blocks == ["a", "b"]
    await bench.timer.advance(LONGEST_REST)
    assert bench.timer.running == []


@idle
async def test_what_arrives_while_a_block_is_written_forms_the_next(bench) -> None:
    bench.support.gate.clear()
    await bench.order("a")
    await bench.order("b c")
    assert bench.blocks == []
    bench.support.gate.set()
    await settle()
    await bench.timer.advance(LONGEST_REST)
    assert bench.blocks == ["a", "b c"]


@idle
async def test_a_block_is_followed_by_a_rest_as_long_as_it_was_full(bench) -> None:
    await bench.order("a")
    await bench.order("b")
    await bench.order("c")
    assert bench.blocks == ["a"]
    await bench.timer.advance(REST_PER_MESSAGE)
    assert bench.blocks == ["a", "b c"]
    await bench.order("d")
    await bench.timer.advance(REST_PER_MESSAGE)
    assert bench.blocks == ["a", "b c"]
    await bench.timer.advance(REST_PER_MESSAGE)
    assert bench.blocks == ["a", "b c", "d"]


@idle
async def test_a_full_batch_does_not_rest(bench) -> None:
    await bench.order("a")
    await bench.order("b c d e")
    assert bench.blocks == ["a", "b c d"]


@idle
async def test_the_next_block_waits_for_those_who_follow(bench) -> None:
    bench.support.followers_busy = True
    await bench.order("a")
    await bench.order("b")
    await bench.timer.advance(LONGEST_WAIT / 2)
    assert bench.blocks == ["a"]
    await bench.order("c")
    bench.support.followed()
    await settle()
    assert bench.blocks == ["a", "b c"]


@idle
async def test_enough_messages_wait_for_no_follower_that_nobody_sees(bench) -> None:
    bench.support.orderer_config = Config(count=1000)
    await bench.order("a b c d e")
    await bench.order("f " * (ENOUGH - 1))
    assert sizes(bench) == [5]
    await bench.order("g")
    assert sizes(bench) == [5, ENOUGH]


@idle
async def test_enough_messages_wait_for_followers_that_are_seen(bench) -> None:
    bench.support.orderer_config = Config(count=1000)
    bench.support.followers_busy = True
    await bench.order("a b c d e")
    await bench.order("f " * ENOUGH)
    await bench.timer.advance(0.001)
    assert sizes(bench) == [5]
    bench.support.followed()
    await settle()
    assert sizes(bench) == [5, ENOUGH]


@idle
async def test_followers_that_do_not_come_back_are_not_waited_for_longer_than_that(bench) -> None:
    bench.support.followers_busy = True
    await bench.order("a")
    await bench.order("b")
    await bench.timer.advance(LONGEST_WAIT - 0.0001)
    assert bench.blocks == ["a"]
    await bench.timer.advance(0.0002)
    assert bench.blocks == ["a", "b"]
    await bench.timer.advance(LONGEST_WAIT)
    bench.support.followed()
    assert bench.timer.running == []
    await bench.order("c")
    assert bench.blocks == ["a", "b", "c"]


@idle
async def test_a_chain_that_is_halted_waits_for_no_follower(bench) -> None:
    bench.support.followers_busy = True
    await bench.order("a")
    await bench.order("b")
    await bench.chain.halt()
    assert bench.blocks == ["a", "b"]
    assert bench.timer.running == []


@idle
async def test_a_burst_keeps_the_count_and_the_preferred_bytes(bench) -> None:
    bench.support.gate.clear()
    bench.support.orderer_config = Config(count=3, preferred=4)
    await bench.order("x")
    await bench.order("a b c dd ee f toolong g h i j")
    bench.support.gate.set()
    await settle()
    await bench.timer.advance(LONGEST_REST)
    assert bench.blocks == ["x", "a b c", "dd ee", "f", "toolong", "g h i", "j"]


@manual
async def test_nothing_is_cut_until_told_but_a_full_batch_is(bench) -> None:
    await bench.order("a b")
    await bench.timer.advance(1000)
    assert bench.blocks == []
    assert await bench.chain.cut() == 0
    assert bench.blocks == ["a b"]
    assert await bench.chain.cut() is None
    await bench.order("c d e f")
    assert bench.blocks == ["a b", "c d e"]
    assert await bench.chain.cut() == 2


@manual
async def test_cut_returns_only_when_the_block_is_written(bench) -> None:
    bench.support.gate.clear()
    await bench.order("a")
    cut = asyncio.ensure_future(bench.chain.cut())
    await settle()
    assert not cut.done()
    bench.support.gate.set()
    assert await cut == 0


@manual
async def test_cut_reaches_what_waits_behind_a_config_message(bench) -> None:
    bench.support.gate.clear()
    await bench.order("a")
    await bench.configure("config")
    await bench.order("b", sequence=1)
    cut = asyncio.ensure_future(bench.chain.cut())
    await settle()
    bench.support.gate.set()
    assert await cut == 2
    assert bench.blocks == ["a", "config", "b"]


@timeout
async def test_cut_works_in_the_other_modes_too_and_stops_the_timer(bench) -> None:
    await bench.order("a")
    assert await bench.chain.cut() == 0
    assert bench.timer.running == []


@all_modes
async def test_a_config_message_cuts_what_waits_and_is_alone(bench) -> None:
    bench.support.gate.clear()
    await bench.order("a")
    await bench.order("b")
    await bench.configure("config")
    await bench.order("c d", sequence=1)
    bench.support.gate.set()
    await settle()
    before = ["a", "b"] if bench.chain._cutting is CuttingMode.IDLE else ["a b"]
    assert bench.blocks == [*before, "config", "c d"]


@timeout
async def test_messages_behind_a_config_message_are_judged_and_cut_by_the_new_config(
    bench,
) -> None:
    bench.support.gate.clear()
    bench.support.forbidden = {"banned"}
    await bench.configure("config")
    await bench.order("a banned b c")
    assert bench.support.judged == []
    bench.support.gate.set()
    await settle()
    assert bench.support.judged == ["a", "banned", "b", "c"]
    assert bench.blocks == ["config", "a b"]
    await bench.timer.advance(2)
    assert bench.blocks == ["config", "a b", "c"]


@timeout
async def test_messages_judged_by_the_config_in_force_are_not_judged_again(bench) -> None:
    bench.support.sequence = 4
    await bench.order("a", sequence=4)
    await bench.order("b", sequence=3)
    assert bench.support.judged == ["b"]


@timeout
async def test_a_config_message_overtaken_by_another_is_computed_again_or_dropped(bench) -> None:
    bench.support.gate.clear()
    bench.support.forbidden = {"third"}
    for name in ("first", "second", "third"):
        await bench.configure(name)
    bench.support.gate.set()
    await settle()
    assert bench.blocks == ["first", "second'"]
    assert bench.support.judged == ["second", "third"]


@all_modes
async def test_halting_writes_what_was_accepted_and_accepts_no_more(bench) -> None:
    bench.support.gate.clear()
    await bench.order("a b c d")
    await bench.configure("config")
    await bench.order("e")
    halting = asyncio.ensure_future(bench.chain.halt())
    await settle()
    with pytest.raises(ChainUnavailable, match="halted"):
        await bench.order("f")
    bench.support.gate.set()
    await halting
    assert bench.blocks == ["a b c", "d", "config", "e"]
    assert bench.chain.errored.is_set()
    assert bench.timer.running == []


async def test_a_chain_accepts_nothing_before_its_start() -> None:
    chain = SoloChain(FakeSupport(), CuttingMode.IDLE, VirtualTimer(), lambda: 0.0)
    for attempt in (chain.order(Envelope(), 0), chain.configure(Envelope(), 0), chain.cut()):
        with pytest.raises(ChainUnavailable, match="not running"):
            await attempt
    with pytest.raises(ChainUnavailable, match="not running"):
        await chain.wait_ready()
    await chain.halt()


@manual
async def test_a_block_that_cannot_be_written_stops_the_chain_for_good(bench) -> None:
    bench.support.gate.clear()
    bench.support.broken = True
    await bench.order("a b c d")
    cut = asyncio.ensure_future(bench.chain.cut())
    await settle()
    bench.support.gate.set()
    with pytest.raises(ChainUnavailable, match="failed"):
        await cut
    assert bench.chain.errored.is_set()
    for attempt in (bench.chain.order(Envelope(), 0), bench.chain.wait_ready(), bench.chain.cut()):
        with pytest.raises(ChainUnavailable, match="failed"):
            await attempt
    assert bench.blocks == []


@timeout
async def test_broadcast_is_held_back_while_too_many_blocks_wait_for_the_disk(bench) -> None:
    bench.support.gate.clear()
    bench.support.orderer_config = Config(count=1)
    await bench.order("a")
    for number in range(MAX_WAITING_BLOCKS):
        await bench.order(str(number))
        await asyncio.wait_for(bench.chain.wait_ready(), 60)
    await bench.order("last")
    ready = asyncio.ensure_future(bench.chain.wait_ready())
    await settle()
    assert not ready.done()
    bench.support.gate.set()
    await asyncio.wait_for(ready, 60)
    await settle()
    assert len(bench.blocks) == MAX_WAITING_BLOCKS + 2


@timeout
async def test_a_failing_chain_lets_nobody_wait_for_ever(bench) -> None:
    bench.support.gate.clear()
    bench.support.orderer_config = Config(count=1)
    await bench.order("a b c d e f g h")
    ready = asyncio.ensure_future(bench.chain.wait_ready())
    await settle()
    bench.support.broken = True
    bench.support.gate.set()
    with pytest.raises(ChainUnavailable):
        await ready
