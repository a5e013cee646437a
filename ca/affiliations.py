"""The affiliations a CA knows: a tree of paths such as ``org1.department1``.

(Fabric: fabric-ca lib/dbaccessor.go, table affiliations; lib/serveraffiliations.go for the tree)
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    MetaData,
    Table,
    Text,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)

from .refusals import not_found

_affiliations = Table(
    "affiliations",
    MetaData(),
    Column("name", Text, primary_key=True),
    Column("prekey", Text, nullable=False),
)
_c = _affiliations.c


def table(metadata: MetaData) -> Table:
    """Add the table to a schema."""
    return _affiliations.to_metadata(metadata)


def at_or_below(column: Column[Any] | ColumnElement[str], name: str) -> ColumnElement[bool]:
    """Does a column name this affiliation or one below it? (LIKE would not mind the case.)"""
    prefix = f"{name}."
    return or_(column == name, func.substr(column, 1, len(prefix)) == prefix)


def parent_of(name: str) -> str:
    """The affiliation above, empty for one at the top."""
    return name.rpartition(".")[0]


def path_to(name: str) -> list[str]:
    """All affiliations from the top down to this one."""
    parts = name.split(".")
    return [".".join(parts[: end + 1]) for end in range(len(parts))]


class Affiliations:
    """The affiliations, within one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def __contains__(self, name: str) -> bool:
        if "\x00" in name:
            return False
        query = select(_c.name).where(_c.name == name)
        return self._connection.execute(query).first() is not None

    def check(self, name: str) -> None:
        """Raise Refusal (404) unless there is this affiliation."""
        if name not in self:
            raise not_found("affiliation")

    def add(self, name: str) -> None:
        """Add one; its parent is the caller's concern. Nothing happens if it is there."""
        if name not in self:
            row = {"name": name, "prekey": parent_of(name)}
            self._connection.execute(insert(_affiliations).values(row))

    def names(self, below: str = "") -> list[str]:
        """All names, or those at and below one, in order."""
        query = select(_c.name)
        if below:
            query = query.where(at_or_below(_c.name, below))
        return sorted(self._connection.scalars(query))

    def remove(self, name: str) -> None:
        """Remove one and all below it."""
        self._connection.execute(delete(_affiliations).where(at_or_below(_c.name, name)))

    def rename(self, name: str, new: str) -> None:
        """Give one another path, and with it all below."""
        for old in self.names(name):
            path = new + old[len(name) :]
            row = {"name": path, "prekey": parent_of(path)}
            self._connection.execute(update(_affiliations).where(_c.name == old).values(row))


@dataclass(slots=True)
class AffiliationNode:
    """A place in the tree; name: the whole path, empty for the root."""

    name: str
    children: dict[str, AffiliationNode] = field(default_factory=dict)


def tree_of(names: Iterable[str]) -> AffiliationNode:
    """Arrange names as a tree; a parent that has no entry of its own is in it, too."""
    root = AffiliationNode("")
    for name in names:
        node = root
        for path in path_to(name):
            node = node.children.setdefault(path, AffiliationNode(path))
    return root
