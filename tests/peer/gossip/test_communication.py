"""Streams between peers: opened once, authenticated, answered, ended."""

import asyncio

import pytest

from gridloom.common.rpc import Call, RpcError
from gridloom.peer.gossip.connection import ConnectionLost
from gridloom.peer.gossip.handshake import HandshakeFailed
from gridloom.peer.gossip.messages import open_envelope, sign
from gridloom.protos.gossip.message_pb2 import Empty, Envelope, GossipMessage
from harness.consortium import Consortium
from harness.gossiping import DESCRIPTION, Listener, Unreachable, gossiper

NET = Consortium(DESCRIPTION)
ONE, OTHER, SECOND = (
    "peer0.org1.example.com",
    "peer1.org1.example.com",
    "peer0.org2.example.com",
)


def message(nonce: int = 7, content: str = "private_data") -> GossipMessage:
    made = GossipMessage(nonce=nonce, channel=b"mychannel", tag=GossipMessage.CHAN_ONLY)
    getattr(made, content).SetInParent()
    return made


@pytest.fixture
async def listener():
    return Listener()


@pytest.fixture
async def pair(listener):
    """A peer of Org1 and a listening one of Org2."""
    one, two = gossiper(NET, ONE, Listener()), gossiper(NET, SECOND, listener)
    yield one, two
    await one.communication.close()
    await two.communication.close()


async def test_a_request_is_answered_on_the_stream(pair, listener):
    one, two = pair
    connection = await one.communication.connect(two.info)
    assert connection.remote.msp_id == "Org2MSP"
    answer = await connection.request(message(), 60.0)
    assert answer.WhichOneof("content") == "ack"
    ((sender, heard, vouched),) = listener.heard
    assert (sender.msp_id, heard, vouched) == ("Org1MSP", message(), True)


async def test_a_stream_is_opened_once_for_all_who_need_it(pair):
    one, two = pair
    connections = await asyncio.gather(*(one.communication.connect(two.info) for _ in range(5)))
    assert len(set(map(id, connections))) == 1


async def test_many_requests_may_be_under_way(pair):
    one, two = pair
    connection = await one.communication.connect(two.info)
    answers = await asyncio.gather(*(connection.request(message(n), 60.0) for n in range(200)))
    assert [answer.nonce for answer in answers] == list(range(200))


async def test_a_request_that_nobody_answers_times_out(pair):
    one, two = pair
    connection = await one.communication.connect(two.info)
    with pytest.raises(TimeoutError):
        await connection.request(message(content="empty"), 0.01)
    assert (await connection.request(message(), 60.0)).nonce == 7


async def test_a_stream_that_ended_is_opened_again(pair):
    one, two = pair
    first = await one.communication.connect(two.info)
    waiting = asyncio.create_task(first.request(message(content="empty"), 60.0))
    await asyncio.sleep(0)
    first.close()
    with pytest.raises(ConnectionLost):
        await waiting
    with pytest.raises(ConnectionLost):
        await first.request(message(), 60.0)
    second = await one.communication.connect(two.info)
    assert second is not first
    assert (await second.request(message(), 60.0)).nonce == 7


async def test_the_end_of_the_other_side_is_noticed(pair):
    one, two = pair
    connection = await one.communication.connect(two.info)
    waiting = asyncio.create_task(connection.request(message(content="empty"), 60.0))
    await asyncio.sleep(0.01)
    await two.communication.close()
    with pytest.raises(ConnectionLost):
        await waiting
    with pytest.raises(RpcError, match="stopping"):
        await one.communication.connect(two.info)


async def test_a_peer_that_is_not_there_is_an_error_each_time(pair):
    one, two = pair
    gone = two.info.__class__("Org2MSP", two.name, two.signer.serialized, Unreachable())
    for _ in range(2):
        with pytest.raises(RpcError, match="connection refused"):
            await one.communication.connect(gone)


async def test_an_endpoint_of_another_organisation_is_refused(pair):
    one, two = pair
    expected = NET.material.node(OTHER).signing_identity
    wrong = two.info.__class__("Org1MSP", two.name, expected.serialized, two.channel)
    with pytest.raises(HandshakeFailed, match="is a peer of Org2MSP, not Org1MSP"):
        await one.communication.connect(wrong)


async def test_another_certificate_of_the_same_organisation_is_taken(pair):
    one, _ = pair
    renewed = gossiper(NET, OTHER, Listener())
    info = renewed.info.__class__("Org1MSP", OTHER, one.signer.serialized, renewed.channel)
    connection = await one.communication.connect(info)
    assert connection.remote.claim.identity == renewed.signer.serialized
    await renewed.communication.close()


async def test_a_stranger_is_turned_away(pair):
    _, two = pair
    stranger = gossiper(Consortium(DESCRIPTION, seed=8), ONE, Listener())
    with pytest.raises((RpcError, HandshakeFailed)):
        await stranger.communication.connect(two.info)
    await stranger.communication.close()


async def test_whoever_does_not_speak_first_is_cut_off(listener):
    two = gossiper(NET, SECOND, listener, timeout=0.01)

    async def silence():
        await asyncio.sleep(10)
        yield Envelope()

    stream = two.channel.stream("/gossip.Gossip/GossipStream", silence(), Envelope)
    assert open_envelope(await anext(stream)).WhichOneof("content") == "conn"
    with pytest.raises(RpcError, match="deadline exceeded"):
        await anext(stream)
    await two.communication.close()


async def test_a_message_that_does_not_parse_ends_the_stream(pair, listener):
    one, two = pair
    own = gossiper(NET, ONE, Listener())

    async def requests():
        yield own.communication._handshake.own()
        yield Envelope(payload=b"\xff\xff")

    stream = two.channel.stream("/gossip.Gossip/GossipStream", requests(), Envelope)
    await anext(stream)
    with pytest.raises(StopAsyncIteration):
        await anext(stream)
    assert listener.heard == []
    connection = await one.communication.connect(two.info)
    assert (await connection.request(message(), 60.0)).nonce == 7


async def test_a_message_without_signature_is_not_vouched_for(pair, listener):
    _, two = pair
    one = gossiper(NET, ONE, Listener())
    unsigned = Envelope(payload=message(1).SerializeToString())
    forged = sign(message(2), two.signer)

    async def requests():
        yield one.communication._handshake.own()
        yield unsigned
        yield forged
        yield sign(message(3), one.signer)
        await asyncio.sleep(10)

    stream = two.channel.stream("/gossip.Gossip/GossipStream", requests(), Envelope)
    await anext(stream)
    for _ in range(3):
        await anext(stream)
    heard = {each.nonce: vouched for _, each, vouched in listener.heard}
    assert heard == {1: False, 2: False, 3: True}
    await stream.aclose()


async def test_a_ping_says_that_the_peer_is_there(pair):
    _, two = pair
    assert await two.communication.ping(Empty(), Call()) == Empty()
    await two.communication.close()
    with pytest.raises(RpcError, match="stopping"):
        await two.communication.ping(Empty(), Call())
