"""What the ledger has to know of collections; the chaincode lifecycle knows it.

(Fabric: core/ledger/ledger_interface.go ``DeployedChaincodeInfoProvider``.)
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple, Protocol


class StateReader(Protocol):
    """Public state: the value of (namespace, key), None if absent."""

    def get_state(self, namespace: str, key: str) -> bytes | None: ...


class CollectionCatalog(Protocol):
    """Knows which collections a chaincode has (the lifecycle does).

    It reads through the reader it is given, so that in a simulation those reads stand in the
    read set, as Fabric's do.
    """

    def collection_names(self, namespace: str, reader: StateReader) -> Collection[str] | None:
        """Names of all collections, implicit ones too; None if none are defined."""
        ...

    def block_to_live(self, namespace: str, collection: str, reader: StateReader) -> int:
        """How many blocks a collection's data live; 0: for ever, and for unknown collections."""
        ...

    def redefinitions(
        self, changed: Mapping[str, Collection[bytes]], before: StateReader, after: StateReader
    ) -> Sequence[Redefinition]:
        """The chaincodes that a block defines anew, by the keys it changes in namespaces."""
        ...


class Redefinition(NamedTuple):
    """A chaincode that has been defined anew.

    collections: its CollectionConfigPackage, b"" without explicit collections; opened: those
    that existed before but only now are open to this peer.
    """

    namespace: str
    collections: bytes
    opened: Sequence[str]
