"""Certificate revocation lists: effective at once, whatever date they name.

A list counts for the certificates of the CA whose subject key identifier it names as its
authority, provided that this CA's key signed it.
(Fabric: setupCRLs and validateCertAgainstChain of msp/)
"""

from __future__ import annotations

from collections.abc import Sequence

from cryptography import x509
from cryptography.exceptions import InvalidSignature as _Mismatch
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from .. import pem
from ..certificates import ECDSA_SIGNATURES, PARSER_ERRORS, Certificate
from ..crypto import parse_ecdsa_signature
from ..identity_errors import InvalidIdentity, InvalidSignature

_PEM_PREFIX = b"-----BEGIN X509 CRL"


class RevocationLists:
    """The CRLs of one MSP, PEM or DER each; raises InvalidIdentity when one does not parse."""

    def __init__(self, lists: Sequence[bytes]) -> None:
        self._lists = tuple(map(_parse, lists))

    def check(self, certificate: Certificate, issuer: Certificate) -> None:
        """Raise InvalidIdentity when the issuer has revoked the certificate."""
        if issuer.subject_key_id is None:
            raise InvalidIdentity(
                "could not obtain Subject Key Identifier for signer cert:"
                " subjectKeyIdentifier not found in certificate"
            )
        for crl, authority in self._lists:
            if authority is None:
                raise InvalidIdentity("could not obtain Authority Key Identifier for crl")
            if authority != issuer.subject_key_id:
                continue
            number = certificate.serial_number
            listed = crl.get_revoked_certificate_by_serial_number(number) is not None
            if listed and _is_signed_by(crl, issuer):
                raise InvalidIdentity("The certificate has been revoked")


def _parse(data: bytes) -> tuple[x509.CertificateRevocationList, bytes | None]:
    """Return a list with the key identifier of its authority."""
    if data.startswith(_PEM_PREFIX):
        block = pem.decode(data)
        if block is not None and block.kind == "X509 CRL":
            data = block.contents
    try:
        crl = x509.load_der_x509_crl(data)
        if crl.signature_algorithm_oid in ECDSA_SIGNATURES:
            parse_ecdsa_signature(crl.signature)
        extension = crl.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier)
    except x509.ExtensionNotFound:
        return crl, None
    except (*PARSER_ERRORS, InvalidSignature) as error:
        raise InvalidIdentity(f"could not parse RevocationList: {error}") from error
    return crl, extension.value.key_identifier


def _is_signed_by(crl: x509.CertificateRevocationList, issuer: Certificate) -> bool:
    key = issuer.key.key
    algorithm = crl.signature_hash_algorithm
    try:
        if isinstance(key, ec.EllipticCurvePublicKey) and algorithm is not None:
            r, s, _strict = parse_ecdsa_signature(crl.signature)
            key.verify(encode_dss_signature(r, s), crl.tbs_certlist_bytes, ec.ECDSA(algorithm))
            return True
        return crl.is_signature_valid(key)  # type: ignore[arg-type]
    except (_Mismatch, InvalidSignature, *PARSER_ERRORS):
        return False
