"""What a CA answers when it does not do what it was asked.

A refusal has two faces: what the caller is told, and what the log says.  Whoever is not
authenticated or not authorized learns only that much.  (Fabric: fabric-ca lib/caerrors)
"""

from __future__ import annotations

from enum import IntEnum

from gridloom.common.errors import GridloomError


class Code(IntEnum):
    """fabric-ca's error codes, as far as they occur here."""

    UNKNOWN = 0
    METHOD_NOT_ALLOWED = 1
    NO_AUTHORIZATION_HEADER = 2
    READING_BODY = 3
    EMPTY_BODY = 4
    BAD_BODY = 5
    NOT_REVOKER = 7
    REVOKED_CERTIFICATE_NOT_FOUND = 8
    CERTIFICATE_WRONG_OWNER = 9
    REVOKED_ID_NOT_FOUND = 10
    MISSING_REVOKE_ARGUMENTS = 15
    GETTING_AFFILIATION = 16
    CA_NOT_FOUND = 19
    AUTHENTICATION_FAILURE = 20
    NO_USER_PASSWORD = 21
    ENROLL_DISABLED = 22
    INVALID_USER = 23
    INVALID_PASSWORD = 24
    INVALID_TOKEN = 25
    UNTRUSTED_CERTIFICATE = 26
    CERTIFICATE_EXPIRED = 27
    CERTIFICATE_REVOKED = 28
    CERTIFICATE_NOT_FOUND = 30
    BAD_CSR = 31
    NO_GENCRL_AUTHORITY = 35
    INVALID_REVOKED_AFTER = 36
    INVALID_EXPIRED_AFTER = 37
    REGISTER_ATTRIBUTE_AUTHORITY = 42
    MISSING_REGISTRAR_ATTRIBUTE = 43
    CALLER_NOT_AFFILIATED = 44
    NO_CRL_SIGN_USAGE = 46
    GETTING_USER = 49
    DATABASE_FAILURE = 51
    ADDING_IDENTITY = 52
    REMOVING_IDENTITY = 56
    MODIFYING_IDENTITY = 58
    MISSING_ROLE = 59
    ADDING_AFFILIATION = 60
    REMOVING_AFFILIATION = 61
    DATABASE_GET = 63
    MODIFYING_AFFILIATION = 64
    CERTIFICATE_ALREADY_REVOKED = 66
    GETTING_CERTIFICATES = 67
    REVOKED_ID = 70
    AUTHORIZATION_FAILURE = 71
    PASSWORD_ATTEMPTS = 73
    DUPLICATE_IDENTITY = 74
    REGISTERING_IDENTITY = 75
    REGISTRAR_AUTHORITY = 76
    COMMON_NAME_IS_NOT_ID = 77
    INVOKER_MISSES_ATTRIBUTE = 78
    INVALID_BOOLEAN = 79
    INVALID_CSR_FIELD = 80
    INVALID_MAX_ENROLLMENTS = 82


class Refusal(GridloomError):
    """A request refused.

    status: of HTTP; code and message: for the caller; reason and reason_code: for the log,
    the same as for the caller unless more is known than the caller may know.
    """

    def __init__(
        self,
        status: int,
        code: Code,
        message: str,
        *,
        reason_code: Code | None = None,
        reason: str | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.reason_code = code if reason_code is None else reason_code
        self.reason = message if reason is None else reason


def not_authenticated(code: Code, reason: str) -> Refusal:
    """401: the caller is not who it says; why, is for the log only."""
    message = "Authentication failure"
    return Refusal(401, Code.AUTHENTICATION_FAILURE, message, reason_code=code, reason=reason)


def not_authorized(code: Code, reason: str) -> Refusal:
    """403: the caller may not do this; why, is for the log only."""
    message = "Authorization failure"
    return Refusal(403, Code.AUTHORIZATION_FAILURE, message, reason_code=code, reason=reason)


def not_found(what: str) -> Refusal:
    """404 in fabric-ca's words, which are those of its database driver."""
    return Refusal(404, Code.DATABASE_GET, f"Failed to get {what}: sql: no rows in result set")
