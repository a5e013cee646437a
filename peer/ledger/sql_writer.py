"""The connection that writes a ledger in SQL, one transaction at a time.

Statements run on the driver's own cursor: around it SQLAlchemy's execution takes longer than
most of the statements of a block.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy.pool import PoolProxiedConnection


class Writer:
    """Runs statements inside ``transaction``.

    begin: what begins a transaction where the driver does not do so by itself.
    """

    def __init__(self, connection: PoolProxiedConnection, begin: str = "") -> None:
        self.connection = connection
        self._begin = begin
        self._cursor = connection.cursor()

    @contextmanager
    def transaction(self) -> Iterator[Writer]:
        """Durable on return; nothing is left of it after an exception."""
        try:
            if self._begin:
                self._cursor.execute(self._begin)
            yield self
            self.connection.commit()
        except BaseException:
            self.connection.rollback()
            raise

    def __call__(self, sql: str, rows: Sequence[tuple[object, ...]]) -> None:
        """Run a statement once for each row of parameters."""
        if rows:
            self._cursor.executemany(sql, rows)

    def all(self, sql: str, parameters: tuple[object, ...]) -> Sequence[Any]:
        """Run a query."""
        self._cursor.execute(sql, parameters)
        return self._cursor.fetchall()

    def run(self, sql: str) -> None:
        """Run a statement that has no parameters."""
        self._cursor.execute(sql)

    def close(self) -> None:
        """Let go of the connection: a cursor with a statement would keep the database open."""
        self._cursor.close()
        self.connection.close()
