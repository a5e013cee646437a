"""One broken transaction for each rule of PROTOCOL 13, rows 1 to 16, and what may not break."""

from dataclasses import replace
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridloom.common import blocks
from gridloom.peer.validation.message_validation import read_committed
from gridloom.protos.common import common_pb2
from gridloom.protos.ledger.rwset import rwset_pb2
from gridloom.protos.peer import (
    chaincode_pb2,
    proposal_pb2,
    proposal_response_pb2,
    transaction_pb2,
)
from harness.consortium import Consortium, consortium
from harness.stage_a import StageA
from harness.transactions import Draft, event, namespace, rwset

GARBAGE = b"\xff\xff\xff"


@pytest.fixture
def stage_a() -> StageA:
    stage_a = StageA(consortium().bundle())
    stage_a.define("basic")
    return stage_a


def draft(**parts) -> Draft:
    members = consortium()
    good = Draft(
        creator=members.user(),
        endorsers=(members.peer(1), members.peer(2)),
        results=rwset(namespace("basic", {"key": b"value"})),
    )
    return replace(good, **parts)


def action(**parts) -> bytes:
    """A ChaincodeAction with parts replaced; None clears a part."""
    made = draft().action()
    for name, value in parts.items():
        made.ClearField(name)
        if value is not None:
            getattr(made, name).CopyFrom(value)
    return made.SerializeToString()


def chaincode_id(**parts: str) -> chaincode_pb2.ChaincodeID:
    return chaincode_pb2.ChaincodeID(**parts)


def extension(name: str) -> bytes:
    return proposal_pb2.ChaincodeHeaderExtension(
        chaincode_id=chaincode_pb2.ChaincodeID(name=name)
    ).SerializeToString()


def response(**parts) -> bytes:
    return proposal_response_pb2.ProposalResponsePayload(**parts).SerializeToString()


def inner_garbage() -> bytes:
    return rwset(rwset_pb2.NsReadWriteSet(namespace="basic", rwset=GARBAGE))


def hashed_garbage() -> bytes:
    broken = rwset_pb2.CollectionHashedReadWriteSet(collection_name="c", hashed_rwset=GARBAGE)
    return rwset(namespace("basic", collections=[broken]))


def test_the_draft_that_the_broken_ones_are_made_from_is_valid(stage_a):
    assert stage_a.codes(draft().envelope()) == ["VALID"]


