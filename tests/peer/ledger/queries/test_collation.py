"""The order of JSON values: by type, numbers as numbers, strings as ICU sorts them."""

import itertools
import json
import string

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridloom.peer.ledger.postgres import PostgresStore
from gridloom.peer.ledger.queries.collation import KEY_BYTES, order_key
from gridloom.peer.ledger.queries.documents import canonical, parse_document, queryable
from gridloom.peer.ledger.state_database import StateDatabase
from harness import mango
from harness.postgres import postgres_server

IN_ORDER = [
    None,
    False,
    True,
    float("-1e308"),
    -2,
    -1.5,
    -1e-300,
    0,
    5e-324,
    1,
    1.5,
    2**53,
    1e300,
    "",
    " ",
    "_",
    "-",
    "~",
    "$",
    "0",
    "9",
    "a",
    "A",
    "á",
    "aa",
    "aA",
    "Aa",
    "AA",
    "ab",
    "b",
    "ba",
    "z",
    "\u0436",
    [],
    [None],
    [1],
    [1, 0],
    [1, "a"],
    ["a"],
    ["a", 1],
    ["A"],
    ["b"],
    [[]],
    {},
    {"a": 1},
    {"a": 2},
    {"a": 2, "b": 0},
    {"b": 0},
    {"b": {}},
]


def test_values_are_in_couchdbs_order():
    for one, two in itertools.pairwise(IN_ORDER):
        assert order_key(one) < order_key(two), (one, two)


@pytest.mark.parametrize(
    ("one", "two"),
    [(1, 1.0), (0, -0.0), ("é", "e\u0301"), ("a\x00\x1fb", "ab"), (2**53, 2**53 + 1)],
)
def test_couchdb_finds_these_equal(one, two):
    assert order_key(one) == order_key(two)


@pytest.mark.parametrize(
    ("one", "two"), [(1, True), (0, False), ("1", 1), ("a", "A"), ("e", "é"), ([], {}), ("", None)]
)
def test_couchdb_finds_these_different(one, two):
    assert order_key(one) != order_key(two)


def test_strings_compare_first_by_letters_then_accents_then_case():
    words = ["cote", "Cote", "coté", "côte", "Côte", "côté", "coter", "cotz"]
    shuffled = [*words[4:], *words[:4]]
    assert sorted(shuffled, key=order_key) == words


@given(st.floats(allow_nan=False), st.floats(allow_nan=False))
def test_numbers_compare_as_numbers(one, two):
    assert (order_key(one) < order_key(two)) == (one < two)
    assert (order_key(one) == order_key(two)) == (one == two)


@given(mango.values)
def test_a_key_is_never_longer_than_an_index_takes(value):
    assert 0 < len(order_key(value)) <= KEY_BYTES


def test_a_long_key_keeps_its_beginning_and_tells_its_end_apart():
    stem = "a" * 1000
    keys = [order_key(stem + end) for end in ("", "b", "c")]
    assert len(set(keys)) == 3
    assert order_key("b") > max(keys)
    assert order_key("a" * 200) < min(keys)


@pytest.fixture(scope="module")
def connection():
    url = postgres_server().new_database()
    store = PostgresStore(url, "peer0", "ch", StateDatabase.COUCHDB)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute('SET search_path TO "peer0/ch"')
        yield connection
    store.close()


def test_ascii_and_accents_sort_as_icu_sorts_them(connection):
    letters = [*string.printable, *"áàâäÁÀéèêëÉçñöüÖÜ"]
    words = {a + b for a in letters for b in ("", *"aAéb 1-")} | {"coté", "côte", "Côte", "resume"}
    query = 'SELECT w FROM unnest(%s::text[]) AS w ORDER BY w COLLATE "und-x-icu"'
    by_icu = [row[0] for row in connection.execute(query, (sorted(words),))]
    assert sorted(by_icu, key=order_key) == by_icu


@given(document=mango.documents)
def test_the_database_computes_the_same_keys(connection, document):
    value = canonical(parse_document(json.dumps(document).encode()))
    seen = queryable(value)
    query = "SELECT name, couch_key(part) FROM jsonb_each(%s::jsonb) AS members(name, part)"
    found = dict(connection.execute(query, (json.dumps(seen),)).fetchall())
    assert found == {name: order_key(part) for name, part in seen.items()}
