"""The ledger: the golden channel replayed on every store, look-ups, refusals."""

import asyncio

import pytest

from gridloom.common import blocks
from gridloom.common.errors import MalformedMessage
from gridloom.peer.ledger.errors import BlockRejected, NotInIndex
from gridloom.peer.ledger.ledger import LAST_BLOCK
from gridloom.peer.ledger.provider import LedgerProvider
from gridloom.protos.common import common_pb2
from gridloom.protos.peer import transaction_pb2
from harness.ledger import (
    GOLDEN_HEIGHT,
    commit,
    endorsed,
    golden_block,
    memory_ledger,
    next_block,
    replay_golden,
    simulate,
    stage_a,
    write,
)
from harness.postgres import storage_of
from harness.shared import shared


@pytest.fixture(scope="module", params=["memory", "sqlite", "postgres"])
def golden(request, tmp_path_factory):
    """The golden channel, committed from what the orderer sent."""
    provider = LedgerProvider(storage_of(request.param, tmp_path_factory.mktemp("ledgers")))
    ledger = provider.create(golden_block(0, "orderer"))
    replay_golden(ledger)
    yield ledger
    provider.close()


def test_every_golden_block_comes_out_as_the_real_peer_stored_it(golden):
    assert golden.height == GOLDEN_HEIGHT
    for number in range(GOLDEN_HEIGHT):
        assert golden.block(number) == golden_block(number)


def test_the_state_equals_the_real_peers_snapshot_byte_for_byte(golden):
    for name, in_file in (
        ("public_state", lambda ns: "$$" not in ns),
        ("private_state_hashes", lambda ns: "$$h" in ns),
    ):
        expected = shared("golden", "snapshot", "65", f"{name}.data").read_bytes()
        namespaces = snapshot_namespaces(name)
        assert all(in_file(namespace) for namespace in namespaces)
        assert snapshot_file(golden, namespaces) == expected


def snapshot_namespaces(name):
    """The metadata file: format byte, count, then namespace and number of its entries."""
    data = shared("golden", "snapshot", "65", f"{name}.metadata").read_bytes()
    count, position = data[1], 2
    namespaces = {}
    for _ in range(count):
        start = position + 1
        position = start + data[position]
        namespaces[data[start:position].decode()] = data[position]
        position += 1
    assert position == len(data)
    return namespaces


def snapshot_file(ledger, namespaces):
    """Our state in Fabric's export format: uvarint length and SnapshotRecord, one by one."""
    snapshot = ledger.snapshot()
    content = b"\x01"
    for namespace, count in namespaces.items():
        entries = list(snapshot.range(namespace, b"", b""))
        assert len(entries) == count
        for key, entry in entries:
            version = entry.version.to_bytes()
            fields = enumerate((key, entry.value, entry.metadata, version), 1)
            content += sized(b"".join(bytes([n << 3 | 2]) + sized(f) for n, f in fields if f))
    snapshot.close()
    return content


def sized(content):
    length, prefix = len(content), b""
    while length > 0x7F:
        prefix += bytes([length & 0x7F | 0x80])
        length >>= 7
    return prefix + bytes([length]) + content


def test_every_transaction_id_of_the_real_peers_snapshot_is_known(golden):
    data = shared("golden", "snapshot", "65", "txids.data").read_bytes()[1:]
    ids = [data[start + 1 : start + 65].decode() for start in range(0, len(data), 65)]
    assert len(ids) == 78
    assert all(golden.has_transaction(tx_id) for tx_id in ids)
    indexed = {t.indexed_id for number in range(1, GOLDEN_HEIGHT) for t in stage_a(number)}
    assert indexed < set(ids)


def test_look_ups_agree(golden):
    header_hash = blocks.header_hash(golden.block(16).header)
    assert golden.block_by_hash(header_hash).header.number == 16
    first, second = stage_a(16)
    assert golden.block_by_tx_id(first.tx_id).header.number == 16
    assert golden.tx_status(first.tx_id) == (transaction_pb2.VALID, 16)
    assert golden.tx_status(second.tx_id) == (transaction_pb2.MVCC_READ_CONFLICT, 16)
    found = golden.transaction(second.tx_id)
    assert found.validationCode == transaction_pb2.MVCC_READ_CONFLICT
    assert found.transactionEnvelope == common_pb2.Envelope.FromString(second.envelope)


