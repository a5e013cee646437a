"""Running statements inside a write transaction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy


class Writer:
    """Runs statements on the connection of the one transaction that writes."""

    def __init__(self, connection: sqlalchemy.Connection) -> None:
        self._connection = connection

    def __call__(self, sql: str, rows: Sequence[tuple[object, ...]]) -> None:
        """Run a statement once for each row of parameters."""
        if rows:
            self._connection.exec_driver_sql(sql, list(rows))

    def all(self, sql: str, parameters: tuple[object, ...]) -> Sequence[Any]:
        """Run a query."""
        return self._connection.exec_driver_sql(sql, parameters).all()

    def run(self, sql: str) -> None:
        """Run a statement that has no parameters."""
        self._connection.exec_driver_sql(sql)
