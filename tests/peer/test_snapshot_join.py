"""A peer that joins a channel from a snapshot, asked by its administrator over cscc."""

import asyncio
import threading
from contextlib import aclosing

import pytest

from gridloom.client.admin import (
    ChannelAdmin,
    EndorsementError,
    Invocation,
    SnapshotAdmin,
    SnapshotJoinError,
)
from gridloom.common.channel.errors import ConfigError
from gridloom.common.deliver import DeliverHandler
from gridloom.common.envelopes import (
    NEVER,
    NEWEST,
    NEXT_COMMIT,
    OLDEST,
    block_position,
    seek_envelope,
)
from gridloom.common.rpc import Call
from gridloom.common.rpc.local import LocalChannel
from gridloom.peer.chaincodes.host import ChaincodeHost
from gridloom.peer.chaincodes.lifecycle.store import MemoryPackageStore
from gridloom.peer.deliver import BlockResponses
from gridloom.peer.ledger.errors import LedgerExists
from gridloom.peer.ledger.provider import LedgerProvider
from gridloom.peer.ledger.snapshots.errors import HashMismatch, JoinInProgress, SnapshotDamaged
from gridloom.peer.ledger.snapshots.record import encode_record
from gridloom.peer.ledger.snapshots.stored_snapshot import StoredSnapshot
from gridloom.peer.ledger.state_db import Version, VersionedValue
from gridloom.peer.node import Peer
from gridloom.protos.common.configtx_pb2 import ConfigEnvelope
from gridloom.protos.orderer.ab_pb2 import SeekInfo
from harness.block_orderer import BlockOrderer
from harness.consortium import Consortium, clock, consortium
from harness.golden_channel import BLOCKS, ordered_block, verdicts
from harness.golden_peer import NoPeers
from harness.snapshots import chunks, copied, forge, golden_snapshot


class Bench:
    """A peer without channels, an orderer with the golden one's blocks, and an administrator."""

    def __init__(self, storage):
        self.orderer = BlockOrderer([ordered_block(number) for number in range(BLOCKS)])
        self.storage = storage
        self.admin = SnapshotAdmin(consortium().user(1, "Admin"), now=clock)
        self.start()

    def start(self):
        self.ledgers = LedgerProvider(self.storage)
        self.peer = Peer(
            consortium().peer(),
            consortium().material.msp_config("Org1MSP"),
            self.ledgers,
            ChaincodeHost(MemoryPackageStore(), {}),
            orderers=lambda endpoint: self.orderer,
            peers=NoPeers(),
            now=clock,
            random_bytes=Consortium(seed=6).random_bytes,
        )
        self.services = LocalChannel(self.peer.services())


@pytest.fixture
async def bench(tmp_path):
    bench = Bench(tmp_path / "ledgers")
    yield bench
    await bench.peer.stop()


@pytest.fixture
def held(monkeypatch):
    """No snapshot is verified before this event is set."""
    held, real = threading.Event(), StoredSnapshot.open

    def wait(folder):
        assert held.wait(250)
        return real(folder)

    monkeypatch.setattr(StoredSnapshot, "open", wait)
    yield held
    held.set()


async def test_a_peer_goes_on_behind_the_snapshot_with_the_orderers_blocks(bench, taken):
    await bench.peer.start()
    assert await bench.admin.join_and_wait(bench.services, str(taken[30])) == "golden1"
    channel = bench.peer.channel("golden1")
    await asyncio.wait_for(channel.wait_for(BLOCKS), 60)
    assert bench.orderer.connections == [31]
    assert channel.ledger.commit_hash.hex() == verdicts()[65].commit_hash
    await bench.peer.stop()
    bench.start()
    await bench.peer.start()
    assert bench.peer.channel("golden1").height == BLOCKS


