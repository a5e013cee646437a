"""Ledgers that begin with a snapshot, and snapshots that none begins with."""

import pytest

from gridloom.common.blocks import new_block
from gridloom.common.channel.bundle import ChannelBundle
from gridloom.peer.channel import PeerChannel, stored_bundle
from gridloom.peer.ledger.errors import (
    BlockRejected,
    BlockUnavailable,
    LedgerExists,
    NotInIndex,
    TransactionUnavailable,
)
from gridloom.peer.ledger.ledger import LAST_BLOCK
from gridloom.peer.ledger.provider import LedgerProvider
from gridloom.peer.ledger.snapshots.record import encode_record
from gridloom.peer.ledger.snapshots.stored_snapshot import StoredSnapshot
from gridloom.peer.ledger.sqlite import SqliteStore
from gridloom.peer.ledger.state_db import Version, VersionedValue
from gridloom.peer.validation.message_validation import read_committed
from gridloom.protos.common.configtx_pb2 import ConfigEnvelope
from gridloom.protos.peer.transaction_pb2 import DUPLICATE_TXID
from harness.golden_channel import CHANNEL, ordered_block, peer_block, verdicts
from harness.ledger import golden_block, replay_golden
from harness.snapshots import (
    chunks,
    contents,
    copied,
    counted,
    forged,
    golden_snapshot,
    history_key,
    take_snapshot,
    wait_for_snapshots,
)


def joined(provider, folder):
    """A channel that has just been joined from a snapshot."""
    ledger = provider.create_from_snapshot(StoredSnapshot.open(folder))
    return channel_over(ledger)


def channel_over(ledger):
    channel = PeerChannel(stored_bundle(ledger), ledger, lambda _: channel.bundle.msp_manager)
    return channel


async def follow(channel, until=66):
    """Commit golden blocks, each with the real peer's verdict."""
    for number in range(channel.height, until):
        channel.verify(ordered_block(number))
        committed = await channel.commit(ordered_block(number))
        assert committed.commit_hash.hex() == verdicts()[number].commit_hash
        assert tuple(t.code for t in committed.transactions) == verdicts()[number].codes
        assert committed.block == peer_block(number)


@pytest.mark.parametrize("number", [0, 3, 30])
async def test_blocks_behind_a_snapshot_get_the_real_peers_verdicts(
    provider, taken, tmp_path, number
):
    channel = joined(provider, taken[number])
    assert channel.height == number + 1
    await follow(channel)
    folder = take_snapshot(channel.ledger, tmp_path / "snapshots")
    assert contents(folder) == contents(golden_snapshot())
    await channel.stop()


async def test_a_channel_from_a_snapshot_goes_on_after_restarts(taken, tmp_path):
    provider = LedgerProvider(tmp_path / "ledgers", tmp_path / "snapshots")
    channel = joined(provider, taken[30])
    channel.ledger.request_snapshot(65)
    for until in (31, 32, 50, 66):
        await channel.stop()
        provider.close()
        provider = LedgerProvider(tmp_path / "ledgers", tmp_path / "snapshots")
        assert provider.list() == [CHANNEL]
        channel = channel_over(provider.open(CHANNEL))
        assert channel.first == 31
        await follow(channel, until)
    wait_for_snapshots(channel.ledger)
    made = tmp_path / "snapshots" / "completed" / "golden1" / "65"
    assert contents(made) == contents(golden_snapshot())
    await channel.stop()
    provider.close()


def test_the_real_peers_snapshot_makes_a_ledger(provider):
    ledger = joined(provider, golden_snapshot()).ledger
    info = ledger.info()
    assert (info.height, ledger.height, ledger.first) == (66, 66, 66)
    assert info.bootstrappingSnapshotInfo.lastBlockInSnapshot == 65
    assert info.currentBlockHash.hex().startswith("d6cee5ef982d6d2d")
    assert info.previousBlockHash == golden_block(65).header.previous_hash
    assert ledger.commit_hash.hex() == verdicts()[65].commit_hash
    state = ledger.snapshot()
    assert state.get("gold", b"d1") == VersionedValue(b"1", Version(47, 0))
    assert len(list(state.range("_lifecycle$$h_implicit_org_Org1MSP", b"", b""))) == 18
    state.close()
    assert list(ledger.history("gold", "counter")) == []
    rows = [(row.namespace, row.block) for row in ledger.collection_history()]
    assert rows == [("gold", 53), ("gold", 3)]
    assert stored_bundle(ledger).sequence == 1


def test_a_snapshot_of_the_joined_ledger_equals_the_one_it_came_from(provider, tmp_path):
    ledger = joined(provider, golden_snapshot()).ledger
    folder = take_snapshot(ledger, tmp_path / "snapshots")
    assert contents(folder) == contents(golden_snapshot())


