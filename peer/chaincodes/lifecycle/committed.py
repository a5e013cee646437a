"""The definitions that are in force on a channel, read again only when a block changes any.

(Fabric: core/chaincode/lifecycle/cache.go)
"""

from __future__ import annotations

from ...ledger.ledger import Ledger
from .definitions import (
    LIFECYCLE_NAMESPACE,
    ChaincodeDefinition,
    ChaincodeDefinitions,
    StateQuery,
)


class CommittedDefinitions:
    """Definitions as of the newest block of a ledger; for any thread."""

    def __init__(self, definitions: ChaincodeDefinitions, ledger: Ledger) -> None:
        self._definitions = definitions
        self._ledger = ledger
        self._known: dict[str, tuple[int, ChaincodeDefinition]] = {}

    def definition(self, name: str, query: StateQuery | None = None) -> ChaincodeDefinition | None:
        """The committed definition of a chaincode, None without one.

        query: the state as committed, where somebody has it open.
        """
        as_of = self._ledger.changed_at(LIFECYCLE_NAMESPACE)
        known = self._known.get(name)
        if known is not None and known[0] == as_of:
            return known[1]
        found = self._read(name) if query is None else self._definitions.definition(name, query)
        if found is not None:  # of names that nobody defined there is no end
            self._known[name] = (as_of, found)
        return found

    def _read(self, name: str) -> ChaincodeDefinition | None:
        query = self._ledger.query_executor()
        try:
            return self._definitions.definition(name, query)
        finally:
            query.done()
