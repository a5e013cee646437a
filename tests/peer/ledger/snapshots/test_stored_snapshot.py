"""Ledgers that begin with a snapshot, and snapshots that none begins with."""

import pytest

from gridloom.common.blocks import new_block
from gridloom.common.channel.bundle import ChannelBundle
from gridloom.common.errors import GridloomError
from gridloom.peer.channel import PeerChannel, stored_bundle
from gridloom.peer.ledger.errors import (
    BlockRejected,
    BlockUnavailable,
    LedgerExists,
    NotInIndex,
    StoreFailed,
    TransactionUnavailable,
)
from gridloom.peer.ledger.ledger import LAST_BLOCK
from gridloom.peer.ledger.provider import LedgerProvider
from gridloom.peer.ledger.snapshots.errors import HashMismatch, SnapshotDamaged, SnapshotError
from gridloom.peer.ledger.snapshots.record import encode_record
from gridloom.peer.ledger.snapshots.stored_snapshot import StoredSnapshot
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
    forge,
    golden_snapshot,
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


def forged(tmp_path, files=None, edit=None):
    return forge(copied(golden_snapshot(), tmp_path / "forged"), files, edit)


def counted(*namespaces):
    """A metadata file: so many entries of each namespace."""
    rows = (bytes([len(name)]) + name + bytes([count]) for name, count in namespaces)
    return bytes([1, len(namespaces)]) + b"".join(rows)


def history_key(name, block):
    return f"slscc\0{name}~collection".encode() + (2**64 - 1 - block).to_bytes(8, "big")


EARLY = Version(1, 0)


def state_entry(key=b"k", value=b"v", version=EARLY):
    return encode_record(key, VersionedValue(value, version))


FILES = sorted(path.name for path in golden_snapshot().iterdir() if path.name[0] != "_")


def refuse(provider, folder, error=SnapshotError, match=None):
    """Neither opened nor joined, and nothing is left."""
    with pytest.raises(error, match=match):
        provider.create_from_snapshot(StoredSnapshot.open(folder))
    assert provider.list() == []
    assert [path for path in folder.parent.rglob("*") if path.name == "golden1"] == []


@pytest.mark.parametrize("name", FILES)
def test_a_changed_torn_or_missing_file_is_told_by_its_name(provider, tmp_path, name):
    folder = copied(golden_snapshot(), tmp_path / "torn")
    data = (folder / name).read_bytes()
    for wrong in (data[:-1], data + b"x", bytes([data[0], data[1] ^ 1]) + data[2:], b""):
        (folder / name).write_bytes(wrong)
        refuse(provider, folder, HashMismatch, rf"^hash mismatch for file \[{name}\]. Expected")
    (folder / name).unlink()
    refuse(provider, folder, SnapshotDamaged, f"{name}: No such file or directory")


def test_a_missing_folder_is_told(provider, tmp_path):
    refuse(provider, tmp_path / "nowhere", SnapshotDamaged, "No such file or directory")


def without(name):
    return lambda document: document["snapshot_files_raw_hashes"].pop(name)


@pytest.mark.parametrize("name", FILES)
def test_a_file_whose_hash_is_not_given_is_not_trusted(provider, tmp_path, name):
    refuse(provider, forged(tmp_path, edit=without(name)), SnapshotDamaged, "_signable_metadata")


def test_pairs_that_are_not_there_are_empty(provider, tmp_path):
    names = [name for name in FILES if not name.startswith("public_state")]
    folder = forged(tmp_path, dict.fromkeys(names))
    ledger = provider.create_from_snapshot(StoredSnapshot.open(folder))
    assert list(ledger.collection_history()) == []
    assert not ledger.has_transaction(read_committed(golden_block(20))[0].tx_id)


def test_further_files_are_held_to_their_hashes(provider, tmp_path):
    folder = forged(tmp_path, {"notes.txt": b"made on Friday"})
    (folder / "notes.txt").write_bytes(b"made on Monday")
    refuse(provider, folder, HashMismatch, "notes.txt")


def test_a_snapshot_of_a_renamed_channel_is_refused(tmp_path):
    def rename(document):
        document["channel_name"] = "other"

    snapshot = StoredSnapshot.open(forged(tmp_path, edit=rename))
    with pytest.raises(SnapshotDamaged, match="the snapshot is of channel 'golden1'"):
        snapshot.config()


def public(*entries, rows=None):
    return {
        "public_state.data": chunks(*entries),
        "public_state.metadata": counted(*(rows or [(b"cc", len(entries))])),
    }


