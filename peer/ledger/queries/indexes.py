"""Index definitions, as chaincode packages carry them in META-INF/statedb/couchdb.

    {"index": {"fields": ["docType", "owner"]}, "ddoc": "indexOwnerDoc", "name": "indexOwner"}

An index holds the documents that have all its fields, and in CouchDB is read in either
direction whatever direction its fields name.  (CouchDB: mango_idx, mango_idx_view.)
"""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha1, sha256

from gridloom.common.errors import GridloomError

from ..errors import QueryRefused
from . import erlang_terms
from .documents import Json, go_json, parse_document
from .request import read_sort
from .selector import EVERYTHING, Condition, Path, read_selector

MAX_FIELDS = 6
"""Most fields an index may have; what fits a row of a PostgreSQL index."""

_DESIGN = "_design/"
_KNOWN = frozenset({"index", "ddoc", "name", "type", "w", "partitioned"})


class InvalidIndex(GridloomError):
    """An index definition that cannot be used: why."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class IndexDefinition:
    """An index over the documents of one namespace.

    ddoc: name of its design document, "_design/..."; only: the documents it holds;
    text: the definition as it was given.
    """

    ddoc: str
    name: str
    fields: tuple[Path, ...]
    only: Condition = EVERYTHING
    text: str = field(default="", compare=False)

    @property
    def is_partial(self) -> bool:
        """True if it holds some documents only; then it serves those who name it."""
        return self.only != EVERYTHING

    def sql_name(self, namespace: str) -> str:
        """A name for the index in a database, the same for the same definition."""
        seed = "\0".join((namespace, self.ddoc, self.name, self.text))
        return f"rich_{sha256(seed.encode()).hexdigest()[:24]}"


def read_index(text: bytes) -> IndexDefinition:
    """The definition in a file; InvalidIndex if CouchDB or this peer would not take it."""
    document = parse_document(text)
    if document is None:
        raise InvalidIndex("JSON format is not valid")
    unknown = sorted(document.keys() - _KNOWN)
    if unknown:
        raise InvalidIndex(f"Invalid key {unknown[0]} for this request.")
    definition = document.get("index")
    if not isinstance(definition, dict):
        raise InvalidIndex(f"JSON indexes must be an object, not: {erlang_terms.plain(definition)}")
    if document.get("type", "json") != "json":
        raise InvalidIndex(f"Invalid type for index: {document['type']}")
    try:
        fields, only = _read_definition(definition)
    except QueryRefused as error:
        raise InvalidIndex(error.reason) from error
    given = go_json(document)
    generated = sha1(given.encode(), usedforsecurity=False).hexdigest()
    ddoc = _name(document.get("ddoc"), generated)
    return IndexDefinition(
        ddoc=ddoc if ddoc.startswith(_DESIGN) else _DESIGN + ddoc,
        name=_name(document.get("name"), generated),
        fields=fields,
        only=only,
        text=given,
    )


def _read_definition(definition: dict[str, Json]) -> tuple[tuple[Path, ...], Condition]:
    unknown = sorted(definition.keys() - {"fields", "partial_filter_selector"})
    if unknown:
        raise InvalidIndex(f"Invalid key {unknown[0]} for this request.")
    if "fields" not in definition:
        raise InvalidIndex("Missing required key: fields")
    fields, _ = read_sort(definition["fields"])
    if not 0 < len(fields) <= MAX_FIELDS:
        raise InvalidIndex(f"an index has from 1 to {MAX_FIELDS} fields, not {len(fields)}")
    if ("_id",) in fields:
        raise InvalidIndex("every document is found by _id already")
    return fields, read_selector(definition.get("partial_filter_selector", {}))


def _name(value: Json, generated: str) -> str:
    if value is None:
        return generated
    if not isinstance(value, str):
        raise InvalidIndex(f"Invalid string: {erlang_terms.plain(value)}")
    if not value:
        raise InvalidIndex("Index name or ddoc cannot be empty string")
    return value
