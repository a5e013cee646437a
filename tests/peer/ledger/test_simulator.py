"""Simulations: what is recorded, what is refused."""

from hashlib import sha256

import pytest

from gridloom.peer.ledger import simulator as simulator_module
from gridloom.peer.ledger.errors import (
    CollectionsUndefined,
    InvalidKey,
    PrivateDataUnavailable,
    SimulationError,
    SimulatorClosed,
    UndefinedCollection,
    UnsupportedTransaction,
    ValueTooLarge,
)
from gridloom.peer.ledger.rwset import TxRwSet
from gridloom.protos.ledger.rwset.kvrwset.kv_rwset_pb2 import KVRWSet
from harness.ledger import commit, endorsed, keep, memory_ledger, simulate, write

VERSION_1 = (1, 0)


@pytest.fixture
def ledger():
    ledger = memory_ledger()
    write(ledger, *((f"k{number:03}", b"v%d" % number) for number in range(200)))
    return ledger


@pytest.fixture
def simulator(ledger):
    simulator = ledger.simulator("tx")
    yield simulator
    simulator.done()


def parsed(results):
    return {ns.namespace: ns for ns in TxRwSet.parse(results.public).namespaces}


def ranges(results):
    return [
        (info.start_key, info.end_key, info.itr_exhausted, info.WhichOneof("reads_info"))
        for info in parsed(results)["cc"].kv.range_queries_info
    ]


def test_a_transaction_never_sees_its_own_writes(simulator):
    simulator.set_state("cc", "k000", b"new")
    simulator.delete_state("cc", "k001")
    simulator.set_state("cc", "fresh", b"new")
    assert simulator.get_state("cc", "k000") == b"v0"
    assert simulator.get_state("cc", "k001") == b"v1"
    assert simulator.get_state("cc", "fresh") is None
    assert ("fresh", b"new") not in list(simulator.get_state_range("cc", "", ""))


def test_the_last_write_of_a_key_wins_and_reads_stay(ledger):
    def work(simulator):
        simulator.set_state("cc", "k", b"1")
        simulator.set_state("cc", "k", b"2")
        simulator.get_state("cc", "k000")
        simulator.set_state("cc", "gone", b"1")
        simulator.delete_state("cc", "gone")

    kv = parsed(simulate(ledger, work))["cc"].kv
    assert [(w.key, w.is_delete, w.value) for w in kv.writes] == [
        ("gone", True, b""),
        ("k", False, b"2"),
    ]
    assert [(r.key, (r.version.block_num, r.version.tx_num)) for r in kv.reads] == [
        ("k000", VERSION_1)
    ]


def test_an_empty_write_is_a_delete(ledger):
    kv = parsed(simulate(ledger, lambda s: s.set_state("cc", "k", b"")))["cc"].kv
    assert [(w.key, w.is_delete) for w in kv.writes] == [("k", True)]


def test_a_simulation_that_does_nothing_leaves_an_empty_set(ledger):
    results = simulate(ledger, lambda s: None)
    assert (results.public, results.private, results.namespaces) == (b"", None, ())


def test_keys_are_sorted_by_their_utf8(ledger):
    keys = ["\U0001f600", "z", "\uffee", "é", "a\x00b", "a", ""]
    results = simulate(ledger, lambda s: [s.set_state("cc", key, b"v") for key in keys])
    found = [w.key for w in parsed(results)["cc"].kv.writes]
    assert found == sorted(keys, key=str.encode)


def test_metadata_are_read_with_the_value_and_written_whole(ledger):
    first = simulate(ledger, lambda s: s.set_state_metadata("cc", "k000", {"b": b"2", "a": b"1"}))
    entries = parsed(first)["cc"].kv.metadata_writes[0].entries
    assert [(entry.name, entry.value) for entry in entries] == [("a", b"1"), ("b", b"2")]
    commit(ledger, [endorsed(first.public)])
    simulator = ledger.simulator("tx")
    assert simulator.get_state_metadata("cc", "k000") == {"a": b"1", "b": b"2"}
    assert simulator.get_state_metadata("cc", "k001") == {}
    assert simulator.get_state_metadata("cc", "absent") == {}
    assert [read.key for read in parsed(simulator.results())["cc"].kv.reads] == [
        "absent",
        "k000",
        "k001",
    ]


# Ranges


def test_a_range_read_to_its_end_records_the_end_asked_for(ledger):
    results = simulate(ledger, lambda s: list(s.get_state_range("cc", "k000", "k003")))
    assert ranges(results) == [("k000", "k003", True, "raw_reads")]


