"""Rich queries in simulations, and a state that keeps CouchDB's rules."""

import json

import pytest

from gridloom.peer.ledger.errors import (
    InvalidDocument,
    QueryRefused,
    QueryUnreadable,
    RichQueriesUnsupported,
    SimulatorClosed,
    StateDatabaseDiffers,
    UnsupportedTransaction,
)
from gridloom.peer.ledger.ledger import Ledger
from gridloom.peer.ledger.provider import LedgerProvider
from gridloom.peer.ledger.rwset import TxRwSet
from gridloom.peer.ledger.rwset_builder import RwSetBuilder
from gridloom.peer.ledger.state_database import StateDatabase
from gridloom.peer.ledger.storage import open_storage
from gridloom.protos.peer import transaction_pb2
from harness.ledger import commit, endorsed, golden_block, keep, memory_ledger, simulate, write
from harness.postgres import storage_of

TOMS = '{"selector":{"owner":"tom"}}'


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def ledger(request, tmp_path):
    place = storage_of(request.param, tmp_path)
    store = open_storage(place, "peer0", StateDatabase.COUCHDB).store("test")
    ledger = Ledger("test", store)
    commit(ledger, [])
    owners = ("tom", "eve", "tom", "tom")
    write(ledger, *((f"k{n}", b'{"owner": "%s"}' % o.encode()) for n, o in enumerate(owners)))
    yield ledger
    ledger.close()


def reads(results):
    (namespace,) = TxRwSet.parse(results.public).namespaces
    return namespace.kv


def test_each_result_is_a_read_and_there_is_no_range(ledger):
    def work(simulator):
        found = simulator.get_query_result("cc", TOMS)
        assert found.next() == ("k0", b'{"owner":"tom"}')
        assert found.next()[0] == "k2"
        simulator.set_state("cc", "k9", b"written")

    kv = reads(simulate(ledger, work))
    assert [read.key for read in kv.reads] == ["k0", "k2"]
    assert {(read.version.block_num, read.version.tx_num) for read in kv.reads} == {(1, 0)}
    assert not kv.range_queries_info
    assert [w.key for w in kv.writes] == ["k9"]


def test_a_page_forbids_writes_and_says_where_the_next_begins(ledger):
    def work(simulator):
        page = simulator.get_query_result_page("cc", TOMS, "", 2)
        assert [key for key, _ in (page.next(), page.next())] == ["k0", "k2"]
        bookmark = page.bookmark()
        rest = simulator.get_query_result_page("cc", TOMS, bookmark, 2)
        assert list(rest) == [("k3", b'{"owner":"tom"}')]
        with pytest.raises(UnsupportedTransaction, match="performed a paginated query"):
            simulator.set_state("cc", "k", b"v")

    assert [read.key for read in reads(simulate(ledger, work)).reads] == ["k0", "k2", "k3"]


def test_a_page_after_a_write_is_refused(ledger):
    def work(simulator):
        simulator.set_state("cc", "k", b"v")
        with pytest.raises(UnsupportedTransaction, match="only in a read-only transaction"):
            simulator.get_query_result_page("cc", TOMS, "", 2)
        assert len(list(simulator.get_query_result("cc", TOMS))) == 3

    simulate(ledger, work)


def test_private_documents_are_found_without_trace_and_forbid_writes(ledger):
    simulator = ledger.simulator("tx")
    simulator.set_private_data("cc", "coll", "p", b'{"owner":"tom"}')
    results = simulator.results()
    simulator.done()
    transaction = endorsed(results.public, "private")
    keep(ledger, "private", results.private)
    commit(ledger, [transaction])

    def work(simulator):
        found = simulator.get_private_data_query_result("cc", "coll", TOMS)
        assert list(found) == [("p", b'{"owner":"tom"}')]
        with pytest.raises(UnsupportedTransaction, match="queries on pvt data"):
            simulator.set_state("cc", "k", b"v")

    assert simulate(ledger, work).public == b""

    def late(simulator):
        simulator.set_state("cc", "k", b"v")
        with pytest.raises(UnsupportedTransaction, match="Queries on pvt data"):
            simulator.get_private_data_query_result("cc", "coll", TOMS)

    simulate(ledger, late)


def test_a_query_without_a_simulation_leaves_nothing_behind(ledger):
    query = ledger.query_executor()
    assert [key for key, _ in query.get_query_result("cc", TOMS)] == ["k0", "k2", "k3"]
    with pytest.raises(QueryUnreadable):
        query.get_query_result("cc", "x")
    with pytest.raises(QueryRefused):
        query.get_query_result("cc", "{}")
    query.done()
    with pytest.raises(SimulatorClosed):
        query.get_query_result("cc", TOMS)


