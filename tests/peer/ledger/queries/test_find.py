"""Rich queries on every store, and the stores against plain Python."""

import json

import pytest
from hypothesis import HealthCheck, given, settings

from gridloom.peer.ledger.errors import QueryRefused
from gridloom.peer.ledger.memory import MemoryStore
from gridloom.peer.ledger.postgres import PostgresStore
from gridloom.peer.ledger.queries.find import find_in
from gridloom.peer.ledger.queries.indexes import read_index
from gridloom.peer.ledger.queries.planner import plan
from gridloom.peer.ledger.queries.request import read_request
from gridloom.peer.ledger.sqlite import SqliteStore
from gridloom.peer.ledger.state_database import StateDatabase
from harness import mango
from harness.postgres import postgres_server
from harness.query_conformance import QueryConformance, put

INDEXES = [
    {"index": {"fields": ["a"]}, "ddoc": "one", "name": "byA"},
    {"index": {"fields": ["b", "a"]}, "ddoc": "two", "name": "byBA"},
    {"index": {"fields": ["a", "b", "c.0"]}, "ddoc": "two", "name": "byABC"},
]


class TestMemoryQueries(QueryConformance):
    @pytest.fixture
    def store(self):
        return MemoryStore(StateDatabase.COUCHDB)


class TestSqliteQueries(QueryConformance):
    @pytest.fixture
    def store(self, tmp_path):
        store = SqliteStore(tmp_path / "ledger.db", StateDatabase.COUCHDB)
        yield store
        store.close()


class TestPostgresQueries(QueryConformance):
    @pytest.fixture
    def store(self):
        url = postgres_server().new_database()
        store = PostgresStore(url, "peer0", "ch", StateDatabase.COUCHDB)
        yield store
        store.close()


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def database(request, tmp_path_factory):
    if request.param == "sqlite":
        folder = tmp_path_factory.mktemp("queries")
        store = SqliteStore(folder / "ledger.db", StateDatabase.COUCHDB)
    else:
        url = postgres_server().new_database()
        store = PostgresStore(url, "peer0", "ch", StateDatabase.COUCHDB)
    store.define_indexes("cc", [read_index(json.dumps(i).encode()) for i in INDEXES])
    yield store
    store.close()


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(state=mango.states, queries=mango.queries.map(lambda query: [query]))
def test_a_database_finds_what_plain_python_finds(database, state, queries):
    replace_state(database, state)
    snapshot = database.snapshot()
    try:
        for query in queries:
            assert results(snapshot, query, by_database=True) == results(snapshot, query)
    finally:
        snapshot.close()


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(state=mango.states, query=mango.queries)
def test_a_database_goes_on_from_any_place(database, state, query):
    replace_state(database, state)
    snapshot = database.snapshot()
    try:
        whole = results(snapshot, query)
        for found in whole if isinstance(whole, list) else ():
            after = found.place
            rest = results(snapshot, query, after=after)
            assert results(snapshot, query, after=after, by_database=True) == rest
    finally:
        snapshot.close()


def replace_state(store, state):
    snapshot = store.snapshot()
    former = {key.decode(): b"" for key, _ in snapshot.range("cc", b"", b"")}
    snapshot.close()
    put(store, former | {key.decode(): value for key, value in state.items()})


def results(snapshot, query, *, after=None, by_database=False):
    """At most five results of a query, or the refusal of it."""
    documents = snapshot.documents()
    try:
        request = read_request(query)
        chosen = plan(request, documents.indexes("cc"))
    except QueryRefused as refusal:
        return str(refusal)
    if by_database:
        return documents.find("cc", chosen, after, request.skip, 5)
    entries = list(snapshot.range("cc", b"", b""))
    return find_in(entries, chosen, after, request.skip, 5)