def test_a_range_left_early_ends_with_the_last_key_handed_out(ledger):
    results = simulate(ledger, lambda s: [s.get_state_range("cc", "k000", "").next()])
    assert ranges(results) == [("k000", "k000", False, "raw_reads")]


def test_a_range_never_read_is_recorded_without_reads(ledger):
    results = simulate(ledger, lambda s: s.get_state_range("cc", "k000", "k003"))
    assert ranges(results) == [("k000", "", False, None)]


def test_an_empty_range_records_no_reads_but_its_end(ledger):
    results = simulate(ledger, lambda s: list(s.get_state_range("cc", "x", "y")))
    assert ranges(results) == [("x", "y", True, None)]


def test_51_results_become_a_merkle_summary(ledger):
    for count, kind in ((50, "raw_reads"), (51, "reads_merkle_hashes")):

        def work(simulator, end=f"k{count:03}"):
            assert len(list(simulator.get_state_range("cc", "k000", end))) == int(end[1:])

        assert ranges(simulate(ledger, work)) == [("k000", f"k{count:03}", True, kind)]


def test_equal_ranges_are_recorded_once_in_order_of_appearance(ledger):
    def work(simulator):
        for start in ("k005", "k001", "k005"):
            list(simulator.get_state_range("cc", start, "k007"))

    assert [entry[0] for entry in ranges(simulate(ledger, work))] == ["k005", "k001"]


def test_a_closed_iterator_keeps_what_it_recorded(ledger):
    def work(simulator):
        iterator = simulator.get_state_range("cc", "k000", "k005")
        iterator.next()
        iterator.close()
        assert iterator.next() is None

    assert ranges(simulate(ledger, work)) == [("k000", "k000", False, "raw_reads")]


def test_a_page_ends_at_its_size_and_names_the_next_key(ledger):
    simulator = ledger.simulator("tx")
    page = simulator.get_state_range_page("cc", "k000", "k005", 3)
    assert [page.next() for _ in range(3)] == [(f"k00{n}", b"v%d" % n) for n in range(3)]
    assert page.bookmark() == "k003"
    rest = simulator.get_state_range_page("cc", "k003", "k005", 3)
    assert [rest.next(), rest.next(), rest.next()][2] is None
    assert rest.bookmark() == ""
    assert ranges(simulator.results()) == [
        ("k000", "k002", False, "raw_reads"),
        ("k003", "k005", True, "raw_reads"),
    ]


def test_a_page_of_size_zero_is_the_whole_range(simulator):
    assert len(list(simulator.get_state_range_page("cc", "", "", 0))) == 200


# What may not be combined


@pytest.mark.parametrize(
    ("query", "text"),
    [
        (
            lambda s: s.get_state_range_page("cc", "", "", 5),
            "Transaction has already performed a paginated query. Writes are not allowed",
        ),
        (
            lambda s: s.get_private_data_range("cc", "c", "", ""),
            "Transaction has already performed queries on pvt data. Writes are not allowed",
        ),
    ],
)
@pytest.mark.parametrize(
    "write_something",
    [
        lambda s: s.set_state("cc", "k", b"v"),
        lambda s: s.delete_state("cc", "k"),
        lambda s: s.set_state_metadata("cc", "k", {}),
        lambda s: s.set_private_data("cc", "c", "k", b"v"),
        lambda s: s.purge_private_data("cc", "c", "k"),
        lambda s: s.set_private_data_metadata("cc", "c", "k", {}),
    ],
)
def test_untraced_queries_and_writes_exclude_each_other(ledger, query, text, write_something):
    simulator = ledger.simulator("tx7")
    query(simulator)
    with pytest.raises(UnsupportedTransaction) as caught:
        write_something(simulator)
    assert str(caught.value) == f"txid [tx7]: unsuppored transaction. {text}"
    simulator = ledger.simulator("tx7")
    write_something(simulator)
    with pytest.raises(UnsupportedTransaction, match="only in a read-only transaction"):
        query(simulator)


def test_plain_ranges_and_writes_go_together(ledger):
    def work(simulator):
        list(simulator.get_state_range("cc", "", ""))
        simulator.set_state("cc", "k", b"v")

    assert set(parsed(simulate(ledger, work))) == {"cc"}


def test_results_are_given_once(simulator):
    simulator.results()
    with pytest.raises(SimulatorClosed, match="only be called once"):
        simulator.results()


