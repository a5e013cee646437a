"""Asking others for private data: whom, in which order, and what to make of the answers."""

from dataclasses import replace
from random import Random

import pytest

from gridloom.common.policies.language import parse
from gridloom.peer.discovery.peers import PeerInfo
from gridloom.peer.private_data.digests import Digest, Wanted
from gridloom.peer.private_data.membership import Membership
from gridloom.peer.private_data.puller import Puller
from gridloom.protos.gossip.message_pb2 import GossipMessage, PvtDataElement
from gridloom.protos.peer.collection_pb2 import CollectionPolicyConfig, StaticCollectionConfig
from harness.consortium import Consortium
from harness.gossiping import DESCRIPTION, Neighbours, Unreachable, gossiper

NET = Consortium(DESCRIPTION)
ONE, SECOND, TWO, THREE = (
    f"peer{peer}.org{org}.example.com" for org, peer in ((1, 0), (1, 1), (2, 0), (3, 0))
)
FIRST, LAST = Digest("tx", "cc", "c", 5, 0), Digest("tx", "cc", "c", 5, 1)


class Shop:
    """Gives what it has, and remembers what it was asked for."""

    def __init__(self, stock):
        self.stock = stock
        self.asked = []
        self.gift = None

    async def __call__(self, sender, message, vouched):
        assert vouched
        wanted = [Digest.of(digest) for digest in message.privateReq.digests]
        self.asked.append(wanted)
        answer = GossipMessage(nonce=message.nonce)
        answer.privateRes.SetInParent()
        for digest in wanted:
            if digest in self.stock:
                answer.privateRes.elements.append(
                    PvtDataElement(digest=digest.message(), payload=self.stock[digest])
                )
        if self.gift is not None:
            answer.privateRes.elements.add(digest=self.gift.message(), payload=[b"gift"])
        return answer


def wanted(digest, *, preferred=None, lives=0, members="OR('Org1MSP.member','Org2MSP.member')"):
    config = StaticCollectionConfig(
        name="c",
        member_orgs_policy=CollectionPolicyConfig(signature_policy=parse(members)),
        block_to_live=lives,
    )
    return Wanted(digest, config, lambda peer: peer.endpoint == preferred)


@pytest.fixture
async def shops():
    return {name: Shop({}) for name in (SECOND, TWO, THREE)}


@pytest.fixture
async def others(shops):
    made = [gossiper(NET, name, shop) for name, shop in shops.items()]
    yield Neighbours([each.info for each in made])
    for each in made:
        await each.communication.close()


@pytest.fixture
async def puller(others):
    own = gossiper(NET, ONE, Shop({}))
    bundle = NET.bundle()
    yield Puller(
        "mychannel",
        own.communication,
        Membership(lambda: bundle),
        lambda: others.peers("mychannel"),
        random=Random(1),
        random_bytes=Random(2).randbytes,
        margin=10,
    )
    await own.communication.close()


async def test_a_preferred_peer_is_asked_first(puller, shops):
    for shop in shops.values():
        shop.stock = {FIRST: [b"set"]}
    pulled = await puller.pull([wanted(FIRST, preferred=TWO)])
    assert pulled.found == {FIRST: (b"set",)}
    assert (shops[SECOND].asked, shops[TWO].asked) == ([], [[FIRST]])


async def test_only_members_are_asked(puller, shops):
    shops[THREE].stock = {FIRST: [b"set"]}
    pulled = await puller.pull([wanted(FIRST, preferred=THREE)])
    assert pulled.found == {}
    assert shops[THREE].asked == []
    assert pulled.answered == {FIRST}
    assert pulled.asked


async def test_what_one_has_not_is_asked_of_another(puller, shops):
    shops[SECOND].stock, shops[TWO].stock = {FIRST: [b"1"]}, {LAST: [b"2"]}
    pulled = await puller.pull([wanted(FIRST), wanted(LAST)])
    assert pulled.found == {FIRST: (b"1",), LAST: (b"2",)}
    assert all(len(shop.asked) <= 1 for shop in shops.values())


async def test_a_peer_that_fails_is_passed_over(puller, shops, others):
    gone = others.known[0]
    others.known[0] = PeerInfo(gone.msp_id, gone.endpoint, gone.identity, Unreachable())
    shops[TWO].stock = {FIRST: [b"set"]}
    pulled = await puller.pull([wanted(FIRST, preferred=gone.endpoint)])
    assert pulled.found == {FIRST: (b"set",)}


async def test_it_is_known_when_nobody_could_be_asked(puller, others, shops):
    pulled = await puller.pull([wanted(FIRST, members="OR('Org3MSP.peer')")])
    assert pulled.asked
    assert pulled.answered == {FIRST}
    others.known = []
    pulled = await puller.pull([wanted(FIRST)])
    assert not pulled.asked
    assert pulled.answered == set()


async def test_an_unanswered_question_is_no_answer(puller, others):
    others.known = [
        PeerInfo(peer.msp_id, peer.endpoint, peer.identity, Unreachable()) for peer in others.known
    ]
    pulled = await puller.pull([wanted(FIRST)])
    assert (pulled.asked, pulled.answered, pulled.found) == (True, set(), {})


async def test_what_was_not_asked_for_is_ignored(puller, shops):
    shops[TWO].stock = {FIRST: [b"set"]}
    shops[TWO].gift = LAST
    pulled = await puller.pull([wanted(FIRST, preferred=TWO)])
    assert pulled.found == {FIRST: (b"set",)}


@pytest.mark.parametrize(("height", "expired"), [(100, True), (95, True), (94, False)])
async def test_data_about_to_expire_are_left_alone(puller, shops, others, height, expired):
    others.known = [replace(peer, height=height) for peer in others.known]
    shops[TWO].stock = {FIRST: [b"set"]}
    pulled = await puller.pull([wanted(FIRST, preferred=TWO, lives=100)])
    assert (pulled.expiring == {FIRST}) == expired
    assert (pulled.found == {FIRST: (b"set",)}) != expired


async def test_data_without_end_do_not_expire(puller, shops, others):
    others.known = [replace(peer, height=10**6) for peer in others.known]
    shops[TWO].stock = {FIRST: [b"set"]}
    assert (await puller.pull([wanted(FIRST)])).found == {FIRST: (b"set",)}
