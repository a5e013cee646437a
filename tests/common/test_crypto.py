"""Signatures: low-S, Go's leniency, and a memo that never helps a forger."""

import os
import random
import threading

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)
from hypothesis import given
from hypothesis import strategies as st

from gridloom.common import crypto, der
from gridloom.common.identities import InvalidSignature
from gridloom.common.memo import BoundedMemo

ORDER = crypto.CURVE_ORDERS["secp256r1"]
KEY = crypto.generate_key(random.Random(1).randbytes)
PUBLIC = KEY.public_key()


@pytest.fixture(autouse=True)
def memo(monkeypatch):
    """An empty memo for each test, so that arithmetic decides and entries can be counted."""
    fresh = BoundedMemo(100)
    monkeypatch.setattr(crypto, "_verified", fresh)
    return fresh


def signed_elsewhere(message: bytes, key=KEY, hash_algorithm=None) -> bytes:
    """A low-S signature that the memo has not seen being made."""
    signature = key.sign(message, ec.ECDSA(hash_algorithm or hashes.SHA256()))
    return crypto.to_low_s(key.public_key(), signature)


@given(st.binary(max_size=200))
def test_what_is_signed_verifies_and_is_low_s(message):
    signature = crypto.sign(KEY, message)
    assert decode_dss_signature(signature)[1] <= ORDER >> 1
    crypto._verified = BoundedMemo(100)  # let arithmetic decide, not the signer's memory
    crypto.verify(PUBLIC, message, signature)


@pytest.mark.parametrize(
    "curve", [ec.SECP224R1(), ec.SECP256R1(), ec.SECP384R1(), ec.SECP521R1()], ids=lambda c: c.name
)
def test_every_nist_curve_verifies_over_sha_256(curve):
    key = ec.generate_private_key(curve)
    signature = signed_elsewhere(b"message", key)
    crypto.verify(key.public_key(), b"message", signature)
    with pytest.raises(InvalidSignature):
        crypto.verify(key.public_key(), b"massage", signature)


def test_other_curves_and_rsa_cannot_verify_messages():
    foreign = ec.generate_private_key(ec.SECP256K1())
    signature = foreign.sign(b"m", ec.ECDSA(hashes.SHA256()))
    with pytest.raises(InvalidSignature, match="NIST"):
        crypto.verify(foreign.public_key(), b"m", signature)
    with pytest.raises(InvalidSignature, match="NIST"):
        crypto.verify(rsa.generate_private_key(65537, 2048).public_key(), b"m", signature)


def test_ed25519_signs_the_message_itself():
    key = ed25519.Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    signature = crypto.sign(key, b"message")
    key.public_key().verify(signature, b"message")
    crypto.verify(key.public_key(), b"message", signature)
    for message, wrong in [(b"massage", signature), (b"message", signature[:-1])]:
        with pytest.raises(InvalidSignature):
            crypto.verify(key.public_key(), message, wrong)


def test_an_msp_may_ask_for_sha_3():
    signing = crypto.SigningKey(KEY)
    signature = signing.sign(b"message", crypto.SHA3)
    KEY.public_key().verify(signature, b"message", ec.ECDSA(hashes.SHA3_256()))
    signing.verification.verify(b"message", signature, crypto.SHA3)
    with pytest.raises(InvalidSignature):
        signing.verification.verify(b"message", signature, crypto.SHA2)


def test_the_high_s_twin_of_a_good_signature_is_refused():
    r, s = decode_dss_signature(signed_elsewhere(b"message"))
    with pytest.raises(InvalidSignature, match="half the order"):
        crypto.verify(PUBLIC, b"message", encode_dss_signature(r, ORDER - s))


def test_half_the_order_itself_still_counts_as_low():
    half = ORDER >> 1
    with pytest.raises(InvalidSignature, match="The signature is invalid"):
        crypto.verify(PUBLIC, b"m", encode_dss_signature(1, half))
    with pytest.raises(InvalidSignature, match="half the order"):
        crypto.verify(PUBLIC, b"m", encode_dss_signature(1, half + 1))
    assert decode_dss_signature(crypto.to_low_s(PUBLIC, encode_dss_signature(1, half)))[1] == half
    flipped = crypto.to_low_s(PUBLIC, encode_dss_signature(1, half + 1))
    assert decode_dss_signature(flipped)[1] == ORDER - half - 1


def test_bytes_behind_the_numbers_and_behind_the_sequence_are_ignored_as_in_go():
    signature = signed_elsewhere(b"message")
    crypto.verify(PUBLIC, b"message", signature + b"junk")
    padded = der.encode(der.SEQUENCE, der.contents(signature, der.SEQUENCE) + b"\x05\x00")
    crypto.verify(PUBLIC, b"message", padded)
    r, s, strict = crypto.parse_ecdsa_signature(signature + b"junk")
    assert (encode_dss_signature(r, s), strict) == (signature, False)


