"""What the ledger reports when it cannot do what it was asked.

    LedgerError
      LedgerExists, LedgerNotFound          opening and creating
      LedgerClosed                          used after close()
      BlockRejected                         a block that does not continue the chain
      NotInIndex                            no such block, hash or transaction
      StoreFailed                           the disk or database refused
      StoreDamaged                          what is stored cannot be a ledger of ours
      SimulationError
        SimulatorClosed                     used after done(), or results() taken twice
        UnsupportedTransaction              a query and a write that may not be combined
        InvalidKey, ValueTooLarge           cannot be written
        CollectionsUndefined                the chaincode has no collections at all
        UndefinedCollection                 it has, but not this one
        PrivateDataUnavailable              the cleartext is older than its public hash

The texts of the last three and of NotInIndex are those Fabric's clients know.
(Fabric: core/ledger/ledger_interface.go, common/ledger/blkstorage/blockindex.go.)
"""

from __future__ import annotations

from gridloom.common.errors import GridloomError


class LedgerError(GridloomError):
    """Root of what peer/ledger reports."""


class LedgerExists(LedgerError):
    """The peer has already joined this channel."""

    def __init__(self, channel_id: str) -> None:
        super().__init__(f"ledger [{channel_id}] already exists with state [ACTIVE]")
        self.channel_id = channel_id


class LedgerNotFound(LedgerError):
    """The peer has no ledger of this channel."""

    def __init__(self, channel_id: str) -> None:
        super().__init__(f"cannot open ledger [{channel_id}], ledger does not exist")
        self.channel_id = channel_id


class LedgerClosed(LedgerError):
    """The ledger was closed."""

    def __init__(self) -> None:
        super().__init__("the ledger is closed")


class BlockRejected(LedgerError):
    """A block that cannot be the next one of this chain, or was not validated."""

    def __init__(self, channel_id: str, number: int, reason: str) -> None:
        super().__init__(
            f"block [{number}] of channel [{channel_id}] cannot be committed: {reason}"
        )
        self.channel_id = channel_id
        self.number = number
        self.reason = reason


class NotInIndex(LedgerError):
    """Nothing is stored under this block number, block hash or transaction id."""

    def __init__(self, kind: str, key: str) -> None:
        super().__init__(f"no such {kind} [{key}] in index")
        self.kind = kind
        self.key = key


class StoreFailed(LedgerError):
    """The database could not do it: disk full, file locked, value too large."""

    def __init__(self, place: str, reason: str) -> None:
        super().__init__(f"{place}: {reason}")
        self.place = place
        self.reason = reason


class StoreDamaged(LedgerError):
    """What lies on disk is not what a commit leaves there."""

    def __init__(self, place: str, reason: str) -> None:
        super().__init__(f"{place}: {reason}")
        self.place = place
        self.reason = reason


class SimulationError(LedgerError):
    """A simulation asked for something a transaction may not do."""


class SimulatorClosed(SimulationError):
    """A simulator or query executor was used after its end."""


class UnsupportedTransaction(SimulationError):
    """Paginated and private range queries belong in transactions that write nothing."""

    def __init__(self, tx_id: str, reason: str) -> None:
        super().__init__(f"txid [{tx_id}]: unsuppored transaction. {reason}")  # Fabric's spelling
        self.tx_id = tx_id
        self.reason = reason


class InvalidKey(SimulationError):
    """A key, namespace or metadata name that has no UTF-8 form."""

    def __init__(self, text: str) -> None:
        super().__init__(f"not valid UTF-8 text: {text.encode('utf-8', 'backslashreplace')!r}")
        self.text = text


class ValueTooLarge(SimulationError):
    """A value that could never travel in a message (unit: bytes)."""

    def __init__(self, size: int, limit: int) -> None:
        super().__init__(f"a value of {size} bytes exceeds the limit of {limit} bytes")
        self.size = size
        self.limit = limit


class CollectionsUndefined(SimulationError):
    """Private data of a chaincode that defines no collection."""

    def __init__(self, namespace: str) -> None:
        super().__init__(
            f"collection config not defined for chaincode [{namespace}], pass the collection"
            " configuration upon chaincode definition/instantiation"
        )
        self.namespace = namespace


class UndefinedCollection(SimulationError):
    """Private data of a collection that the chaincode does not define."""

    def __init__(self, namespace: str, collection: str) -> None:
        super().__init__(
            f"collection [{collection}] not defined in the collection config"
            f" for chaincode [{namespace}]"
        )
        self.namespace = namespace
        self.collection = collection


class PrivateDataUnavailable(SimulationError):
    """This peer's cleartext is missing or stale beside the public hash of the same key."""

    def __init__(
        self, namespace: str, collection: str, public: object | None, private: object | None
    ) -> None:
        super().__init__(
            "private data matching public hash version is not available."
            f" Public hash version = {public or '<nil>'},"
            f" Private data version = {private or '<nil>'}"
        )
        self.namespace = namespace
        self.collection = collection