BROKEN = {
    "payload": ("BAD_PAYLOAD", {"payload": GARBAGE}),
    "no header": (
        "BAD_COMMON_HEADER",
        {"payload": common_pb2.Payload(data=b"x").SerializeToString()},
    ),
    "channel header": ("BAD_COMMON_HEADER", {"channel_header": GARBAGE}),
    "signature header": ("BAD_COMMON_HEADER", {"signature_header": GARBAGE}),
    "header type": ("BAD_COMMON_HEADER", {"header_type": 77}),
    "type MESSAGE": ("BAD_COMMON_HEADER", {"header_type": common_pb2.MESSAGE}),
    "epoch": ("BAD_COMMON_HEADER", {"epoch": 1}),
    "no nonce": ("BAD_COMMON_HEADER", {"nonce": b""}),
    "no creator": ("BAD_COMMON_HEADER", {"creator_bytes": b""}),
    "creator is no identity": ("BAD_CREATOR_SIGNATURE", {"creator_bytes": GARBAGE}),
    "signature": ("BAD_CREATOR_SIGNATURE", {"signature": b"0\x06\x02\x01\x01\x02\x01\x01"}),
    "signature is no DER": ("BAD_CREATOR_SIGNATURE", {"signature": GARBAGE}),
    "no signature": ("BAD_CREATOR_SIGNATURE", {"signature": b""}),
    "unknown channel": ("BAD_CREATOR_SIGNATURE", {"channel_id": "other"}),
    "config update": ("UNSUPPORTED_TX_PAYLOAD", {"header_type": common_pb2.CONFIG_UPDATE}),
    "empty config": (
        "INVALID_CONFIG_TRANSACTION",
        {"header_type": common_pb2.CONFIG, "data": b""},
    ),
    "transaction id": ("BAD_PROPOSAL_TXID", {"tx_id": "ab" * 32}),
    "no transaction id": ("BAD_PROPOSAL_TXID", {"tx_id": ""}),
    "upper case transaction id": ("BAD_PROPOSAL_TXID", {"tx_id": draft().id.upper()}),
    "no data": ("INVALID_ENDORSER_TRANSACTION", {"data": b""}),
    "transaction": ("INVALID_ENDORSER_TRANSACTION", {"data": GARBAGE}),
    "no action": ("INVALID_ENDORSER_TRANSACTION", {"actions": 0}),
    "two actions": ("INVALID_ENDORSER_TRANSACTION", {"actions": 2}),
    "action header": ("INVALID_ENDORSER_TRANSACTION", {"action_header": GARBAGE}),
    "empty action header": ("INVALID_ENDORSER_TRANSACTION", {"action_header": b""}),
    "action payload": ("INVALID_ENDORSER_TRANSACTION", {"action_payload": GARBAGE}),
    "nil action": (
        "INVALID_ENDORSER_TRANSACTION",
        {
            "action_payload": transaction_pb2.ChaincodeActionPayload(
                chaincode_proposal_payload=b"x"
            ).SerializeToString()
        },
    ),
    "response payload": ("INVALID_ENDORSER_TRANSACTION", {"response_payload": GARBAGE}),
    "no proposal payload": ("INVALID_ENDORSER_TRANSACTION", {"proposal_payload": b""}),
    "proposal hash": ("INVALID_ENDORSER_TRANSACTION", {"proposal_hash": b"\x00" * 32}),
    "header extension": ("BAD_HEADER_EXTENSION", {"header_extension": GARBAGE}),
    "no response extension": ("BAD_RESPONSE_PAYLOAD", {"response_extension": b""}),
    "chaincode action": ("BAD_RESPONSE_PAYLOAD", {"response_extension": GARBAGE}),
    "read-write set": ("BAD_RWSET", {"results": GARBAGE}),
    "inner read-write set": ("BAD_RWSET", {"results": inner_garbage()}),
    "hashed read-write set": ("BAD_RWSET", {"results": hashed_garbage()}),
    "no chaincode in the header": ("INVALID_OTHER_REASON", {"header_extension": b""}),
    "no chaincode in the action": (
        "INVALID_OTHER_REASON",
        {"response_extension": action(chaincode_id=None)},
    ),
    "empty chaincode name": (
        "INVALID_CHAINCODE",
        {
            "header_extension": extension(""),
            "response_extension": action(chaincode_id=chaincode_id(version="1.0")),
        },
    ),
    "two chaincode names": ("INVALID_CHAINCODE", {"header_extension": extension("other")}),
    "no chaincode version": ("INVALID_CHAINCODE", {"version": ""}),
    "event": ("INVALID_OTHER_REASON", {"event": GARBAGE}),
    "event of another chaincode": ("INVALID_OTHER_REASON", {"event": event("other")}),
    "a namespace twice": (
        "ILLEGAL_WRITESET",
        {"results": rwset(namespace("basic", {"a": b"1"}), namespace("basic", {"b": b"1"}))},
    ),
    "a read namespace twice": (
        "ILLEGAL_WRITESET",
        {"results": rwset(namespace("other", reads="a"), namespace("other", reads="b"))},
    ),
    "undefined chaincode": ("INVALID_CHAINCODE", {"chaincode": "nosuch", "results": b""}),
}


@pytest.mark.parametrize("what", BROKEN)
def test_each_broken_rule_has_its_code(stage_a, what):
    code, parts = BROKEN[what]
    assert stage_a.codes(draft(**parts).envelope()) == [code]


def test_an_entry_that_is_no_envelope_is_invalid_for_other_reasons(stage_a):
    assert stage_a.codes(GARBAGE) == ["INVALID_OTHER_REASON"]


def test_a_creator_of_another_consortium_is_refused(stage_a):
    stranger = Consortium(seed=2).user()
    assert stage_a.codes(draft(creator=stranger).envelope()) == ["BAD_CREATOR_SIGNATURE"]


def test_a_creator_is_judged_by_the_channel_its_own_header_names(stage_a):
    other = Consortium(seed=2)
    stage_a.others["other"] = other.bundle().msp_manager
    ours, theirs = draft(channel_id="other"), draft(channel_id="other", creator=other.user())
    assert stage_a.codes(ours.envelope()) == ["BAD_CREATOR_SIGNATURE"]
    assert stage_a.codes(theirs.envelope()) == ["VALID"]


