"""Connections to other orderers, each of which must show exactly the certificate expected.

(Fabric: orderer/common/cluster/connections.go, ``PredicateDialer``.)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from cryptography import x509

from gridloom.common import certificates
from gridloom.common.rpc import Channel
from gridloom.common.rpc.liveness import VIGILANT
from gridloom.common.rpc.tls import ClientTls
from gridloom.common.rpc.transport import grpc_channel

from .members import Member

Dial: TypeAlias = Callable[[Member], Channel]
"""Opens a channel to a member, on which this node shows its own client certificate."""


def grpc_dialer(certificate: bytes, private_key: bytes) -> Dial:
    """Dial over gRPC, showing this PEM certificate.

    The member's own certificate is the only root of trust: no other server is believed, even one
    with a certificate of the same CA.
    """

    def dial(member: Member) -> Channel:
        tls = ClientTls(
            roots=member.server_certificate,
            certificate=certificate,
            private_key=private_key,
            server_name=_name_in(member.server_certificate),
        )
        return grpc_channel(member.endpoint, tls, VIGILANT)

    return dial


def _name_in(pem: bytes) -> str | None:
    """A name the certificate is for: being pinned, it need not be for the address dialled."""
    parsed = certificates.parse_pem(pem)
    names = parsed.extension(x509.SubjectAlternativeName)
    if names is None:
        return parsed.common_name or None
    found = names.get_values_for_type(x509.DNSName)
    return str(found[0]) if found else None
