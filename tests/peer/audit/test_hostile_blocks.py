"""Golden blocks with one thing wrong: the auditor names it, and nothing ever stops it.

Each fault is put into a ledger of 20 golden blocks; the first difference has to be where the
fault is, and all blocks are reported.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from gridloom.common import blocks
from gridloom.protos.common import common_pb2
from gridloom.protos.common.common_pb2 import Block, Envelope, Metadata, Payload
from gridloom.protos.peer.transaction_pb2 import ChaincodeActionPayload, Transaction
from harness.auditing import audited, codes, golden_blocks, places, said
from harness.fuzz import ByteMutator

COUNT = 20
AT = 8
"""A golden block with four transactions."""

Fault = Callable[[Block], None]


def rehashed(block: Block) -> None:
    """Make the header fit the data again, as a forger would."""
    block.header.data_hash = blocks.data_hash(block.data.data)


def entry_changed(change: Callable[[Envelope], None], index: int = 1) -> Fault:
    def fault(block: Block) -> None:
        envelope = Envelope.FromString(block.data.data[index])
        change(envelope)
        block.data.data[index] = envelope.SerializeToString()
        rehashed(block)

    return fault


def entry_replaced(data: bytes) -> Fault:
    def fault(block: Block) -> None:
        block.data.data[1] = data
        rehashed(block)

    return fault


def payload_changed(change: Callable[[Payload], None]) -> Fault:
    def changed(envelope: Envelope) -> None:
        payload = Payload.FromString(envelope.payload)
        change(payload)
        envelope.payload = payload.SerializeToString()

    return entry_changed(changed)


def action_changed(change: Callable[[ChaincodeActionPayload], None]) -> Fault:
    def changed(payload: Payload) -> None:
        transaction = Transaction.FromString(payload.data)
        action = ChaincodeActionPayload.FromString(transaction.actions[0].payload)
        change(action)
        transaction.actions[0].payload = action.SerializeToString()
        payload.data = transaction.SerializeToString()

    return payload_changed(changed)


def flip_a_bit(block: Block) -> None:
    data = bytearray(block.data.data[1])
    data[len(data) // 2] ^= 1
    block.data.data[1] = bytes(data)


def swap_signatures(block: Block) -> None:
    envelopes = [Envelope.FromString(entry) for entry in block.data.data[:2]]
    first, second = envelopes
    first.signature, second.signature = second.signature, first.signature
    block.data.data[0], block.data.data[1] = (e.SerializeToString() for e in envelopes)
    rehashed(block)


def repeat_a_transaction(block: Block) -> None:
    block.data.data.append(block.data.data[1])
    rehashed(block)


def add_an_earlier_transaction(block: Block) -> None:
    block.data.data.append(golden_blocks(AT)[6].data.data[0])
    rehashed(block)


def reverse_endorsements(action: ChaincodeActionPayload) -> None:
    endorsements = list(reversed(action.action.endorsements))
    del action.action.endorsements[:]
    action.action.endorsements.extend(endorsements)


def drop_endorsements(action: ChaincodeActionPayload) -> None:
    del action.action.endorsements[:]


def set_type(payload: Payload) -> None:
    header = common_pb2.ChannelHeader.FromString(payload.header.channel_header)
    header.type = 77
    payload.header.channel_header = header.SerializeToString()


def metadata(slot: int, value: bytes) -> Fault:
    return lambda block: blocks.set_metadata(block, slot, value)


def drop_slots(count: int) -> Fault:
    def fault(block: Block) -> None:
        del block.metadata.metadata[5 - count :]

    return fault


def extra_slots(block: Block) -> None:
    block.metadata.metadata.extend([b"\xff" * 50] * 50)


def no_metadata(block: Block) -> None:
    block.ClearField("metadata")


def no_data(block: Block) -> None:
    block.ClearField("data")


def many_empty_entries(block: Block) -> None:
    block.data.data.extend([b""] * 5000)
    rehashed(block)


def wrong_previous_hash(block: Block) -> None:
    block.header.previous_hash = bytes(32)


def long_hashes(block: Block) -> None:
    block.header.previous_hash = b"x" * 70_000


BAD_CREATOR = "BAD_CREATOR_SIGNATURE"
UNREADABLE = "INVALID_OTHER_REASON"

FAULTS: dict[str, tuple[Fault, str, str | None]] = {
    # name: the fault, what the first difference is about, the code of transaction 1
    "a flipped bit": (flip_a_bit, "data", None),
    "swapped signatures": (swap_signatures, "signatures", BAD_CREATOR),
    "a transaction twice": (repeat_a_transaction, "metadata", "VALID"),
    "a transaction of an earlier block": (add_an_earlier_transaction, "metadata", "VALID"),
    "endorsements reordered": (action_changed(reverse_endorsements), "signatures", BAD_CREATOR),
    "endorsements dropped": (action_changed(drop_endorsements), "signatures", BAD_CREATOR),
    "an unknown header type": (payload_changed(set_type), "signatures", "BAD_COMMON_HEADER"),
    "no signature": (entry_changed(lambda e: e.ClearField("signature")), "data", BAD_CREATOR),
    "no payload": (entry_changed(lambda e: e.ClearField("payload")), "data", "BAD_COMMON_HEADER"),
    "garbage as payload": (
        entry_changed(lambda e: setattr(e, "payload", b"\xff\xff")),
        "signatures",
        "BAD_PAYLOAD",
    ),
    "garbage as entry": (entry_replaced(b"\xff\xff\xff"), "data", UNREADABLE),
    "an empty entry": (entry_replaced(b""), "data", "BAD_COMMON_HEADER"),
    "a huge length": (entry_replaced(b"\x0a" + b"\xff" * 8 + b"\x7f"), "data", UNREADABLE),
    "an endless number": (entry_replaced(b"\x08" + b"\xff" * 40), "data", UNREADABLE),
    "deep nesting": (entry_replaced(b"\x0a\x64" + b"\x0a\x02" * 50), "data", None),
    "ten thousand groups": (entry_replaced(b"\x1b" * 10_000), "data", UNREADABLE),
    "a wrong previous hash": (wrong_previous_hash, "chain", "VALID"),
    "hashes of 70,000 bytes": (long_hashes, "chain", "VALID"),
    "a filter too short": (metadata(2, b"\x00"), "metadata", "VALID"),
    "a filter too long": (metadata(2, b"\x00" * 9), "metadata", "VALID"),
    "codes nobody knows": (metadata(2, b"\x4d\x4d\x4d\x4d"), "code", "VALID"),
    "a short commit hash": (
        metadata(4, Metadata(value=b"x" * 31).SerializeToString()),
        "metadata",
        "VALID",
    ),
    "garbage as commit hash": (metadata(4, b"\xff"), "metadata", "VALID"),
    "garbage as signatures": (metadata(0, b"\xff\xff"), "signatures", "VALID"),
    "no signatures": (metadata(0, b""), "signatures", "VALID"),
    "no metadata": (no_metadata, "metadata", "VALID"),
    "no data": (no_data, "metadata", None),
    "5000 empty entries": (many_empty_entries, "metadata", "VALID"),
}


@pytest.fixture(params=[*FAULTS])
def faulty(request):
    fault, about, code = FAULTS[request.param]
    ledger = golden_blocks(COUNT)
    fault(ledger[AT])
    return audited(ledger), about, code


def test_the_first_difference_is_the_fault(faulty):
    report, about, _ = faulty
    block, _, what = places(report)[0]
    assert (block, what) == (AT, about), said(report)[0]


def test_every_block_is_reported_and_what_does_not_depend_on_the_fault_is_right(faulty):
    report, _, code = faulty
    assert [block.number for block in report.blocks] == [*range(COUNT)]
    untouched = [block for block in report.blocks if block.number not in (AT, AT + 1)]
    assert all(block.chain_ok and block.data_hash_ok for block in untouched)
    assert all(block.orderer_signatures_ok for block in untouched)
    assert codes(report)[:AT] == codes(audited(golden_blocks(AT)))
    assert all(block.commit_hash == block.recorded_commit_hash for block in report.blocks[:AT])
    if code is not None:
        assert codes(report)[AT][1] == code


@pytest.mark.parametrize("missing", [1, 2, 3, 4])
def test_slots_that_only_peers_write_may_be_missing(missing):
    ledger = golden_blocks(COUNT)
    for block in ledger:
        drop_slots(missing)(block)
    report = audited(ledger)
    assert said(report) == []
    assert report.blocks[AT].recorded_commit_hash is None


def test_further_slots_mean_nothing():
    ledger = golden_blocks(COUNT)
    extra_slots(ledger[AT])
    assert said(audited(ledger)) == []


def test_unknown_fields_of_a_block_mean_nothing_those_of_an_entry_change_its_hash():
    ledger = [block.SerializeToString() for block in golden_blocks(COUNT)]
    unknown = b"\xaa\x06\x03abc"
    report = audited([data + unknown for data in ledger])
    assert said(report) == []
    block = golden_blocks(COUNT)[AT]
    block.data.data[1] += unknown
    changed = [*golden_blocks(AT), block]
    report = audited(changed)
    assert places(report) == [(AT, None, "data")]
    assert codes(report)[AT] == ["VALID"] * 4


def test_a_forged_number_leaves_a_gap_and_a_stray_block():
    ledger = golden_blocks(COUNT)
    ledger[AT].header.number = 2**64 - 1
    report = audited(sorted(ledger, key=lambda block: block.header.number))
    assert [block.number for block in report.blocks][-1] == 2**64 - 1
    assert "block 8 is missing" in said(report)[0]
    assert report.blocks[AT].chain_ok is None


def test_a_ledger_of_nothing_but_garbage_is_reported():
    report = audited([b"\xff" * 100, b"", b"\x0a\x00", b"\x00"])
    assert len(report.blocks) == 4
    assert all(not block.data_hash_ok for block in report.blocks)
    assert said(report)


def test_random_damage_never_stops_the_auditor():
    ledger = [block.SerializeToString() for block in golden_blocks(COUNT)]
    for number, data in enumerate(ByteMutator(ledger, 7).mutations(300)):
        damaged = list(ledger)
        at = number % COUNT
        damaged[at] = (at, data)
        report = audited(damaged)
        said(report)
        assert len(report.blocks) == COUNT