def test_an_id_in_the_ledger_is_a_duplicate_but_only_after_the_form_was_checked(stage_a):
    stage_a.known = {draft().id}
    assert stage_a.codes(draft().envelope()) == ["DUPLICATE_TXID"]
    assert stage_a.codes(draft(data=GARBAGE).envelope()) == ["INVALID_ENDORSER_TRANSACTION"]
    assert stage_a.codes(draft(results=GARBAGE).envelope()) == ["DUPLICATE_TXID"]


def test_within_a_block_the_first_valid_copy_stays(stage_a):
    good, unendorsed = draft().envelope(), draft(endorsers=()).envelope()
    assert stage_a.codes(good, good, good) == ["VALID", "DUPLICATE_TXID", "DUPLICATE_TXID"]
    assert stage_a.codes(unendorsed, good, good) == [
        "ENDORSEMENT_POLICY_FAILURE",
        "VALID",
        "DUPLICATE_TXID",
    ]
    assert stage_a.codes(good, unendorsed) == ["VALID", "ENDORSEMENT_POLICY_FAILURE"]


def test_a_transaction_is_parsed_once_into_all_its_parts(stage_a):
    made = draft(event=event("basic"))
    (read,) = stage_a.validate(made.envelope()).transactions
    assert (read.index, read.envelope, read.tx_id) == (0, made.envelope(), made.id)
    assert (read.channel_id, read.creator) == ("mychannel", made.creator.serialized)
    assert (read.chaincode_name, read.chaincode_version) == ("basic", "1.0")
    assert read.event is not None
    assert read.event.event_name == "created"
    assert read.proposal_response_payload == made.signed_response
    assert [item.endorser for item in read.endorsements] == [
        endorser.serialized for endorser in made.endorsers
    ]
    assert read.rwset is not None
    assert read.rwset.namespaces[0].kv.writes[0].value == b"value"


def test_an_invalid_transaction_keeps_the_id_under_which_it_is_indexed(stage_a):
    claimed = draft(tx_id="claimed", header_type=77)
    nameless = draft(tx_id="", header_type=77)
    read = stage_a.validate(claimed.envelope(), nameless.envelope(), GARBAGE).transactions
    computed = sha256(nameless.nonce + nameless.creator.serialized).hexdigest()
    assert [(item.tx_id, item.indexed_id) for item in read] == [
        ("claimed", "claimed"),
        ("", computed),
        ("", ""),
    ]


def test_a_committed_block_is_read_back_with_its_codes_however_broken(stage_a):
    entries = [draft().envelope(), GARBAGE, draft(results=GARBAGE).envelope()]
    block = blocks.new_block(7, b"", entries)
    blocks.set_metadata(block, common_pb2.TRANSACTIONS_FILTER, bytes([0, 255, 22]))
    good, garbage, broken = read_committed(block)
    assert [good.code, garbage.code, broken.code] == [0, 255, 22]
    assert good.rwset is not None
    assert garbage.tx_id == ""
    assert broken.tx_id == draft().id
    assert broken.rwset is None


@given(st.data())
def test_no_bytes_whatever_raise_out_of_stage_a(data):
    stage_a = StageA(consortium().bundle())
    stage_a.define("basic")
    good = draft(event=event("basic"))
    layer = data.draw(
        st.sampled_from(
            [
                "payload",
                "channel_header",
                "signature_header",
                "creator_bytes",
                "header_extension",
                "data",
                "action_header",
                "action_payload",
                "response_payload",
                "response_extension",
                "results",
                "event",
                "signature",
            ]
        )
    )
    seed = good.envelope() if data.draw(st.booleans()) else good.signed_response
    start = data.draw(st.integers(0, len(seed)))
    bytes_ = data.draw(st.binary(max_size=40)) + seed[start : data.draw(st.integers(0, len(seed)))]
    (transaction,) = stage_a.validate(replace(good, **{layer: bytes_}).envelope()).transactions
    assert transaction.code != transaction_pb2.NOT_VALIDATED


@given(st.integers(0, 2000), st.binary(min_size=1, max_size=8))
def test_a_changed_envelope_is_never_valid(position, change):
    stage_a = StageA(consortium().bundle())
    stage_a.define("basic")
    good = draft().envelope()
    position %= len(good)
    changed = good[:position] + change + good[position + len(change) :]
    if changed != good:
        (transaction,) = stage_a.validate(changed).transactions
        assert not transaction.valid or _same_content(changed, good)


def _same_content(changed: bytes, good: bytes) -> bool:
    """Only what no signature covers may differ: unknown fields beside payload and signature."""
    one, other = common_pb2.Envelope.FromString(changed), common_pb2.Envelope.FromString(good)
    return one.payload == other.payload
