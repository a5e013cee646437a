"""Hashing, signing and verifying; the first is the yardstick of all others."""

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

from gridloom.common import crypto
from gridloom.common.envelopes import proposal_hash
from gridloom.common.policies.policy import SignedData


def test_a_p256_verification(benchmark) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    signature = key.sign(b"message", ec.ECDSA(SHA256()))
    public, algorithm = key.public_key(), ec.ECDSA(SHA256())
    benchmark(lambda: public.verify(signature, b"message", algorithm))


def test_hashing_a_proposal_of_4_kb(benchmark) -> None:
    parts = b"h" * 300, b"s" * 900, b"p" * 2900
    benchmark(lambda: proposal_hash(*parts))


def test_signing(benchmark, members) -> None:
    signer = members.user()
    benchmark(lambda: signer.sign(b"message" * 500))


def test_verifying_what_was_verified_before(benchmark, members) -> None:
    key = crypto.VerificationKey(members.user().certificate.public_key())
    message = b"message" * 500
    signature = members.user().sign(message)
    benchmark(lambda: key.verify(message, signature))


def test_a_majority_policy_of_two_known_signatures(benchmark, members) -> None:
    policy = members.bundle().policies.get("/Channel/Application/Endorsement")
    peers = [members.peer(1), members.peer(2)]
    signed = [SignedData(b"data", peer.serialized, peer.sign(b"data")) for peer in peers]
    benchmark(lambda: policy.evaluate(signed))
