"""JSON as messages: faults with their paths, and nothing lost on the way back."""

from typing import Any

import pytest
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given
from hypothesis import strategies as st

from gridloom.common.protolator import DEPTH_LIMIT, Json, NotThisMessage, decode, encode
from gridloom.protos.common.common_pb2 import (
    BlockHeader,
    ChannelHeader,
    Envelope,
    SignatureHeader,
)
from gridloom.protos.common.configtx_pb2 import (
    Config,
    ConfigEnvelope,
    ConfigGroup,
    ConfigPolicy,
    ConfigSignature,
    ConfigUpdateEnvelope,
    ConfigValue,
)
from gridloom.protos.common.configuration_pb2 import Capabilities, Capability
from gridloom.protos.common.policies_pb2 import ImplicitMetaPolicy, Policy
from gridloom.protos.orderer.configuration_pb2 import BatchSize, BatchTimeout
from gridloom.protos.peer.configuration_pb2 import AnchorPeer, AnchorPeers


@pytest.mark.parametrize(
    ("message_type", "tree", "path", "reason"),
    [
        (Envelope, [], "", "expected an object, for common.Envelope"),
        (Envelope, {"playload": {}}, "playload", "there is: payload, signature"),
        (Envelope, {"signature": "?"}, "signature", "not base64"),
        (Envelope, {"signature": {}}, "signature", "expected base64 text"),
        (Envelope, {"signature": "é"}, "signature", "not base64"),
        (Envelope, {"payload": {"header": 1}}, "payload.header", "expected an object"),
        (BlockHeader, {"number": -1}, "number", ""),
        (BlockHeader, {"number": "18446744073709551616"}, "number", ""),
        (BlockHeader, {"number": 1.5}, "number", "expected a whole number"),
        (BlockHeader, {"number": "1_0"}, "number", "expected a whole number"),
        (BlockHeader, {"number": True}, "number", "expected a whole number"),
        (BatchSize, {"max_message_count": 2**32}, "max_message_count", ""),
        (ChannelHeader, {"timestamp": "yesterday"}, "timestamp", ""),
        (ChannelHeader, {"timestamp": 5}, "timestamp", "expected a time"),
        (ChannelHeader, {"channel_id": 5}, "channel_id", "expected text"),
        (ChannelHeader, {"channel_id": "\ud800"}, "channel_id", ""),
        (ImplicitMetaPolicy, {"rule": "MOST"}, "rule", "'MOST' is none of ANY, ALL, MAJORITY"),
        (AnchorPeers, {"anchor_peers": {}}, "anchor_peers", "expected a list"),
        (AnchorPeers, {"anchor_peers": [{}, {"port": ""}]}, "anchor_peers[1].port", ""),
        (ConfigGroup, {"values": []}, "values", "expected an object"),
        (
            ConfigGroup,
            {"groups": {"A": {"values": {"BatchSize": {"value": {"size": 1}}}}}},
            "groups.A.values.BatchSize.value.size",
            "unknown field",
        ),
    ],
)
def test_a_fault_is_named_with_its_path(message_type, tree, path, reason):
    with pytest.raises(NotThisMessage) as caught:
        encode(message_type, tree)
    assert caught.value.path == path
    assert reason in caught.value.reason


def test_json_without_end_is_an_error_not_a_crash():
    tree: dict[str, Any] = {}
    for _ in range(DEPTH_LIMIT):
        tree = {"groups": {"x": tree}}
    with pytest.raises(NotThisMessage, match="within each other"):
        encode(ConfigGroup, tree)


def capabilities(names: list[str]) -> Json:
    tree: Json = {name: {} for name in names}
    return {"values": {"Capabilities": {"value": {"capabilities": tree}}}}


def test_maps_within_bytes_are_written_in_key_order():
    names = [f"V{number}" for number in range(20)]
    assert encode(ConfigGroup, capabilities(names)) == encode(
        ConfigGroup, capabilities(names[::-1])
    )


def test_base64_stands_for_a_message_too():
    group = encode(ConfigGroup, {"values": {"BatchTimeout": {"value": "CgIycw=="}}})
    assert BatchTimeout.FromString(group.values["BatchTimeout"].value).timeout == "2s"


# --- what is decoded can be encoded again ---------------------------------------------

names = st.from_regex(r"[A-Za-z0-9.-]{1,8}", fullmatch=True)
texts = st.text(st.characters(codec="utf-8"), max_size=8)
versions = st.integers(0, 2**64 - 1)


def _as_value(key: str, content: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.tuples(
        st.just(key),
        st.builds(
            lambda message, version, mod_policy: ConfigValue(
                version=version,
                mod_policy=mod_policy,
                value=message.SerializeToString(deterministic=True),
            ),
            content,
            versions,
            texts,
        ),
    )


anchors = st.builds(AnchorPeer, host=texts, port=st.integers(-(2**31), 2**31 - 1))
values = st.one_of(
    _as_value("AnchorPeers", st.builds(AnchorPeers, anchor_peers=st.lists(anchors, max_size=3))),
    _as_value("BatchSize", st.builds(BatchSize, max_message_count=st.integers(0, 2**32 - 1))),
    _as_value(
        "Capabilities",
        st.builds(
            Capabilities,
            capabilities=st.dictionaries(names, st.builds(Capability), max_size=4),
        ),
    ),
    st.tuples(st.just("Own"), st.builds(ConfigValue, value=st.binary(max_size=9))),
)
policies = st.builds(
    lambda rule, sub, mod: ConfigPolicy(
        mod_policy=mod,
        policy=Policy(
            type=Policy.IMPLICIT_META,
            value=ImplicitMetaPolicy(rule=rule, sub_policy=sub).SerializeToString(),
        ),
    ),
    st.sampled_from([0, 1, 2]),
    texts,
    texts,
)
groups = st.recursive(
    st.builds(
        ConfigGroup,
        version=versions,
        mod_policy=texts,
        values=st.lists(values, max_size=3).map(dict),
        policies=st.dictionaries(names, policies, max_size=2),
    ),
    lambda inner: st.builds(ConfigGroup, groups=st.dictionaries(names, inner, max_size=3)),
    max_leaves=6,
)
signatures = st.builds(
    ConfigSignature,
    signature_header=st.builds(SignatureHeader, nonce=st.binary(max_size=5)).map(
        SignatureHeader.SerializeToString
    ),
    signature=st.binary(max_size=5),
)
messages = st.one_of(
    st.builds(Config, sequence=versions, channel_group=groups),
    st.builds(ConfigUpdateEnvelope, signatures=st.lists(signatures, max_size=3)),
    st.builds(
        ChannelHeader,
        type=st.integers(-5, 5),
        timestamp=st.builds(
            Timestamp,
            seconds=st.integers(-62135596800, 253402300799),
            nanos=st.integers(0, 10**9 - 1),
        ),
        extension=st.just(b""),
    ),
    st.builds(ConfigEnvelope, config=st.builds(Config, channel_group=groups)),
)


@given(messages)
def test_a_decoded_message_is_encoded_to_the_same_bytes(message: Message):
    encoded = encode(type(message), decode(message))
    assert encoded.SerializeToString(deterministic=True) == message.SerializeToString(
        deterministic=True
    )
