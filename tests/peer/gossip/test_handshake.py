"""Who may speak: every claim of a first message is checked."""

from hashlib import sha256

import pytest

from gridloom.common.identities import SigningIdentity
from gridloom.peer.gossip.handshake import Handshake, HandshakeFailed
from gridloom.peer.gossip.messages import open_envelope, pki_id, sign
from gridloom.protos.gossip.message_pb2 import ConnEstablish, Envelope, GossipMessage
from gridloom.protos.msp.identities_pb2 import SerializedIdentity
from harness.consortium import Consortium, consortium
from harness.gossiping import Judge

PEER1, PEER2 = consortium().peer(1), consortium().peer(2)
CERTIFICATE = b"DER of a TLS certificate"


def handshake(signer: SigningIdentity = PEER1, certificate: bytes | None = None) -> Handshake:
    return Handshake(signer, Judge(consortium()), certificate)


def claim(signer: SigningIdentity = PEER2, **changes: object) -> Envelope:
    fields = {"pki_id": pki_id(signer.serialized), "identity": signer.serialized} | changes
    return sign(GossipMessage(tag=GossipMessage.EMPTY, conn=ConnEstablish(**fields)), signer)


def test_a_pki_id_is_the_hash_of_organisation_and_certificate():
    parsed = SerializedIdentity.FromString(PEER1.serialized)
    assert pki_id(PEER1.serialized) == sha256(b"Org1MSP" + parsed.id_bytes).digest()


def test_the_first_message_is_what_fabric_sends():
    envelope = handshake(certificate=CERTIFICATE).own()
    message = open_envelope(envelope)
    assert (message.tag, message.nonce, message.channel) == (GossipMessage.EMPTY, 0, b"")
    assert message.conn == ConnEstablish(
        pki_id=pki_id(PEER1.serialized),
        identity=PEER1.serialized,
        tls_cert_hash=sha256(CERTIFICATE).digest(),
    )
    Judge(consortium())(PEER1.serialized).verify(envelope.payload, envelope.signature)


def test_a_peer_is_known_by_its_handshake():
    remote = handshake(PEER1).verify(handshake(PEER2).own(), None)
    assert remote is not None
    assert (remote.msp_id, remote.pki_id) == ("Org2MSP", pki_id(PEER2.serialized))
    assert remote.claim.identity == PEER2.serialized
    assert not remote.bound


def test_a_certificate_of_the_session_binds_the_claim_to_it():
    own = handshake(PEER2, CERTIFICATE).own()
    remote = handshake().verify(own, CERTIFICATE)
    assert remote is not None
    assert remote.bound
    with pytest.raises(HandshakeFailed, match="another certificate"):
        handshake().verify(own, b"DER of somebody else's")
    with pytest.raises(HandshakeFailed, match="another certificate"):
        handshake().verify(handshake(PEER2).own(), CERTIFICATE)


def test_a_probe_is_nobody():
    assert handshake().verify(claim(probe=True), None) is None


@pytest.mark.parametrize(
    ("envelope", "reason"),
    [
        pytest.param(Envelope(payload=b"\xff"), "GossipMessage", id="garbage"),
        pytest.param(Envelope(), "wrong type", id="nothing"),
        pytest.param(sign(GossipMessage(), PEER2), "wrong type", id="another message"),
        pytest.param(claim(identity=b""), "", id="no identity"),
        pytest.param(claim(identity=b"\xff\xff"), "", id="no serialized identity"),
        pytest.param(claim(pki_id=b""), "PKI-ID", id="no PKI-ID"),
        pytest.param(claim(pki_id=pki_id(PEER1.serialized)), "PKI-ID", id="another's PKI-ID"),
        pytest.param(Envelope(payload=claim().payload), "", id="no signature"),
        pytest.param(
            Envelope(payload=claim().payload, signature=PEER1.sign(claim().payload)),
            "",
            id="another's signature",
        ),
        pytest.param(claim(Consortium(seed=9).peer(1)), "", id="a stranger"),
    ],
)
def test_a_claim_that_does_not_hold_is_refused(envelope, reason):
    with pytest.raises(HandshakeFailed, match=f"authentication failed: .*{reason}"):
        handshake().verify(envelope, None)


def test_a_message_is_known_by_its_signature():
    remote = handshake().verify(claim(), None)
    assert remote is not None
    message = GossipMessage(nonce=1)
    assert remote.has_signed(sign(message, PEER2))
    assert not remote.has_signed(sign(message, PEER1))
    assert not remote.has_signed(Envelope(payload=message.SerializeToString()))
