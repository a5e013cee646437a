"""The commit pipeline: from an orderer's stream to whoever waits for a transaction."""

import asyncio
import threading
from contextlib import aclosing

import pytest

from gridloom.common import blocks
from gridloom.common.deliver_client import Backoff, DeliverClient
from gridloom.common.rpc import Channel
from gridloom.peer.channel import ChannelStopped
from gridloom.peer.ledger.committing import see_through
from gridloom.peer.ledger.errors import StoreFailed
from gridloom.peer.ledger.store import BlockRecord
from gridloom.peer.validation.message_validation import read_committed
from gridloom.protos.common.common_pb2 import Block
from harness.block_orderer import BlockOrderer
from harness.consortium import clock, consortium
from harness.golden_channel import BLOCKS, GoldenPeer, ordered_block, peer_block, verdicts

ALL = [ordered_block(number) for number in range(BLOCKS)]


@pytest.fixture
async def peer():
    peer = GoldenPeer("memory")
    yield peer
    await peer.close()


def client(peer: GoldenPeer, *orderers: Channel) -> DeliverClient:
    turns = iter(range(1000))
    return DeliverClient(
        "golden1",
        lambda: orderers[next(turns) % len(orderers)],
        consortium().peer(),
        clock,
        consortium().random_bytes,
        verify=peer.channel.verify,
        backoff=Backoff(first=0.001),
    )


def spoiled(number: int) -> Block:
    """A golden block whose content its orderer never signed."""
    block = Block()
    block.CopyFrom(ordered_block(number))
    block.data.data.append(block.data.data[0])
    block.header.data_hash = blocks.data_hash(block.data.data)
    return block


def tx_id(number: int, index: int = 0) -> str:
    return read_committed(peer_block(number))[index].indexed_id


async def test_blocks_are_pulled_and_committed_one_after_the_other(peer):
    peer.channel.start(client(peer, BlockOrderer(ALL)))
    await peer.channel.wait_for(BLOCKS)
    assert peer.channel.ledger.commit_hash.hex() == verdicts()[-1].commit_hash


@pytest.mark.parametrize(
    ("longest", "is_remote", "on_loop"),
    [
        pytest.param(1, False, {1}, id="as long as a block may be"),
        pytest.param(0, False, set(), id="longer"),
        pytest.param(64, True, set(), id="look-ups go to another process"),
        pytest.param(64, False, {1, 2, 3, 4}, id="all blocks are short"),
    ],
)
async def test_short_blocks_are_judged_and_written_on_the_loop(
    peer, monkeypatch, longest, is_remote, on_loop
):
    judged, written = set(), set()
    judge, writing = peer.channel._judge, peer.channel.ledger._store.committing

    def watched(block: Block) -> object:
        if threading.current_thread() is threading.main_thread():
            judged.add(len(block.data.data))
        return judge(block)

    def watched_writing(record: BlockRecord) -> object:
        if threading.current_thread() is threading.main_thread():
            written.add(len(record.block.data.data))
        return writing(record)

    monkeypatch.setattr("gridloom.peer.channel.LONGEST_ON_LOOP", longest)
    monkeypatch.setattr(type(peer.channel.ledger), "is_remote", is_remote)
    monkeypatch.setattr(peer.channel, "_judge", watched)
    monkeypatch.setattr(peer.channel.ledger._store, "committing", watched_writing)
    peer.channel.start(client(peer, BlockOrderer(ALL)))
    await peer.channel.wait_for(BLOCKS)
    assert peer.channel.ledger.commit_hash.hex() == verdicts()[-1].commit_hash
    assert judged == written == on_loop


@pytest.fixture
def disk(peer, monkeypatch):
    """A disk that is slow: ``waited_for`` tells that a block is written, ``sync`` lets it go on."""
    disk = SlowDisk()
    committing = peer.channel.ledger.committing

    def slow(*args: object) -> object:
        steps = committing(*args)
        next(steps)
        yield
        disk.waited_for.set()
        assert disk.sync.wait(60)
        return see_through(steps)

    monkeypatch.setattr(peer.channel.ledger, "committing", slow)
    return disk