@pytest.mark.parametrize(
    ("signature", "reason"),
    [
        (b"", "truncated"),
        (b"\x30", "truncated"),
        (b"\x30\x00", "truncated"),
        (b"\x31\x06\x02\x01\x01\x02\x01\x01", "tags don't match"),
        (b"\x30\x06\x02\x01\x01\x02\x01", "data truncated"),
        (b"\x30\x80\x02\x01\x01\x02\x01\x01\x00\x00", "indefinite length"),
        (b"\x30\x81\x06\x02\x01\x01\x02\x01\x01", "non-minimal length"),
        (b"\x30\x82\x00\x06\x02\x01\x01\x02\x01\x01", "superfluous leading zeros"),
        (b"\x30\x89" + b"\xff" * 9, "length too large"),
        (b"\x30\x07\x02\x02\x00\x01\x02\x01\x01", "not minimally-encoded"),
        (b"\x30\x05\x02\x00\x02\x01\x01", "empty integer"),
        (b"\x30\x06\x02\x01\x00\x02\x01\x01", "R must be larger than zero"),
        (b"\x30\x06\x02\x01\x01\x02\x01\x00", "S must be larger than zero"),
        (b"\x30\x06\x02\x01\xff\x02\x01\x01", "R must be larger than zero"),
        (b"\x30\x06\x02\x01\x01\x02\x01\x80", "S must be larger than zero"),
    ],
)
def test_malformed_signatures_say_what_is_wrong(signature, reason):
    with pytest.raises(InvalidSignature, match=reason):
        crypto.verify(PUBLIC, b"message", signature)


@given(st.binary(max_size=80))
def test_no_bytes_make_verification_fail_in_another_way(signature):
    with pytest.raises(InvalidSignature):
        crypto.verify(PUBLIC, b"message", signature)


def test_numbers_beyond_the_order_are_just_wrong():
    _r, s = decode_dss_signature(signed_elsewhere(b"message"))
    with pytest.raises(InvalidSignature, match="The signature is invalid"):
        crypto.verify(PUBLIC, b"message", encode_dss_signature(ORDER + 5, s))


def test_only_successes_are_remembered(memo):
    signature = signed_elsewhere(b"message")
    with pytest.raises(InvalidSignature):
        crypto.verify(PUBLIC, b"massage", signature)
    assert len(memo) == 0
    crypto.verify(PUBLIC, b"message", signature)
    crypto.verify(PUBLIC, b"message", signature)
    assert len(memo) == 1


def test_a_forged_signature_never_profits_from_the_memo(memo):
    """Whatever differs from what was verified - key, message, any bit - is refused."""
    message = b"pay 10"
    signature = signed_elsewhere(message)
    crypto.verify(PUBLIC, message, signature)
    remembered = len(memo)
    other = crypto.generate_key(random.Random(2).randbytes).public_key()
    with pytest.raises(InvalidSignature):
        crypto.verify(other, message, signature)
    with pytest.raises(InvalidSignature):
        crypto.verify(PUBLIC, b"pay 99", signature)
    for position in range(len(signature) * 8):
        forged = bytearray(signature)
        forged[position // 8] ^= 1 << position % 8
        with pytest.raises(InvalidSignature):
            crypto.verify(PUBLIC, message, bytes(forged))
    r, s = decode_dss_signature(signature)
    with pytest.raises(InvalidSignature):
        crypto.verify(PUBLIC, message, encode_dss_signature(r, ORDER - s))
    assert len(memo) == remembered


def test_a_signature_over_another_hash_never_profits_from_the_memo():
    key = crypto.VerificationKey(PUBLIC)
    sha3 = signed_elsewhere(b"message", hash_algorithm=hashes.SHA3_256())
    key.verify(b"message", sha3, crypto.SHA3)
    with pytest.raises(InvalidSignature):
        key.verify(b"message", sha3)


def test_the_memo_keeps_recent_entries_within_its_bound():
    memo = BoundedMemo[int, int](10)
    for number in range(100):
        memo.put(number, number)
        assert memo.get(0) == 0 or number == 0  # used again and again, so never forgotten
    assert len(memo) <= 20
    assert memo.get(99) == 99
    assert memo.get(50) is None


def test_the_memo_serves_many_threads_at_once():
    memo = BoundedMemo[int, int](50)
    wrong: list[int] = []

    def work(seed: int) -> None:
        source = random.Random(seed)
        for _ in range(2000):
            number = source.randrange(200)
            memo.put(number, number)
            found = memo.get(source.randrange(200))
            if found is not None and not 0 <= found < 200:
                wrong.append(found)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (wrong, len(memo) <= 100) == ([], True)


def test_a_seed_gives_the_same_keys_and_signatures():
    first, second = (crypto.generate_key(random.Random(7).randbytes) for _ in range(2))
    assert first.private_numbers() == second.private_numbers()
    assert crypto.DETERMINISTIC
    assert crypto.sign(first, b"m") == crypto.sign(second, b"m")
    assert crypto.generate_key(os.urandom).private_numbers() != first.private_numbers()


def test_a_signing_key_does_not_show_itself():
    secret = KEY.private_numbers().private_value
    assert f"{secret:x}" not in repr(crypto.SigningKey(KEY))
    assert str(secret) not in repr(crypto.SigningKey(KEY))


@given(st.binary(min_size=32, max_size=32), st.binary(min_size=32, max_size=32), st.data())
def test_what_is_plainly_low_is_what_the_long_way_takes_as_it_is(r, s, data):
    number_r, number_s = int.from_bytes(r[1:]) or 1, int.from_bytes(s) or 1
    signature = bytearray(encode_dss_signature(number_r, number_s))
    for _ in range(data.draw(st.integers(0, 2))):
        signature[data.draw(st.integers(0, len(signature) - 1))] = data.draw(st.integers(0, 255))
    if crypto.is_plainly_low(bytes(signature)):
        _, found, strict = crypto.parse_ecdsa_signature(bytes(signature))
        assert strict
        assert found <= crypto.CURVE_ORDERS["secp256r1"] >> 1


def test_most_low_signatures_are_plainly_low():
    signatures = [signed_elsewhere(str(number).encode()) for number in range(50)]
    assert sum(map(crypto.is_plainly_low, signatures)) > 40
