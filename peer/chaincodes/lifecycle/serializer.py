"""Records in the lifecycle's state: one key for each field, one for what the record is.

A record named N lies under ``<namespace>/fields/N/<field>`` (a ``StateData``) and
``<namespace>/metadata/N`` (a ``StateMetadata``: datatype and field names).  Only what
changed is written, so that read-write sets stay minimal and equal on every peer; and
whether another organisation holds an equal record is judged from hashes alone.
(Fabric: core/chaincode/lifecycle/serializer.go)
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, Protocol

from gridloom.common.errors import GridloomError, MalformedMessage
from gridloom.common.wire import parse
from gridloom.protos.peer.lifecycle.db_pb2 import StateData, StateMetadata

FieldType = Literal["Int64", "Bytes", "String"]


class ReadableState(Protocol):
    """Values of one namespace or collection; None when the key is absent."""

    def get_state(self, key: str) -> bytes | None: ...


class WritableState(ReadableState, Protocol):
    """State a transaction may change."""

    def put_state(self, key: str, value: bytes) -> None: ...
    def delete_state(self, key: str) -> None: ...


class OpaqueState(Protocol):
    """A collection seen from outside: only the SHA-256 of each value, None when absent."""

    def get_state_hash(self, key: str) -> bytes | None: ...


class RangeableState(Protocol):
    """State that can list what begins with a prefix, in key order."""

    def get_state_range(self, prefix: str) -> Sequence[tuple[str, bytes]]: ...


class LifecycleStateError(GridloomError):
    """The lifecycle's state does not hold what it should: key and reason."""

    def __init__(self, key: str, reason: str) -> None:
        super().__init__(reason)
        self.key = key
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Record:
    """One record: its type's name and, in the order that is hashed, its encoded fields."""

    datatype: str
    fields: Mapping[str, bytes]

    @property
    def metadata(self) -> bytes:
        """The ``StateMetadata`` that announces this record."""
        return StateMetadata(datatype=self.datatype, fields=list(self.fields)).SerializeToString()


def metadata_key(namespace: str, name: str) -> str:
    """The key that says what kind of record ``name`` is."""
    return f"{namespace}/metadata/{name}"


def field_key(namespace: str, name: str, field: str) -> str:
    """The key of one field."""
    return f"{namespace}/fields/{name}/{field}"


def encode_int(value: int) -> bytes:
    """A field of type Int64."""
    return StateData(Int64=value).SerializeToString()


def encode_bytes(value: bytes) -> bytes:
    """A field of type Bytes; empty ones are still present (``12 00``)."""
    return StateData(Bytes=value).SerializeToString()


def encode_text(value: str) -> bytes:
    """A field of type String; empty ones are still present (``1a 00``)."""
    return StateData(String=value).SerializeToString()


def serialize(namespace: str, name: str, record: Record, state: WritableState) -> None:
    """Bring ``state`` to hold ``record``: write changed fields, delete surplus ones."""
    current = read_metadata(namespace, name, state) or StateMetadata()
    existing = {
        field: state.get_state(field_key(namespace, name, field)) for field in current.fields
    }
    for field, value in record.fields.items():
        if existing.pop(field, None) != value:
            state.put_state(field_key(namespace, name, field), value)
    same_shape = len(current.fields) == len(record.fields)
    if existing or current.datatype != record.datatype or not same_shape:
        state.put_state(metadata_key(namespace, name), record.metadata)
    for field in existing:
        state.delete_state(field_key(namespace, name, field))


def mismatches(namespace: str, name: str, record: Record, state: OpaqueState) -> list[str]:
    """Name what differs between ``record`` and the hashes; empty when it is the same record.

    A record that is absent or of another shape is one mismatch, named by its datatype.
    Every key is read first, so the read set does not depend on the outcome.
    """
    metadata = state.get_state_hash(metadata_key(namespace, name))
    fields = {
        field: state.get_state_hash(field_key(namespace, name, field)) for field in record.fields
    }
    if metadata != hashlib.sha256(record.metadata).digest():
        return [record.datatype]
    return [
        field
        for field, value in record.fields.items()
        if fields[field] != hashlib.sha256(value).digest()
    ]


def metadata_matches(namespace: str, name: str, record: Record, state: OpaqueState) -> bool:
    """Whether a record of this type and shape lies at ``name``, whatever it holds."""
    found = state.get_state_hash(metadata_key(namespace, name))
    return found == hashlib.sha256(record.metadata).digest()


def read_metadata(namespace: str, name: str, state: ReadableState) -> StateMetadata | None:
    """Return what kind of record ``name`` is, or None when there is none."""
    key = metadata_key(namespace, name)
    value = state.get_state(key)
    if value is None:
        return None
    try:
        return parse(StateMetadata, value, key)
    except MalformedMessage as error:
        reason = f"could not unmarshal metadata for namespace {namespace}/{name}: {error.reason}"
        raise LifecycleStateError(key, reason) from error


def read_all_metadata(namespace: str, state: RangeableState) -> dict[str, StateMetadata]:
    """Return every record's metadata by name, in key order."""
    prefix = f"{namespace}/metadata/"
    found: dict[str, StateMetadata] = {}
    for key, value in state.get_state_range(prefix):
        try:
            found[key.removeprefix(prefix)] = parse(StateMetadata, value, key)
        except MalformedMessage as error:
            reason = f"error unmarshalling metadata for key {key}: {error.reason}"
            raise LifecycleStateError(key, reason) from error
    return found


def read_int(namespace: str, name: str, field: str, state: ReadableState) -> int:
    """Return an Int64 field; 0 when absent."""
    data = _read(namespace, name, field, state, "Int64")
    return data.Int64


def read_bytes(namespace: str, name: str, field: str, state: ReadableState) -> bytes:
    """Return a Bytes field; empty when absent."""
    return _read(namespace, name, field, state, "Bytes").Bytes


def read_text(namespace: str, name: str, field: str, state: ReadableState) -> str:
    """Return a String field; empty when absent."""
    return _read(namespace, name, field, state, "String").String


def _read(
    namespace: str, name: str, field: str, state: ReadableState, kind: FieldType
) -> StateData:
    key = field_key(namespace, name, field)
    return _field(state.get_state(key) or b"", key, kind)


@lru_cache(maxsize=1 << 10)
def _field(value: bytes, key: str, kind: FieldType) -> StateData:
    """What a stored field says; shared, read only."""
    try:
        data = parse(StateData, value, key)
    except MalformedMessage as error:
        reason = f"could not unmarshal state for key {key}: {error.reason}"
        raise LifecycleStateError(key, reason) from error
    actual = data.WhichOneof("Type")
    if actual not in (None, kind):
        reason = f"expected key {key} to encode a value of type {kind}, but was {actual}"
        raise LifecycleStateError(key, reason)
    return data
