"""The part of a ledger in SQL that snapshots need: where it began, what is due, the ids.

Whoever owns the connection runs these statements inside its own transactions.
(Fabric: common/ledger/blkstorage, core/ledger/kvledger/bookkeeping.)
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Dialect,
    LargeBinary,
    Text,
    bindparam,
    cast,
    delete,
    func,
    insert,
    select,
)
from sqlalchemy.sql.expression import ClauseElement

from .schema import HAS_METADATA, base, base_hashes, snapshot_requests, state, transactions
from .sql_private import Read, Write
from .store import UNKNOWN_CODE, Bootstrap, LastBlock, TransactionRow

_CHUNK = 1000
"""Rows that are read or written at a time."""


class SnapshotTables:
    """Statements over those tables, rendered once, and what is done with them.

    alone: whether nobody else writes to them, so that what was found need not be asked again.
    """

    def __init__(self, dialect: Dialect, *, alone: bool) -> None:
        self._dialect = dialect
        self._alone = alone
        self._without_metadata: set[str] = set()
        self._once_with_metadata: set[str] = set()
        self._render_requests()
        self._render_transaction()
        self._render_tx_ids()
        self._base = self._render(select(*base.c))
        self._insert = {
            table: self._render(insert(table)) for table in (base, transactions, base_hashes)
        }
        of_transaction = (
            base_hashes.c[name] == bindparam(f"p_{name}")
            for name in ("block", "tx", "namespace", "collection")
        )
        hashes = select(base_hashes.c.key_hash, base_hashes.c.value_hash)
        self._hashes = self._render(hashes.where(*of_transaction))
        self._namespaces = self._render(select(state.c.namespace).distinct())
        with_metadata = select(state.c.block).where(
            state.c.namespace == bindparam("p_namespace"), HAS_METADATA
        )
        self._with_metadata = f"{self._render(with_metadata)} LIMIT 1"

    def base(self, read: Read) -> LastBlock | None:
        """The last block of the snapshot this ledger began from, if it did."""
        rows = read(self._base, ())
        return LastBlock(*rows[0]) if rows else None

    def bootstrap(self, write: Write, start: Bootstrap) -> None:
        """Write what a ledger begins with, but for the state and the private part."""
        number = start.last.number
        self._add(write, base, [start.last])
        places = enumerate(start.tx_ids)
        ids = ((tx_id, number, place, UNKNOWN_CODE) for place, tx_id in places)
        self._add(write, transactions, ids)
        self._add(write, base_hashes, start.hashes)

    def base_hashes(
        self, read: Read, block: int, tx: int, namespace: str, collection: str
    ) -> dict[bytes, bytes]:
        """Value hashes by key hash of what a transaction left in a collection."""
        rows = read(self._hashes, (block, tx, namespace, collection))
        return {row[0]: row[1] for row in rows}

    def transaction(self, read: Read, tx_id: str) -> TransactionRow | None:
        """The first transaction that carried an id."""
        rows = read(self._transaction, (tx_id,))
        return TransactionRow(*rows[0]) if rows else None

    def tx_ids(self, read: Read, below: int) -> Iterator[str]:
        """Ids of all transactions before a block, by length and then in byte order."""
        for (length,) in sorted(read(self._lengths, (below,))):
            last = ""
            while rows := read(self._ids, (length, below, last)):
                yield from (row[0] for row in rows)
                last = rows[-1][0]

    def has_metadata(self, read: Read, namespace: str) -> bool:
        """Whether some key of a namespace has metadata, or once had."""
        if namespace in self._once_with_metadata:
            return True
        if namespace in self._without_metadata:
            return False
        found = bool(read(self._with_metadata, (namespace,)))
        if self._alone:
            (self._once_with_metadata if found else self._without_metadata).add(namespace)
        return found

    def metadata_written(self, namespace: str) -> None:
        """A key of this namespace is about to get metadata."""
        self._once_with_metadata.add(namespace)

    def namespaces(self, read: Read) -> list[str]:
        """Names of the state's namespaces, in byte order."""
        return sorted((row[0] for row in read(self._namespaces, ())), key=str.encode)

    def requests(self, read: Read) -> list[int]:
        """Blocks of which snapshots are due."""
        return [int(row[0]) for row in read(self._requests, ())]

    def add_request(self, write: Write, number: int) -> None:
        """Remember one."""
        write(self._add_request, [(f"{number:020}",)])

    def drop_request(self, write: Write, number: int) -> None:
        """Forget one."""
        write(self._drop_request, [(f"{number:020}",)])

    def _render_requests(self) -> None:
        number = snapshot_requests.c.block
        self._requests = self._render(select(number).order_by(number))
        self._add_request = self._render(insert(snapshot_requests))
        wanted = delete(snapshot_requests).where(number == bindparam("number"))
        self._drop_request = self._render(wanted)

    def _render_transaction(self) -> None:
        columns = transactions.c
        place = select(columns.block, columns.tx, columns.code)
        first = place.where(columns.tx_id == bindparam("p_tx_id")).order_by(
            columns.block, columns.tx
        )
        self._transaction = f"{self._render(first)} LIMIT 1"

    def _render_tx_ids(self) -> None:
        tx_id, before = transactions.c.tx_id, transactions.c.block < bindparam("below")
        length = self._bytes_in(tx_id)
        self._lengths = self._render(select(length).where(before).distinct())
        ids = select(tx_id).where(length == bindparam("length"), before)
        ids = ids.where(tx_id > bindparam("last")).distinct().order_by(tx_id)
        self._ids = f"{self._render(ids)} LIMIT {_CHUNK}"

    def _bytes_in(self, column: ColumnElement[str]) -> ColumnElement[int]:
        if self._dialect.name == "sqlite":  # where older versions know no octet_length
            return func.length(cast(column, LargeBinary))
        return func.octet_length(cast(column, Text))

    def _add(self, write: Write, table: Any, rows: Iterable[Sequence[object]]) -> None:  # noqa: ANN401
        remaining = iter(rows)
        while chunk := [tuple(row) for row in islice(remaining, _CHUNK)]:
            write(self._insert[table], chunk)

    def _render(self, statement: ClauseElement) -> str:
        return str(statement.compile(dialect=self._dialect))
