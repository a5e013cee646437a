"""What the ledger reports when it cannot do what it was asked.

    LedgerError
      LedgerExists, LedgerNotFound          opening and creating
      LedgerClosed                          used after close()
      BlockRejected                         a block that does not continue the chain
      NotInIndex                            no such block, hash or transaction
      BlockUnavailable                      older than the snapshot the ledger began with
      TransactionUnavailable                known by its id only, from that snapshot
      StoreFailed                           the disk or database refused
      StoreDamaged                          what is stored cannot be a ledger of ours
      StateDatabaseDiffers                  it was kept by the rules of another state database
      SimulationError
        SimulatorClosed                     used after done(), or results() taken twice
        UnsupportedTransaction              a query and a write that may not be combined
        InvalidKey, ValueTooLarge           cannot be written
        CollectionsUndefined                the chaincode has no collections at all
        UndefinedCollection                 it has, but not this one
        PrivateDataUnavailable              the cleartext is older than its public hash
        InvalidDocument                     a key or value CouchDB cannot hold
        RichQueriesUnsupported              the state has LevelDB's rules
        QueryUnreadable                     a rich query that is no JSON object
        QueryRefused                        one that CouchDB would refuse

The texts of the last seven and of NotInIndex are those Fabric's clients know.
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


class BlockUnavailable(LedgerError):
    """A block from before the snapshot this ledger began with; first: the oldest there can be."""

    def __init__(self, number: int, first: int) -> None:
        super().__init__(
            f"cannot serve block [{number}]. The ledger is bootstrapped from a snapshot."
            f" First available block = [{first}]"
        )
        self.number = number
        self.first = first


class TransactionUnavailable(LedgerError):
    """A transaction from before the snapshot this ledger began with: only its id is known."""

    def __init__(self, tx_id: str, first: int) -> None:
        super().__init__(
            f"details for the TXID [{tx_id}] not available."
            f" Ledger bootstrapped from a snapshot. First available block = [{first}]"
        )
        self.tx_id = tx_id
        self.first = first


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


class StateDatabaseDiffers(LedgerError):
    """A ledger whose state was kept by other rules than are asked for now."""

    def __init__(self, place: str, stored: str, wanted: str) -> None:
        super().__init__(
            f"{place}: the state database of this ledger is {stored}, not {wanted};"
            " it is chosen once, before a peer joins its channels"
        )
        self.place = place
        self.stored = stored
        self.wanted = wanted


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


class InvalidDocument(SimulationError):
    """A key or value that a state with CouchDB's rules cannot hold."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class RichQueriesUnsupported(SimulationError):
    """A rich query of a state that has none, by LevelDB's rules; operation: Fabric's name."""

    def __init__(self, operation: str = "ExecuteQuery") -> None:
        super().__init__(f"{operation} not supported for leveldb")
        self.operation = operation


class QueryUnreadable(SimulationError):
    """A rich query that the peer itself cannot read: why, in Go's words."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class QueryRefused(SimulationError):
    """A rich query that CouchDB refuses: its name for the error, HTTP status and reason."""

    def __init__(self, error: str, status: int, reason: str) -> None:
        super().__init__(
            f"error handling CouchDB request. Error:{error},  Status Code:{status},"
            f"  Reason:{reason}"
        )
        self.error = error
        self.status = status
        self.reason = reason
