"""The world state: versioned values by namespace and key, read through snapshots.

Namespaces are chaincode names; "" holds the channel configuration.  Private data lie in
two more for each collection: ``<chaincode>$$h<collection>`` (SHA-256 of key -> SHA-256 of
value, on every peer) and ``<chaincode>$$p<collection>`` (cleartext, on members' peers).
Keys are bytes and sort bytewise; an empty value cannot be stored, it means deletion.
(Fabric: core/ledger/kvledger/txmgmt/{statedb,privacyenabledstate}.)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha256
from typing import TYPE_CHECKING, NamedTuple, Protocol

from gridloom.common.errors import MalformedMessage

from .errors import InvalidKey

if TYPE_CHECKING:  # queries are made of what is defined here
    from .queries.find import Documents
    from .store import TransactionRow

_HASHED = "$$h"
_PRIVATE = "$$p"


class Version(NamedTuple):
    """Where a value was last written: block number, then index of the transaction in it."""

    block: int
    tx: int

    def __str__(self) -> str:
        return f"{{BlockNum: {self.block}, TxNum: {self.tx}}}"

    def to_bytes(self) -> bytes:
        """Fabric's order-preserving form: each number as a length byte and big-endian bytes."""
        return _order_preserving(self.block) + _order_preserving(self.tx)

    @classmethod
    def from_bytes(cls, data: bytes) -> Version:
        """Read that form; MalformedMessage if it is not two such numbers and nothing more."""
        block, rest = _split_number(data)
        tx, rest = _split_number(rest)
        if rest:
            raise MalformedMessage("version", f"{len(rest)} bytes too many")
        return cls(block, tx)


@dataclass(frozen=True, slots=True)
class VersionedValue:
    """One entry of the state, or of a batch (there an empty value marks a deletion).

    metadata: a serialized KVMetadataWrite that has entries only, or b"".
    """

    value: bytes = field(repr=False)
    version: Version
    metadata: bytes = b""

    @property
    def is_delete(self) -> bool:
        """True for a deletion in a batch; never for a stored entry."""
        return not self.value


class StateSnapshot(Protocol):
    """The state as it was at one height, whatever is committed meanwhile.

    Used by one thread at a time; close() releases what it holds and may be called again.
    """

    @property
    def height(self) -> int:
        """Number of blocks this state has seen."""
        ...

    def get(self, namespace: str, key: bytes) -> VersionedValue | None: ...

    def get_many(
        self, places: Sequence[tuple[str, bytes]]
    ) -> Mapping[tuple[str, bytes], VersionedValue]:
        """Values of those keys that are there, by (namespace, key)."""
        ...

    def has_metadata(self, namespace: str) -> bool:
        """Whether keys of the namespace may have metadata; if False, nobody need look for them."""
        ...

    def range(
        self, namespace: str, start: bytes, end: bytes
    ) -> Iterator[tuple[bytes, VersionedValue]]:
        """Entries from start (inclusive) to end (exclusive; b"" = end of the namespace)."""
        ...

    def documents(self) -> Documents | None:
        """The rich queries of a state that has CouchDB's rules; None by LevelDB's."""
        ...

    def close(self) -> None: ...


class FullStateSnapshot(StateSnapshot, Protocol):
    """A snapshot that can be read through without knowing what is in it."""

    def namespaces(self) -> Sequence[str]:
        """Names of all namespaces with entries, perhaps of some without, in byte order."""
        ...

    def transaction(self, tx_id: str) -> TransactionRow | None:
        """The first transaction of this id in the blocks that this state has seen."""
        ...


class StateDb(Protocol):
    """Whoever can give snapshots of the committed state."""

    def snapshot(self) -> StateSnapshot: ...


COLLECTIONS_END = "$%"
"""What follows a namespace in the first name behind those of its collections."""


def hashed_namespace(namespace: str, collection: str) -> str:
    """Name of the namespace that holds a collection's hashes."""
    return f"{namespace}{_HASHED}{collection}"


def private_namespace(namespace: str, collection: str) -> str:
    """Name of the namespace that holds a collection's cleartext."""
    return f"{namespace}{_PRIVATE}{collection}"


def is_private_namespace(namespace: str) -> bool:
    """True for the namespace of a collection's cleartext."""
    return _PRIVATE in namespace


def hashed_collection(namespace: str) -> tuple[str, str] | None:
    """(chaincode, collection) whose hashes this namespace holds; None for any other."""
    chaincode, mark, collection = namespace.partition(_HASHED)
    return (chaincode, collection) if mark else None


def encode_key(key: str) -> bytes:
    """UTF-8 of a key; InvalidKey if it has none (lone surrogates)."""
    try:
        return key.encode()
    except UnicodeEncodeError:
        raise InvalidKey(key) from None


def key_hash(key: str) -> bytes:
    """SHA-256 of a private key's UTF-8."""
    return sha256(encode_key(key)).digest()


@lru_cache(maxsize=1024)
def _order_preserving(number: int) -> bytes:
    body = number.to_bytes((number.bit_length() + 7) // 8, "big")
    return bytes([len(body)]) + body


def _split_number(data: bytes) -> tuple[int, bytes]:
    end = 1 + data[0] if data else 1
    if not data or end > 9 or len(data) < end:
        raise MalformedMessage("version", "an order-preserving number is cut off or too long")
    return int.from_bytes(data[1:end], "big"), data[end:]
