"""Which index serves: CouchDB's rules."""

import json

import pytest

from gridloom.peer.ledger.errors import QueryRefused
from gridloom.peer.ledger.queries.indexes import InvalidIndex, read_index
from gridloom.peer.ledger.queries.planner import plan
from gridloom.peer.ledger.queries.request import read_request


def index(name, *fields, ddoc="d", **more):
    definition = {"index": {"fields": list(fields), **more}, "ddoc": ddoc, "name": name}
    return read_index(json.dumps(definition).encode())


ALL = (index("a", "a"), index("ab", "a", "b"), index("ba", "b", "a"), index("bac", "b", "a", "c"))


def chosen(selector, *, indexes=ALL, **options):
    query = json.dumps({"selector": selector, **options})
    found = plan(read_request(query), indexes).index
    return None if found is None else found.name


@pytest.mark.parametrize(
    ("selector", "name"),
    [
        ({}, None),
        ({"c": 1}, None),
        ({"a": 1}, "a"),
        ({"a": {"$gt": 1}}, "a"),
        ({"a": 1, "b": 2}, "ab"),
        ({"b": 2, "a": {"$lt": 5}}, "ab"),
        ({"a": 1, "b": 2, "c": 3}, "bac"),
        ({"a": {"$regex": "x"}}, "a"),
        ({"a": {"$regex": "x"}, "b": 1}, "ba"),
        ({"a": {"$in": [1]}, "b": {"$ne": 1}}, "a"),
        ({"a": {"$exists": False}}, None),
        ({"a": {"$exists": False}, "b": 1}, None),
        ({"a": {"$exists": True}, "b": 1}, "ab"),
        ({"$or": [{"a": 1}, {"b": 1}]}, None),
        ({"$or": [{"a": 1}, {"a": 2, "c": 1}]}, "a"),
        ({"$and": [{"a": 1}, {"$or": [{"b": 1}, {"b": 2}]}]}, "a"),
        ({"$not": {"a": 1}}, "a"),
        ({"a.b": 1}, None),
    ],
)
def test_the_index_with_the_longest_restricted_beginning_serves(selector, name):
    assert chosen(selector) == name


def test_equal_indexes_are_taken_by_name():
    indexes = (index("z", "a", ddoc="x"), index("b", "a", ddoc="y"), index("a", "a", ddoc="x"))
    assert chosen({"a": 1}, indexes=indexes) == "a"


@pytest.mark.parametrize(
    ("selector", "sort", "name"),
    [
        ({"a": 1}, ["a"], "a"),
        ({}, ["a"], "a"),
        ({}, ["a", "b"], "ab"),
        ({}, ["b", "a"], "ba"),
        ({"a": 1}, ["b"], "ab"),
        ({"b": 1}, ["a"], "ba"),
        ({"b": 1, "a": 2}, ["c"], "bac"),
        ({"c": {"$gt": 0}}, ["b", "a"], "ba"),
        ({"c": {"$gt": 0}}, ["b", "a", "c"], "bac"),
    ],
)
def test_a_sort_is_a_run_of_fields_after_constants(selector, sort, name):
    assert chosen(selector, sort=sort) == name


@pytest.mark.parametrize(
    ("selector", "sort"),
    [({}, ["c"]), ({"a": {"$gt": 1}}, ["b", "c"]), ({}, ["a", "c"]), ({}, ["_id"])],
)
def test_a_sort_that_no_index_gives_is_refused(selector, sort):
    with pytest.raises(QueryRefused, match="No index exists for this sort"):
        chosen(selector, sort=sort)


def test_names_of_documents_can_be_sorted_where_they_are_restricted():
    assert chosen({"_id": {"$gt": None}}, sort=["_id"]) is None


def test_a_named_index_is_taken_where_it_can_serve():
    assert chosen({"a": 1, "b": 1}, use_index=["d", "a"]) == "a"
    assert chosen({"a": 1, "b": 1}, use_index="d") == "ab"
    query = json.dumps({"selector": {"c": 1}, "use_index": ["d", "a"]})
    assert plan(read_request(query), ALL).warnings == (
        "_design/d, a was not used because it is not a valid index for this query.",
        "No matching index found, create an index to optimize query time.",
    )
    with pytest.raises(QueryRefused, match="_design/d, a specified by `use_index` could not be"):
        chosen({"c": 1}, use_index=["d", "a"], allow_fallback=False)


def test_partial_indexes_are_taken_by_name_only():
    partial = index("p", "a", ddoc="x", partial_filter_selector={"b": 1})
    assert chosen({"a": 1}, indexes=(partial,)) is None
    assert chosen({"a": 1}, indexes=(partial,), use_index="x") == "p"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[]", "JSON format is not valid"),
        ("{", "JSON format is not valid"),
        ('{"ddoc":"a"}', "JSON indexes must be an object, not: null"),
        ('{"index":[]}', "JSON indexes must be an object, not: []"),
        ('{"index":{}}', "Missing required key: fields"),
        ('{"index":{"fields":[]}}', "an index has from 1 to 6 fields, not 0"),
        ('{"index":{"fields":["a","b","c","d","e","f","g"]}}', "an index has from 1 to 6"),
        ('{"index":{"fields":"a"}}', "Sort must be an array"),
        ('{"index":{"fields":["a",{"b":"desc"}]}}', "Sorts currently only support a single"),
        ('{"index":{"fields":["_id"]}}', "every document is found by _id already"),
        ('{"index":{"fields":["a"],"x":1}}', "Invalid key x for this request."),
        ('{"index":{"fields":["a"],"partial_filter_selector":{"$x":1}}}', "Invalid operator: $x"),
        ('{"index":{"fields":["a"]},"type":"text"}', "Invalid type for index: text"),
        ('{"index":{"fields":["a"]},"ddoc":""}', "Index name or ddoc cannot be empty string"),
        ('{"index":{"fields":["a"]},"name":1}', "Invalid string: 1"),
        ('{"index":{"fields":["a"]},"analyzer":1}', "Invalid key analyzer for this request."),
    ],
)
def test_a_definition_that_is_none_says_why(text, reason):
    with pytest.raises(InvalidIndex) as invalid:
        read_index(text.encode())
    assert str(invalid.value).startswith(reason)


def test_an_index_without_names_gets_some():
    first, again = (read_index(b'{"index":{"fields":["a"]}}') for _ in range(2))
    other = read_index(b'{"index":{"fields":["b"]}}')
    assert first.ddoc == f"_design/{first.name}" == again.ddoc
    assert first.name != other.name
    assert first.sql_name("cc") != first.sql_name("other")
