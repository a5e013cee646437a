"""``enroll`` and ``reenroll``: a certificate for whoever has a secret, or a certificate.

The subject's organizational units are set from the identity's type and affiliation, whatever
the request says: MSPs decide by them.  (Fabric: fabric-ca lib/serverenroll.go)
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

from cryptography import x509
from cryptography.x509.oid import NameOID, ObjectIdentifier

from gridloom.common.certificates import Certificate

from ..attributes import INTERMEDIATE_CA
from ..authority import Authority
from ..certificate_records import SerialTaken
from ..context import RequestContext
from ..database import Store
from ..identity import Identity
from ..issuer import Extensions
from ..messages import Answer
from ..profiles import SigningProfile
from ..refusals import Code, Refusal, not_authenticated, not_authorized
from ..request_body import Body
from ..signing_request import (
    CertifiedKey,
    SigningRequest,
    bad_request,
    check_lengths,
    parse_signing_request,
)
from ..subjects import alternative_names, attribute_extension

_SERIALS: Final = 5
"""How many serial numbers are tried before the randomness is held to be none."""

_NAMES: Final = (
    (NameOID.COUNTRY_NAME, "C"),
    (NameOID.ORGANIZATION_NAME, "O"),
    (NameOID.ORGANIZATIONAL_UNIT_NAME, ""),
    (NameOID.LOCALITY_NAME, "L"),
    (NameOID.STATE_OR_PROVINCE_NAME, "ST"),
    (NameOID.COMMON_NAME, ""),
    (NameOID.SERIAL_NUMBER, "SerialNumber"),
)
"""The parts of a subject in Go's order, and cfssl's words for those a request may name."""


def enroll(context: RequestContext) -> Answer:
    """Certify an identity that knows its secret, and count that."""
    identity = context.authenticate_by_secret()
    settings = context.authority.settings

    def count(store: Store) -> None:
        limits = settings.max_enrollments, settings.password_attempts
        if not store.identities.enrolled(identity, *limits):
            reason = f"{identity.id!r} was barred or has used up its enrollments meanwhile"
            raise not_authenticated(Code.INVALID_PASSWORD, reason)

    return _issue(context.authority, _Wanted(context, identity), count)


def reenroll(context: RequestContext) -> Answer:
    """Certify an identity that has a certificate."""
    ignore_expiry = context.authority.settings.reenroll_ignores_expiry
    caller = context.authenticate_by_token(ignore_expiry=ignore_expiry)

    def check(store: Store) -> None:
        context.check_standing(store, caller.certificate)  # who is revoked meanwhile gets no more

    return _issue(context.authority, _Wanted(context, caller.identity), check)


class _Wanted:
    """What a request asks to have certified, checked; Refusal."""

    def __init__(self, context: RequestContext, identity: Identity) -> None:
        body = context.filled_body()
        request = parse_signing_request(body.text("certificate_request"))
        subject = body.object("subject")
        if request.common_name != identity.id or (
            subject is not None and subject.text("CN") != identity.id
        ):
            message = "The CSR subject common name must equal the enrollment ID"
            raise Refusal(403, Code.COMMON_NAME_IS_NOT_ID, message)
        self.profile = context.authority.profile(body.text("profile"))
        _check_ca(request, self.profile, identity)
        check_lengths(request.names)
        self.key: CertifiedKey = request.key
        self.subject = _subject(request, subject, identity)
        self.not_before: datetime | None = body.moment("NotBefore")
        self.extensions: Extensions = [
            *_host_extension(body.texts("hosts"), request),
            *_attribute_extension(body.objects("attr_reqs"), identity),
        ]
        if body.objects("extensions"):
            raise bad_request("extensions cannot be chosen by the request")


def _issue(authority: Authority, wanted: _Wanted, check: Callable[[Store], None]) -> Answer:
    """Sign, and store the certificate if ``check`` agrees within the same transaction."""
    for _ in range(_SERIALS):
        certificate = authority.certify(
            wanted.key, wanted.subject, wanted.profile, wanted.not_before, wanted.extensions
        )
        try:
            with authority.database.write() as store:
                check(store)
                store.certificates.add(certificate, authority.key_id)
        except SerialTaken:
            continue
        return Answer(_issued(authority, certificate), 201)
    raise Refusal(500, Code.UNKNOWN, "Certificate signing failure")


def _issued(authority: Authority, certificate: Certificate) -> dict[str, object]:
    encoded = base64.b64encode(certificate.pem()).decode()
    return {"Cert": encoded, "ServerInfo": authority.info()}


def _check_ca(request: SigningRequest, profile: SigningProfile, identity: Identity) -> None:
    """Only who has hf.IntermediateCA becomes one, and only by a profile for CAs."""
    if not profile.is_ca and not request.wants_ca:
        return
    if not identity.has_true(INTERMEDIATE_CA):
        reason = f"{identity.id!r} has no {INTERMEDIATE_CA}"
        raise not_authorized(Code.INVOKER_MISSES_ATTRIBUTE, reason)
    if not profile.is_ca:
        raise bad_request("it asks to become a CA by a profile that makes none; name profile 'ca'")


def _subject(request: SigningRequest, subject: Body | None, identity: Identity) -> x509.Name:
    """Names of the request or, where its ``subject`` has some, of that; units of the identity."""
    units = [identity.type, *identity.affiliation.split(".")]
    names: dict[ObjectIdentifier, Sequence[str]] = {}
    chosen = (subject.objects("names") if subject is not None else None) or ()
    for oid, word in _NAMES:
        named = [name.text(word) for name in chosen if word and name.text(word)]
        names[oid] = named or request.names.get(oid, ())
    names[NameOID.ORGANIZATIONAL_UNIT_NAME] = [unit for unit in units if unit]
    names[NameOID.COMMON_NAME] = [identity.id]
    try:
        return x509.Name(
            x509.RelativeDistinguishedName(
                x509.NameAttribute(oid, value) for value in dict.fromkeys(names[oid])
            )
            for oid, _ in _NAMES
            if names[oid]
        )
    except ValueError as error:
        raise bad_request(f"the subject cannot be written down: {error}") from error


def _host_extension(hosts: list[str] | None, request: SigningRequest) -> Extensions:
    """The hosts named beside the signing request, or those within it."""
    if hosts is None:
        names = request.alternative_names
        return [] if names is None else [(names, False)]
    try:
        return [(alternative_names(hosts), False)] if hosts else []
    except ValueError as error:
        raise bad_request(f"hosts: {error}") from error


def _attribute_extension(wanted: list[Body] | None, identity: Identity) -> Extensions:
    """The attributes asked for; without a wish, those that go into every certificate."""
    if wanted is None:
        found = identity.certificate_attributes()
        return [] if found is None else [(attribute_extension(found), False)]
    attributes: dict[str, str] = {}
    missing: list[str] = []
    for each in wanted:
        name = each.text("name")
        value = identity.attribute(name)
        if value is not None:
            attributes[name] = value
        elif not each.flag("optional"):
            missing.append(name)
    if missing:
        message = (
            "Failed to find requested attributes: The following required attributes are missing: "
            f"[{' '.join(missing)}]"
        )
        raise Refusal(500, Code.UNKNOWN, message)
    return [(attribute_extension(attributes), False)]
