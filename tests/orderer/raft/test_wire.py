"""raftpb's bytes: those of go.etcd.io/raft v3.6.0, which Fabric's orderers speak."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridloom.common.errors import MalformedMessage
from gridloom.orderer.raft import (
    LOCAL_APPEND_THREAD,
    ConfChange,
    ConfChangeSingle,
    ConfChangeTransition,
    ConfChangeType,
    ConfChangeV2,
    ConfState,
    Entry,
    EntryType,
    HardState,
    Message,
    MessageType,
    Snapshot,
    wire,
)

JOINT = ConfState((1, 2, 300), (4,), (1, 2), (2,), auto_leave=True)
Codec = tuple[Callable[[Any], bytes], Callable[[bytes], Any]]
ENTRY: Codec = (wire.encode_entry, wire.decode_entry)
HARD_STATE: Codec = (wire.encode_hard_state, wire.decode_hard_state)
SNAPSHOT: Codec = (wire.encode_snapshot, wire.decode_snapshot)
MESSAGE: Codec = (wire.encode_message, wire.decode_message)

# Printed by a program that marshals the same values with raftpb of go.etcd.io/raft v3.6.0.
GOLDEN: list[tuple[Codec, object, str]] = [
    (ENTRY, Entry(), "080010001800"),
    (ENTRY, Entry(term=3, index=300), "0800100318ac02"),
    (ENTRY, Entry(term=3, index=1 << 40, data=b"block"), "08001003188080808080202205626c6f636b"),
    (HARD_STATE, HardState(), "080010001800"),
    (HARD_STATE, HardState(term=5, vote=2, commit=1000), "0805100218e807"),
    (SNAPSHOT, Snapshot(), "12080a02280010001800"),
    (
        SNAPSHOT,
        Snapshot(77, 4, JOINT, b"last block"),
        "0a0a6c61737420626c6f636b12170a110801080208ac0210041801180220022801104d1804",
    ),
    (
        MESSAGE,
        Message(MessageType.HEARTBEAT, to=2, from_=1, term=7, commit=40),
        "0808100218012007280030004028500058006800",
    ),
    (
        MESSAGE,
        Message(
            MessageType.APP,
            to=3,
            from_=1,
            term=7,
            log_term=6,
            index=41,
            commit=40,
            entries=(
                Entry(term=7, index=42, data=b"a block"),
                Entry(EntryType.CONF_CHANGE, 7, 43, bytes([8, 0, 16, 0, 24, 4])),
            ),
        ),
        "0803100318012007280630293a0f08001007182a22076120626c6f636b3a0e08011007182b2206080010001804"
        "4028500058006800",
    ),
    (
        MESSAGE,
        Message(
            MessageType.APP_RESP,
            to=1,
            from_=3,
            term=7,
            log_term=5,
            index=41,
            reject=True,
            reject_hint=38,
        ),
        "0804100118032007280530294000500158266800",
    ),
    (
        MESSAGE,
        Message(
            MessageType.VOTE,
            to=1,
            from_=3,
            term=8,
            log_term=7,
            index=50,
            context=b"CampaignTransfer",
        ),
        "080510011803200828073032400050005800621043616d706169676e5472616e736665726800",
    ),
    (
        MESSAGE,
        Message(
            MessageType.SNAP,
            to=3,
            from_=1,
            term=7,
            snapshot=Snapshot(77, 4, ConfState((1, 2, 3)), b"last block"),
        ),
        "08071003180120072800300040004a1c0a0a6c61737420626c6f636b120e0a080801080208032800104d1804"
        "500058006800",
    ),
    (
        MESSAGE,
        Message(
            MessageType.STORAGE_APPEND,
            to=LOCAL_APPEND_THREAD,
            from_=1,
            term=7,
            vote=1,
            commit=3,
            responses=(Message(MessageType.VOTE_RESP, to=2, from_=1, term=7),),
        ),
        "081310ffffffffffffffffff011801200728003000400350005800680172140806100218012007280030004000"
        "500058006800",
    ),
]


@pytest.mark.parametrize(("codec", "value", "expected"), GOLDEN)
def test_bytes_are_etcds(codec: Codec, value: object, expected: str) -> None:
    encode, decode = codec
    assert encode(value).hex() == expected
    assert decode(bytes.fromhex(expected)) == value


GOLDEN_CHANGES: list[tuple[ConfChange | ConfChangeV2, EntryType, str]] = [
    (ConfChange(), EntryType.CONF_CHANGE, "080010001800"),
    (
        ConfChange(ConfChangeType.REMOVE_NODE, 3, b"ctx", 9),
        EntryType.CONF_CHANGE,
        "0809100118032203637478",
    ),
    (ConfChangeV2(), EntryType.CONF_CHANGE_V2, "0800"),
    (
        ConfChangeV2(
            ConfChangeTransition.JOINT_EXPLICIT,
            (ConfChangeSingle(node_id=4), ConfChangeSingle(ConfChangeType.REMOVE_NODE, 1)),
            b"why",
        ),
        EntryType.CONF_CHANGE_V2,
        "08021204080010041204080110011a03776879",
    ),
]


@pytest.mark.parametrize(("change", "type", "expected"), GOLDEN_CHANGES)
def test_changes_are_etcds(change: ConfChange, type: EntryType, expected: str) -> None:
    assert wire.encode_conf_change(change) == (type, bytes.fromhex(expected))
    assert wire.decode_conf_change(Entry(type, data=bytes.fromhex(expected))) == change


def test_no_data_is_the_change_that_leaves_a_joint_configuration() -> None:
    assert wire.decode_conf_change(Entry(EntryType.CONF_CHANGE_V2)) == ConfChangeV2()


def test_an_older_etcd_writes_an_empty_snapshot_into_every_message() -> None:
    heartbeat = "08081002180120072800300040284a0a12080a0228001000180050005800"
    expected = Message(MessageType.HEARTBEAT, to=2, from_=1, term=7, commit=40)
    assert wire.decode_message(bytes.fromhex(heartbeat)) == expected


def test_a_newer_etcd_leaves_zeroes_out() -> None:
    assert wire.decode_message(bytes.fromhex("0808100218012007")) == Message(
        MessageType.HEARTBEAT, to=2, from_=1, term=7
    )
    assert wire.decode_entry(b"") == Entry()


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"\x08\x63", id="a type nobody knows"),
        pytest.param(b"\x08\x03\x3a\x02\x08\x07", id="an entry of a type nobody knows"),
        pytest.param(b"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", id="a negative type"),
        pytest.param(b"\x08\x03\x3a\x7f", id="cut off"),
        pytest.param(b"\xff\xff\xff", id="no field"),
    ],
)
def test_what_is_no_message_is_refused(data: bytes) -> None:
    with pytest.raises(MalformedMessage):
        wire.decode_message(data)


@given(st.binary(max_size=60))
def test_strangers_bytes_are_a_message_or_malformed(data: bytes) -> None:
    try:
        message = wire.decode_message(data)
    except MalformedMessage:
        return
    assert wire.decode_message(wire.encode_message(message)) == message


NUMBER = st.integers(0, 2**64 - 1)
ENTRIES = st.builds(Entry, st.sampled_from(EntryType), NUMBER, NUMBER, st.binary(max_size=20))
IDS = st.lists(NUMBER, max_size=4).map(tuple)
SNAPSHOTS = st.builds(
    Snapshot,
    st.integers(1, 2**64 - 1),
    NUMBER,
    st.builds(ConfState, IDS, IDS, IDS, IDS, st.booleans()),
    st.binary(max_size=20),
)
MESSAGES = st.builds(
    Message,
    type=st.sampled_from(MessageType),
    to=NUMBER,
    from_=NUMBER,
    term=NUMBER,
    log_term=NUMBER,
    index=NUMBER,
    entries=st.lists(ENTRIES, max_size=3).map(tuple),
    commit=NUMBER,
    vote=NUMBER,
    snapshot=st.none() | SNAPSHOTS,
    reject=st.booleans(),
    reject_hint=NUMBER,
    context=st.binary(max_size=20),
)


@given(MESSAGES, st.lists(MESSAGES, max_size=2).map(tuple))
def test_every_message_comes_back(message: Message, responses: tuple[Message, ...]) -> None:
    nested = Message(MessageType.STORAGE_APPEND, responses=(message, *responses))
    assert wire.decode_message(wire.encode_message(nested)) == nested
