"""Who is sent private data at endorsement, and when an endorsement may go on."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridloom.common.policies.language import parse
from gridloom.peer.discovery.peers import PeerInfo
from gridloom.peer.private_data.distribution import (
    DistributionFailed,
    Distributor,
    PrivateWrites,
    choose_recipients,
)
from gridloom.peer.private_data.membership import Membership
from gridloom.protos.peer.collection_pb2 import CollectionPolicyConfig, StaticCollectionConfig
from harness.consortium import Consortium
from harness.gossiping import DESCRIPTION, Listener, Neighbours, Unreachable, gossiper
from harness.virtual_time import virtual

NET = Consortium(DESCRIPTION)
ONE, SECOND, TWO, THREE = (
    f"peer{peer}.org{org}.example.com" for org, peer in ((1, 0), (1, 1), (2, 0), (3, 0))
)


def peers(*organizations: str) -> list[PeerInfo]:
    return [
        PeerInfo(msp_id, f"{msp_id}:{number}", b"", Unreachable())
        for number, msp_id in enumerate(organizations)
    ]


def config(required: int = 0, maximum: int = 3, members: str = "") -> StaticCollectionConfig:
    policy = parse(members or "OR('Org1MSP.member','Org2MSP.member')")
    return StaticCollectionConfig(
        name="c",
        member_orgs_policy=CollectionPolicyConfig(signature_policy=policy),
        required_peer_count=required,
        maximum_peer_count=maximum,
    )


@given(
    organizations=st.lists(st.sampled_from("ABCD"), max_size=12),
    required=st.integers(0, 4),
    extra=st.integers(0, 8),
    seed=st.integers(),
)
def test_every_organisation_is_served_once_before_any_is_served_twice(
    organizations, required, extra, seed
):
    eligible = peers(*organizations)
    chosen = choose_recipients(eligible, required, required + extra, Random(seed))
    assert len(chosen) == min(len(eligible), required + extra)
    assert len({each.peer.endpoint for each in chosen}) == len(chosen)
    first = [each.peer.msp_id for each in chosen][: len(set(organizations))]
    assert len(set(first)) == len(first)
    assert [each.required for each in chosen] == [n < required for n in range(len(chosen))]


def test_nobody_is_chosen_with_a_maximum_of_zero():
    assert choose_recipients(peers("A", "B"), 0, 0, Random(1)) == []


def test_the_choice_is_the_randomness_given():
    many = peers(*"AAAABBBB")
    pick = lambda seed: choose_recipients(many, 0, 4, Random(seed))  # noqa: E731
    assert pick(1) == pick(1)
    assert len({tuple(each.peer.endpoint for each in pick(seed)) for seed in range(20)}) > 5


@pytest.fixture
async def listeners():
    return {name: Listener() for name in (ONE, SECOND, TWO, THREE)}


@pytest.fixture
async def gossipers(listeners):
    made = {name: gossiper(NET, name, listener) for name, listener in listeners.items()}
    yield made
    for each in made.values():
        await each.communication.close()


@pytest.fixture
def others(gossipers):
    return Neighbours([gossipers[name].info for name in (SECOND, TWO, THREE)])


@pytest.fixture
def distributor(gossipers, others):
    return distributor_at(gossipers[ONE], others)


def distributor_at(node, others):
    bundle = NET.bundle()
    return Distributor(
        "mychannel",
        node.communication,
        Membership(lambda: bundle),
        lambda: others.peers("mychannel"),
        random=Random(1),
        random_bytes=Random(2).randbytes,
        ack_timeout=60.0,
    )


async def test_members_get_the_writes_with_the_rules_they_were_made_under(distributor, listeners):
    writes = PrivateWrites("cc", "c", b"rwset", config())
    await distributor.distribute("tx", [writes], 7)
    assert {name for name, each in listeners.items() if each.heard} == {SECOND, TWO}
    ((sender, message, vouched),) = listeners[TWO].heard
    payload = message.private_data.payload
    assert (sender.msp_id, vouched, message.channel) == ("Org1MSP", True, b"mychannel")
    assert (payload.namespace, payload.collection_name, payload.tx_id) == ("cc", "c", "tx")
    assert (payload.private_rwset, payload.private_sim_height) == (b"rwset", 7)
    (sent,) = payload.collection_configs.config
    assert sent.static_collection_config == config()
    assert message.tag == message.CHAN_ONLY


async def test_each_collection_goes_to_its_own_members(distributor, listeners):
    only3 = config(members="OR('Org3MSP.member')")
    writes = [
        PrivateWrites("cc", "c", b"one", config()),
        PrivateWrites("cc", "d", b"three", only3),
    ]
    await distributor.distribute("tx", writes, 7)
    heard = {
        name: [message.private_data.payload.private_rwset for _, message, _ in each.heard]
        for name, each in listeners.items()
    }
    assert heard == {ONE: [], SECOND: [b"one"], TWO: [b"one"], THREE: [b"three"]}


async def test_too_few_members_fail_before_anything_is_sent(distributor, listeners):
    writes = [
        PrivateWrites("cc", "c", b"one", config()),
        PrivateWrites("cc", "d", b"two", config(required=3)),
    ]
    with pytest.raises(
        DistributionFailed,
        match=r"^failed to distribute private collection, txID tx, channel mychannel: could not "
        r"build private data dissemination plan for chaincode cc and collection d: required to "
        r"disseminate to at least 3 peers, but know of only 2 eligible peers$",
    ):
        await distributor.distribute("tx", writes, 7)
    assert not any(each.heard for each in listeners.values())


@pytest.mark.parametrize("failure", ["refuses", "gone", "another"])
async def test_a_required_peer_that_does_not_take_the_data_stops_the_endorsement(
    distributor, listeners, gossipers, others, failure
):
    info = gossipers[TWO].info
    match failure:
        case "refuses":
            listeners[TWO].error = "no"
        case "gone":
            others.known[1] = PeerInfo("Org2MSP", info.endpoint, info.identity, Unreachable())
        case "another":
            channel = gossipers[THREE].channel
            others.known[1] = PeerInfo("Org2MSP", info.endpoint, info.identity, channel)
    writes = PrivateWrites("cc", "c", b"secret", config(required=2))
    with pytest.raises(DistributionFailed, match="Failed disseminating 1 out of 2 private diss"):
        await distributor.distribute("tx", [writes], 7)
    await distributor.distribute("tx", [writes._replace(config=config(required=0))], 7)
    assert listeners[THREE].heard == []


@virtual
async def test_nor_is_one_that_says_nothing_waited_for_longer_than_a_while():
    async def nothing(*_):
        return None

    nodes = {name: gossiper(NET, name, Listener()) for name in (ONE, SECOND)}
    nodes[TWO] = gossiper(NET, TWO, nothing)
    others = Neighbours([nodes[name].info for name in (SECOND, TWO)])
    distributor = distributor_at(nodes[ONE], others)
    writes = PrivateWrites("cc", "c", b"secret", config(required=2))
    with pytest.raises(DistributionFailed, match="Failed disseminating 1 out of 2 private diss"):
        await distributor.distribute("tx", [writes], 7)
    await distributor.distribute("tx", [writes._replace(config=config(required=0))], 7)
    for each in nodes.values():
        await each.communication.close()


async def test_one_of_several_required_that_answers_is_not_enough(distributor, listeners):
    listeners[TWO].error = listeners[SECOND].error = "no"
    writes = PrivateWrites("cc", "c", b"secret", config(required=1, maximum=2))
    with pytest.raises(DistributionFailed, match="Failed disseminating 1 out of 2"):
        await distributor.distribute("tx", [writes], 7)
