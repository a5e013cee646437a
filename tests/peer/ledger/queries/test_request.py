"""What a query may say, and how it is refused: by the peer in Go's words, else as CouchDB."""

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridloom.peer.ledger.errors import QueryRefused, QueryUnreadable
from gridloom.peer.ledger.queries.request import FindRequest, read_request
from gridloom.peer.ledger.queries.selector import (
    EVERYTHING,
    All,
    Compare,
    Comparison,
    Exists,
    Field,
    Not,
    Some,
    parse_path,
    read_selector,
)
from harness import mango


def equals(path, value):
    return Field(path, Compare(Comparison.EQ, value))


def test_a_query_with_everything():
    request = read_request(
        '{"selector":{"a.b":1},"sort":[{"c":"desc"},{"d.e":"desc"}],"fields":["a","b\\\\.c"],'
        '"skip":3,"bookmark":"xyz","use_index":["d","n"],"limit":"ignored","allow_fallback":false,'
        '"execution_stats":true,"r":1,"stale":"ok"} and what follows is ignored'
    )
    assert request == FindRequest(
        selector=equals(("a", "b"), 1),
        sort=(("c",), ("d", "e")),
        descending=True,
        fields=(("a",), ("b.c",)),
        skip=3,
        bookmark="xyz",
        use_index=("d", "n"),
        allow_fallback=False,
    )


def test_a_query_with_nothing_finds_everything():
    request = read_request('{"selector":{}}')
    assert request == FindRequest(EVERYTHING)
    assert (request.sort, request.fields, request.bookmark) == ((), None, "")


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("", "EOF"),
        ("  ", "EOF"),
        ("{", "unexpected EOF"),
        ('{"selector"', "unexpected EOF"),
        ('{"selector":', "unexpected EOF"),
        ('{"a":"b', "unexpected EOF"),
        ("x", "invalid character 'x' looking for beginning of value"),
        ('{"selector":{"owner":}}', "invalid character '}' looking for beginning of value"),
        ("{x", "invalid character 'x' looking for beginning of object key string"),
        ("{'a'", "invalid character '\\'' looking for beginning of object key string"),
        ('{"a" 1}', "invalid character '1' after object key"),
        ('{"a":1 "b"}', "invalid character '\"' after object key:value pair"),
        ('{"a":[1 2]}', "invalid character '2' after array element"),
        ('{"a":[{"b]":"\\"{"} 2]}', "invalid character '2' after array element"),
        ('{"a":"\n"}', "invalid character '\\n' in string literal"),
        ('{"a":"\\x"}', "invalid character 'x' in string escape code"),
        ("[1]", "json: cannot unmarshal array into Go value of type map[string]interface {}"),
        ("1", "json: cannot unmarshal number into Go value of type map[string]interface {}"),
        ('"a"', "json: cannot unmarshal string into Go value of type map[string]interface {}"),
        ("null", "json: cannot unmarshal null into Go value of type map[string]interface {}"),
        ('{"selector":{},"fields":"a"}', "fields definition must be an array"),
        ("[" * 101, "exceeded max depth"),
    ],
)
def test_what_the_peer_cannot_read_is_refused_in_gos_words(query, reason):
    with pytest.raises(QueryUnreadable) as refusal:
        read_request(query)
    assert str(refusal.value) == reason


