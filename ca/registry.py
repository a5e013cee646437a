"""The identities registered with a CA, in its database.

(Fabric: fabric-ca lib/dbaccessor.go, table users)
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Integer,
    MetaData,
    Row,
    Select,
    Table,
    Text,
    and_,
    delete,
    insert,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError

from .affiliations import at_or_below
from .attributes import Attribute, Attributes
from .identity import REVOKED, UNLIMITED, Identity, effective_limit
from .refusals import Code, Refusal, not_found

_users = Table(
    "users",
    MetaData(),
    Column("id", Text, primary_key=True),
    Column("token", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("affiliation", Text, nullable=False),
    Column("attributes", Text, nullable=False),
    Column("state", Integer, nullable=False),
    Column("max_enrollments", Integer, nullable=False),
    Column("incorrect_password_attempts", Integer, nullable=False),
)
_c = _users.c


def table(metadata: MetaData) -> Table:
    """Add the table to a schema."""
    return _users.to_metadata(metadata)


class Registry:
    """The identities, within one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def find(self, identity_id: str) -> Identity | None:
        """Return an identity, None if there is none of this id."""
        if "\x00" in identity_id:
            return None
        row = self._connection.execute(select(_users).where(_c.id == identity_id)).first()
        return None if row is None else _identity(row)

    def get(self, identity_id: str) -> Identity:
        """Return an identity; Refusal (404)."""
        identity = self.find(identity_id)
        if identity is None:
            raise not_found("User")
        return identity

    def add(self, identity: Identity) -> None:
        """Register an identity; Refusal (409) when the id is taken."""
        try:
            self._connection.execute(insert(_users).values(_row(identity)))
        except IntegrityError as error:
            raise _taken(identity.id) from error

    def check_free(self, identity_id: str) -> None:
        """Raise Refusal (409) when the id is taken."""
        if self.find(identity_id) is not None:
            raise _taken(identity_id)

    def replace(self, identity: Identity) -> None:
        """Store an identity that is there already; Refusal (404) when it is not."""
        statement = update(_users).where(_c.id == identity.id).values(_row(identity))
        if self._connection.execute(statement).rowcount != 1:
            raise not_found("User")

    def remove(self, ids: Sequence[str]) -> None:
        """Forget identities."""
        self._connection.execute(delete(_users).where(_c.id.in_(ids)))

    def revoke(self, identity_id: str) -> None:
        """Bar an identity from enrolling and from asking for anything."""
        self._set(_c.id == identity_id, state=REVOKED)

    def enrolled(self, identity: Identity, limit: int, attempts: int) -> bool:
        """Count an enrollment; False if the identity may not enroll (any more).

        limit: the CA's own; attempts: failures after which an identity is locked, 0 for never.
        """
        condition = and_(_c.id == identity.id, _c.state != REVOKED)
        allowed = effective_limit(identity.max_enrollments, limit)
        if allowed != UNLIMITED:
            condition = and_(condition, _c.state < allowed)
        if attempts > 0:
            condition = and_(condition, _c.incorrect_password_attempts < attempts)
        return self._set(condition, state=_c.state + 1)

    def failed_attempt(self, identity_id: str) -> None:
        """Count a wrong secret."""
        self._set(
            _c.id == identity_id,
            incorrect_password_attempts=_c.incorrect_password_attempts + 1,
        )

    def forget_attempts(self, identity_id: str) -> None:
        """Start counting wrong secrets anew."""
        self._set(_c.id == identity_id, incorrect_password_attempts=0)

    def of_affiliation(self, affiliation: str) -> list[Identity]:
        """Those at or below an affiliation, by id."""
        query = select(_users).where(at_or_below(_c.affiliation, affiliation)).order_by(_c.id)
        return [_identity(row) for row in self._connection.execute(query)]

    def page(self, after: str, size: int, affiliation: str, types: Sequence[str]) -> list[Identity]:
        """The next ones by id, of an affiliation (empty: any) and of types (``*``: any)."""
        condition = _c.id > after
        if affiliation:
            condition = and_(condition, at_or_below(_c.affiliation, affiliation))
        if "*" not in types:
            condition = and_(condition, _c.type.in_(types))
        query = select(_users).where(condition).order_by(_c.id).limit(size)
        return [_identity(row) for row in self._connection.execute(query)]

    def _set(self, condition: ColumnElement[bool], **values: object) -> bool:
        result = self._connection.execute(update(_users).where(condition).values(**values))
        return result.rowcount == 1


def _taken(identity_id: str) -> Refusal:
    message = f"Identity '{identity_id}' is already registered"
    return Refusal(409, Code.DUPLICATE_IDENTITY, message)


def _identity(row: Row[Any]) -> Identity:
    return Identity(
        row.id,
        row.type,
        row.affiliation,
        read_attributes(row.attributes),
        row.max_enrollments,
        row.state,
        row.incorrect_password_attempts,
        row.token,
    )


def _row(identity: Identity) -> dict[str, object]:
    return {
        "id": identity.id,
        "token": identity.secret_hash,
        "type": identity.type,
        "affiliation": identity.affiliation,
        "attributes": json.dumps(shown_attributes(identity.attributes)),
        "state": identity.state,
        "max_enrollments": identity.max_enrollments,
        "incorrect_password_attempts": identity.failed_attempts,
    }


def ids_of_affiliation(affiliation: str) -> Select[tuple[str]]:
    """A query for the ids of those at or below an affiliation."""
    return select(_c.id).where(at_or_below(_c.affiliation, affiliation))


def shown_attributes(attributes: Attributes) -> list[dict[str, object]]:
    """Attributes in fabric-ca's JSON form, in the database and on the wire."""
    return [
        {"name": each.name, "value": each.value} | ({"ecert": True} if each.in_certificate else {})
        for each in attributes
    ]


def read_attributes(text: str) -> tuple[Attribute, ...]:
    """The attributes of the JSON form in the database."""
    return tuple(
        Attribute(each["name"], each["value"], each.get("ecert", False))
        for each in json.loads(text)
    )
