"""One membership service provider: whose certificates an organisation vouches for.

Work happens in Fabric's order: deserialize (parse, check the chain, sanitise), validate
(key kind, chain, revocation, units), then verify signatures or match principals.
Expiry is ignored throughout: it is checked where Fabric checks it, never here.
(Fabric: msp/mspimpl.go, mspimplsetup.go, mspimplvalidate.go)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from gridloom.protos.msp import identities_pb2, msp_config_pb2, msp_principal_pb2

from .. import crypto, pem
from ..certificates import Certificate, parse_pem
from ..errors import MalformedMessage
from ..identities import Identity
from ..identity_errors import (
    IdentityError,
    InvalidIdentity,
    InvalidMspConfig,
    InvalidSignature,
    PrincipalNotSatisfied,
)
from ..memo import BoundedMemo
from ..wire import parse
from . import principals
from .authorities import Authorities, check_authorities
from .chains import TrustAnchors
from .node_ous import ADMIN, CLIENT, NodeOus, check_unit_identifiers, read_unit_identifiers
from .revocation import RevocationLists
from .version import MspVersion

FABRIC: Final = 0
_HASHES: Final = {
    "": "sha256",
    "SHA256": "sha256",
    "SHA384": "sha384",
    "SHA3_256": "sha3_256",
    "SHA3_384": "sha3_384",
}
_IMPORTABLE: Final = (ec.EllipticCurvePublicKey, rsa.RSAPublicKey, ed25519.Ed25519PublicKey)


@dataclass(frozen=True, slots=True)
class _Verdict:
    """What validation found: certifiers when valid, else the reason."""

    certifiers: bytes = b""
    reason: str = ""


class Msp:
    """The rules and CA certificates of one MSP. Build it with ``from_config``.

    msp_id; version; tls_root_certs and tls_intermediate_certs: PEM as configured;
    admins: the members listed by certificate; node_ous: None when not enforced.
    """

    def __init__(self, config: msp_config_pb2.FabricMSPConfig, version: MspVersion) -> None:
        self.msp_id = config.name
        self.version = version
        self.tls_root_certs = tuple(config.tls_root_certs)
        self.tls_intermediate_certs = tuple(config.tls_intermediate_certs)
        self._hash_family = config.crypto_config.signature_hash_family or crypto.SHA2
        function = config.crypto_config.identity_identifier_hash_function
        if self._hash_family not in (crypto.SHA2, crypto.SHA3) or function not in _HASHES:
            raise InvalidIdentity(f"hash not recognized [{self._hash_family}, {function}]")
        self._hash = _HASHES[function]
        self._verdicts: BoundedMemo[tuple[str, str], _Verdict] = BoundedMemo(1 << 10)
        self._answers: BoundedMemo[tuple[tuple[str, str], int, bytes], str] = BoundedMemo(1 << 12)
        self._revoked = RevocationLists(config.revocation_list)
        self._authorities = Authorities(
            config.root_certs, config.intermediate_certs, self._revoked, self._hash
        )
        check_authorities(
            TrustAnchors(
                map(parse_pem, config.tls_root_certs), map(parse_pem, config.tls_intermediate_certs)
            ),
            self._revoked,
        )
        self._units = read_unit_identifiers(
            config.organizational_unit_identifiers, self._authorities
        )
        self.node_ous: NodeOus | None = None
        if config.HasField("fabric_node_ous"):
            self.node_ous = NodeOus.from_config(config.fabric_node_ous, self._authorities, version)
        self.admins = tuple(map(self.identity, config.admins))
        self._check_admins()

    @classmethod
    def from_config(
        cls, config: msp_config_pb2.MSPConfig, version: MspVersion = MspVersion.V3_0
    ) -> Msp:
        """Set an MSP up; InvalidMspConfig when the definition breaks a rule.

        The default version is that of a node's own MSP; a channel's capabilities give
        that of its MSPs.
        """
        if config.type != FABRIC:
            raise InvalidMspConfig("", f"unsupported MSP type {config.type}, only X.509 is known")
        try:
            definition = parse(msp_config_pb2.FabricMSPConfig, config.config, "FabricMSPConfig")
        except MalformedMessage as error:
            raise InvalidMspConfig("", str(error)) from error
        try:
            return cls(definition, version)
        except IdentityError as error:
            raise InvalidMspConfig(definition.name, str(error)) from error

    def deserialize(self, serialized: bytes) -> Identity:
        """Turn msp.SerializedIdentity bytes into an identity; InvalidIdentity if refused.

        The certificate's chain has been checked afterwards, nothing else: ``validate``.
        """
        message = parse_identity(serialized)
        if message.mspid != self.msp_id:
            raise InvalidIdentity(f"expected MSP ID {self.msp_id}, received {message.mspid}")
        return self.identity(message.id_bytes)

    def validate(self, identity: Identity) -> None:
        """Raise InvalidIdentity unless the certificate is a valid member of this MSP."""
        self.certifiers_identifier(identity)

    def certifiers_identifier(self, identity: Identity) -> bytes:
        """Validate, then return the hash of the identity's path of CAs (issuer to root)."""
        verdict = self._verdicts.get(identity.key)
        if verdict is None:
            try:
                verdict = _Verdict(certifiers=self._validate(identity.details))
            except InvalidIdentity as error:
                verdict = _Verdict(reason=error.reason)
            self._verdicts.put(identity.key, verdict)
        if verdict.reason:
            raise InvalidIdentity(verdict.reason, self.msp_id)
        return verdict.certifiers

    def satisfies(self, identity: Identity, principal: msp_principal_pb2.MSPPrincipal) -> None:
        """Raise PrincipalNotSatisfied unless the identity is whom the principal describes."""
        question = (identity.key, principal.principal_classification, principal.principal)
        answer = self._answers.get(question)
        if answer is None:
            try:
                for part in principals.flatten(principal):
                    principals.check(self, identity, part)
                answer = ""
            except (IdentityError, MalformedMessage) as error:
                answer = str(error)
            self._answers.put(question, answer)
        if answer:
            raise PrincipalNotSatisfied(answer, self.msp_id)

    def is_admin_by_certificate(self, identity: Identity) -> bool:
        """Is the identity's certificate one of the listed admins, byte for byte?"""
        return any(identity.details.raw == admin.details.raw for admin in self.admins)

    def identity(self, certificate_pem: bytes) -> Identity:
        """Turn a PEM certificate into an identity of this MSP, as ``deserialize`` does."""
        certificate = parse_pem(certificate_pem)
        if not isinstance(certificate.key.key, _IMPORTABLE):
            raise InvalidIdentity("failed to import certificate's public key: type not recognized")
        certificate = self._authorities.sanitize(certificate)
        return Identity(
            self.msp_id, certificate, hash_family=self._hash_family, identifier_hash=self._hash
        )

    def _validate(self, certificate: Certificate) -> bytes:
        """Apply the rules in Fabric's order; return the certifiers identifier."""
        key = certificate.key.key
        if not isinstance(key, ec.EllipticCurvePublicKey) and not (
            isinstance(key, ed25519.Ed25519PublicKey) and self.version >= MspVersion.V3_0
        ):
            raise InvalidIdentity(
                "could not validate identity's public key algorithm:"
                f" {type(key).__name__.removesuffix('PublicKey')} is not supported"
            )
        try:
            chain = self._authorities.member_chain(certificate)
        except InvalidIdentity as error:
            raise InvalidIdentity(
                f"could not obtain certification chain: {error.reason}"
            ) from error
        certifiers = self._authorities.path_identifier(chain[1:])
        step = "could not validate identity against certification chain"
        try:
            self._revoked.check(certificate, chain[1])
            step = "could not validate identity's OUs"
            check_unit_identifiers(self._units, certificate.organizational_units, certifiers)
            if self.node_ous is not None:
                self.node_ous.check(certificate.organizational_units, certifiers)
        except InvalidIdentity as error:
            raise InvalidIdentity(f"{step}: {error.reason}") from error
        return certifiers

    def _check_admins(self) -> None:
        """Admins must be members; under node OUs they must be clients (or admins)."""
        by_unit = self.node_ous is not None and ADMIN in self.node_ous.roles
        if not self.admins and not by_unit and self.version >= MspVersion.V1_4_3:
            raise InvalidIdentity(
                "administrators must be declared when no admin ou classification is set"
            )
        for number, admin in enumerate(self.admins):
            try:
                self._check_admin(admin)
            except InvalidIdentity as error:
                raise InvalidIdentity(f"admin {number} is invalid: {error.reason}") from error

    def _check_admin(self, admin: Identity) -> None:
        if self.node_ous is None:
            self.validate(admin)
            return
        roles = [CLIENT]
        if self.version >= MspVersion.V1_4_3:
            self._authorities.member_chain(admin.details)
            roles.append(ADMIN)
        else:
            self.validate(admin)
        units = admin.details.organizational_units
        if not any(self.node_ous.has_role(role, units) for role in roles):
            raise InvalidIdentity(f"it is neither a client nor an admin. OUs: {list(units)}")

    def __repr__(self) -> str:
        return f"Msp({self.msp_id}, {self.version.name})"


