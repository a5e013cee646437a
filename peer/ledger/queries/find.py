"""One page of a query's results: what every store answers, and how memory does.

Results come in the order of the plan's index, then of their names; a page begins after the
place where an earlier one ended.  (CouchDB: mango_cursor_view, mango_json_bookmark.)
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple, Protocol

from ..errors import QueryRefused
from ..state_db import VersionedValue
from .collation import order_key
from .documents import Document, Json, canonical, parse_document, queryable
from .evaluate import Absent, meets, value_at
from .indexes import IndexDefinition
from .planner import Plan
from .selector import Path


class Place(NamedTuple):
    """Where a document stands in a plan's order: keys of the index's fields, then its name."""

    keys: tuple[bytes, ...]
    name: bytes

    def bookmark(self) -> str:
        """The place as a chaincode keeps it."""
        parts = [part.hex() for part in (*self.keys, self.name)]
        return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")


class Found(NamedTuple):
    """One result: its name, the stored value, and its place."""

    key: bytes
    value: VersionedValue
    place: Place


class Documents(Protocol):
    """The documents of one snapshot of a state that keeps CouchDB's rules."""

    def indexes(self, namespace: str) -> Sequence[IndexDefinition]:
        """The indexes of a namespace, by design document and name."""
        ...

    def find(
        self, namespace: str, plan: Plan, after: Place | None, skip: int, limit: int
    ) -> list[Found]:
        """At most ``limit`` results after a place, without the first ``skip`` of them."""
        ...

    def explain(self, namespace: str, plan: Plan) -> tuple[str, Sequence[str], bool]:
        """The statement for a page of ten with its parameters, how the database would go
        about it, and whether its results need no further check."""
        ...


def read_bookmark(text: str, plan: Plan) -> Place | None:
    """The place a bookmark names, None for ""; QueryRefused if it is none of this plan's."""
    if not text:
        return None
    try:
        padded = text + "=" * (-len(text) % 4)
        parts = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        *keys, name = (bytes.fromhex(part) for part in parts)
    except (ValueError, TypeError):
        keys, name = [], b""
    if not name or len(keys) != len(plan.order):
        reason = f"Invalid bookmark value: {json.dumps(text)}"
        raise QueryRefused("invalid_bookmark", 400, reason)
    return Place(tuple(keys), name)


def find_in(
    entries: Iterable[tuple[bytes, VersionedValue]],
    plan: Plan,
    after: Place | None,
    skip: int,
    limit: int,
) -> list[Found]:
    """The results among these entries, all of a namespace, without any database."""
    found = sorted(
        _matching(entries, plan), key=lambda each: each.place, reverse=plan.request.descending
    )
    later = (each for each in found if after is None or _follows(each.place, after, plan))
    return list(islice(later, skip, skip + limit))


def project(document: Document, fields: Iterable[Path]) -> Document:
    """The parts of a document that a query asks for, each where it was."""
    result: Document = {}
    for path in fields:
        found = value_at(document, path)
        if not isinstance(found, Absent):
            _put(result, path, found)
    return result


def returned_value(found: Found, plan: Plan) -> bytes:
    """What a chaincode gets of a result: the stored bytes, or the fields it asked for."""
    fields = plan.request.fields
    if fields is None:
        return found.value.value
    return canonical(project(parse_document(found.value.value) or {}, fields))


def _matching(entries: Iterable[tuple[bytes, VersionedValue]], plan: Plan) -> Iterator[Found]:
    for key, value in entries:
        document = queryable(value.value)
        places = [value_at(document, path) for path in plan.order]
        keys = [order_key(place) for place in places if not isinstance(place, Absent)]
        if len(keys) == len(places) and meets(plan.condition, key, document):
            yield Found(key, value, Place(tuple(keys), key))


def _follows(place: Place, other: Place, plan: Plan) -> bool:
    return place < other if plan.request.descending else place > other


def _put(document: Document, path: Path, value: Json) -> None:
    inside = document
    for name in path[:-1]:
        entered = inside.setdefault(name, {})
        if not isinstance(entered, dict):
            return  # a field within one that is returned whole
        inside = entered
    inside[path[-1]] = value
