"""Who sees which collection in block events, on the golden channel's definitions."""

import pytest

from gridloom.common.envelopes import signed_data
from gridloom.common.policies.policy import SignedData
from gridloom.peer.collection_access import may_read_collection
from gridloom.protos.common.common_pb2 import Envelope
from harness.consortium import consortium
from harness.golden_channel import GoldenPeer, ordered_block


def signer_of(number: int) -> SignedData:
    """Whoever sent the first transaction of a golden block."""
    return signed_data(Envelope.FromString(ordered_block(number).data.data[0]))


ORG1, ORG2 = signer_of(54), signer_of(45)
STRANGER = SignedData(b"x", consortium().user().serialized, consortium().user().sign(b"x"))


@pytest.fixture
async def channel():
    peer = GoldenPeer("memory")
    await peer.commit_up_to(60)
    yield peer.channel
    await peer.close()


async def test_members_read_a_member_only_collection_and_others_do_not(channel):
    assert may_read_collection(channel, 57, "gold", "collBoth", ORG1)
    assert may_read_collection(channel, 57, "gold", "collBoth", ORG2)
    assert not may_read_collection(channel, 57, "gold", "collBoth", STRANGER)
    assert may_read_collection(channel, 57, "gold", "collOrg1", ORG1)
    assert not may_read_collection(channel, 57, "gold", "collOrg1", ORG2)


async def test_a_forged_signature_reads_nothing(channel):
    forged = SignedData(ORG1.data, ORG1.identity, ORG2.signature)
    assert not may_read_collection(channel, 57, "gold", "collBoth", forged)


async def test_the_definition_before_the_block_counts(channel):
    assert not may_read_collection(channel, 3, "gold", "collBoth", ORG1)
    assert may_read_collection(channel, 4, "gold", "collBoth", ORG1)


async def test_what_nobody_defined_nobody_sees(channel):
    assert not may_read_collection(channel, 57, "gold", "nosuch", ORG1)
    assert not may_read_collection(channel, 57, "nosuch", "collBoth", ORG1)


async def test_implicit_collections_do_not_ask_who_reads(channel):
    assert may_read_collection(channel, 57, "gold", "_implicit_org_Org1MSP", ORG2)