def test_nothing_works_after_done(simulator):
    simulator.done()
    simulator.done()
    for use in (
        lambda: simulator.get_state("cc", "k"),
        lambda: simulator.get_state_range("cc", "", ""),
        lambda: simulator.set_state("cc", "k", b"v"),
        lambda: simulator.get_private_data("cc", "c", "k"),
        lambda: simulator.get_private_data_hash("cc", "c", "k"),
    ):
        with pytest.raises(SimulatorClosed, match="after calling Done"):
            use()


@pytest.mark.parametrize(
    "use",
    [
        lambda s, bad: s.get_state("cc", bad),
        lambda s, bad: s.set_state("cc", bad, b"v"),
        lambda s, bad: s.set_state(bad, "k", b"v"),
        lambda s, bad: s.set_state_metadata("cc", "k", {bad: b"v"}),
        lambda s, bad: s.get_state_range("cc", bad, ""),
        lambda s, bad: s.get_private_data_hash("cc", "c", bad),
        lambda s, bad: s.set_private_data("cc", "c", bad, b"v"),
    ],
)
def test_text_without_utf8_is_refused(simulator, use):
    with pytest.raises(InvalidKey, match="not valid UTF-8"):
        use(simulator, "half a pair: \ud83d")


def test_a_value_beyond_the_message_limit_is_refused(simulator, monkeypatch):
    monkeypatch.setattr(simulator_module, "MAX_VALUE_BYTES", 10)
    simulator.set_state("cc", "k", b"v" * 10)
    for key, value in (("k", b"v" * 11), ("k" * 11, b"v")):
        with pytest.raises(ValueTooLarge, match="11 bytes exceeds the limit of 10"):
            simulator.set_state("cc", key, value)


# Private data


def test_private_writes_leave_hashes_in_public_and_cleartext_beside(ledger):
    def work(simulator):
        simulator.set_private_data("cc", "c", "k", b"secret")
        simulator.delete_private_data("cc", "c", "gone")
        simulator.purge_private_data("cc", "c", "wiped")

    results = simulate(ledger, work)
    assert b"secret" not in results.public
    assert "secret" not in repr(results)
    coll = parsed(results)["cc"].collections[0]
    hashes = [
        (w.key_hash, w.is_delete, w.value_hash, w.is_purge) for w in coll.hashed.hashed_writes
    ]
    assert hashes == [
        (sha256(b"gone").digest(), True, b"", False),
        (sha256(b"k").digest(), False, sha256(b"secret").digest(), False),
        (sha256(b"wiped").digest(), True, b"", True),
    ]
    cleartext = results.private.ns_pvt_rwset[0].collection_pvt_rwset[0].rwset
    assert coll.pvt_hash == sha256(cleartext).digest()
    writes = KVRWSet.FromString(cleartext).writes
    assert [(w.key, w.value) for w in writes] == [("gone", b""), ("k", b"secret"), ("wiped", b"")]


def test_private_metadata_are_public_and_the_private_set_names_the_key(ledger):
    results = simulate(ledger, lambda s: s.set_private_data_metadata("cc", "c", "k", {"a": b"1"}))
    written = parsed(results)["cc"].collections[0].hashed.metadata_writes[0]
    assert written.key_hash == sha256(b"k").digest()
    assert [entry.name for entry in written.entries] == ["a"]
    cleartext = results.private.ns_pvt_rwset[0].collection_pvt_rwset[0].rwset
    assert [w.key for w in KVRWSet.FromString(cleartext).metadata_writes] == ["k"]


def commit_private(ledger, work):
    results = simulate(ledger, work)
    transaction = endorsed(results.public)
    keep(ledger, transaction.tx_id, results.private)
    return commit(ledger, [transaction])


def test_private_values_are_read_back_and_recorded_by_hash(ledger):
    commit_private(ledger, lambda s: s.set_private_data("cc", "c", "k", b"secret"))
    simulator = ledger.simulator("tx")
    assert simulator.get_private_data("cc", "c", "k") == b"secret"
    assert simulator.get_private_data("cc", "c", "absent") is None
    assert simulator.get_private_data_hash("cc", "d", "k") is None
    results = simulator.results()
    reads = parsed(results)["cc"].collections[0].hashed.hashed_reads
    assert [(r.key_hash, r.HasField("version")) for r in reads] == [
        (sha256(b"absent").digest(), False),
        (sha256(b"k").digest(), True),
    ]
    assert [coll.pvt_hash for coll in parsed(results)["cc"].collections] == [b"", b""]
    assert results.private is None
    assert results.private_reads == {("cc", "c")}


