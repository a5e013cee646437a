"""Gossip messages in their envelopes (Fabric: gossip/protoext/signing.go)."""

from __future__ import annotations

from hashlib import sha256

from gridloom.common.identities import Signer
from gridloom.common.wire import parse
from gridloom.protos.gossip.message_pb2 import Envelope, GossipMessage
from gridloom.protos.msp.identities_pb2 import SerializedIdentity


def pki_id(identity: bytes) -> bytes:
    """How gossip calls the peer with this serialized identity; MalformedMessage."""
    parsed = parse(SerializedIdentity, identity, "peer identity")
    return sha256(parsed.mspid.encode() + parsed.id_bytes).digest()


def sign(message: GossipMessage, signer: Signer) -> Envelope:
    """A message as it travels."""
    payload = message.SerializeToString()
    return Envelope(payload=payload, signature=signer.sign(payload))


def open_envelope(envelope: Envelope) -> GossipMessage:
    """The message in an envelope; MalformedMessage."""
    return parse(GossipMessage, envelope.payload, "GossipMessage")
