"""The other orderers of a channel: where they are, and which certificates they show.

(Fabric: orderer/common/cluster/comm.go ``RemoteNode``, common/crypto
``CertificatesWithSamePublicKey``.)
"""

from __future__ import annotations

from dataclasses import dataclass

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from gridloom.common import certificates
from gridloom.common.certificates import Certificate


@dataclass(frozen=True, slots=True)
class Member:
    """One orderer that takes part in ordering a channel.

    node_id: its id in the consensus; endpoint: ``host:port``; certificates: PEM of what it shows
    as a server and as a client.
    """

    node_id: int
    endpoint: str
    server_certificate: bytes
    client_certificate: bytes

    @property
    def client_key(self) -> bytes:
        """The public key by which it is known as a client; InvalidIdentity."""
        return public_key(certificates.parse_pem(self.client_certificate))

    @property
    def server_key(self) -> bytes:
        """The public key by which it is known as a server; InvalidIdentity."""
        return public_key(certificates.parse_pem(self.server_certificate))


def public_key(certificate: Certificate) -> bytes:
    """DER of a certificate's key: it stays when the certificate is issued anew."""
    key = certificate.certificate.public_key()
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