class SlowDisk:
    def __init__(self) -> None:
        self.waited_for, self.sync = threading.Event(), threading.Event()


async def test_a_block_that_is_being_stored_is_stored_when_the_channel_stops(peer, disk):
    height = peer.channel.height
    peer.channel.start(client(peer, BlockOrderer(ALL)))
    await asyncio.to_thread(disk.waited_for.wait, 60)
    stopping = asyncio.create_task(peer.channel.stop())
    await asyncio.sleep(0.01)
    disk.sync.set()
    await stopping
    assert peer.channel.height == height + 1


@pytest.mark.parametrize("longest", [64, 0])
async def test_the_loop_goes_on_while_the_disk_is_waited_for(peer, disk, monkeypatch, longest):
    monkeypatch.setattr("gridloom.peer.channel.LONGEST_ON_LOOP", longest)
    height = peer.channel.height
    peer.channel.start(client(peer, BlockOrderer(ALL)))
    await asyncio.to_thread(disk.waited_for.wait, 60)
    assert peer.channel.height == height, "a block is not told of before it is durable"
    disk.sync.set()
    await peer.channel.wait_for(BLOCKS)


@pytest.mark.parametrize("longest", [64, 0])
async def test_a_block_that_cannot_be_stored_stops_the_channel(peer, monkeypatch, longest):
    def full(*args: object) -> object:
        raise StoreFailed("here", "disk full")
        yield

    monkeypatch.setattr("gridloom.peer.channel.LONGEST_ON_LOOP", longest)
    monkeypatch.setattr(peer.channel.ledger, "committing", full)
    height = peer.channel.height
    peer.channel.start(client(peer, BlockOrderer(ALL)))
    await peer.channel.errored.wait()
    assert str(peer.channel.failure) == (
        f"channel {peer.channel.channel_id} has stopped at block {height}: here: disk full"
    )
    assert peer.channel.height == height


async def test_who_waits_for_a_transaction_is_told_its_code_and_block(peer):
    orderer = BlockOrderer(ALL[:9])
    peer.channel.start(client(peer, orderer))
    invalid = asyncio.create_task(peer.channel.wait_for_transaction(tx_id(40)))
    valid = asyncio.create_task(peer.channel.wait_for_transaction(tx_id(41)))
    assert await peer.channel.wait_for_transaction(tx_id(8, 2)) == (0, 8)
    assert peer.channel.block_number_of(tx_id(40)) is None
    orderer.add(*ALL[9:])
    assert await invalid == (10, 40)
    assert await valid == (0, 41)
    assert peer.channel.block_number_of(tx_id(40)) == 40


async def test_of_two_transactions_with_one_id_the_first_is_told(peer):
    waiting = asyncio.create_task(peer.channel.wait_for_transaction(tx_id(47)))
    await asyncio.sleep(0)
    await peer.commit_up_to(48)
    assert await waiting == (0, 47)
    assert await peer.channel.wait_for_transaction(tx_id(47)) == (0, 47)


async def test_who_stops_waiting_is_forgotten(peer):
    waiting = asyncio.create_task(peer.channel.wait_for_transaction("never"))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.wait([waiting])
    await peer.commit_up_to(3)
    assert waiting.cancelled()


async def test_a_block_that_is_not_believed_is_fetched_from_another_orderer(peer):
    liar = BlockOrderer([*ALL[:5], spoiled(5)])
    honest = BlockOrderer(ALL[:10])
    peer.channel.start(client(peer, liar, honest))
    await peer.channel.wait_for(10)
    assert (liar.connections, honest.connections) == ([1], [5])
    assert peer.channel.failure is None


