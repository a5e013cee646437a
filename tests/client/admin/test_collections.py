"""Collections of the peer command: the bytes a real network committed, and mistakes named."""

import json

import pytest

from gridloom.client.admin import CollectionsError, parse_collections
from gridloom.protos.peer.lifecycle.db_pb2 import StateData
from harness.golden_transactions import golden_transaction
from harness.shared import shared

COMMIT_OF_GOLD = 3
KEY = "namespaces/fields/gold/Collections"


def committed_collections():
    """The bytes of the definition of gold, as they were written to the ledger."""
    writes = golden_transaction(COMMIT_OF_GOLD).public("_lifecycle").writes
    (value,) = [write.value for write in writes if write.key == KEY]
    return StateData.FromString(value).Bytes


def test_a_real_definition_is_made_again_byte_by_byte():
    text = shared("golden", "collections", "collections.json").read_text()
    assert parse_collections(text).SerializeToString() == committed_collections()


def test_what_is_left_out_has_the_defaults_of_the_peer_command():
    (config,) = parse_collections('[{"name": "a", "policy": "OR(\'Org1MSP.member\')"}]').config
    collection = config.static_collection_config
    assert (collection.required_peer_count, collection.maximum_peer_count) == (0, 1)
    assert (collection.block_to_live, collection.member_only_read) == (0, False)
    assert not collection.HasField("endorsement_policy")


@pytest.mark.parametrize(
    ("policy", "field"),
    [
        ({"signaturePolicy": "OR('Org1MSP.peer')"}, "signature_policy"),
        (
            {"channelConfigPolicy": "/Channel/Application/Writers"},
            "channel_config_policy_reference",
        ),
        ({}, None),
    ],
)
def test_an_endorsement_policy_is_a_signature_policy_or_a_reference(policy, field):
    (config,) = parse_collections(entry(endorsementPolicy=policy)).config
    collection = config.static_collection_config
    assert collection.endorsement_policy.WhichOneof("Type") == field


def entry(**fields):
    document = {"name": "a", "policy": "OR('Org1MSP.member')"} | fields
    return json.dumps([{key: value for key, value in document.items() if value != "absent"}])


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("no json", "document"),
        ("{}", "document"),
        ("[7]", "[0]"),
        (entry(name="absent"), "[0].name"),
        (entry(policy="absent"), "[0].policy"),
        (entry(policy="OR("), "[0].policy"),
        (entry(name=7), "[0].name"),
        (entry(blockToLive=-1), "[0]"),
        (entry(maxPeerCount=2**40), "[0]"),
        (entry(memberOnlyRead=1), "[0].memberOnlyRead"),
        (entry(requiredPeercount=1), "[0].requiredPeercount"),
        (entry(endorsementPolicy="x"), "[0].endorsementPolicy"),
        (
            entry(endorsementPolicy={"signaturePolicy": "OR("}),
            "[0].endorsementPolicy.signaturePolicy",
        ),
        (
            entry(endorsementPolicy={"signaturePolicy": "x", "channelConfigPolicy": "y"}),
            "[0].endorsementPolicy",
        ),
    ],
)
def test_a_mistake_is_named(text, where):
    with pytest.raises(CollectionsError) as caught:
        parse_collections(text)
    assert caught.value.where == where
