"""The statements of sql_store.py, built by SQLAlchemy and rendered once for the driver.

The order of parameters is the order in which a statement names them: for an insert the
order of the table's columns, for an update the new value first.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import (
    Dialect,
    Table,
    bindparam,
    delete,
    func,
    insert,
    select,
)
from sqlalchemy.sql.expression import ClauseElement, ColumnElement

from .schema import blocks, history, query_indexes, state, transactions, transient
from .store import BlockRecord

MOST_IDS = 512
"""Transactions looked up by one statement."""


class Statements:
    """SQL text by what it is for."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._render_indexes()
        self._render_transient()
        self.state_size = self._render(select(func.count()).select_from(state))
        self.newest = self._render(select(func.max(blocks.c.number)))
        self.block = self._render(select(blocks.c.block).where(_equal(blocks, "number")))
        self.block_number = self._render(select(blocks.c.number).where(_equal(blocks, "hash")))
        self.add_block = self._render(insert(blocks))
        self.add_transaction = self._render(insert(transactions))
        self.add_history = self._render(insert(history))
        self._known: dict[int, str] = {}

    def known_transactions(self, tx_ids: Sequence[str]) -> tuple[str, tuple[str, ...]]:
        """Which of up to MOST_IDS ids there are: the statement and its parameters.

        There is one statement for each power of two, so that the driver keeps them prepared.
        """
        size = 1 << (len(tx_ids) - 1).bit_length()
        statement = self._known.get(size)
        if statement is None:
            tx_id = transactions.c.tx_id
            one_of = tx_id.in_([bindparam(f"id{place}") for place in range(size)])
            statement = self._known[size] = self._render(select(tx_id).where(one_of).distinct())
        return statement, (*tx_ids, *(tx_ids[-1],) * (size - len(tx_ids)))

    def _render_transient(self) -> None:
        kept = transient.c
        self.add_transient = self._render(
            insert(transient).values(
                tx_id=bindparam("t"), height=bindparam("h"), sets=bindparam("s")
            )
        )
        self.transient = self._render(
            select(kept.height, kept.sets).where(_equal(transient, "tx_id")).order_by(kept.id)
        )
        self.drop_transient = self._render(delete(transient).where(_equal(transient, "tx_id")))
        self.purge_transient = self._render(
            delete(transient).where(kept.height < bindparam("below"))
        )

    def _render_indexes(self) -> None:
        place = [_equal(query_indexes, name) for name in ("namespace", "ddoc", "name")]
        self.query_index = self._render(select(query_indexes.c.definition).where(*place))
        columns = query_indexes.c
        self.query_indexes = self._render(select(columns.namespace, columns.definition))
        self.drop_query_index = self._render(delete(query_indexes).where(*place))
        self.add_query_index = self._render(insert(query_indexes))

    def _render(self, statement: ClauseElement) -> str:
        return str(statement.compile(dialect=self._dialect))


def _equal(table: Table, column: str) -> ColumnElement[bool]:
    return table.c[column] == bindparam(f"p_{column}")


def block_row(record: BlockRecord) -> tuple[object, ...]:
    """The parameters of ``add_block``."""
    return record.number, record.block_hash, record.block.SerializeToString()


def transaction_rows(record: BlockRecord) -> list[tuple[object, ...]]:
    """The parameters of ``add_transaction``, one for each transaction that has an id."""
    return sorted(
        (tx_id, record.number, index, code)
        for index, (tx_id, code) in enumerate(zip(record.tx_ids, record.codes, strict=True))
        if tx_id
    )