@pytest.mark.parametrize(
    ("query", "error", "reason"),
    [
        ({}, "missing_required_key", "Missing required key: selector"),
        ({"selector": 5}, "invalid_selector_json", "Selector must be a JSON object, not: 5"),
        ({"selector": [1]}, "invalid_selector_json", "Selector must be a JSON object, not: [1]"),
        ({"selector": {}, "foo": 1}, "invalid_key", "Invalid key foo for this request."),
        ({"selector": {}, "sort": "a"}, "invalid_sort_json",
         'Sort must be an array of sort specs, not: <<"a">>'),
        ({"selector": {}, "sort": [1]}, "invalid_sort_field", "Invalid sort field: 1"),
        ({"selector": {}, "sort": [""]}, "invalid_sort_field", 'Invalid sort field: <<"">>'),
        ({"selector": {}, "sort": [{"a": "up"}]}, "invalid_sort_field",
         'Invalid sort field: {[{<<"a">>,<<"up">>}]}'),
        ({"selector": {}, "sort": ["a", {"b": "desc"}]}, "unsupported_mixed_sort",
         "Sorts currently only support a single direction for all fields."),
        ({"selector": {}, "fields": [1]}, "invalid_field", "Invalid JSON for field spec: 1"),
        ({"selector": {}, "skip": -1}, "invalid_non_neg_integer",
         "-1 is not an integer greater than or equal to zero"),
        ({"selector": {}, "skip": "1"}, "invalid_non_neg_integer",
         "<<49>> is not an integer greater than or equal to zero"),
        ({"selector": {}, "r": 0}, "invalid_pos_integer", "0 is not an integer greater than zero"),
        ({"selector": {}, "update": 1.5}, "invalid_boolean", "Invalid boolean value: 1.5"),
        ({"selector": {}, "use_index": 5}, "invalid_index_name", "Invalid index name: 5"),
        ({"selector": {}, "use_index": ["a", "b", "c"]}, "invalid_index_name",
         "Invalid index name: [<<97>>,<<98>>,<<99>>]"),
        ({"selector": {}, "bookmark": 5}, "invalid_bookmark", "Invalid bookmark value: 5"),
        ({"selector": {"$and": 5}}, "bad_arg", "Bad argument for operator $and: 5"),
        ({"selector": {"$or": {"a": 1}}}, "bad_arg",
         "Bad argument for operator $or: {[{<<97>>,1}]}"),
        ({"selector": {"$not": [True]}}, "bad_arg", "Bad argument for operator $not: [true]"),
        ({"selector": {"a": {"$in": 5}}}, "bad_arg", "Bad argument for operator $in: 5"),
        ({"selector": {"a": {"$nin": None}}}, "bad_arg", "Bad argument for operator $nin: null"),
        ({"selector": {"a": {"$all": "x"}}}, "bad_arg", "Bad argument for operator $all: <<120>>"),
        ({"selector": {"a": {"$exists": 1}}}, "bad_arg", "Bad argument for operator $exists: 1"),
        ({"selector": {"a": {"$type": 1.0}}}, "bad_arg", "Bad argument for operator $type: 1.0"),
        ({"selector": {"a": {"$mod": [0, 1]}}}, "bad_arg", "Bad argument for operator $mod: [0,1]"),
        ({"selector": {"a": {"$mod": [2.0, 1]}}}, "bad_arg",
         "Bad argument for operator $mod: [2.0,1]"),
        ({"selector": {"a": {"$mod": [True, 1]}}}, "bad_arg",
         "Bad argument for operator $mod: [true,1]"),
        ({"selector": {"a": {"$size": -1}}}, "bad_arg", "Bad argument for operator $size: -1"),
        ({"selector": {"a": {"$regex": "("}}}, "bad_arg",
         "Bad argument for operator $regex: <<40>>"),
        ({"selector": {"a": {"$regex": 1e21}}}, "bad_arg",
         "Bad argument for operator $regex: 1.0e21"),
        ({"selector": {"a": {"$elemMatch": 1}}}, "bad_arg",
         "Bad argument for operator $elemMatch: 1"),
        ({"selector": {"a": {"$beginsWith": 1}}}, "bad_arg",
         "Bad argument for operator $beginsWith: 1"),
        ({"selector": {"a": {"$foo": 1}}}, "invalid_operator", "Invalid operator: $foo"),
        ({"selector": {"a": {"$where": "1"}}}, "not_supported", "Unsupported operator: $where"),
        ({"selector": {"$text": "x"}}, "no_usable_index",
         "There is no text index here to search."),
        ({"selector": {"$gt": 1}}, "invalid_selector",
         "One or more conditions is missing a field name."),
        ({"selector": {"a..b": 1}}, "invalid_field_name", "Invalid field name: a..b"),
        ({"selector": {"": 1}}, "invalid_field_name", "Invalid field name: "),
    ],
)  # fmt: skip
def test_what_couchdb_refuses_is_refused_in_its_words(query, error, reason):
    with pytest.raises(QueryRefused) as refusal:
        read_request(json.dumps(query))
    assert str(refusal.value) == (
        f"error handling CouchDB request. Error:{error},  Status Code:400,  Reason:{reason}"
    )


def test_names_are_paths_and_escaped_dots_are_not():
    assert parse_path("a.b.0") == ("a", "b", "0")
    assert parse_path("a\\.b.c") == ("a.b", "c")
    assert parse_path("a\\b") == ("ab",)


def test_negations_move_down_to_the_comparisons():
    moved = read_selector({"$not": {"a": {"$gt": 1, "$exists": False}}})
    assert moved == Some((Field(("a",), Compare(Comparison.LTE, 1)), Field(("a",), Exists(True))))
    assert read_selector({"$nor": [{"a": 1}, {"$not": {"b": 2}}]}) == All(
        (Field(("a",), Compare(Comparison.NE, 1)), equals(("b",), 2))
    )
    inside = read_selector({"a": {"$elemMatch": {"$not": {"b": 1}}}})
    assert inside.test.condition == Not(equals(("b",), 1))


def test_nested_names_and_several_operators_come_apart():
    assert read_selector({"a": {"b": {"c": 1}, "d": {"$lt": 2}}}) == All(
        (equals(("a", "b", "c"), 1), Field(("a", "d"), Compare(Comparison.LT, 2)))
    )
    assert read_selector({"a": {}}) == equals(("a",), {})
    assert read_selector({"a": [1]}) == equals(("a",), [1])


@given(st.one_of(mango.queries, mango.values.map(json.dumps), st.text(max_size=20)))
def test_any_text_is_a_query_or_refused(text):
    with suppress(QueryRefused, QueryUnreadable):
        read_request(text)