def test_older_blocks_and_transactions_are_refused_in_fabrics_words(provider, taken):
    ledger = joined(provider, taken[30]).ledger
    behind = "The ledger is bootstrapped from a snapshot. First available block = [31]"
    for number, named in [(0, 0), (30, 30), (LAST_BLOCK, 30)]:
        with pytest.raises(BlockUnavailable) as refused:
            ledger.block(number)
        assert str(refused.value) == f"cannot serve block [{named}]. {behind}"
    with pytest.raises(NotInIndex, match=r"^no such block number \[31\] in index$"):
        ledger.block(31)
    tx_id = read_committed(golden_block(20))[0].tx_id
    for look_up in (ledger.transaction, ledger.block_by_tx_id):
        with pytest.raises(TransactionUnavailable) as refused:
            look_up(tx_id)
        assert str(refused.value) == (
            f"details for the TXID [{tx_id}] not available. "
            "Ledger bootstrapped from a snapshot. First available block = [31]"
        )
    assert ledger.has_transaction(tx_id)
    assert ledger.tx_status(tx_id) is None


async def test_an_id_in_the_snapshot_may_not_be_used_again(provider, taken):
    """The id of block 49's first transaction is that of one in block 48."""
    channel = joined(provider, taken[48])
    await follow(channel, 50)
    assert read_committed(channel.get_block(49))[0].code == DUPLICATE_TXID
    await channel.stop()


def test_a_block_that_does_not_follow_the_snapshot_is_refused(provider, taken):
    ledger = joined(provider, taken[30]).ledger
    for number in (30, 32):
        with pytest.raises(BlockRejected):
            ledger.commit(golden_block(number, "orderer"), [])
    forged = golden_block(31, "orderer")
    forged.header.previous_hash = bytes(32)
    with pytest.raises(BlockRejected, match="previous hash"):
        ledger.commit(forged, [])


def test_a_channel_is_joined_once(provider, taken):
    ledger = joined(provider, taken[30]).ledger
    with pytest.raises(LedgerExists, match=r"ledger \[golden1\] already exists with state"):
        provider.create_from_snapshot(StoredSnapshot.open(taken[65]))
    with pytest.raises(LedgerExists):
        provider.create(golden_block(0))
    assert provider.open(CHANNEL) is ledger
    assert ledger.height == 31


def test_a_channel_that_began_with_its_genesis_block_is_not_touched(provider, taken):
    ledger = provider.create(golden_block(0))
    replay_golden(ledger, 5)
    with pytest.raises(LedgerExists):
        provider.create_from_snapshot(StoredSnapshot.open(taken[30]))
    assert (provider.open(CHANNEL).height, ledger.first) == (5, 0)


def test_private_hashes_go_when_their_time_comes(provider, tmp_path):
    """Where data live three blocks, those of block 63 go with block 67."""
    package = bytes.fromhex("0a0e0a0c0a08636f6c6c426f74682803")  # collBoth, block_to_live 3
    key, namespace = b"\x07" * 32, b"gold$$hcollBoth"
    entry = encode_record(key, VersionedValue(b"\x08" * 32, Version(63, 0)))
    folder = forged(
        tmp_path,
        {
            "private_state_hashes.data": chunks(entry),
            "private_state_hashes.metadata": counted((namespace, 1)),
            "confighistory.data": chunks(history_key("gold", 3), package),
            "confighistory.metadata": b"\x01\x01",
        },
    )
    ledger = provider.create_from_snapshot(StoredSnapshot.open(folder))
    there = []
    for _ in range(3):
        ledger.commit(new_block(ledger.height, ledger.last_hash, []), [])
        state = ledger.snapshot()
        there.append(state.get(namespace.decode(), key) is not None)
        state.close()
    assert there == [True, False, False]


def test_the_configuration_is_the_one_in_force(taken):
    for number, sequence in [(30, 0), (65, 1)]:
        snapshot = StoredSnapshot.open(taken[number])
        bundle = ChannelBundle(snapshot.channel_id, snapshot.config().config)
        assert bundle.sequence == sequence
    assert isinstance(snapshot.config(), ConfigEnvelope)


def test_what_a_killed_join_has_left_is_no_ledger_and_in_nobodys_way(tmp_path):
    folder = tmp_path / "ledgers" / CHANNEL
    folder.mkdir(parents=True)
    SqliteStore(folder / "ledger.db").close()  # made, but nothing is committed
    provider = LedgerProvider(tmp_path / "ledgers")
    assert provider.list() == []
    assert joined(provider, golden_snapshot()).height == 66
    provider.close()


def test_what_a_killed_peer_was_writing_is_removed_when_it_starts(tmp_path, taken):
    half = tmp_path / "snapshots" / "temp" / "golden1-30-abc"
    half.mkdir(parents=True)
    (half / "txids.data").write_bytes(b"\x01half")
    complete = copied(taken[30], tmp_path / "snapshots" / "completed" / "golden1" / "30")
    LedgerProvider("memory", tmp_path / "snapshots").close()
    assert not half.exists()
    assert contents(complete) == contents(taken[30])
