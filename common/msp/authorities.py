"""The CA tree of one MSP: roots, intermediates, and what may hang below them.

(Fabric: setupCAs, finalizeSetupCAs, setupTLSCAs, getCertifiersIdentifier and sanitizeCert
of msp/mspimpl.go and mspimplsetup.go)
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from ..certificates import Certificate, parse_pem, sanitize
from ..identity_errors import InvalidIdentity
from .chains import Chain, TrustAnchors
from .revocation import RevocationLists


class Authorities:
    """Sanitised CA certificates of an MSP; raises InvalidIdentity for a bad set.

    ``identifier_hash`` is the hashlib name behind certifiers identifiers.
    """

    def __init__(
        self,
        roots: Sequence[bytes],
        intermediates: Sequence[bytes],
        revoked: RevocationLists,
        identifier_hash: str = "sha256",
    ) -> None:
        if not roots:
            raise InvalidIdentity("expected at least one CA certificate")
        self._hash = identifier_hash
        self._inner_nodes: frozenset[bytes] = frozenset()
        self._identifiers: dict[bytes, bytes] = {}
        self._anchors = TrustAnchors(map(parse_pem, roots), map(parse_pem, intermediates))
        self.roots = tuple(map(self.sanitize, self._anchors.roots))
        self.intermediates = tuple(map(self.sanitize, self._anchors.intermediates))
        self._anchors = TrustAnchors(self.roots, self.intermediates)
        check_authorities(self._anchors, revoked)
        self._inner_nodes = frozenset(
            parent.raw
            for intermediate in self.intermediates
            for parent in self._anchors.unique_chain(intermediate)[1:]
        )

    def sanitize(self, certificate: Certificate) -> Certificate:
        """Return the certificate with a low-S signature; its chain must already hold.

        Certificates that are not signed with ECDSA come back as they are, unchecked.
        """
        if not certificate.is_ecdsa_signed:
            return certificate
        if certificate.is_ca and certificate.is_issued_by(certificate):
            root = sanitize(certificate, certificate)
            TrustAnchors((root,), self._anchors.intermediates).unique_chain(root)
            return root
        chain = self._anchors.unique_chain(certificate)
        if len(chain) < 2:
            raise InvalidIdentity(
                "failed to traverse certificate verification chain for leaf or intermediate"
                f" certificate, with subject {certificate.common_name}"
            )
        return sanitize(certificate, chain[1])

    def member_chain(self, certificate: Certificate) -> Chain:
        """Return a member's chain, leaf first; its issuer must be a leaf of the CA tree."""
        if certificate.is_ca:
            raise InvalidIdentity(
                "An X509 certificate with Basic Constraint: Certificate Authority equals true"
                " cannot be used as an identity"
            )
        chain = self._chain(certificate)
        self._require_tree_leaf(chain[1])
        return chain

    def certifiers_identifier(self, certificate_pem: bytes) -> bytes:
        """Hash the path from a CA certificate of this MSP up to its root."""
        found = self._identifiers.get(certificate_pem)
        if found is None:
            found = self._certifiers_identifier(self.sanitize(parse_pem(certificate_pem)))
            self._identifiers[certificate_pem] = found
        return found

    def path_identifier(self, path: Sequence[Certificate]) -> bytes:
        """Hash the DER of certificates one after the other, issuer first, root last."""
        digest = hashlib.new(self._hash)
        for certificate in path:
            digest.update(certificate.raw)
        return digest.digest()

    def _certifiers_identifier(self, certificate: Certificate) -> bytes:
        if any(certificate.raw == root.raw for root in self.roots):
            return self.path_identifier((certificate,))
        if all(certificate.raw != known.raw for known in self.intermediates):
            raise InvalidIdentity(
                f"Failed adding OU. Certificate [{certificate.common_name}] not in root or"
                " intermediate certs."
            )
        self._require_tree_leaf(certificate)
        return self.path_identifier(self._chain(certificate))

    def _chain(self, certificate: Certificate) -> Chain:
        chain = self._anchors.unique_chain(certificate)
        if len(chain) < 2:
            raise InvalidIdentity(f"expected a chain of length at least 2, got {len(chain)}")
        return chain

    def _require_tree_leaf(self, authority: Certificate) -> None:
        if authority.raw in self._inner_nodes:
            raise InvalidIdentity(
                "invalid validation chain. Parent certificate should be a leaf of the"
                f" certification tree [{authority.common_name}]"
            )


def check_authorities(anchors: TrustAnchors, revoked: RevocationLists) -> None:
    """Raise InvalidIdentity unless each certificate is a CA with an SKI and a good chain."""
    for certificate in (*anchors.roots, *anchors.intermediates):
        number = f"(SN: {certificate.serial_number:x})"
        if not certificate.is_ca:
            raise InvalidIdentity(f"CA Certificate did not have the CA attribute, {number}")
        if certificate.subject_key_id is None:
            raise InvalidIdentity(
                f"CA Certificate problem with Subject Key Identifier extension, {number}"
            )
        try:
            chain = anchors.unique_chain(certificate)
            if len(chain) > 1:
                revoked.check(certificate, chain[1])
        except InvalidIdentity as error:
            raise InvalidIdentity(
                f"CA Certificate is not valid, {number}: {error.reason}"
            ) from error
