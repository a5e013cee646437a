"""A real network's ledger: what an auditor computes is what its peers recorded."""

import pytest

from gridloom.common import blocks
from gridloom.protos.common import common_pb2
from gridloom.protos.peer import transaction_pb2
from harness.auditing import audited, codes, golden_blocks, places, said
from harness.golden_channel import BLOCKS, ordered_block, verdicts


def expected_codes() -> list[list[str]]:
    name = transaction_pb2.TxValidationCode.Name
    return [[name(code) for code in verdict.codes] for verdict in verdicts()]


def test_the_ledger_of_a_real_peer_is_as_recorded():
    report = audited(golden_blocks())
    assert said(report) == []
    assert report.remarks == []
    assert codes(report) == expected_codes()
    for block, verdict in zip(report.blocks, verdicts(), strict=True):
        assert (block.commit_hash or b"").hex() == verdict.commit_hash
        assert block.commit_hash == block.recorded_commit_hash
        assert block.data_hash_ok
        assert block.chain_ok
        assert block.orderer_signatures_ok


def test_the_orderers_copies_lead_to_the_same_verdicts_with_nothing_to_compare():
    report = audited(ordered_block(number) for number in range(BLOCKS))
    assert said(report) == []
    assert codes(report) == expected_codes()
    assert [(block.commit_hash or b"").hex() for block in report.blocks] == [
        verdict.commit_hash for verdict in verdicts()
    ]
    assert {block.recorded_commit_hash for block in report.blocks} == {None}
    assert {transaction.recorded_code for transaction in report.transactions()} == {None}


def test_the_report_has_the_promised_form():
    document = audited(golden_blocks(2)).to_json()
    assert set(document) == {"blocks", "differences"}
    genesis, first = document["blocks"]
    golden = golden_blocks(2)[1]
    assert genesis["recorded_commit_hash"] is genesis["commit_hash"] is None
    assert first == {
        "number": 1,
        "header_hash": blocks.header_hash(golden.header).hex(),
        "data_hash_ok": True,
        "chain_ok": True,
        "orderer_signatures_ok": True,
        "commit_hash": verdicts()[1].commit_hash,
        "recorded_commit_hash": verdicts()[1].commit_hash,
        "txs": [{"tx_id": first["txs"][0]["tx_id"], "code": "VALID", "recorded_code": "VALID"}],
    }
    assert len(first["txs"][0]["tx_id"]) == 64


@pytest.mark.parametrize("number", [1, 16, 40, 65])
def test_a_forged_code_is_the_only_difference(number):
    ledger = golden_blocks()
    forged = bytearray(blocks.transactions_filter(ledger[number]))
    forged[-1] = transaction_pb2.BAD_RWSET
    blocks.set_metadata(ledger[number], common_pb2.TRANSACTIONS_FILTER, bytes(forged))
    report = audited(ledger)
    assert places(report) == [(number, len(forged) - 1, "code")]
    [difference] = report.differences
    name = transaction_pb2.TxValidationCode.Name(verdicts()[number].codes[-1])
    assert (difference.computed, difference.recorded) == (name, "BAD_RWSET")
    assert codes(report) == expected_codes()


def test_a_forged_commit_hash_is_the_only_difference():
    ledger = golden_blocks()
    forged = common_pb2.Metadata(value=b"\x01" * 32).SerializeToString()
    blocks.set_metadata(ledger[20], common_pb2.COMMIT_HASH, forged)
    report = audited(ledger)
    assert places(report) == [(20, None, "commit hash")]
    assert report.differences[0].recorded == "01" * 32
    assert report.differences[0].computed == verdicts()[20].commit_hash


def test_a_lost_block_is_said_and_the_rest_is_judged_as_well_as_can_be():
    ledger = golden_blocks()
    del ledger[54]  # writes nothing that a later block reads
    report = audited(ledger)
    assert places(report)[0] == (55, None, "block")
    assert "block 54 is missing" in str(report.differences[0])
    assert len(report.blocks) == BLOCKS - 1
    assert [block.chain_ok for block in report.blocks if not block.chain_ok] == [None]
    assert all(block.orderer_signatures_ok for block in report.blocks)
    assert any("lacks" in remark for remark in report.remarks)


def test_behind_a_snapshot_only_what_can_be_known_is_said():
    report = audited(golden_blocks()[45:])
    assert said(report) == []
    first, rest = report.blocks[0], report.blocks[1:]
    assert first.chain_ok is first.orderer_signatures_ok is first.commit_hash is None
    assert all(block.chain_ok and block.data_hash_ok for block in rest)
    # Block 50 brings a configuration, by which the later signatures can be judged.
    assert [block.number for block in rest if block.orderer_signatures_ok] == [*range(51, 66)]
    assert all(block.commit_hash == block.recorded_commit_hash for block in rest)
    assert {item.code for item in report.transactions()} == {None}
    assert len(report.remarks) == 2


def test_behind_a_snapshot_a_forged_value_shows_in_the_commit_hash():
    ledger = golden_blocks()[45:]
    for block in ledger[3:]:
        forged = common_pb2.Metadata(value=b"\x01" * 32).SerializeToString()
        blocks.set_metadata(block, common_pb2.COMMIT_HASH, forged)
        break
    report = audited(ledger)
    # The next one follows from what was computed, not from what was recorded.
    assert places(report) == [(48, None, "commit hash")]


def test_behind_a_snapshot_a_transaction_recorded_as_valid_has_to_be_able_to_be_so():
    ledger = golden_blocks()[45:]
    blocks.set_metadata(ledger[4], common_pb2.TRANSACTIONS_FILTER, b"\x00")
    entry = ledger[3].data.data[0]
    envelope = common_pb2.Envelope.FromString(entry)
    payload = common_pb2.Payload.FromString(envelope.payload)
    payload.data = b"\xff"
    envelope.payload = payload.SerializeToString()
    ledger[3].data.data[0] = envelope.SerializeToString()
    report = audited(ledger)
    assert (48, 0, "code") in places(report)
    assert any("it cannot be valid" in text for text in said(report))


def test_a_block_twice_is_judged_once():
    ledger = golden_blocks()
    ledger.insert(30, ledger[30])
    report = audited(ledger)
    assert places(report) == [(30, None, "chain")]
    assert [item.code for item in report.blocks[31].transactions] == [None]
    assert report.blocks[-1].commit_hash == report.blocks[-1].recorded_commit_hash