def parse_identity(serialized: bytes) -> identities_pb2.SerializedIdentity:
    """Parse msp.SerializedIdentity; InvalidIdentity when malformed."""
    try:
        return parse(identities_pb2.SerializedIdentity, serialized, "SerializedIdentity")
    except MalformedMessage as error:
        raise InvalidIdentity(f"could not deserialize a {error}") from error


def check_well_formed(serialized: bytes) -> None:
    """Raise InvalidIdentity unless the bytes hold one canonical X.509 identity.

    Stricter than deserialize and independent of any MSP: a CERTIFICATE block (or an
    unlabelled one) with nothing behind it, signed in strict DER. (Fabric: IsWellFormed)
    """
    block = pem.decode(parse_identity(serialized).id_bytes)
    if block is None:
        raise InvalidIdentity("PEM decoding resulted in an empty block")
    if block.trailing:
        raise InvalidIdentity("identity has trailing bytes")
    if block.kind not in ("", pem.CERTIFICATE):
        raise InvalidIdentity(f"pem type is {block.kind}, should be 'CERTIFICATE' or missing")
    certificate = parse_pem(pem.encode(pem.CERTIFICATE, block.contents))
    if certificate.is_ecdsa_signed:
        try:
            _r, _s, strict = crypto.parse_ecdsa_signature(certificate.certificate.signature)
        except InvalidSignature as error:
            raise InvalidIdentity(error.reason) from error
        if not strict:
            raise InvalidIdentity("identity has a non canonical signature")
