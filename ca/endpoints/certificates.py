"""``certificates``: what the CA has issued, by owner, number and time.

(Fabric: fabric-ca lib/servercertificates.go, lib/server/certificaterequest)
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, NoReturn

from gridloom.common.channel.durations import InvalidDuration, duration_nanoseconds

from ..attributes import REVOKER, ROLES
from ..authority import Authority
from ..certificate_records import CertificateFilter
from ..context import RequestContext
from ..identity import Identity
from ..messages import Answer, Item, Listing
from ..refusals import Code, Refusal
from ..request_body import rfc3339

_DAYS: Final = re.compile(r"([+-])(\d{1,7})d")


def list_all(context: RequestContext) -> Answer:
    """Those of identities at or below the caller's affiliation that the filters let through."""
    caller = _overseer(context)
    wanted = _filter(context, caller)
    pages = _pages(context.authority, wanted)
    return Answer(Listing("certs", pages, context.request.query.get("ca", "")))


def remove(context: RequestContext) -> NoReturn:
    """There is no such thing; fabric-ca says so with this status."""
    _overseer(context)
    raise Refusal(500, Code.UNKNOWN, "DELETE Not Implemented")


def _overseer(context: RequestContext) -> Identity:
    """The caller, who must be a registrar or a revoker; Refusal."""
    caller = context.authenticate_by_token().identity
    if caller.attribute(ROLES) is None:
        caller.check_role(REVOKER)
    return caller


def _pages(authority: Authority, wanted: CertificateFilter) -> Iterator[Sequence[Item]]:
    size = authority.settings.certificates_per_chunk
    last = 0
    while True:
        with authority.database.read() as store:
            page = store.certificates.page(last, size, wanted)
        yield [{"PEM": each.pem} for each in page]
        if len(page) < size:
            return
        last = page[-1].number


def _filter(context: RequestContext, caller: Identity) -> CertificateFilter:
    query, now = context.request.query, context.authority.now()
    not_expired, not_revoked = (_flag(context, name) for name in ("notexpired", "notrevoked"))
    moments = {
        name: _moment(query, name, now)
        for name in ("revoked_start", "revoked_end", "expired_start", "expired_end")
    }
    if not_expired and (moments["expired_start"] or moments["expired_end"]):
        raise _invalid("Can't specify expiration time filter and the 'notexpired' filter")
    if not_revoked and (moments["revoked_start"] or moments["revoked_end"]):
        raise _invalid("Can't specify revocation time filter and the 'notrevoked' filter")
    return CertificateFilter(
        id=query.get("id", "").replace("\x00", "\ufffd"),
        serial=query.get("serial", "").replace("\x00", "\ufffd"),
        authority_key_id=query.get("aki", "").replace("\x00", "\ufffd"),
        affiliation=caller.affiliation,
        not_revoked=not_revoked,
        revoked_from=moments["revoked_start"],
        revoked_to=moments["revoked_end"],
        expires_from=now if not_expired else moments["expired_start"],
        expires_to=moments["expired_end"],
    )


def _flag(context: RequestContext, name: str) -> bool:
    wrong = f"Invalid Request: Failed to correctly parse value of '{name}' query parameter"
    return context.flag(name, Code.GETTING_CERTIFICATES, wrong)


def _moment(query: Mapping[str, str], name: str, now: datetime) -> datetime | None:
    """A parameter that names a time: RFC 3339, a day, or an offset from now such as ``-30d``."""
    text = query.get(name, "")
    if not text:
        return None
    called = name.replace("start", "begin")
    try:
        if text[0] in "+-":
            return now + _offset(text.lower())
        return _date(text if "T" in text else f"{text}T00:00:00Z")
    except (ValueError, OverflowError, InvalidDuration) as error:
        raise _invalid(f"Invalid '{called}' value: {error}") from error


def _date(text: str) -> datetime:
    try:
        return rfc3339(text)
    except ValueError as error:
        raise ValueError(f"Failed to parse time based on RFC3339: {error}") from error


def _offset(text: str) -> timedelta:
    if text.endswith("y"):
        raise ValueError(f"Invalid time format, year (y) is not supported, please check: {text}")
    if days := _DAYS.fullmatch(text):
        return timedelta(days=int(days[1] + days[2]))
    return timedelta(microseconds=duration_nanoseconds(text) // 1000)


def _invalid(reason: str) -> Refusal:
    return Refusal(400, Code.GETTING_CERTIFICATES, f"Invalid Request: {reason}")