async def test_a_peer_that_is_stopped_pulls_when_it_starts(bench, taken):
    await bench.admin.join_and_wait(bench.services, str(taken[48]))
    assert bench.orderer.connections == []
    await bench.peer.start()
    await asyncio.wait_for(bench.peer.channel("golden1").wait_for(50), 60)
    assert bench.orderer.connections == [49]


async def test_the_real_peers_snapshot_can_be_joined(bench):
    assert await bench.admin.join_and_wait(bench.services, str(golden_snapshot())) == "golden1"
    channel = bench.peer.channel("golden1")
    assert (channel.height, channel.first, channel.bundle.sequence) == (66, 66, 1)
    definition = channel.definition("gold")
    assert (definition.version, definition.sequence) == ("2.0", 2)


async def test_one_channel_is_joined_at_a_time(bench, held, taken):
    folder = str(taken[30])
    assert await bench.admin.joining_from(bench.services) is None
    await bench.admin.join(bench.services, folder)
    assert await bench.admin.joining_from(bench.services) == folder
    words = (
        f"a ledger is being created from a snapshot at {folder}. "
        "Call ledger creation again after it is done."
    )
    with pytest.raises(EndorsementError) as refused:
        await bench.admin.join(bench.services, str(taken[3]))
    assert refused.value.message == f"cannot create ledger from snapshot {taken[3]}: {words}"
    channels = ChannelAdmin(consortium().user(1, "Admin"), now=clock)
    with pytest.raises(EndorsementError) as refused:
        await channels.join(bench.services, consortium().genesis())
    assert refused.value.message == f"cannot create ledger from genesis block: {words}"
    with pytest.raises(JoinInProgress, match="is being created from a snapshot"):
        bench.peer.join(consortium().genesis())
    held.set()
    await bench.peer._snapshot_join.finish()
    assert await bench.admin.joining_from(bench.services) is None
    assert bench.peer.channel_ids() == ["golden1"]
    bench.peer.join(consortium().genesis())
    assert bench.peer.channel_ids() == ["golden1", "mychannel"]


async def test_stopping_waits_for_the_join(bench, held, taken):
    task = bench.peer.join_by_snapshot(str(taken[30]))
    threading.Timer(0.05, held.set).start()
    await bench.peer.stop()
    assert task.done()
    bench.start()
    assert bench.peer.channel_ids() == ["golden1"]


def truncated(folder):
    (folder / "public_state.data").write_bytes(b"\x01")
    return folder


def with_config(folder, config):
    entry = VersionedValue(config.SerializeToString() or b"\x0a\x00", Version(0, 0))
    record = encode_record(b"CHANNEL_CONFIG_ENV_BYTES", entry)
    files = {"public_state.data": chunks(record), "public_state.metadata": b"\x01\x01\x00\x01"}
    return forge(folder, files)


def without_application(folder):
    config = StoredSnapshot.open(folder).config()
    config.ClearField("last_update")
    bare = ConfigEnvelope(config=config.config)
    del bare.config.channel_group.groups["Application"]
    del bare.config.channel_group.groups["Orderer"]
    return with_config(folder, bare)


@pytest.mark.parametrize(
    ("spoil", "error", "reason"),
    [
        (truncated, HashMismatch, "hash mismatch for file"),
        (lambda folder: with_config(folder, ConfigEnvelope()), ConfigError, ""),
        (without_application, ConfigError, "does not contain application config"),
        (lambda folder: forge(folder, {"txids.metadata": b"\x01\x01"}), SnapshotDamaged, "txids"),
    ],
)
async def test_a_snapshot_that_cannot_be_used_leaves_nothing(
    bench, tmp_path, caplog, spoil, error, reason
):
    folder = spoil(copied(golden_snapshot(), tmp_path / "spoilt"))
    with pytest.raises(error, match=reason or None):
        await bench.peer.join_by_snapshot(str(folder))
    assert f"cannot create ledger from snapshot {folder}: " in caplog.text
    assert (bench.peer.channel_ids(), bench.peer.joining_from) == ([], None)
    assert not list(tmp_path.glob("ledgers/*"))
    with pytest.raises(SnapshotJoinError, match="see the peer's log"):
        await bench.admin.join_and_wait(bench.services, str(folder))
    assert await bench.admin.join_and_wait(bench.services, str(golden_snapshot())) == "golden1"


