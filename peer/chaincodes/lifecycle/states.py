"""The lifecycle's view of a ledger: public state, organisations' collections, their hashes.

(Fabric: core/chaincode/lifecycle/ledger_shim.go)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ...ledger.query_executor import QueryExecutor, RangeIterator
from ...ledger.simulator import TxSimulator
from .definitions import LIFECYCLE_NAMESPACE

_AFTER_PREFIX = "\x7f"  # keys are ASCII below this


@dataclass(frozen=True, slots=True)
class PublicQueryState:
    """The namespace ``_lifecycle``, to read and list."""

    query: QueryExecutor

    def get_state(self, key: str) -> bytes | None:
        return self.query.get_state(LIFECYCLE_NAMESPACE, key)

    def get_state_range(self, prefix: str) -> Sequence[tuple[str, bytes]]:
        end = prefix + _AFTER_PREFIX
        return _collect(self.query.get_state_range(LIFECYCLE_NAMESPACE, prefix, end))


@dataclass(frozen=True, slots=True)
class PublicSimulatorState:
    """The namespace ``_lifecycle`` within a transaction."""

    simulator: TxSimulator

    def get_state(self, key: str) -> bytes | None:
        return self.simulator.get_state(LIFECYCLE_NAMESPACE, key)

    def put_state(self, key: str, value: bytes) -> None:
        self.simulator.set_state(LIFECYCLE_NAMESPACE, key, value)

    def delete_state(self, key: str) -> None:
        self.simulator.delete_state(LIFECYCLE_NAMESPACE, key)

    def get_state_range(self, prefix: str) -> Sequence[tuple[str, bytes]]:
        end = prefix + _AFTER_PREFIX
        return _collect(self.simulator.get_state_range(LIFECYCLE_NAMESPACE, prefix, end))


@dataclass(frozen=True, slots=True)
class CollectionState:
    """A collection of ``_lifecycle`` within a transaction: cleartext and hashes."""

    simulator: TxSimulator
    collection: str

    def get_state(self, key: str) -> bytes | None:
        return self.simulator.get_private_data(LIFECYCLE_NAMESPACE, self.collection, key)

    def get_state_hash(self, key: str) -> bytes | None:
        return self.simulator.get_private_data_hash(LIFECYCLE_NAMESPACE, self.collection, key)

    def put_state(self, key: str, value: bytes) -> None:
        self.simulator.set_private_data(LIFECYCLE_NAMESPACE, self.collection, key, value)

    def delete_state(self, key: str) -> None:
        self.simulator.delete_private_data(LIFECYCLE_NAMESPACE, self.collection, key)

    def get_state_range(self, prefix: str) -> Sequence[tuple[str, bytes]]:
        end = prefix + _AFTER_PREFIX
        return _collect(
            self.simulator.get_private_data_range(LIFECYCLE_NAMESPACE, self.collection, prefix, end)
        )


def _collect(found: RangeIterator) -> list[tuple[str, bytes]]:
    try:
        return list(found)
    finally:
        found.close()
