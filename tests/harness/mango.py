"""Hypothesis strategies for documents, selectors and queries of CouchDB's kind.

Names and values come from a small stock, so that queries find something.
"""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st

Strategy = st.SearchStrategy[Any]

_NAMES = ["a", "b", "c", "0", "1", "01", "-1", "a b", "A", 'q"x', "é", "?", "%s", "it's", ""]
_TEXTS = ["", "a", "A", "aa", "ab", "b", "Z", "_", "1", "é", "e\u0301", "E", "zeta", "\x01a"]
_NUMBERS = [0, 1, -1, 2, 0.1, 1.5, 1e21, 1e-7, -0.0, 5e-324, 1.7976931348623157e308]
_NUMBERS += [2**53, 2**53 + 1, 12345678901234567890]
_PATTERNS = ["^a", "b$", "[a-z]+", ".", "é", "(?i)A"]
_TYPES = ["null", "boolean", "number", "string", "array", "object", "odd"]
_KEYS = [b"k1", b"k2", b"K3", b"\x00x\x00", b"a", b"z", "é".encode(), b"'"]

names = st.sampled_from([name for name in _NAMES if name])
texts = st.one_of(st.sampled_from(_TEXTS), st.text(max_size=4))
numbers = st.one_of(
    st.sampled_from(_NUMBERS),
    st.integers(-3, 3),
    st.floats(allow_nan=False, allow_infinity=False),
)
scalars = st.one_of(st.none(), st.booleans(), numbers, texts)
values: Strategy = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(_NAMES), inner, max_size=3)
    ),
    max_leaves=6,
)
documents = st.dictionaries(st.sampled_from(_NAMES), values, max_size=5)
stored = st.one_of(
    documents.map(lambda document: json.dumps(document).encode()),
    st.sampled_from([b"plain", b"[1]", b"null", b"{", b'{"a":1}x']),
)
states = st.dictionaries(st.sampled_from(_KEYS), stored, max_size=8)
paths = st.one_of(names, names, st.tuples(names, names).map(".".join), st.just("_id"))


def conditions(inner: Strategy) -> Strategy:
    """An operator and its argument; inner: selectors for operators that take one."""
    return st.one_of(
        st.tuples(st.sampled_from(["$eq", "$ne", "$lt", "$lte", "$gt", "$gte"]), values),
        st.tuples(st.sampled_from(["$in", "$nin", "$all"]), st.lists(values, max_size=3)),
        st.tuples(st.just("$exists"), st.booleans()),
        st.tuples(st.just("$type"), st.sampled_from(_TYPES)),
        st.tuples(st.just("$mod"), st.tuples(st.sampled_from([-3, 1, 2, 10]), st.integers(-2, 2))),
        st.tuples(st.just("$size"), st.integers(0, 3)),
        st.tuples(st.just("$regex"), st.sampled_from(_PATTERNS)),
        st.tuples(st.just("$beginsWith"), texts),
        st.tuples(st.sampled_from(["$elemMatch", "$allMatch", "$keyMapMatch", "$not"]), inner),
    ).map(lambda pair: {pair[0]: pair[1]})


def _wider(inner: Strategy) -> Strategy:
    joins = st.tuples(st.sampled_from(["$and", "$or", "$nor"]), st.lists(inner, max_size=3))
    return st.one_of(
        st.dictionaries(paths, st.one_of(values, conditions(inner)), min_size=1, max_size=2),
        joins.map(lambda pair: {pair[0]: pair[1]}),
        inner.map(lambda selector: {"$not": selector}),
        conditions(inner),
    )


_parts: Strategy = st.recursive(
    st.dictionaries(paths, values, min_size=1, max_size=2), _wider, max_leaves=4
)
selectors = st.one_of(
    st.just({}),
    st.dictionaries(paths, st.one_of(values, conditions(_parts)), min_size=1, max_size=2),
    _parts.map(lambda part: {"$and": [part]}),
)
queries = st.fixed_dictionaries(
    {"selector": selectors},
    optional={
        "sort": st.one_of(
            st.lists(st.sampled_from(["a", "b"]), max_size=2),
            st.lists(st.sampled_from(["a", "b"]).map(lambda n: {n: "desc"}), max_size=2),
        ),
        "fields": st.lists(paths, max_size=3),
        "skip": st.integers(0, 2),
        "use_index": st.sampled_from(["one", "two", ["two", "byBA"], "none"]),
    },
).map(json.dumps)