async def test_a_channel_that_was_joined_stays_as_it_is(bench, taken, caplog):
    await bench.peer.join_by_snapshot(str(taken[30]))
    with pytest.raises(LedgerExists):
        await bench.peer.join_by_snapshot(str(taken[65]))
    assert "ledger [golden1] already exists with state [ACTIVE]" in caplog.text
    assert bench.peer.channel("golden1").height == 31


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ("missing", "cannot create ledger from snapshot {0}: error opening dir [{0}]: No such"),
        ("empty", "cannot create ledger from snapshot {0}: {0}: snapshot dir {0} is empty"),
        ("file", "cannot create ledger from snapshot {0}: error opening dir [{0}]: Not a dir"),
        ("a\x00b", "cannot create ledger from snapshot {0}: error opening dir [{0}]: "),
        ("", "Cannot join the channel, no snapshot directory provided"),
    ],
)
async def test_a_folder_without_a_snapshot_is_refused_at_once(bench, tmp_path, place, words):
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_bytes(b"")
    folder = str(tmp_path / place) if place else ""
    with pytest.raises(EndorsementError) as refused:
        await bench.admin.join(bench.services, folder)
    assert refused.value.status == 500
    assert refused.value.message.startswith(words.format(folder))
    assert bench.peer.joining_from is None


@pytest.mark.parametrize("function", [b"JoinChainBySnapshot", b"JoinBySnapshotStatus"])
async def test_only_administrators_may_join(bench, taken, function):
    user = Invocation(consortium().user(1), now=clock)
    with pytest.raises(EndorsementError) as refused:
        await user.query(bench.services, "", "cscc", function, str(taken[30]).encode())
    assert refused.value.status == 500
    assert refused.value.message.startswith(f"access denied for [{function.decode()}]: ")
    assert bench.peer.joining_from is None


def delivered(channel, start, stop, **options):
    """What delivery answers a reader of a channel: numbers of blocks, statuses with a minus."""
    handler = DeliverHandler({channel.channel_id: channel}.get, clock)
    signer = consortium().user(1)
    seek = SeekInfo.BLOCK_UNTIL_READY
    request = seek_envelope(
        channel.channel_id, start, stop, seek, signer, clock, b"nonce", **options
    )

    async def requests():
        yield request

    async def shown():
        answers = handler.handle(requests(), Call(), BlockResponses(), lambda *_: None)
        async with aclosing(answers):
            async for answer in answers:
                is_block = answer.HasField("block")
                yield answer.block.header.number if is_block else -answer.status

    return shown()


async def test_blocks_before_the_snapshot_are_not_delivered(bench, taken):
    await bench.peer.join_by_snapshot(str(taken[30]))
    channel = bench.peer.channel("golden1")
    for start in (OLDEST, block_position(0), block_position(30), block_position(32)):
        assert [each async for each in delivered(channel, start, NEVER)] == [-404]
    newest = delivered(channel, NEWEST, NEWEST)
    first = asyncio.ensure_future(anext(newest))
    following = asyncio.ensure_future(anext(delivered(channel, NEXT_COMMIT, NEVER)))
    await asyncio.sleep(0)
    await channel.commit(ordered_block(31))
    assert await asyncio.wait_for(first, 60) == 31
    assert [each async for each in newest] == [-200]
    assert await asyncio.wait_for(following, 60) == 31
    assert [each async for each in delivered(channel, block_position(31), NEWEST)] == [31, -200]
    assert [each async for each in delivered(channel, OLDEST, NEWEST)] == [-404]