def test_a_repeated_id_answers_with_its_first_transaction(golden):
    first, again = stage_a(47)
    assert first.tx_id == again.tx_id
    assert again.code == transaction_pb2.DUPLICATE_TXID
    assert golden.tx_status(first.tx_id) == (transaction_pb2.VALID, 47)
    assert golden.transaction(first.tx_id).validationCode == transaction_pb2.VALID


def test_info_names_the_last_two_blocks(golden):
    info = golden.info()
    assert info.height == GOLDEN_HEIGHT
    assert info.currentBlockHash == blocks.header_hash(golden_block(65).header)
    assert info.previousBlockHash == blocks.header_hash(golden_block(64).header)
    assert golden.block(LAST_BLOCK).header.number == 65


def test_what_is_not_there_is_said_in_fabrics_words(golden):
    with pytest.raises(NotInIndex, match=r"^no such block number \[66\] in index$"):
        golden.block(66)
    with pytest.raises(NotInIndex, match=r"no such block hash \[0102\] in index"):
        golden.block_by_hash(b"\x01\x02")
    for look_up in (golden.block_by_tx_id, golden.transaction):
        with pytest.raises(NotInIndex, match=r"^no such transaction ID \[nope\] in index$"):
            look_up("nope")
    assert golden.tx_status("nope") is None
    assert not golden.has_transaction("nope")


def test_the_configuration_lies_in_the_nameless_namespace(golden):
    executor = golden.query_executor()
    found = executor.get_state("", "CHANNEL_CONFIG_ENV_BYTES")
    executor.done()
    assert found == stage_a(50)[0].config_bytes


def test_golden_history_holds_the_valid_public_writes(golden):
    history = list(golden.history("gold", "a1"))
    written = [
        (transaction.tx_id, item.value, transaction.timestamp)
        for number in range(1, GOLDEN_HEIGHT)
        for transaction in stage_a(number)
        if golden_block(number).metadata.metadata[2][transaction.index] == 0
        for ns in (transaction.rwset.namespaces if transaction.rwset else ())
        for item in ns.kv.writes
        if (ns.namespace, item.key) == ("gold", "a1")
    ]
    assert [(item.tx_id, item.value, item.timestamp) for item in history] == written[::-1]
    assert len(history) >= 4


def test_history_tells_deletions_and_skips_metadata_and_invalid_writes():
    ledger = memory_ledger()
    write(ledger, ("k", b"1"), tx_id="first")
    metadata = simulate(ledger, lambda s: s.set_state_metadata("cc", "k", {"a": b"b"}))
    stale = simulate(ledger, lambda s: (s.get_state("cc", "k"), s.set_state("cc", "k", b"x")))
    commit(ledger, [endorsed(metadata.public, "metadata")])
    commit(ledger, [endorsed(stale.public, "stale")])
    write(ledger, ("k", b""), tx_id="last")
    found = [(item.tx_id, item.value, item.is_delete) for item in ledger.history("cc", "k")]
    assert found == [("last", b"", True), ("first", b"1", False)]
    assert ledger.tx_status("stale") == (transaction_pb2.MVCC_READ_CONFLICT, 3)


def test_an_open_simulation_is_not_disturbed_by_commits():
    ledger = memory_ledger()
    write(ledger, ("k", b"1"))
    simulator = ledger.simulator("tx")
    write(ledger, ("k", b"2"), ("l", b"2"))
    assert simulator.get_state("cc", "k") == b"1"
    assert [key for key, _ in simulator.get_state_range("cc", "", "")] == ["k"]
    simulator.done()


def test_the_received_block_is_not_changed():
    ledger = memory_ledger()
    transactions = [endorsed(simulate(ledger, lambda s: s.set_state("cc", "k", b"v")).public)]
    block = next_block(ledger, transactions)
    before = block.SerializeToString()
    committed = ledger.commit(block, transactions)
    assert block.SerializeToString() == before
    assert blocks.transactions_filter(committed.block) == b"\x00"
    assert blocks.commit_hash(committed.block) == committed.commit_hash == ledger.commit_hash


