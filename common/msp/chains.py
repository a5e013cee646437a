"""Certification chains exactly as Go's x509.Certificate.Verify would find them.

Only the options Fabric uses are here: no host name, the default key usage (server
authentication wherever an extended key usage is present), and a clock standing one second
after the certificate's own NotBefore, which makes expiry irrelevant.
(Fabric: getUniqueValidationChain of msp/mspimpl.go over Go's crypto/x509/verify.go)
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from typing import Final, TypeAlias

from cryptography import x509

from ..certificates import Certificate
from ..identity_errors import InvalidIdentity
from . import name_constraints

Chain: TypeAlias = tuple[Certificate, ...]

_MAX_SIGNATURE_CHECKS: Final = 100
_SERVER_AUTH: Final = "1.3.6.1.5.5.7.3.1"
_ANY_USAGE: Final = "2.5.29.37.0"
#: Extensions that Go understands and so accepts as critical.
_UNDERSTOOD: Final = frozenset(
    f"2.5.29.{arc}" for arc in (14, 15, 17, 19, 30, 31, 32, 33, 35, 36, 37, 54)
) | {"1.3.6.1.5.5.7.1.1"}


class TrustAnchors:
    """The CA certificates of one MSP: find the chain of a certificate through them."""

    def __init__(self, roots: Iterable[Certificate], intermediates: Iterable[Certificate]) -> None:
        self.roots = tuple({root.raw: root for root in roots}.values())
        self.intermediates = tuple({c.raw: c for c in intermediates}.values())

    def unique_chain(self, certificate: Certificate) -> Chain:
        """Return the only chain, leaf first and root last (a root alone: itself).

        Raises InvalidIdentity when there is none or more than one.
        """
        search = _Search(self, certificate)
        found = tuple(search.chains())
        chains = [chain for chain in found if _usage_permitted(chain)]
        if not chains:
            reason = "x509: certificate specifies an incompatible key usage"
            if not found:
                reason = search.reason or "x509: certificate signed by unknown authority"
            raise InvalidIdentity(f"the supplied identity is not valid: {reason}")
        if len(chains) > 1:
            raise InvalidIdentity(
                f"this MSP only supports a single validation chain, got {len(chains)}"
            )
        name_constraints.check_legacy_rule(chains[0])
        return chains[0]

    def __contains__(self, certificate: Certificate) -> bool:
        return any(root.raw == certificate.raw for root in self.roots)


class _Search:
    """One walk over the CA certificates; ``reason`` keeps the last refusal."""

    def __init__(self, anchors: TrustAnchors, leaf: Certificate) -> None:
        self._anchors = anchors
        self._leaf = leaf
        self._time = leaf.not_before + timedelta(seconds=1)
        self._checks = 0
        self.reason = ""

    def chains(self) -> Iterator[Chain]:
        if not self._is_valid(self._leaf, (), intermediate=False):
            return
        if self._leaf in self._anchors:
            yield (self._leaf,)
            return
        yield from self._extend((self._leaf,))

    def _extend(self, chain: Chain) -> Iterator[Chain]:
        for root in self._anchors.roots:
            if self._may_follow(root, chain) and self._is_valid(root, chain, intermediate=False):
                yield (*chain, root)
        for parent in self._anchors.intermediates:
            if self._may_follow(parent, chain) and self._is_valid(parent, chain, intermediate=True):
                yield from self._extend((*chain, parent))

    def _may_follow(self, parent: Certificate, chain: Chain) -> bool:
        child = chain[-1]
        if child.issuer != parent.subject or _already_in(parent, chain):
            return False
        self._checks += 1
        if self._checks > _MAX_SIGNATURE_CHECKS:
            self.reason = "x509: signature check attempts limit reached"
            return False
        if not child.is_issued_by(parent):
            self.reason = f"x509: certificate was not signed by {parent.common_name}"
            return False
        return True

    def _is_valid(self, candidate: Certificate, chain: Chain, *, intermediate: bool) -> bool:
        """Go's isValid: criticals, time, name constraints, CA flag, path length."""
        unknown = candidate.critical - _UNDERSTOOD
        if unknown:
            self.reason = f"x509: unhandled critical extension {min(unknown)}"
        elif not candidate.not_before <= self._time <= candidate.not_after:
            self.reason = "x509: certificate has expired or is not yet valid"
        elif intermediate and not candidate.is_ca:
            self.reason = "x509: certificate is not authorized to sign other certificates"
        elif candidate.path_length is not None and len(chain) - 1 > candidate.path_length:
            self.reason = "x509: too many intermediates for path length constraint"
        else:
            refusal = name_constraints.violation(candidate, chain)
            self.reason = refusal or self.reason
            return not refusal
        return False


def _already_in(candidate: Certificate, chain: Sequence[Certificate]) -> bool:
    """Same subject, key and alternative names as a member of the chain?"""
    return any(
        candidate.subject == member.subject
        and candidate.key.id == member.key.id
        and candidate.extension(x509.SubjectAlternativeName)
        == member.extension(x509.SubjectAlternativeName)
        for member in chain
    )


def _usage_permitted(chain: Chain) -> bool:
    """Every certificate that restricts its extended usage must allow server authentication."""
    return all(
        not c.extended_key_usages or c.extended_key_usages & {_SERVER_AUTH, _ANY_USAGE}
        for c in chain
    )
