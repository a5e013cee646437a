"""The ledger's iterators in the form a chaincode gets them: one serialized result at a time.

(Fabric: core/chaincode/pending_query_result.go)
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from gridloom.protos.ledger.queryresult.kv_query_result_pb2 import KV, KeyModification


class StateIterator(Protocol):
    """Keys and values of a range or of a rich query."""

    def next(self) -> tuple[str, bytes] | None: ...

    def bookmark(self) -> str: ...

    def close(self) -> None: ...


class StateResults:
    """A range read or a rich query, as ``queryresult.KV``."""

    __slots__ = ("_found", "_namespace")

    def __init__(self, namespace: str, found: StateIterator) -> None:
        self._namespace = namespace
        self._found = found

    def next(self) -> bytes | None:
        entry = self._found.next()
        if entry is None:
            return None
        key, value = entry
        return KV(namespace=self._namespace, key=key, value=value).SerializeToString()

    def bookmark(self) -> str:
        return self._found.bookmark()

    def close(self) -> None:
        self._found.close()


class HistoryResults:
    """A key's history, newest first, as ``queryresult.KeyModification``."""

    __slots__ = ("_found",)

    def __init__(self, found: Iterator[KeyModification]) -> None:
        self._found = found

    def next(self) -> bytes | None:
        modification = next(self._found, None)
        return None if modification is None else modification.SerializeToString()

    def bookmark(self) -> str:
        return ""

    def close(self) -> None:
        self._found = iter(())
