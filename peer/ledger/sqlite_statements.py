"""The statements of sqlite.py, built by SQLAlchemy and rendered once for the driver.

The order of parameters is the order in which a statement names them: for an insert the
order of the table's columns, for an update the new value first.
"""

from __future__ import annotations

from sqlalchemy import (
    Dialect,
    Table,
    bindparam,
    delete,
    func,
    insert,
    select,
    tuple_,
)
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.sql.expression import ClauseElement, ColumnElement

from .schema import blocks, history, state, transactions, transient

_CHUNK = 128
"""Rows that one round of a range or history read brings."""


class Statements:
    """SQL text by what it is for."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._render_state()
        self._render_transient()
        self.newest = self._render(select(func.max(blocks.c.number)))
        self.block = self._render(select(blocks.c.block).where(_equal(blocks, "number")))
        self.block_number = self._render(select(blocks.c.number).where(_equal(blocks, "hash")))
        self.add_block = self._render(insert(blocks))
        self.add_transaction = self._render(insert(transactions))
        self.transaction = self._render(
            select(transactions.c.block, transactions.c.tx, transactions.c.code)
            .where(_equal(transactions, "tx_id"))
            .order_by(transactions.c.block, transactions.c.tx),
            limit=1,
        )
        self.add_history = self._render(insert(history))
        columns = history.c
        self.history = self._render(
            select(*columns[2:])
            .where(_equal(history, "namespace"), _equal(history, "key"))
            .where(tuple_(columns.block, columns.tx) < tuple_(bindparam("b"), bindparam("t")))
            .order_by(columns.block.desc(), columns.tx.desc()),
            limit=_CHUNK,
        )

    def _render_state(self) -> None:
        columns = state.c
        upsert = sqlite_insert(state)
        replaced = {name: upsert.excluded[name] for name in ("value", "block", "tx", "metadata")}
        self.put_state = self._render(
            upsert.on_conflict_do_update(index_elements=["namespace", "key"], set_=replaced)
        )
        self.delete_state = self._render(
            delete(state).where(_equal(state, "namespace"), _equal(state, "key"))
        )
        self.get_state = self._render(
            select(columns.value, columns.block, columns.tx, columns.metadata).where(
                _equal(state, "namespace"), _equal(state, "key")
            )
        )
        from_start = (
            select(columns.key, columns.value, columns.block, columns.tx, columns.metadata)
            .where(_equal(state, "namespace"), columns.key >= bindparam("start"))
            .order_by(columns.key)
        )
        self.state_from = self._render(from_start, limit=_CHUNK)
        self.state_range = self._render(
            from_start.where(columns.key < bindparam("end")), limit=_CHUNK
        )

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

    def _render(self, statement: ClauseElement, limit: int = 0) -> str:
        """The statement's text; SQLAlchemy's own LIMIT would add a parameter for OFFSET."""
        text = str(statement.compile(dialect=self._dialect))
        return f"{text} LIMIT {limit}" if limit else text


def _equal(table: Table, column: str) -> ColumnElement[bool]:
    return table.c[column] == bindparam(f"p_{column}")
