"""Who is at the other end of a stream: each side's first message is a signed ConnEstablish.

The message names the sender's certificate and, under TLS, the certificate of the session,
so that nobody can pass it on as his own.  A server that does not see its clients'
certificates cannot check that; such a connection is not ``bound``, and requests on it must
be signed one by one.  (Fabric: gossip/comm/comm_impl.go ``authenticateRemotePeer``)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256

from gridloom.common.errors import GridloomError
from gridloom.common.identities import Identity, Signer
from gridloom.common.policies.policy import SignedData
from gridloom.protos.gossip.message_pb2 import ConnEstablish, Envelope, GossipMessage

from .messages import open_envelope, pki_id, sign


class HandshakeFailed(GridloomError):
    """The other side did not prove who it is: why."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"authentication failed: {reason}")
        self.reason = reason


@dataclass(frozen=True, slots=True)
class RemotePeer:
    """A peer that has proved its identity.

    claim: its signed ConnEstablish, which policies judge; bound: the TLS session is its own.
    """

    identity: Identity
    pki_id: bytes
    claim: SignedData = field(repr=False)
    bound: bool

    @property
    def msp_id(self) -> str:
        """MSP id of its organisation."""
        return self.identity.msp_id

    def has_signed(self, envelope: Envelope) -> bool:
        """Whether the envelope carries this peer's signature."""
        try:
            self.identity.verify(envelope.payload, envelope.signature)
        except GridloomError:
            return False
        return True


class Handshake:
    """This peer's side of every handshake.

    judge: the valid identity behind serialized bytes, as some MSP known here has it; a
    GridloomError for anybody else.  tls_certificate: DER of what this peer shows in TLS
    sessions, None without TLS.
    """

    def __init__(
        self,
        signer: Signer,
        judge: Callable[[bytes], Identity],
        tls_certificate: bytes | None = None,
    ) -> None:
        self._signer = signer
        self._judge = judge
        self._tls_hash = sha256(tls_certificate).digest() if tls_certificate else b""
        self.pki_id = pki_id(signer.serialized)

    def own(self) -> Envelope:
        """The first message of this side."""
        establish = ConnEstablish(
            pki_id=self.pki_id, identity=self._signer.serialized, tls_cert_hash=self._tls_hash
        )
        return sign(GossipMessage(tag=GossipMessage.EMPTY, conn=establish), self._signer)

    def verify(self, envelope: Envelope, certificate: bytes | None) -> RemotePeer | None:
        """Who has sent this first message; None if he only wanted to know who is here.

        certificate: DER of the other side's certificate in the TLS session, None if unknown.
        HandshakeFailed if anything is not as claimed.
        """
        try:
            message = open_envelope(envelope)
            if message.WhichOneof("content") != "conn":
                raise HandshakeFailed("wrong type of first message")
            establish = message.conn
            identity = self._judge(establish.identity)
            if establish.pki_id != pki_id(establish.identity):
                raise HandshakeFailed("the PKI-ID is not that of the identity")
            if certificate is not None and establish.tls_cert_hash != sha256(certificate).digest():
                raise HandshakeFailed("the TLS session belongs to another certificate")
            identity.verify(envelope.payload, envelope.signature)
        except HandshakeFailed:
            raise
        except GridloomError as error:
            raise HandshakeFailed(str(error)) from error
        if establish.probe:
            return None
        claim = SignedData(envelope.payload, establish.identity, envelope.signature)
        return RemotePeer(identity, establish.pki_id, claim, certificate is not None)
