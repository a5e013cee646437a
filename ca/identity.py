"""An identity in a CA's registry: who it is, and what it may do there.

(Fabric: fabric-ca lib/server/user/user.go; the checks of lib/serverrequestcontext.go)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from . import attributes
from .attributes import Attribute
from .refusals import Code, Refusal, not_authorized

REVOKED: Final = -1
"""The state of a revoked identity; otherwise the state counts its enrollments."""

UNLIMITED: Final = -1
"""As max_enrollments: any number."""

DEFAULT_TYPE: Final = "client"


@dataclass(frozen=True, slots=True)
class Identity:
    """affiliation: path such as ``org1.department1``, empty for the root.

    state: enrollments so far, or REVOKED; secret_hash: see ``secret_hash.py``.
    """

    id: str
    type: str = DEFAULT_TYPE
    affiliation: str = ""
    attributes: tuple[Attribute, ...] = ()
    max_enrollments: int = UNLIMITED
    state: int = 0
    failed_attempts: int = 0
    secret_hash: str = field(default="", repr=False)

    @property
    def is_revoked(self) -> bool:
        """It may neither enroll nor ask for anything."""
        return self.state == REVOKED

    def attribute(self, name: str) -> str | None:
        """The value of an attribute, None without it."""
        return attributes.value_of(self.attributes, name)

    def has_true(self, name: str) -> bool:
        """Is the attribute there and true?"""
        try:
            return attributes.truth(self.attribute(name) or "false")
        except ValueError:
            return False

    def check_role(self, name: str) -> None:
        """Raise Refusal unless the attribute is there and true."""
        value = self.attribute(name)
        if value is None:
            reason = f"{self.id!r} does not have the attribute {name}"
            raise not_authorized(Code.INVOKER_MISSES_ATTRIBUTE, reason)
        try:
            if attributes.truth(value):
                return
        except ValueError as error:
            message = f"Failed to get boolean value of '{name}'"
            raise Refusal(400, Code.INVALID_BOOLEAN, message) from error
        raise not_authorized(Code.MISSING_ROLE, f"{self.id!r} has {name} false")

    def registrar_roles(self) -> list[str]:
        """The types it may register; Refusal when it is no registrar."""
        value = self.attribute(attributes.ROLES)
        if not value:
            reason = f"{self.id!r} is not a registrar"
            raise not_authorized(Code.MISSING_REGISTRAR_ATTRIBUTE, reason)
        return attributes.listed(value)

    def check_acts_on_type(self, kind: str) -> None:
        """Raise Refusal unless it is a registrar of this type."""
        roles = self.registrar_roles()
        wanted = (kind or DEFAULT_TYPE).lower()
        if "*" not in roles and wanted not in (role.lower() for role in roles):
            reason = f"registrar {self.id!r} may not act on type {kind!r}"
            raise not_authorized(Code.CALLER_NOT_AFFILIATED, reason)

    def check_acts_on_affiliation(self, affiliation: str) -> None:
        """Raise Refusal unless the affiliation is its own or below its own."""
        own = self.affiliation
        if own and affiliation != own and not affiliation.startswith(f"{own}."):
            reason = f"{self.id!r} may not act on affiliation {affiliation!r}"
            raise not_authorized(Code.CALLER_NOT_AFFILIATED, reason)

    def check_manages(self, other: Identity) -> None:
        """Raise Refusal unless it may act on the other's affiliation and type."""
        self.check_acts_on_affiliation(other.affiliation)
        self.check_acts_on_type(other.type)

    def certificate_attributes(self) -> Mapping[str, str] | None:
        """What goes into a certificate unasked; None when nothing does."""
        return {each.name: each.value for each in self.attributes if each.in_certificate} or None

    def enrollments_left(self, limit: int) -> bool:
        """May it enroll once more? limit: the CA's own, UNLIMITED or a number."""
        allowed = effective_limit(self.max_enrollments, limit)
        return allowed == UNLIMITED or self.state < allowed


def effective_limit(own: int, limit: int) -> int:
    """The smaller of an identity's and its CA's limit of enrollments."""
    if limit != UNLIMITED and (own > limit or own == UNLIMITED):
        return limit
    return own


def granted_enrollments(asked: int, limit: int) -> int:
    """What max_enrollments a new identity gets from what was asked for; Refusal.

    0 asks for as many as the CA allows; a CA whose limit is 0 registers nobody.
    """
    if asked < UNLIMITED:
        reason = f"Max enrollment in registration request may not be less than -1, but was {asked}"
    elif limit == 0:
        reason = "Registration is disabled"
    elif limit == UNLIMITED or asked == 0:
        return asked or limit
    elif asked == UNLIMITED:
        reason = "Registration for infinite enrollments is not allowed"
    elif asked > limit:
        reason = f"Requested enrollments ({asked}) exceeds maximum allowable enrollments ({limit})"
    else:
        return asked
    raise Refusal(400, Code.INVALID_MAX_ENROLLMENTS, reason)
