"""The certificates a CA has issued, in its database.

Serial numbers and key identifiers are kept as fabric-ca keeps them: lower-case hex without
leading zeros.  Together they are unique, by a constraint of the database.
(Fabric: fabric-ca lib/certdbaccessor.go, table certificates)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    DateTime,
    Integer,
    MetaData,
    Row,
    Select,
    Table,
    Text,
    UniqueConstraint,
    and_,
    insert,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError

from gridloom.common.certificates import Certificate
from gridloom.common.errors import GridloomError

from .registry import ids_of_affiliation

_GOOD, _REVOKED = "good", "revoked"

_certificates = Table(
    "certificates",
    MetaData(),
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("id", Text, nullable=False, index=True),
    Column("serial_number", Text, nullable=False),
    Column("authority_key_identifier", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("reason", Integer, nullable=False),
    Column("expiry", DateTime, nullable=False),
    Column("revoked_at", DateTime),
    Column("pem", Text, nullable=False),
    UniqueConstraint("serial_number", "authority_key_identifier"),
)
_c = _certificates.c


class SerialTaken(GridloomError):
    """A certificate with this serial number was issued already; serial: in hex."""

    def __init__(self, serial: str) -> None:
        super().__init__(f"there is a certificate with serial number {serial} already")
        self.serial = serial


def table(metadata: MetaData) -> Table:
    """Add the table to a schema."""
    return _certificates.to_metadata(metadata)


def plain_hex(text: str) -> str:
    """Bring a serial number or key identifier from outside to the form that is kept."""
    return text.lower().replace(":", "").lstrip("0")


def serial_of(certificate: Certificate) -> str:
    """The serial number in the form that is kept."""
    return f"{certificate.serial_number:x}"


@dataclass(frozen=True, slots=True)
class CertificateRecord:
    """number: counts what was issued; id: whose it is."""

    number: int
    id: str
    serial: str
    authority_key_id: str
    is_revoked: bool
    revoked_at: datetime | None
    pem: str


@dataclass(frozen=True, slots=True)
class CertificateFilter:
    """Which certificates to list; empty and None: any.

    revoked_from and the like: both ends belong to the range.
    """

    id: str = ""
    serial: str = ""
    authority_key_id: str = ""
    affiliation: str = ""
    not_revoked: bool = False
    revoked_from: datetime | None = None
    revoked_to: datetime | None = None
    expires_from: datetime | None = None
    expires_to: datetime | None = None


class CertificateRecords:
    """The certificates, within one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, certificate: Certificate, authority_key_id: str) -> None:
        """Keep what was issued; SerialTaken, after which the transaction is of no use."""
        serial = serial_of(certificate)
        row = {
            "id": certificate.common_name,
            "serial_number": serial,
            "authority_key_identifier": authority_key_id,
            "status": _GOOD,
            "reason": 0,
            "expiry": _stored(certificate.not_after),
            "pem": certificate.pem().decode(),
        }
        try:
            self._connection.execute(insert(_certificates).values(row))
        except IntegrityError as error:
            raise SerialTaken(serial) from error

    def find(self, serial: str, authority_key_id: str) -> CertificateRecord | None:
        """The certificate with this serial number and issuer's key."""
        query = select(_certificates).where(
            _c.serial_number == serial, _c.authority_key_identifier == authority_key_id
        )
        row = self._connection.execute(query).first()
        return None if row is None else _record(row)

    def revoke(self, record: CertificateRecord, reason: int, moment: datetime) -> None:
        """Revoke one certificate; nothing happens to one that is revoked already."""
        self._revoke(_c.number == record.number, reason, moment)

    def revoke_of(
        self, ids: Sequence[str], reason: int, moment: datetime
    ) -> list[CertificateRecord]:
        """Revoke whatever these identities hold; returns what was not revoked before."""
        theirs = and_(_c.id.in_(ids), _c.status != _REVOKED)
        query = select(_certificates).where(theirs).order_by(_c.number)
        records = [_record(row) for row in self._connection.execute(query)]
        self._revoke(theirs, reason, moment)
        return records

    def _revoke(self, which: ColumnElement[bool], reason: int, moment: datetime) -> None:
        values = {"status": _REVOKED, "revoked_at": _stored(moment), "reason": reason}
        condition = and_(which, _c.status != _REVOKED)
        self._connection.execute(update(_certificates).where(condition).values(values))

    def revoked(
        self,
        *,
        revoked_after: datetime | None = None,
        revoked_before: datetime | None = None,
        expires_after: datetime | None = None,
        expires_before: datetime | None = None,
    ) -> list[CertificateRecord]:
        """The revoked ones, neither end of a range belonging to it."""
        query = select(_certificates).where(_c.status == _REVOKED)
        if revoked_after is not None:
            query = query.where(_c.revoked_at > _stored(revoked_after))
        if revoked_before is not None:
            query = query.where(_c.revoked_at < _stored(revoked_before))
        if expires_after is not None:
            query = query.where(_c.expiry > _stored(expires_after))
        if expires_before is not None:
            query = query.where(_c.expiry < _stored(expires_before))
        return [_record(row) for row in self._connection.execute(query.order_by(_c.number))]

    def page(self, after: int, size: int, wanted: CertificateFilter) -> list[CertificateRecord]:
        """The next ones in the order of issue."""
        query = _filtered(select(_certificates).where(_c.number > after), wanted)
        rows = self._connection.execute(query.order_by(_c.number).limit(size))
        return [_record(row) for row in rows]


def _filtered(query: Select[Any], wanted: CertificateFilter) -> Select[Any]:
    if wanted.affiliation:
        query = query.where(_c.id.in_(ids_of_affiliation(wanted.affiliation)))
    if wanted.id:
        query = query.where(_c.id == wanted.id)
    if wanted.serial:
        query = query.where(_c.serial_number == plain_hex(wanted.serial))
    if wanted.authority_key_id:
        query = query.where(_c.authority_key_identifier == plain_hex(wanted.authority_key_id))
    if wanted.not_revoked:
        query = query.where(_c.status != _REVOKED)
    if wanted.revoked_from is not None:
        query = query.where(_c.revoked_at >= _stored(wanted.revoked_from))
    if wanted.revoked_to is not None:
        query = query.where(_c.revoked_at <= _stored(wanted.revoked_to))
    if wanted.expires_from is not None:
        query = query.where(_c.expiry >= _stored(wanted.expires_from))
    if wanted.expires_to is not None:
        query = query.where(_c.expiry <= _stored(wanted.expires_to))
    return query


def _record(row: Row[Any]) -> CertificateRecord:
    moment = row.revoked_at
    return CertificateRecord(
        row.number,
        row.id,
        row.serial_number,
        row.authority_key_identifier,
        row.status == _REVOKED,
        None if moment is None else moment.replace(tzinfo=UTC),
        row.pem,
    )


def _stored(moment: datetime) -> datetime:
    """Moments are kept in UTC, without saying so."""
    return moment.astimezone(UTC).replace(tzinfo=None)
