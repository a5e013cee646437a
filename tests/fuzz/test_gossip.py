"""What other peers send: any message is refused, or answered; nothing else happens."""

from hashlib import sha256

import pytest

from gridloom.common.policies.policy import SignedData
from gridloom.common.wire import parse
from gridloom.peer.gossip.handshake import Handshake
from gridloom.peer.gossip.messages import open_envelope, sign
from gridloom.peer.ledger.private_data import is_committed
from gridloom.peer.ledger.provider import LedgerProvider
from gridloom.peer.ledger.reconciliation import judge
from gridloom.peer.ledger.rwset import CollRwSet, TxRwSet
from gridloom.peer.ledger.state_db import Version
from gridloom.peer.private_data.configs import CollectionConfigs
from gridloom.peer.private_data.digests import Digest
from gridloom.peer.private_data.membership import Membership
from gridloom.peer.private_data.responder import Responder
from gridloom.protos.gossip.message_pb2 import Envelope, GossipMessage
from gridloom.protos.ledger.rwset.kvrwset.kv_rwset_pb2 import HashedRWSet
from harness.consortium import consortium
from harness.fuzz import fuzz, fuzz_async
from harness.gossiping import Judge
from harness.ledger import commit, endorsed, golden_block, keep, simulate
from harness.private_messages import collection, definitions, push, request

PEER1, PEER2 = consortium().peer(1), consortium().peer(2)
CLAIM = SignedData(b"first", PEER2.serialized, PEER2.sign(b"first"))


def test_a_first_message_is_a_claim_or_refused():
    handshake = Handshake(PEER1, Judge(consortium()))
    seeds = [
        Handshake(PEER2, Judge(consortium()), tls).own().SerializeToString()
        for tls in (None, b"certificate")
    ]
    fuzz(lambda data: handshake.verify(parse(Envelope, data), b"certificate"), seeds)


def test_an_envelope_holds_a_message_or_is_refused():
    remote = Handshake(PEER1, Judge(consortium())).verify(
        Handshake(PEER2, Judge(consortium())).own(), None
    )
    assert remote is not None

    def read(data: bytes) -> None:
        envelope = parse(Envelope, data)
        message = open_envelope(envelope)
        message.WhichOneof("content")
        message.channel.decode(errors="replace")
        remote.has_signed(envelope)

    fuzz(read, [sign(message, PEER2).SerializeToString() for message in (push(), request())])


@pytest.fixture
def responder(tmp_path):
    provider = LedgerProvider(tmp_path)
    ledger = provider.create(golden_block(0))
    results = simulate(ledger, lambda s: s.set_private_data("cc", "c", "k", b"v"))
    keep(ledger, "tx", results.private)
    commit(ledger, [endorsed(results.public, "tx")])
    keep(ledger, "tx", results.private)
    bundle = consortium().bundle()
    membership = Membership(lambda: bundle)
    yield Responder(
        ledger,
        lambda: bundle,
        membership,
        CollectionConfigs(ledger, definitions(), "Org1MSP"),
        msp_id="Org1MSP",
        identity=PEER1.serialized,
    )
    provider.close()


async def test_sent_private_data_are_kept_or_refused(responder, monkeypatch):
    monkeypatch.setattr(responder._ledger.transient, "put", lambda *_: None)

    async def take(data: bytes) -> None:
        message = parse(GossipMessage, data)
        await responder.take(message.private_data.payload, CLAIM)

    await fuzz_async(take, [push().SerializeToString()])


async def test_questions_for_private_data_are_answered(responder):
    def give(data: bytes) -> None:
        message = parse(GossipMessage, data)
        digests = [Digest.of(digest) for digest in message.privateReq.digests]
        for element in responder._elements(digests, CLAIM):
            element.SerializeToString()

    fuzz(give, [request().SerializeToString(), request(block=9).SerializeToString()], inputs=50_000)


def test_private_data_are_what_was_committed_or_not():
    ledger = LedgerProvider("memory").create(golden_block(0))
    work = lambda s: [s.set_private_data("cc", "c", key, b"v") for key in "abc"]  # noqa: E731
    results = simulate(ledger, work)
    hashes = TxRwSet.parse(results.public).collection("cc", "c")
    assert hashes is not None
    (written,) = results.private.ns_pvt_rwset[0].collection_pvt_rwset
    purged = {sha256(b"a").digest(): Version(9, 0)}

    def read(data: bytes) -> None:
        if is_committed(data, hashes):
            assert data == written.rwset
        judge(data, hashes, Version(1, 0), {})
        judge(data, hashes, Version(1, 0), purged)
        own = CollRwSet("c", HashedRWSet(), sha256(data).digest())
        is_committed(data, own)
        judge(data, own, Version(1, 0), purged)

    fuzz(read, [written.rwset])


def test_the_seeds_are_taken():
    assert collection().name == "c"
    assert open_envelope(sign(push(), PEER2)) == push()
