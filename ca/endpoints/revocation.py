"""``revoke`` and ``gencrl``: certificates and identities that are to be trusted no more.

Networks learn of it by the list only: it has to go into the channel's configuration.
(Fabric: fabric-ca lib/serverrevoke.go, lib/servergencrl.go)
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Final

from ..attributes import GEN_CRL, REVOKER
from ..authority import Authority
from ..certificate_records import CertificateRecord, plain_hex, serial_of
from ..context import Caller, RequestContext
from ..identity import Identity
from ..messages import Answer
from ..refusals import Code, Refusal, not_authorized
from ..request_body import Body

REASONS: Final[Mapping[str, int]] = {
    "unspecified": 0,
    "keycompromise": 1,
    "cacompromise": 2,
    "affiliationchanged": 3,
    "superseded": 4,
    "cessationofoperation": 5,
    "certificatehold": 6,
    "removefromcrl": 8,
    "privilegewithdrawn": 9,
    "aacompromise": 10,
}
"""RFC 5280's reasons in OCSP's numbers; any other word counts as unspecified."""


def revoke(context: RequestContext) -> Answer:
    """Revoke one certificate, or an identity with all it holds."""
    body = context.filled_body()
    caller = context.authenticate_by_token()
    authority = context.authority
    serial, key_id = plain_hex(body.text("serial")), plain_hex(body.text("aki"))
    reason = REASONS.get(body.text("reason"), 0)
    if serial and key_id:
        revoked = [_revoke_certificate(authority, caller, body, (serial, key_id), reason)]
    elif body.text("id"):
        revoked = _revoke_identity(authority, caller.identity, body.text("id"), reason)
    else:
        message = "Either Name or Serial and AKI are required for a revoke request"
        raise Refusal(400, Code.MISSING_REVOKE_ARGUMENTS, message)
    shown = [{"Serial": each.serial, "AKI": each.authority_key_id} for each in revoked]
    crl = _encoded_crl(authority, Body({})) if body.flag("gencrl") and revoked else ""
    return Answer({"RevokedCerts": shown or None, "CRL": crl})


def gencrl(context: RequestContext) -> Answer:
    """Sign a list of what is revoked."""
    body = context.filled_body()
    caller = context.authenticate_by_token().identity
    if not caller.has_true(GEN_CRL):
        raise not_authorized(Code.NO_GENCRL_AUTHORITY, f"{caller.id!r} has no {GEN_CRL}")
    return Answer({"CRL": _encoded_crl(context.authority, body)})


def _revoke_certificate(
    authority: Authority, caller: Caller, body: Body, certificate: tuple[str, str], reason: int
) -> CertificateRecord:
    serial, key_id = certificate
    named = f"Certificate with serial {serial} and AKI {key_id}"
    with authority.database.write() as store:
        record = store.certificates.find(serial, key_id)
        if record is None:
            message = (
                f"{named} was not found: Failed to get Certificate: sql: no rows in result set"
            )
            raise Refusal(404, Code.REVOKED_CERTIFICATE_NOT_FOUND, message)
        _check_revoker(caller.identity, record.id)
        if record.is_revoked:
            message = f"{named} was already revoked"
            raise Refusal(404, Code.CERTIFICATE_ALREADY_REVOKED, message)
        if body.text("id") not in {"", record.id}:
            message = f"{named} is not owned by {body.text('id')}"
            raise Refusal(400, Code.CERTIFICATE_WRONG_OWNER, message)
        owner = _owner(store.identities.find(record.id), record.id)
        if (serial, key_id) != (serial_of(caller.certificate), authority.key_id):
            caller.identity.check_manages(owner)
        store.certificates.revoke(record, reason, authority.now())
    return record


def _revoke_identity(
    authority: Authority, caller: Identity, identity_id: str, reason: int
) -> list[CertificateRecord]:
    _check_revoker(caller, identity_id)
    with authority.database.write() as store:
        identity = _owner(store.identities.find(identity_id), identity_id)
        if identity.id != caller.id:
            caller.check_manages(identity)
        store.identities.revoke(identity_id)
        return store.certificates.revoke_of([identity_id], reason, authority.now())


def _check_revoker(caller: Identity, identity_id: str) -> None:
    """Everybody may revoke what is their own."""
    if caller.id != identity_id and not caller.has_true(REVOKER):
        raise not_authorized(Code.NOT_REVOKER, f"{caller.id!r} has no {REVOKER}")


def _owner(identity: Identity | None, identity_id: str) -> Identity:
    if identity is None:
        message = (
            f"Identity {identity_id} was not found: Failed to get User: sql: no rows in result set"
        )
        raise Refusal(404, Code.REVOKED_ID_NOT_FOUND, message)
    return identity


def _encoded_crl(authority: Authority, body: Body) -> str:
    """A list in base64 of PEM, of what was revoked and expires in the times of the body."""
    revoked_after, revoked_before = body.moment("revokedafter"), body.moment("revokedbefore")
    expires_after, expires_before = body.moment("expireafter"), body.moment("expirebefore")
    if revoked_before is not None and revoked_after is not None and revoked_after > revoked_before:
        message = (
            "Invalid 'revokedafter' value. It must not be a timestamp greater than 'revokedbefore'"
        )
        raise Refusal(400, Code.INVALID_REVOKED_AFTER, message)
    if expires_before is not None and expires_after is not None and expires_after > expires_before:
        message = (
            "Invalid 'expireafter' value. It must not be a timestamp greater than 'expirebefore'"
        )
        raise Refusal(400, Code.INVALID_EXPIRED_AFTER, message)
    with authority.database.read() as store:
        records = store.certificates.revoked(
            revoked_after=revoked_after,
            revoked_before=revoked_before,
            expires_after=expires_after,
            expires_before=expires_before,
        )
    entries = [
        (int(each.serial, 16), each.revoked_at) for each in records if each.revoked_at is not None
    ]
    return base64.b64encode(authority.revocation_list(entries)).decode()
