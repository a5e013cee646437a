"""What every store must answer to rich queries; a store's tests subclass this.

Subclasses give the fixture ``store``: an empty one with CouchDB's rules.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from itertools import count
from typing import Any

import pytest

from gridloom.peer.ledger.errors import QueryRefused
from gridloom.peer.ledger.queries.documents import canonical, parse_document
from gridloom.peer.ledger.queries.explain import explain
from gridloom.peer.ledger.queries.indexes import read_index
from gridloom.peer.ledger.queries.scanner import QueryScanner
from gridloom.peer.ledger.state_db import Version, VersionedValue
from gridloom.peer.ledger.store import LedgerStore
from gridloom.peer.ledger.update_batch import UpdateBatch

from .store_conformance import record

MARBLES: Mapping[str, dict[str, Any]] = {
    "m1": {"type": "marble", "owner": "jerry", "size": 1, "tags": ["new", "red"]},
    "m2": {"type": "marble", "owner": "Tom", "size": 2, "box": {"no": 7, "in": ["a", {"b": 1}]}},
    "m3": {"type": "marble", "owner": "tom", "size": 10, "tags": []},
    "m4": {"type": "marble", "owner": None, "size": "10"},
    "m5": {"type": "bag", "size": -1.5, "tags": ["red", 5, 80]},
    "m6": {"type": "bag", "size": True, "a.b": 1, "box": [[1], {"no": 8}]},
}
PLAIN = {"p1": b"plain", "p2": b"[1, 2]", "p3": b'"marble"', "p4": b"\x00"}

BY_OWNER = {"index": {"fields": ["type", "owner"]}, "ddoc": "owners", "name": "byOwner"}
BY_SIZE = {"index": {"fields": [{"size": "desc"}]}, "ddoc": "_design/sizes", "name": "bySize"}
BAGS = {
    "index": {"fields": ["size"], "partial_filter_selector": {"type": "bag"}},
    "ddoc": "bags",
    "name": "bagsBySize",
}

_numbers = count()


def put(store: LedgerStore, values: Mapping[str, bytes], namespace: str = "cc") -> None:
    """Commit a block that puts these values; b"" deletes."""
    batch = UpdateBatch()
    for key, value in values.items():
        entry = VersionedValue(value, Version(store.height, 0))
        batch.put(namespace, "", key.encode(), entry)
    store.commit(record(store.height, batch=batch))


def put_marbles(store: LedgerStore) -> None:
    """Commit the marbles, and values that are no documents."""
    put(store, {key: json.dumps(value).encode() for key, value in MARBLES.items()} | PLAIN)


def define(store: LedgerStore, *definitions: Mapping[str, object], namespace: str = "cc") -> None:
    """Make indexes."""
    indexes = [read_index(json.dumps(definition).encode()) for definition in definitions]
    store.define_indexes(namespace, indexes)


def find(
    store: LedgerStore,
    selector: object,
    *,
    namespace: str = "cc",
    page_size: int = 0,
    bookmark: str = "",
    **options: object,
) -> list[tuple[str, Any]]:
    """Keys and values that a query finds."""
    query = json.dumps({"selector": selector, **options})
    with_snapshot = store.snapshot()
    try:
        documents = with_snapshot.documents()
        assert documents is not None
        scanner = QueryScanner(documents, namespace, query, page_size=page_size, bookmark=bookmark)
        found = []
        while (result := scanner.next()) is not None:
            found.append((result.key, result.value))
        return found
    finally:
        with_snapshot.close()


def keys(store: LedgerStore, selector: object, **options: Any) -> str:
    """Numbers of the marbles that a query finds, in its order; p for what is none."""
    return " ".join(key.removeprefix("m") for key, _ in find(store, selector, **options))


CASES: Sequence[tuple[object, str]] = [
    # comparisons, implicit and explicit
    ({"owner": "tom"}, "3"),
    ({"owner": {"$eq": "tom"}}, "3"),
    ({"owner": None}, "4"),
    ({"type": "marble", "size": 2}, "2"),
    ({"$and": [{"type": "marble"}, {"size": 2}]}, "2"),
    ({"size": {"$gt": 1, "$lte": 10}}, "2 3"),
    ({"owner": {"$ne": "tom"}}, "1 2 4"),
    ({"size": 2.0}, "2"),
    ({"size": "10"}, "4"),
    # the order of types: null < false < true < numbers < strings < arrays < objects
    ({"size": {"$gt": 5}}, "3 4"),
    ({"size": {"$lt": 0}}, "5 6"),
    ({"size": {"$lt": True}}, ""),
    ({"size": {"$lte": True}}, "6"),
    ({"size": {"$gt": None}}, "1 2 3 4 5 6"),
    ({"owner": {"$lt": False}}, "4"),
    ({"tags": {"$gt": "z"}}, "1 3 5"),
    ({"tags": {"$lt": ["new", "red"]}}, "3"),
    ({"tags": ["new", "red"]}, "1"),
    ({"box": {"$gte": []}}, "2 6"),
    ({"box": {"$gt": [[1], {"no": 8}]}}, "2"),
    # strings: letters before case before nothing else
    ({"owner": {"$gte": "tom"}}, "2 3"),
    ({"owner": {"$gt": "tom"}}, "2"),
    ({"owner": {"$lt": "Tom"}}, "1 3 4"),
    ({"owner": {"$gt": "TO"}}, "2 3"),
    # presence and types
    ({"owner": {"$exists": True}}, "1 2 3 4"),
    ({"owner": {"$exists": False}}, "5 6 p1 p2 p3 p4"),
    ({"box.no": {"$exists": False}}, "1 3 4 5 p1 p2 p3 p4"),
    ({"size.x": {"$exists": False}}, "p1 p2 p3 p4"),
    ({"size": {"$type": "number"}}, "1 2 3 5"),
    ({"size": {"$type": "boolean"}}, "6"),
    ({"owner": {"$type": "null"}}, "4"),
    ({"tags": {"$type": "array"}}, "1 3 5"),
    ({"box": {"$type": "object"}}, "2"),
    ({"size": {"$type": "integer"}}, ""),
    # lists of values
    ({"owner": {"$in": ["tom", "jerry"]}}, "1 3"),
    ({"tags": {"$in": ["red", "none"]}}, "1 5"),
    ({"tags": {"$in": [["new", "red"]]}}, ""),
    ({"owner": {"$in": []}}, ""),
    ({"owner": {"$nin": ["tom", "jerry"]}}, "2 4"),
    ({"tags": {"$nin": ["new"]}}, "3 5"),
    ({"owner": {"$nin": []}}, "1 2 3 4"),
    # arithmetic and text
    ({"size": {"$mod": [2, 0]}}, "2 3"),
    ({"size": {"$mod": [3, 1]}}, "1 3"),
    ({"owner": {"$regex": "^[Tt]om$"}}, "2 3"),
    ({"owner": {"$regex": "er"}}, "1"),
    ({"owner": {"$beginsWith": "to"}}, "3"),
    # joins and negations
    ({"$or": [{"owner": "tom"}, {"size": -1.5}]}, "3 5"),
    ({"$nor": [{"owner": "tom"}, {"owner": "Tom"}]}, "1 4"),
    ({"$not": {"owner": "tom"}}, "1 2 4"),
    ({"owner": {"$not": {"$regex": "^t"}}}, "1 2 4"),
    ({"$not": {"$or": [{"type": "bag"}, {"size": {"$gt": 1}}]}}, "1"),
    ({"$not": {"$not": {"owner": "tom"}}}, "3"),
    ({"$not": {"tags": {"$elemMatch": {"$eq": "red"}}}}, "3"),
    ({"type": "bag", "$or": []}, "5 6"),
    # arrays and maps
    ({"tags": {"$size": 0}}, "3"),
    ({"tags": {"$size": 3}}, "5"),
    ({"tags": {"$all": ["red", "new"]}}, "1"),
    ({"tags": {"$all": []}}, ""),
    ({"tags": {"$all": [["new", "red"]]}}, "1"),
    ({"tags": {"$elemMatch": {"$gte": 80, "$lt": 85}}}, "5"),
    ({"tags": {"$elemMatch": {"$not": {"$type": "string"}}}}, "5"),
    ({"tags": {"$allMatch": {"$type": "string"}}}, "1"),
    ({"box": {"$elemMatch": {"no": {"$gt": 1}}}}, "6"),
    ({"box": {"$keyMapMatch": {"$eq": "no"}}}, "2"),
    ({"box": {"$keyMapMatch": {"$in": ["x", "y"]}}}, ""),
    # paths
    ({"box.no": 7}, "2"),
    ({"box": {"no": {"$lt": 9}}}, "2"),
    ({"box.in.1.b": 1}, "2"),
    ({"box.0.0": 1}, "6"),
    ({"box.1.no": 8}, "6"),
    ({"box.01.no": 8}, "6"),
    ({"box.-1.no": 8}, ""),
    ({"box.9": 8}, ""),
    ({"a\\.b": 1}, "6"),
    ({"a.b": 1}, ""),
    ({"box": {}}, ""),
    # names of documents compare bytewise
    ({"_id": "m3"}, "3"),
    ({"_id": {"$gt": "m4"}}, "5 6 p1 p2 p3 p4"),
    ({"_id": {"$lt": "m2"}}, "1"),
    ({"_id": {"$in": ["m1", "p1", 7]}}, "1 p1"),
    ({"_id": {"$nin": ["p1", "p2", "p3", "p4"]}, "type": "bag"}, "5 6"),
    ({"_id": {"$regex": "^[mp]1"}}, "1 p1"),
    ({"_id": {"$beginsWith": "p"}}, "p1 p2 p3 p4"),
    ({"_id": {"$gt": None}, "size": 1}, "1"),
    ({"_id": {"$lt": {}}}, ""),
    ({"_id": {"$type": "string"}, "size": 1}, "1"),
    ({"_id": {"$not": {"$beginsWith": "m"}}}, "p1 p2 p3 p4"),
    # everything
    ({}, "1 2 3 4 5 6 p1 p2 p3 p4"),
]


class QueryConformance:
    """One suite for memory, SQLite and PostgreSQL."""

    def test_selectors_find_what_couchdb_finds(self, store: LedgerStore) -> None:
        put_marbles(store)
        found = {json.dumps(selector): keys(store, selector) for selector, _ in CASES}
        assert found == {json.dumps(selector): expected for selector, expected in CASES}

    def test_values_come_back_as_go_writes_json(self, store: LedgerStore) -> None:
        put(store, {"k": b'{ "z": 1.0, "a": "<\\u00e9>", "n": 1e3, "m": 0.000001, "x": 1e-7 }'})
        expected = '{"a":"\\u003cé\\u003e","m":0.000001,"n":1000,"x":1e-7,"z":1}'.encode()
        assert find(store, {"z": 1}) == [("k", expected)]
        snapshot = store.snapshot()
        entry = snapshot.get("cc", b"k")
        assert entry is not None
        assert entry.value == expected
        snapshot.close()

    def test_a_value_that_is_no_document_comes_back_as_it_is(self, store: LedgerStore) -> None:
        put_marbles(store)
        found = dict(find(store, {"_id": {"$gte": "p"}}))
        assert found == PLAIN
        assert {value for _, value in find(store, {"_id": "p1"}, fields=["owner"])} == {b"{}"}

    def test_fields_are_cut_out_where_they_were(self, store: LedgerStore) -> None:
        put_marbles(store)
        (found,) = find(store, {"size": 2}, fields=["owner", "box.in.1", "box.none", "_id"])
        assert found == ("m2", b'{"box":{"in":{"1":{"b":1}}},"owner":"Tom"}')
        assert find(store, {"size": 2}, fields=[]) == [("m2", b"{}")]

    def test_the_limit_of_the_query_is_overwritten(self, store: LedgerStore) -> None:
        put_marbles(store)
        assert keys(store, {"type": "marble"}, limit=1) == "1 2 3 4"
        assert keys(store, {"type": "marble"}, skip=3) == "4"

    def test_an_index_orders_results_with_and_without_a_sort(self, store: LedgerStore) -> None:
        put_marbles(store)
        define(store, BY_OWNER, BY_SIZE)
        ordered = "4 1 3 2"
        assert keys(store, {"type": "marble", "owner": {"$exists": True}}) == ordered
        assert keys(store, {"type": "marble"}, sort=["owner"]) == ordered
        assert keys(store, {"type": "marble"}, sort=[{"owner": "desc"}]) == "2 3 1 4"
        assert keys(store, {"size": {"$gt": None}}) == "6 5 1 2 3 4"
        assert keys(store, {"type": "marble"}, sort=[{"size": "desc"}]) == "4 3 2 1"
        assert keys(store, {}, sort=["type", "owner"]) == ordered

    def test_a_sort_leaves_out_documents_without_its_field(self, store: LedgerStore) -> None:
        put_marbles(store)
        define(store, BY_OWNER)
        assert keys(store, {"type": {"$gt": None}}, sort=["type", "owner"]) == "4 1 3 2"

    def test_a_sort_needs_an_index_that_begins_with_its_fields(self, store: LedgerStore) -> None:
        put_marbles(store)
        define(store, BY_OWNER)
        for sort in (["owner"], ["size"], ["owner", "type"], ["type", "owner", "size"]):
            with pytest.raises(QueryRefused, match="No index exists for this sort"):
                find(store, {"size": {"$gt": 0}}, sort=sort)
        assert keys(store, {"_id": {"$lt": "m3"}}, sort=[{"_id": "desc"}]) == "2 1"
        with pytest.raises(QueryRefused, match="no_usable_index"):
            find(store, {"size": 1}, sort=["_id"])

    def test_an_index_follows_writes_and_deletes(self, store: LedgerStore) -> None:
        define(store, BY_SIZE)
        put_marbles(store)
        put(store, {"m1": b'{"size": 5}', "m2": b"", "m3": b"no document", "m9": b'{"size": 7}'})
        assert keys(store, {"size": {"$type": "number"}}, sort=["size"]) == "5 1 9"

    def test_an_index_of_the_same_name_replaces_the_first(self, store: LedgerStore) -> None:
        put_marbles(store)
        define(store, BY_SIZE)
        define(store, {**BY_SIZE, "index": {"fields": ["owner"]}})
        assert keys(store, {"owner": {"$gt": "a"}}, sort=["owner"]) == "1 3 2"
        with pytest.raises(QueryRefused):
            find(store, {"size": {"$gt": 1}}, sort=["size"])
        define(store, BY_SIZE)
        assert keys(store, {"size": {"$type": "string"}}, sort=["size"]) == "4"

    def test_a_partial_index_serves_those_who_name_it(self, store: LedgerStore) -> None:
        put_marbles(store)
        define(store, BAGS)
        with pytest.raises(QueryRefused, match="No index"):
            find(store, {"size": {"$gt": None}}, sort=["size"])
        for use in ("bags", "_design/bags", ["bags", "bagsBySize"], "bags/bagsBySize"):
            found = keys(store, {"size": {"$gt": None}}, sort=["size"], use_index=use)
            assert found == "6 5"

    def test_indexes_belong_to_one_namespace(self, store: LedgerStore) -> None:
        put_marbles(store)
        put(store, {"x": b'{"size": 3}'}, namespace="c'c")
        define(store, BY_SIZE, namespace="c'c")
        assert keys(store, {"size": {"$gt": 0}}, sort=["size"], namespace="c'c") == "x"
        with pytest.raises(QueryRefused):
            find(store, {"size": {"$gt": 0}}, sort=["size"])

    @pytest.mark.parametrize("sort", [{}, {"sort": ["size"]}, {"sort": [{"size": "desc"}]}])
    def test_pages_join_to_the_whole(self, store: LedgerStore, sort: dict[str, Any]) -> None:
        values = {f"k{n:02}": json.dumps({"size": n % 4, "n": n}).encode() for n in range(30)}
        put(store, values)
        if sort:
            define(store, BY_SIZE)
        selector = {"size": {"$gte": 1}}
        whole = [key for key, _ in find(store, selector, **sort)]
        pages, bookmark = [], ""
        while page := self.page(store, selector, 4, bookmark, **sort):
            found, bookmark = page
            if not found:
                break
            pages.append(found)
        assert [key for page in pages for key in page] == whole
        assert len(whole) == 22
        assert {len(page) for page in pages[:-1]} == {4}

    def page(
        self, store: LedgerStore, selector: object, size: int, bookmark: str, **options: object
    ) -> tuple[list[str], str]:
        query = json.dumps({"selector": selector, **options})
        snapshot = store.snapshot()
        documents = snapshot.documents()
        assert documents is not None
        scanner = QueryScanner(documents, "cc", query, page_size=size, bookmark=bookmark)
        found: list[str] = []
        while len(found) < size and (result := scanner.next()) is not None:
            found.append(result.key)
        end = scanner.bookmark()
        snapshot.close()
        return found, end

    def test_a_page_without_results_gives_its_bookmark_back(self, store: LedgerStore) -> None:
        put_marbles(store)
        assert self.page(store, {"size": 99}, 3, "") == ([], "nil")
        _, last = self.page(store, {"size": 1}, 3, "")
        assert self.page(store, {"size": 1}, 3, last) == ([], last)
        for bad in ("nil", "!", "WyIiXQ", "e30", "WyJ4eCJd"):
            with pytest.raises(QueryRefused, match="Invalid bookmark value") as refusal:
                self.page(store, {"size": 1}, 3, bad)
            assert json.dumps(bad) in str(refusal.value)

    def test_more_results_than_one_fetch_come_in_several(self, store: LedgerStore) -> None:
        put(store, {f"k{n:04}": b'{"n":1}' for n in range(25)})
        snapshot = store.snapshot()
        documents = snapshot.documents()
        assert documents is not None
        for skip, expected in ((0, 25), (1, 22)):  # a skip counts on every fetch, as in Fabric
            query = json.dumps({"selector": {"n": 1}, "skip": skip})
            scanner = QueryScanner(documents, "cc", query, internal_limit=10)
            found = 0
            while scanner.next() is not None:
                found += 1
            assert found == expected
        snapshot.close()

    def test_a_snapshot_answers_from_its_own_height(self, store: LedgerStore) -> None:
        put_marbles(store)
        snapshot = store.snapshot()
        put(store, {"m1": b"", "m7": b'{"size":1}'})
        documents = snapshot.documents()
        assert documents is not None
        scanner = QueryScanner(documents, "cc", '{"selector":{"size":1}}')
        result = scanner.next()
        assert result is not None
        assert (result.key, scanner.next()) == ("m1", None)
        snapshot.close()
        assert keys(store, {"size": 1}) == "7"

    def test_long_and_odd_values_can_be_indexed(self, store: LedgerStore) -> None:
        long = "x" * 10_000
        deep: Any = 1
        for _ in range(90):
            deep = [deep]
        odd = {
            "a": {"size": long},
            "b": {"size": long + "y"},
            "c": {"size": deep},
            "d": {"size": "a\x00b"},
            "e": {"size": {"é": [None, {"\x00": 1}]}},
            "f": {"size": "\u0436"},
        }
        define(store, BY_SIZE)
        put(store, {key: json.dumps(value).encode() for key, value in odd.items()})
        put(store, {"g": b'{"size":' + b"[" * 101 + b"]" * 101 + b"}", "h": b'{"size":1e999}'})
        assert keys(store, {"size": long}) == "a"
        assert keys(store, {"size": {"$gt": None}}) == "d a b f c e"
        assert keys(store, {"size": "ab"}) == "d"
        assert keys(store, {"size": deep}) == "c"

    def test_explain_shows_the_statement_and_warns_without_an_index(
        self, store: LedgerStore
    ) -> None:
        put_marbles(store)
        define(store, BY_OWNER)
        snapshot = store.snapshot()
        documents = snapshot.documents()
        assert documents is not None
        served = explain(documents, "cc", '{"selector":{"type":"bag","owner":"tom"}}')
        assert served.index == "_design/owners, byOwner"
        assert served.warnings == ()
        assert "couch_key(" in served.sql
        assert "ORDER BY" in served.sql
        assert "?" not in served.sql
        assert served.steps
        scanned = explain(documents, "cc", '{"selector":{"size":1},"use_index":"owners"}')
        assert scanned.index == "_all_docs"
        assert "_design/owners was not used" in scanned.warnings[0]
        assert "No matching index found" in scanned.warnings[1]
        refused = explain(documents, "cc", '{"selector":{"size":1},"sort":["size"]}')
        assert "No index exists for this sort" in refused.refused
        assert refused.refused in refused.warnings
        snapshot.close()


def kept(value: bytes) -> bytes:
    """A value as a state with CouchDB's rules keeps it."""
    document = parse_document(value)
    return value if document is None else canonical(document)