def test_a_block_with_few_metadata_slots_gets_all_five():
    ledger = memory_ledger()
    transactions = [endorsed(b"")]
    block = next_block(ledger, transactions)
    del block.metadata.metadata[1:]
    committed = ledger.commit(block, transactions)
    assert [bool(slot) for slot in committed.block.metadata.metadata] == [0, 0, 1, 0, 1]


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda b, t: setattr(b.header, "number", 7), "the ledger has 1 blocks"),
        (lambda b, t: setattr(b.header, "previous_hash", b"x" * 32), "previous hash"),
        (lambda b, t: t.pop(), "0 transactions for 1 entries"),
        (lambda b, t: setattr(t[0], "index", 1), "1 transactions for 1 entries"),
        (lambda b, t: setattr(t[0], "code", 254), "not validated"),
    ],
)
def test_a_block_that_does_not_fit_is_refused_and_leaves_nothing(spoil, reason):
    ledger = memory_ledger()
    transactions = [endorsed(simulate(ledger, lambda s: s.set_state("cc", "k", b"v")).public)]
    block = next_block(ledger, transactions)
    spoil(block, transactions)
    with pytest.raises(BlockRejected, match=reason):
        ledger.commit(block, transactions)
    assert ledger.height == 1
    assert ledger.query_executor().get_state("cc", "k") is None


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
def test_a_commit_given_up_after_its_first_step_leaves_nothing(kind, tmp_path):
    provider = LedgerProvider(storage_of(kind, tmp_path))
    ledger = provider.create(golden_block(0, "orderer"))
    before = ledger.info()
    committing = ledger.committing(golden_block(1, "orderer"), stage_a(1))
    next(committing)
    assert ledger.info() == before
    committing.close()
    assert ledger.info() == before
    replay_golden(ledger, 3)
    assert ledger.commit_hash == blocks.commit_hash(golden_block(2))
    provider.close()


def test_transactions_that_stage_a_refused_keep_their_code_and_change_nothing():
    ledger = memory_ledger()
    refused = endorsed(simulate(ledger, lambda s: s.set_state("cc", "k", b"v")).public, "bad")
    refused.code = transaction_pb2.ENDORSEMENT_POLICY_FAILURE
    committed = commit(ledger, [refused])
    assert blocks.transactions_filter(committed.block) == b"\x0a"
    assert ledger.query_executor().get_state("cc", "k") is None
    assert ledger.tx_status("bad") == (transaction_pb2.ENDORSEMENT_POLICY_FAILURE, 1)


def test_an_envelope_of_garbage_is_kept_and_reported_as_such():
    ledger = memory_ledger()
    garbage = endorsed(b"", "garbage")
    garbage.envelope, garbage.code = b"\xff\xff", transaction_pb2.INVALID_OTHER_REASON
    commit(ledger, [garbage])
    with pytest.raises(MalformedMessage, match="envelope of garbage"):
        ledger.transaction("garbage")


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_the_commit_hash_chain_goes_on_after_reopening(kind, tmp_path):
    place = storage_of(kind, tmp_path)
    provider = LedgerProvider(place)
    replay_golden(provider.create(golden_block(0)), 20)
    provider.close()
    again = LedgerProvider(place)
    ledger = again.open("golden1")
    assert ledger.height == 20
    replay_golden(ledger, 30)
    assert ledger.commit_hash == blocks.commit_hash(golden_block(29))
    again.close()


async def test_listeners_and_waiters_learn_of_a_commit_in_another_thread():
    ledger = memory_ledger()
    told = []
    unsubscribe = ledger.subscribe(lambda committed: told.append(committed.number))
    waiting = asyncio.create_task(ledger.wait_for_height(3))
    await asyncio.to_thread(commit, ledger, [endorsed(b"", "one")])
    assert not waiting.done()
    await asyncio.to_thread(commit, ledger, [endorsed(b"", "two")])
    await waiting
    unsubscribe()
    await asyncio.to_thread(commit, ledger, [])
    assert told == [1, 2]
