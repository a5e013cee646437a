"""Peers of one process open a transaction once, and each judges it for itself.

That a second peer finds what the first one found is shown wherever ``StageA`` is used.
"""

from dataclasses import replace

from gridloom.peer.validation.known_forms import LARGEST, known_form
from gridloom.protos.common.common_pb2 import Envelope
from harness.consortium import consortium
from harness.stage_a import StageA, names, signature_policy
from harness.transactions import Draft, namespace, rwset


def stage_a() -> StageA:
    """A peer of a channel with the chaincode basic."""
    made = StageA(consortium().bundle())
    made.define("basic")
    return made


def draft(nonce: str, *organizations: int, size: int = 5) -> Draft:
    return Draft(
        creator=consortium().user(),
        endorsers=tuple(consortium().peer(number) for number in organizations),
        results=rwset(namespace("basic", {"key": bytes(size)})),
        nonce=nonce.encode(),
    )


def test_a_well_formed_transaction_is_opened_once():
    envelope = draft("once", 1, 2).envelope()
    assert known_form(envelope) is None
    (first,) = stage_a().validate(envelope).transactions
    (second,) = stage_a().validate(bytes(bytearray(envelope))).transactions
    assert second.rwset is first.rwset
    assert second == first


def test_what_was_found_of_its_signatures_is_nobody_elses():
    endorsed_by_one = draft("one", 1).envelope()
    trusting = StageA(consortium().bundle())
    trusting.define("basic", signature_policy("OR('Org1MSP.peer')").SerializeToString())
    assert trusting.codes(endorsed_by_one) == ["VALID"]
    assert known_form(endorsed_by_one) is not None
    assert stage_a().codes(endorsed_by_one) == ["ENDORSEMENT_POLICY_FAILURE"]


def test_a_forged_copy_is_another_transaction():
    good = draft("good", 1, 2).envelope()
    assert stage_a().codes(good) == ["VALID"]
    forged = Envelope.FromString(good)
    forged.signature = Envelope.FromString(draft("other", 1, 2).envelope()).signature
    assert stage_a().codes(forged.SerializeToString()) == ["BAD_CREATOR_SIGNATURE"]


def test_a_known_transaction_that_is_in_the_ledger_already_brings_nothing():
    made = draft("twice", 1, 2)
    assert stage_a().codes(made.envelope()) == ["VALID"]
    late = stage_a()
    late.known = {made.id}
    (transaction,) = late.validate(made.envelope()).transactions
    assert names([transaction]) == ["DUPLICATE_TXID"]
    assert transaction.rwset is None


def test_one_with_a_fault_in_its_form_is_not_remembered():
    faulty = replace(draft("faulty", 1, 2), results=b"\xff\xff\xff").envelope()
    assert stage_a().codes(faulty) == ["BAD_RWSET"]
    assert known_form(faulty) is None


def test_nor_is_a_large_one():
    large = draft("large", 1, 2, size=LARGEST).envelope()
    assert stage_a().codes(large) == ["VALID"]
    assert known_form(large) is None
