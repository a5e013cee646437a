"""Every transaction of the golden channel, simulated again, must give Fabric's own bytes.

Each one is driven from what it recorded: the same reads, range reads and writes, in a
shuffled order, against the state as it was at some height before its block.
"""

import random
from functools import partial
from hashlib import sha256

import pytest

from gridloom.peer.ledger.provider import LedgerProvider
from gridloom.peer.ledger.simulator import TxSimulator
from gridloom.protos.ledger.rwset.kvrwset.kv_rwset_pb2 import KVRWSet
from gridloom.protos.ledger.rwset.rwset_pb2 import TxPvtReadWriteSet
from gridloom.protos.peer.events_pb2 import DeliverResponse
from harness.ledger import GOLDEN_HEIGHT, golden_block, replay_golden, stage_a
from harness.shared import shared


@pytest.fixture(scope="module")
def snapshots():
    """The golden state at every height, all held open at once."""
    ledger = LedgerProvider("memory").create(golden_block(0))
    held = {}
    for height in range(1, GOLDEN_HEIGHT):
        held[height] = ledger.snapshot()
        replay_golden(ledger, height + 1)
    return held


def steps(simulator, rwset, private_values):
    """One call for each thing the transaction recorded."""
    for ns in rwset.namespaces:
        name = ns.namespace
        for read in ns.kv.reads:
            yield partial(simulator.get_state, name, read.key)
        for info in ns.kv.range_queries_info:
            assert info.itr_exhausted
            yield partial(read_range, simulator, name, info)
        for write in ns.kv.writes:
            yield partial(simulator.set_state, name, write.key, write.value)
        for write in ns.kv.metadata_writes:
            entries = {entry.name: entry.value for entry in write.entries}
            yield partial(simulator.set_state_metadata, name, write.key, entries)
        for coll in ns.collections:
            for write in coll.hashed.hashed_writes:
                key, value = private_values[write.key_hash]
                if write.is_purge:
                    yield partial(simulator.purge_private_data, name, coll.name, key)
                else:
                    yield partial(simulator.set_private_data, name, coll.name, key, value)


def read_range(simulator, namespace, info):
    return list(simulator.get_state_range(namespace, info.start_key, info.end_key))


def public_transactions():
    for number in range(1, GOLDEN_HEIGHT):
        for transaction in stage_a(number):
            collections = transaction.rwset and any(
                ns.collections for ns in transaction.rwset.namespaces
            )
            if transaction.rwset and not collections:
                yield pytest.param(number, transaction, id=f"{number}-{transaction.index}")


def simulated(transaction, snapshot, private_values=None):
    simulator = TxSimulator(transaction.tx_id, snapshot)
    calls = list(steps(simulator, transaction.rwset, private_values or {}))
    random.Random(transaction.tx_id).shuffle(calls)
    for call in calls:
        call()
    return simulator.results()


@pytest.mark.parametrize(("number", "transaction"), list(public_transactions()))
def test_a_simulation_gives_the_recorded_bytes(snapshots, number, transaction):
    heights = range(number, max(0, number - 5), -1)
    found = [simulated(transaction, snapshots[height]).public for height in heights]
    assert transaction.results in found


@pytest.mark.parametrize(("number", "key"), [(34, "pk1"), (36, "pk4")])
def test_private_deletes_and_purges_give_the_recorded_bytes(snapshots, number, key):
    transaction = stage_a(number)[0]
    values = {sha256(key.encode()).digest(): (key, b"")}
    results = simulated(transaction, snapshots[number], values)
    assert results.public == transaction.results
    cleartext = results.private.ns_pvt_rwset[0].collection_pvt_rwset[0].rwset
    assert [write.key for write in KVRWSet.FromString(cleartext).writes] == [key]


def delivered_private_data():
    """Blocks with cleartext, as the real peer delivered them to an entitled client."""
    folder = shared("golden", "wire")
    for path in sorted(folder.glob("*DeliverWithPrivateData.resp.pb")):
        message = DeliverResponse.FromString(path.read_bytes()).block_and_private_data
        for index, private in message.private_data_map.items():
            yield message.block.header.number, index, private


def test_a_private_put_gives_the_recorded_bytes_and_cleartext(snapshots):
    seen = 0
    for number, index, private in delivered_private_data():
        transaction = stage_a(number)[index]
        values = {}
        for ns in private.ns_pvt_rwset:
            for coll in ns.collection_pvt_rwset:
                for write in KVRWSet.FromString(coll.rwset).writes:
                    values[sha256(write.key.encode()).digest()] = write.key, write.value
        results = simulated(transaction, snapshots[number], values)
        assert results.public == transaction.results
        assert results.private == TxPvtReadWriteSet(ns_pvt_rwset=private.ns_pvt_rwset)
        seen += 1
    assert seen