async def test_an_orderer_that_is_down_is_tried_again(peer):
    orderer = BlockOrderer(ALL[:4])
    orderer.broken = True
    peer.channel.start(client(peer, orderer))
    await orderer.attempts.wait_for(3)
    orderer.broken = False
    await peer.channel.wait_for(4)
    assert set(orderer.connections) == {1}


async def test_after_a_stop_the_next_start_goes_on_where_it_was(peer):
    orderer = BlockOrderer(ALL)
    peer.channel.start(client(peer, orderer))
    await peer.channel.wait_for(20)
    await peer.channel.stop()
    height = peer.channel.height
    await peer.channel.stop()
    assert peer.channel.height == height
    peer.channel.start(client(peer, orderer))
    await peer.channel.wait_for(BLOCKS)
    assert orderer.connections == [1, height]


async def test_an_unusable_config_block_stops_the_channel_for_good(peer):
    await peer.commit_up_to(51)
    twice = Block()
    twice.CopyFrom(ordered_block(50))
    twice.header.number = 51
    twice.header.previous_hash = blocks.header_hash(ordered_block(50).header)
    waiting = asyncio.create_task(peer.channel.wait_for_transaction("later"))
    await asyncio.sleep(0)
    with pytest.raises(ChannelStopped, match="has stopped at block 51"):
        await peer.channel.commit(twice)
    for attempt in (waiting, peer.channel.commit(ordered_block(51))):
        with pytest.raises(ChannelStopped):
            await attempt
    with pytest.raises(ChannelStopped):
        await peer.channel.wait_for_transaction("later still")
    assert await peer.channel.wait_for_transaction(tx_id(8)) == (0, 8)
    assert peer.channel.errored.is_set()
    assert (peer.channel.height, peer.channel.bundle.sequence) == (51, 1)


async def test_a_stopped_channel_pulls_no_more(peer):
    orderer = BlockOrderer([*ALL[:3], ordered_block(3)])
    await peer.commit_up_to(2)
    await peer.channel.commit(ordered_block(2))
    with pytest.raises(ChannelStopped):
        await peer.channel.commit(ordered_block(2))
    peer.channel.start(client(peer, orderer))
    await orderer.attempts.wait_for(1)
    await peer.channel.stop()
    assert peer.channel.height == 3


async def test_committed_blocks_are_followed_from_any_number(peer):
    await peer.commit_up_to(5)
    seen = []
    async with aclosing(peer.channel.committed_blocks(3)) as followed:
        async for block in followed:
            seen.append(block.header.number)
            if len(seen) == 2:
                await peer.commit_up_to(7)
            if len(seen) == 4:
                break
    assert seen == [3, 4, 5, 6]


async def test_events_are_those_of_valid_transactions_also_from_old_blocks(peer):
    fresh = {}
    while peer.channel.height < BLOCKS:
        await peer.commit_next()
        number = peer.channel.height - 1
        fresh[number] = peer.channel.events_of(peer.channel.get_block(number))
    await peer.restart()
    old = {n: peer.channel.events_of(peer.channel.get_block(n)) for n in range(1, BLOCKS)}
    assert fresh == old
    (event,) = (event for events in old.values() for event in events)
    assert (event.chaincode_id, bool(event.payload)) == ("gold", True)


async def test_an_orderer_that_fails_in_no_known_way_stops_the_channel_audibly(peer):
    class Confused(BlockOrderer):
        def stream(self, *args, **kwargs):
            raise ZeroDivisionError("by zero")

    peer.channel.start(client(peer, Confused()))
    with pytest.raises(ChannelStopped, match="by zero"):
        await peer.channel.wait_for_transaction("any")


async def test_a_definition_is_found_once_it_is_committed(peer):
    await peer.commit_up_to(3)
    assert peer.channel.definition("gold") is None
    await peer.commit_next()
    definition = peer.channel.definition("gold")
    assert definition is not None
    assert (definition.sequence, definition.version) == (1, "1.0")
