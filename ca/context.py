"""One request on its way: which CA it is for, who asks, what it says.

Callers prove who they are by a secret (HTTP's Basic scheme) or by a token; either way the
answer to whoever fails tells nothing of the reason.
(Fabric: fabric-ca lib/serverrequestcontext.go)
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from functools import cached_property

from gridloom.common.certificates import Certificate

from . import attributes
from .authority import Authority
from .certificate_records import serial_of
from .identity import Identity
from .messages import Request
from .refusals import Code, Refusal, not_authenticated
from .request_body import Body
from .secret_hash import is_secret
from .tokens import InvalidToken, verify_token

_IDEMIX = "idemix."


class RequestContext:
    """authorities: by name, the first is for requests that name none."""

    def __init__(
        self, request: Request, authorities: Mapping[str, Authority], *, compatible_1_3: bool
    ) -> None:
        self.request = request
        self._authorities = authorities
        self._compatible_1_3 = compatible_1_3

    @cached_property
    def body(self) -> Body:
        """The body, empty or JSON; Refusal (400)."""
        return Body.parse(self.request.body)

    def filled_body(self) -> Body:
        """The body of a request that needs one; Refusal (400)."""
        if not self.request.body:
            raise Refusal(400, Code.EMPTY_BODY, "Empty request body")
        return self.body

    @cached_property
    def ca_name(self) -> str:
        """The name of the CA that is asked, whether there is one or not."""
        named = self.request.query.get("ca") or self.body.text("caname")
        return named or next(iter(self._authorities))

    @cached_property
    def authority(self) -> Authority:
        """The CA that is asked; Refusal (404)."""
        authority = self._authorities.get(self.ca_name)
        if authority is None:
            raise Refusal(404, Code.CA_NOT_FOUND, f"CA '{self.ca_name}' does not exist")
        return authority

    def flag(self, name: str, code: Code, wrong: str = "") -> bool:
        """A boolean parameter, False if it is not there; Refusal (400).

        wrong: what a refusal begins with, if not with fabric-ca's usual words.
        """
        text = self.request.query.get(name, "")
        try:
            return attributes.truth(text.lower()) if text else False
        except ValueError as error:
            wrong = wrong or f"Failed to correctly parse value of '{name}' query parameter"
            raise Refusal(400, code, f"{wrong}: {error}") from error

    def _check_authorization(self) -> None:
        if not self.request.authorization:
            raise Refusal(401, Code.NO_AUTHORIZATION_HEADER, "No authorization header")

    def authenticate_by_secret(self) -> Identity:
        """Return the identity that may enroll by its secret; Refusal (401)."""
        self._check_authorization()
        identity_id, secret = _basic(self.request.authorization)
        settings = self.authority.settings
        if settings.max_enrollments == 0:
            raise not_authenticated(Code.ENROLL_DISABLED, "Enroll is disabled")
        with self.authority.database.read() as store:
            identity = store.identities.find(identity_id)
        _check_attempts(identity, settings.password_attempts)
        if not is_secret(secret, None if identity is None else identity.secret_hash):
            return self._wrong_secret(identity_id, identity)
        assert identity is not None
        if identity.is_revoked:
            raise not_authenticated(Code.INVALID_PASSWORD, f"{identity_id!r} is revoked")
        if not identity.enrollments_left(settings.max_enrollments):
            reason = f"{identity_id!r} has enrolled {identity.state} times, as often as it may"
            raise not_authenticated(Code.INVALID_PASSWORD, reason)
        if identity.failed_attempts:
            with self.authority.database.write() as store:
                store.identities.forget_attempts(identity_id)
        return identity

    def _wrong_secret(self, identity_id: str, identity: Identity | None) -> Identity:
        if identity is None:
            raise not_authenticated(Code.INVALID_USER, f"there is no identity {identity_id!r}")
        with self.authority.database.write() as store:
            store.identities.failed_attempt(identity_id)
        raise not_authenticated(Code.INVALID_PASSWORD, f"wrong secret for {identity_id!r}")

    def authenticate_by_token(self, *, ignore_expiry: bool = False) -> Caller:
        """Return who signed the request; Refusal (401)."""
        self._check_authorization()
        authority = self.authority
        certificate = self._token_certificate()
        reason = authority.distrust(certificate, ignore_expiry=ignore_expiry)
        if reason:
            raise not_authenticated(Code.UNTRUSTED_CERTIFICATE, f"Untrusted certificate: {reason}")
        serial = serial_of(certificate)
        with authority.database.read() as store:
            record = store.certificates.find(serial, authority.key_id)
            identity = store.identities.find(certificate.common_name)
        if record is None:
            raise not_authenticated(Code.CERTIFICATE_NOT_FOUND, f"no certificate {serial}")
        if record.is_revoked:
            raise not_authenticated(Code.CERTIFICATE_REVOKED, f"certificate {serial} is revoked")
        if identity is None:
            raise not_authenticated(Code.GETTING_USER, f"no identity {certificate.common_name!r}")
        if identity.is_revoked:
            raise not_authenticated(Code.REVOKED_ID, f"{identity.id!r} is revoked")
        return Caller(identity, certificate)

    def _token_certificate(self) -> Certificate:
        request = self.request
        try:
            if request.authorization.startswith(_IDEMIX):
                raise InvalidToken("Idemix credentials are not supported")
            return verify_token(
                request.authorization,
                request.method,
                request.uris,
                request.body,
                compatible_1_3=self._compatible_1_3,
            )
        except InvalidToken as error:
            raise not_authenticated(Code.INVALID_TOKEN, f"Invalid token: {error}") from error


class Caller:
    """Who signed a request, and with which certificate."""

    __slots__ = ("certificate", "identity")

    def __init__(self, identity: Identity, certificate: Certificate) -> None:
        self.identity = identity
        self.certificate = certificate


def _check_attempts(identity: Identity | None, limit: int) -> None:
    if identity is not None and 0 < limit <= identity.failed_attempts:
        message = (
            f"Incorrect password entered {identity.failed_attempts} times, "
            f"max incorrect password limit of {limit} reached"
        )
        raise Refusal(401, Code.PASSWORD_ATTEMPTS, message)


def _basic(header: str) -> tuple[str, str]:
    """Id and secret of a Basic header; Refusal (401)."""
    scheme, _, encoded = header.partition(" ")
    try:
        if scheme.lower() != "basic":
            raise ValueError("not the scheme Basic")
        text = base64.b64decode(encoded.encode("ascii"), validate=True).decode("utf-8", "replace")
        identity_id, colon, secret = text.partition(":")
        if not colon:
            raise ValueError("no colon")
    except (ValueError, binascii.Error) as error:
        reason = "No user/pass in authorization header"
        raise not_authenticated(Code.NO_USER_PASSWORD, reason) from error
    return identity_id, secret
