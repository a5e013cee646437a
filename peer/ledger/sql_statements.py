"""The statements of sql_store.py, built by SQLAlchemy and rendered once for the driver.

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
)
from sqlalchemy.sql.expression import ClauseElement, ColumnElement

from .schema import blocks, history, query_indexes, state, transactions, transient


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
        self.transaction = self._render(
            select(transactions.c.block, transactions.c.tx, transactions.c.code)
            .where(_equal(transactions, "tx_id"))
            .order_by(transactions.c.block, transactions.c.tx),
            limit=1,
        )
        self.add_history = self._render(insert(history))

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

    def _render(self, statement: ClauseElement, limit: int = 0) -> str:
        """The statement's text; SQLAlchemy's own LIMIT would add a parameter for OFFSET."""
        text = str(statement.compile(dialect=self._dialect))
        return f"{text} LIMIT {limit}" if limit else text


def _equal(table: Table, column: str) -> ColumnElement[bool]:
    return table.c[column] == bindparam(f"p_{column}")
