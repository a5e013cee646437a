"""Name constraints of CA certificates, by Go's rules and by Go 1.14's legacy rule.

Constraints apply to the subject alternative names of every certificate below; a name
of a kind that the constraint does not mention is free.
(Fabric: verifyLegacyNameConstraints of msp/mspimpl.go; Go: crypto/x509/verify.go)
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from typing import Final
from urllib.parse import urlsplit

from cryptography import x509

from ..certificates import Certificate
from ..identity_errors import InvalidIdentity

_LABEL: Final = re.compile(r"[A-Za-z0-9_:][A-Za-z0-9_:-]*")


def violation(authority: Certificate, chain: Sequence[Certificate]) -> str:
    """Say which name below ``authority`` its constraints forbid, or return the empty text."""
    constraints = authority.extension(x509.NameConstraints)
    if constraints is None:
        return ""
    for member in chain:
        names = member.extension(x509.SubjectAlternativeName)
        for name in names or ():
            if any(_matches(name, c) for c in constraints.excluded_subtrees or ()):
                return f"x509: {name.value} is excluded by a name constraint"
            allowed = [c for c in constraints.permitted_subtrees or () if type(c) is type(name)]
            if allowed and not any(_matches(name, c) for c in allowed):
                return f"x509: {name.value} is not permitted by any name constraint"
    return ""


def check_legacy_rule(chain: Sequence[Certificate]) -> None:
    """Raise InvalidIdentity for a constrained chain whose leaf names a host only in its CN."""
    leaf, *authorities = chain
    if leaf.extension(x509.SubjectAlternativeName) is not None:
        return
    if _is_host_name(leaf.common_name) and any(
        authority.extension(x509.NameConstraints) is not None for authority in authorities
    ):
        raise InvalidIdentity(
            "the supplied identity is not valid: x509: issuer has name constraints but leaf"
            " doesn't have a SAN extension"
        )


def _matches(name: x509.GeneralName, constraint: x509.GeneralName) -> bool:
    """Does a name fall under a constraint of the same kind?"""
    match name, constraint:
        case x509.DNSName(), x509.DNSName():
            return _domain_matches(name.value, constraint.value)
        case x509.UniformResourceIdentifier(), x509.UniformResourceIdentifier():
            host = urlsplit(name.value).hostname
            return host is not None and _domain_matches(host, constraint.value)
        case x509.RFC822Name(), x509.RFC822Name():
            if "@" in constraint.value:
                return _mailbox(name.value) == _mailbox(constraint.value)
            return _domain_matches(name.value.rpartition("@")[2], constraint.value)
        case x509.IPAddress(), x509.IPAddress():
            return _address_matches(name.value, constraint.value)
        case _:
            return False


def _mailbox(address: str) -> tuple[str, str]:
    local, _, domain = address.rpartition("@")
    return local, domain.lower()


def _domain_matches(domain: str, constraint: str) -> bool:
    """``example.com`` covers itself and below; ``.example.com`` only what is below."""
    domain, constraint = domain.lower(), constraint.lower()
    if not constraint:
        return True
    if constraint.startswith("."):
        return domain.endswith(constraint)
    return domain == constraint or domain.endswith("." + constraint)


def _address_matches(address: object, constraint: object) -> bool:
    if not isinstance(constraint, ipaddress.IPv4Network | ipaddress.IPv6Network):
        return False
    return isinstance(address, ipaddress.IPv4Address | ipaddress.IPv6Address) and (
        address in constraint
    )


def _is_host_name(text: str) -> bool:
    """Go's lenient test for a host name (underscores and colons pass)."""
    labels = text.removesuffix(".").split(".")
    return all(
        _LABEL.fullmatch(label) or (label == "*" and position == 0)
        for position, label in enumerate(labels)
    )