def config_state(value):
    return {
        "public_state.data": chunks(state_entry(b"CHANNEL_CONFIG_ENV_BYTES", value)),
        "public_state.metadata": counted((b"", 1)),
    }


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        (config_state(b"\xff"), "public_state.data: config: Error parsing"),
        (
            {
                "public_state.data": chunks(state_entry()),
                "public_state.metadata": counted((b"a", 1)),
            },
            "holds no channel configuration",
        ),
    ],
)
def test_a_snapshot_without_a_configuration_is_refused(tmp_path, files, reason):
    snapshot = StoredSnapshot.open(forged(tmp_path, files))
    with pytest.raises(SnapshotDamaged, match=reason):
        snapshot.config()


def test_the_configuration_is_the_one_in_force(taken):
    for number, sequence in [(30, 0), (65, 1)]:
        snapshot = StoredSnapshot.open(taken[number])
        bundle = ChannelBundle(snapshot.channel_id, snapshot.config().config)
        assert bundle.sequence == sequence
    assert isinstance(snapshot.config(), ConfigEnvelope)


def hashes(namespace, count=1):
    return {
        "private_state_hashes.data": chunks(state_entry()),
        "private_state_hashes.metadata": counted((namespace, count)),
    }


HOSTILE = {
    "fewer entries than counted": (public(state_entry(), rows=[(b"cc", 2)]), "unexpected EOF"),
    "more entries than counted": (
        public(state_entry(b"a"), state_entry(b"b"), rows=[(b"cc", 1)]),
        "bytes more than its metadata speak of",
    ),
    "an entry that is no record": (public(b"\x0a\xff"), "snapshot record: a number is cut off"),
    "an entry without a value": (public(state_entry(value=b"")), "key b'k' has no value"),
    "a version after the snapshot": (public(state_entry(version=Version(66, 0))), "after the"),
    "an absurd version": (public(state_entry(version=Version(1, 2**64 - 1))), "after the"),
    "the same key twice": (public(state_entry(), state_entry()), "UNIQUE|twice"),
    "private cleartext": (public(state_entry(), rows=[(b"cc$$pcoll", 1)]), "may not be there"),
    "hashes among public state": (public(state_entry(), rows=[(b"cc$$hcoll", 1)]), "not belong"),
    "public state among hashes": (hashes(b"cc"), "does not belong"),
    "cleartext among hashes": (hashes(b"cc$$hcoll$$p"), "may not be there"),
    "a namespace of nothing": (hashes(b"cc$$hcoll", 0), "may not be there"),
    "a namespace that is no text": (hashes(b"\xff$$hcoll"), "not valid UTF-8"),
    "a thousand million rows": (
        {"public_state.metadata": b"\x01\xff\xff\xff\xff\x0f"},
        "unexpected EOF",
    ),
    "another format": ({"public_state.data": b"\x02"}, "unexpected data format: 2"),
    "an empty id": (
        {"txids.data": chunks(b""), "txids.metadata": b"\x01\x01"},
        "transaction id '' is out of order",
    ),
    "an id that is no text": (
        {"txids.data": chunks(b"\xff"), "txids.metadata": b"\x01\x01"},
        "not valid UTF-8",
    ),
    "the same id twice": (
        {"txids.data": chunks(b"a", b"a"), "txids.metadata": b"\x01\x02"},
        "transaction id 'a' is out of order",
    ),
    "more ids than counted": ({"txids.metadata": b"\x01\x01"}, "bytes more than its metadata"),
    "fewer ids than counted": ({"txids.metadata": b"\x01\xff\xff\x03"}, "unexpected EOF"),
    "a count with something behind": ({"txids.metadata": b"\x01\x4e\x00"}, "1 bytes more"),
    "a definition after the snapshot": (
        {
            "confighistory.data": chunks(history_key("gold", 66), b""),
            "confighistory.metadata": b"\x01\x01",
        },
        "is no key of a collection configuration",
    ),
    "a definition of something else": (
        {"confighistory.data": chunks(b"sxyz", b""), "confighistory.metadata": b"\x01\x01"},
        "is no key of a collection configuration",
    ),
    "a definition that does not parse": (
        {
            "confighistory.data": chunks(history_key("gold", 3), b"\xff"),
            "confighistory.metadata": b"\x01\x01",
        },
        "collection config package: Error parsing",
    ),
    "the same definition twice": (
        {
            "confighistory.data": chunks(*[history_key("gold", 3), b""] * 2),
            "confighistory.metadata": b"\x01\x02",
        },
        "is out of order",
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_content_with_right_hashes_leaves_nothing(provider, tmp_path, name):
    files, reason = HOSTILE[name]
    refuse(provider, forged(tmp_path, files), (SnapshotError, StoreFailed), reason)


def test_after_a_failure_the_channel_can_be_joined(provider, tmp_path):
    refuse(provider, forged(tmp_path, public(state_entry(), state_entry())), GridloomError)
    assert joined(provider, golden_snapshot()).height == 66