def test_a_peer_without_the_cleartext_knows_the_hash_only(ledger):
    results = simulate(ledger, lambda s: s.set_private_data("cc", "c", "k", b"secret"))
    commit(ledger, [endorsed(results.public)])
    simulator = ledger.simulator("tx")
    assert simulator.get_private_data_hash("cc", "c", "k") == sha256(b"secret").digest()
    with pytest.raises(PrivateDataUnavailable) as caught:
        simulator.get_private_data("cc", "c", "k")
    assert str(caught.value) == (
        "private data matching public hash version is not available. Public hash version ="
        " {BlockNum: 2, TxNum: 0}, Private data version = <nil>"
    )


def test_private_ranges_leave_no_trace(ledger):
    commit_private(
        ledger, lambda s: [s.set_private_data("cc", "c", k, k.encode()) for k in ("b", "a", "c")]
    )
    simulator = ledger.simulator("tx")
    assert list(simulator.get_private_data_range("cc", "c", "a", "c")) == [
        ("a", b"a"),
        ("b", b"b"),
    ]
    assert simulator.results().public == b""


def test_metadata_by_hash_are_for_queries_only(ledger):
    commit_private(ledger, lambda s: s.set_private_data("cc", "c", "k", b"v"))
    commit_private(ledger, lambda s: s.set_private_data_metadata("cc", "c", "k", {"a": b"1"}))
    hashed = sha256(b"k").digest()
    executor = ledger.query_executor()
    assert executor.get_private_data_metadata_by_hash("cc", "c", hashed) == {"a": b"1"}
    assert executor.get_private_data_metadata("cc", "c", "k") == {"a": b"1"}
    with pytest.raises(SimulationError, match="by keyhash is not supported in simulation"):
        ledger.simulator("tx").get_private_data_metadata_by_hash("cc", "c", hashed)


class Catalog:
    """Collections of cc, looked up in the state so that the look-up itself is recorded."""

    def __init__(self):
        self.asked = []

    def collection_names(self, namespace, reader):
        self.asked.append(namespace)
        reader.get_state("_lifecycle", f"collections of {namespace}")
        return {"cc": ["c"], "empty": []}.get(namespace)


def test_collection_names_are_checked_once_and_through_the_read_set(ledger):
    ledger.collections = catalog = Catalog()
    simulator = ledger.simulator("tx")
    simulator.get_private_data_hash("cc", "c", "k")
    simulator.set_private_data("cc", "c", "k", b"v")
    with pytest.raises(UndefinedCollection, match=r"collection \[d\] not defined .* \[cc\]"):
        simulator.get_private_data("cc", "d", "k")
    with pytest.raises(CollectionsUndefined, match=r"not defined for chaincode \[other\]"):
        simulator.set_private_data("other", "c", "k", b"v")
    with pytest.raises(UndefinedCollection):
        simulator.get_private_data_hash("empty", "c", "k")
    assert catalog.asked == ["cc", "other", "empty"]
    reads = parsed(simulator.results())["_lifecycle"].kv.reads
    assert [read.key for read in reads] == [
        "collections of cc",
        "collections of empty",
        "collections of other",
    ]


# What the endorser learns


def test_written_keys_come_with_their_committed_metadata(ledger):
    policy = {"VALIDATION_PARAMETER": b"policy"}
    first = simulate(ledger, lambda s: s.set_state_metadata("cc", "k000", policy))
    commit(ledger, [endorsed(first.public)])

    def work(simulator):
        simulator.set_state("cc", "k000", b"new")
        simulator.delete_state("cc", "fresh")
        simulator.set_private_data("cc", "c", "secret", b"v")
        simulator.get_state("other", "k")

    results = simulate(ledger, work)
    assert results.namespaces == ("cc", "other")
    assert results.written == {
        ("cc", ""): {"k000": policy, "fresh": {}},
        ("cc", "c"): {"secret": {}},
    }
    kv = parsed(results)["cc"].kv
    assert not kv.reads


def test_a_query_executor_records_nothing_and_reads_the_same(ledger):
    executor = ledger.query_executor()
    assert executor.get_state("cc", "k001") == b"v1"
    assert executor.get_state_multiple("cc", ["k002", "absent"]) == [b"v2", None]
    page = executor.get_state_range_page("cc", "k000", "", 2)
    assert (page.next(), page.next(), page.next(), page.bookmark()) == (
        ("k000", b"v0"),
        ("k001", b"v1"),
        None,
        "k002",
    )
    assert executor.height == 2
    executor.done()
