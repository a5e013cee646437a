"""Which values are documents, and the bytes Go would make of them."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridloom.peer.ledger.errors import InvalidDocument
from gridloom.peer.ledger.queries.documents import (
    MAX_DEPTH,
    canonical,
    check_key,
    check_value,
    parse_document,
    parse_json,
    queryable,
    sql_text,
)
from harness import mango


@pytest.mark.parametrize(
    ("value", "returned"),
    [
        (b'{"b":1,"a":2}', b'{"a":2,"b":1}'),
        (b' {"a" : [1 , {}]}\n', b'{"a":[1,{}]}'),
        (b'{"a":1,"a":2}', b'{"a":2}'),
        (b'{"a":"<&>\xe2\x80\xa8"}', b'{"a":"\\u003c\\u0026\\u003e\\u2028"}'),
        (b'{"<":1}', b'{"\\u003c":1}'),
        (b'{"a":"\\u00e9\\ud83d\\ude00"}', '{"a":"é😀"}'.encode()),
        (b'{"a":"\\b\\f\\n\\r\\t\\u001f\\u007f\\/"}', b'{"a":"\\b\\f\\n\\r\\t\\u001f\x7f/"}'),
        (b'{"a":"\\ud800x\\udc00"}', '{"a":"\ufffdx\ufffd"}'.encode()),
        (b'{"a":"\xff\xc3"}', '{"a":"\ufffd\ufffd"}'.encode()),
        (b'{"a":"\xed\xa0\x80"}', '{"a":"\ufffd\ufffd\ufffd"}'.encode()),
        (b'{"n":[1.0,1e2,-0,0.1,1000]}', b'{"n":[1,100,0,0.1,1000]}'),
        (b'{"n":12345678901234567890}', b'{"n":12345678901234567000}'),
        (b'{"n":[1e21,1e20,1.5e300]}', b'{"n":[1e+21,100000000000000000000,1.5e+300]}'),
        (b'{"n":[0.000001,1e-7,1.25e-9]}', b'{"n":[0.000001,1e-7,1.25e-9]}'),
        (b'{"n":[true,false,null,""]}', b'{"n":[true,false,null,""]}'),
        (
            '{"é":1,"z":2,"\U0001f600":3,"\ufffd":4}'.encode(),
            '{"z":2,"é":1,"\ufffd":4,"\U0001f600":3}'.encode(),
        ),
    ],
)  # fmt: skip
def test_a_document_is_written_as_go_writes_it(value, returned):
    document = parse_document(value)
    assert document is not None
    assert canonical(document) == returned
    assert canonical(parse_document(returned)) == returned


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"plain",
        b"null",
        b"[1]",
        b'"text"',
        b"1",
        b"{",
        b'{"a":1}x',
        b'{"a":1,}',
        b"{'a':1}",
        b'{"a":NaN}',
        b'{"a":Infinity}',
        b'{"a":1e999}',
        b'{"a":01}',
        b'{"a":"\n"}',
        b'\xef\xbb\xbf{"a":1}',
        b'{"a":' + b"[" * MAX_DEPTH + b"]" * MAX_DEPTH + b"}",
    ],
)
def test_everything_else_is_a_plain_value(value):
    assert parse_document(value) is None
    assert queryable(value) == {}
    check_value(value)


def test_brackets_in_strings_do_not_make_a_document_deep():
    text = json.dumps({"a": "[{" * 500 + '\\"'})
    assert parse_document(text.encode()) == json.loads(text)


def test_queries_do_not_see_the_character_zero():
    value = b'{"a\\u0000":["\\u0000b",{"c\\u0000":1}]}'
    assert queryable(value) == {"a": ["b", {"c": 1}]}
    assert sql_text(parse_document(value)) == '{"a":["b",{"c":1}]}'
    assert canonical(parse_document(value)) == value


@pytest.mark.parametrize("key", [b"", b"_a", b"\xff"])
def test_couchdb_has_no_such_keys(key):
    with pytest.raises(InvalidDocument, match="invalid key"):
        check_key(key)


def test_other_keys_are_fine():
    for key in (b"a_", b"\x00a\x00", "é".encode()):
        check_key(key)


@pytest.mark.parametrize("value", [b'{"_id":1}', b'{"_":1}', b'{"~version":""}', b'{"_a":{}}'])
def test_couchdbs_own_fields_cannot_be_written(value):
    with pytest.raises(InvalidDocument, match=r"field \[.*\] is not valid for the CouchDB state"):
        check_value(value)
    check_value(b'{"a":' + value + b"}")


@given(mango.documents)
def test_encoding_is_stable_and_keeps_the_document(document):
    text = json.dumps(document).encode()
    once = canonical(parse_document(text))
    assert parse_document(once) == parse_document(text)
    assert canonical(parse_document(once)) == once
    assert json.loads(once) == parse_document(text)


@given(st.binary(max_size=40))
def test_any_bytes_are_a_document_or_not(data):
    parse_document(data)
    parse_document(b'{"a":"' + data + b'"}')


@given(mango.values)
def test_a_part_of_a_document_reads_as_in_the_whole(value):
    document = parse_document(json.dumps({"a": value}).encode())
    if document is not None:
        assert parse_json(sql_text(document)[5:-1]) == queryable(canonical(document))["a"]