def test_levels_rules_have_no_rich_queries():
    ledger = memory_ledger()
    write(ledger, ("_k", b'{ "_id": 1 }'))
    query = ledger.query_executor()
    assert query.get_state("cc", "_k") == b'{ "_id": 1 }'
    for refused, operation in (
        (lambda: query.get_query_result("cc", TOMS), "ExecuteQuery"),
        (lambda: query.get_private_data_query_result("cc", "coll", TOMS), "ExecuteQuery"),
        (lambda: query.get_query_result_page("cc", TOMS, "", 1), "ExecuteQueryWithMetadata"),
    ):
        with pytest.raises(RichQueriesUnsupported) as refusal:
            refused()
        assert str(refusal.value) == f"{operation} not supported for leveldb"
    query.done()
    with pytest.raises(RichQueriesUnsupported):
        ledger.rich_queries.explain("cc", TOMS)


def test_reads_return_documents_as_couchdb_does_and_history_as_they_were_written(ledger):
    write(ledger, ("k", b'{"b": 1.0, "a": "<"}'), ("p", b"[1.0]"))
    query = ledger.query_executor()
    assert query.get_state("cc", "k") == b'{"a":"\\u003c","b":1}'
    assert query.get_state("cc", "p") == b"[1.0]"
    assert dict(query.get_state_range("cc", "k", "k0")) == {"k": b'{"a":"\\u003c","b":1}'}
    query.done()
    assert [each.value for each in ledger.history("cc", "k")] == [b'{"b": 1.0, "a": "<"}']


@pytest.mark.parametrize(
    ("key", "value"), [("", b"v"), ("_k", b"v"), ("k", b'{"_a":1}'), ("k", b'{"~version":1}')]
)
def test_what_couchdb_cannot_hold_is_neither_simulated_nor_valid(ledger, key, value):
    def work(simulator):
        with pytest.raises(InvalidDocument):
            simulator.set_state("cc", key, value)
        with pytest.raises(InvalidDocument):
            simulator.set_private_data("cc", "coll", key, value)

    simulate(ledger, work)
    builder = RwSetBuilder()
    builder.add_write("cc", key, value)
    builder.add_write("cc", "fine", b"v")
    results = builder.build()[0].SerializeToString()
    committed = commit(ledger, [endorsed(results)])
    assert committed.transactions[0].code == transaction_pb2.INVALID_WRITESET
    level = memory_ledger()
    assert commit(level, [endorsed(results)]).transactions[0].code == transaction_pb2.VALID


def test_a_key_that_cannot_be_cannot_be_asked_for(ledger):
    query = ledger.query_executor()
    for key in ("", "_k"):
        with pytest.raises(InvalidDocument, match="invalid key"):
            query.get_state("cc", key)
        with pytest.raises(InvalidDocument, match="invalid key"):
            query.get_private_data("cc", "coll", key)
    query.done()


def test_the_last_page_of_a_range_has_its_end_for_a_bookmark(ledger):
    simulator = ledger.simulator("tx")
    for size, end, bookmark in ((2, "k9", "k2"), (9, "k9", "k9"), (9, "", ""), (9, "<", "\\u003c")):
        page = simulator.get_state_range_page("cc", "k", end, size)
        while page.next() is not None:
            pass
        assert page.bookmark() == ("" if end == "<" and not bookmark else bookmark)
    simulator.done()


def test_the_rules_are_chosen_once(tmp_path):
    first = LedgerProvider(tmp_path, state_database=StateDatabase.COUCHDB)
    first.create(golden_block(0))
    first.close()
    with pytest.raises(StateDatabaseDiffers, match="is CouchDB, not goleveldb"):
        LedgerProvider(tmp_path).list()
    again = LedgerProvider(tmp_path, state_database=StateDatabase.COUCHDB)
    assert again.list() == ["golden1"]
    again.close()


def test_an_explanation_of_a_collection_speaks_of_its_namespace(ledger):
    explained = ledger.rich_queries.explain("cc", json.dumps({"selector": {"a": 1}}), "coll")
    assert "'cc$$pcoll'" in explained.sql
    assert explained.index == "_all_docs"


@pytest.mark.parametrize("name", ["couchdb", "CouchDB", "COUCHDB"])
def test_state_databases_are_named_in_any_spelling(name):
    assert StateDatabase.named(name) is StateDatabase.COUCHDB
    assert StateDatabase.named("leveldb") is StateDatabase.named("goleveldb")
    with pytest.raises(ValueError, match="mongodb"):
        StateDatabase.named("mongodb")
