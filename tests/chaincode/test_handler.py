"""The chaincode's side of the stream, step by step."""

import asyncio
import threading

import pytest

from gridloom.chaincode import Chaincode, Context, Contract, transaction
from gridloom.chaincode.peer_link import ChaincodeMessage
from gridloom.chaincode.server import ChaincodeServer
from gridloom.chaincode.settings import ServerSettings
from gridloom.common.rpc import RpcError
from gridloom.common.rpc.local import LocalChannel
from gridloom.protos.peer.chaincode_pb2 import (
    ChaincodeAdditionalParams,
    ChaincodeID,
    ChaincodeInput,
)
from gridloom.protos.peer.proposal_response_pb2 import Response
from harness.dialing_peer import DialingPeer

Type = ChaincodeMessage


class Store(Contract):
    @transaction("evaluate")
    def read(self, ctx: Context, key: str) -> bytes:
        return ctx.stub.get_state(key)

    @transaction
    def write(self, ctx: Context, keys: list[str]) -> None:
        ctx.stub.start_write_batch()
        for key in keys:
            ctx.stub.put_state(key, b"1")


@pytest.fixture
async def peer():
    settings = ServerSettings("127.0.0.1:0", "store_1:abc")
    server = ChaincodeServer(Chaincode([Store()]), settings)
    peer = DialingPeer(LocalChannel(server.services()))
    yield peer
    await peer.hang_up()
    await server.stop()


def call(txid: str, *args: bytes, channel: str = "c1") -> ChaincodeMessage:
    payload = ChaincodeInput(args=args).SerializeToString()
    return ChaincodeMessage(type=Type.TRANSACTION, payload=payload, txid=txid, channel_id=channel)


def value_of(message: ChaincodeMessage) -> bytes:
    assert message.type == Type.COMPLETED
    response = Response.FromString(message.payload)
    assert response.status == 200, response.message
    return response.payload


def respond(payload: bytes = b""):
    def answer(request: ChaincodeMessage) -> ChaincodeMessage:
        return ChaincodeMessage(
            type=Type.RESPONSE,
            payload=payload,
            txid=request.txid,
            channel_id=request.channel_id,
        )

    return answer


async def test_the_chaincode_registers_first_under_its_package_id(peer):
    await peer.shake_hands()
    assert ChaincodeID.FromString(peer.registered_as).name == "store_1:abc"
    assert value_of(await peer.execute(call("t1", b"read", b"k"), respond(b"v"))) == b"v"


async def test_keepalive_is_echoed_in_any_state(peer):
    await peer.receive()
    peer.send(ChaincodeMessage(type=Type.KEEPALIVE, txid="ping"))
    echoed = await peer.receive()
    assert (echoed.type, echoed.txid) == (Type.KEEPALIVE, "ping")


@pytest.mark.parametrize(
    ("messages", "complaint"),
    [
        ([Type.READY], "sent READY while the stream was created"),
        ([Type.TRANSACTION], "sent TRANSACTION while the stream was created"),
        ([Type.REGISTERED, Type.REGISTERED], "sent REGISTERED while the stream was established"),
        ([Type.REGISTERED, Type.READY, Type.READY], "sent READY while the stream was ready"),
        ([Type.REGISTERED, Type.READY, Type.GET_STATE], "sent GET_STATE while"),
        ([Type.REGISTERED, Type.READY, 99], "sent 99 while the stream was ready"),
    ],
)
async def test_a_message_out_of_turn_ends_the_stream(peer, messages, complaint):
    await peer.receive()
    for type_ in messages:
        peer.send(ChaincodeMessage(type=type_))
    with pytest.raises(RpcError, match=complaint):
        await peer.receive()


async def test_an_unreadable_ready_ends_the_stream(peer):
    await peer.receive()
    peer.send(ChaincodeMessage(type=Type.REGISTERED))
    peer.send(ChaincodeMessage(type=Type.READY, payload=b"\xff"))
    with pytest.raises(RpcError, match="READY"):
        await peer.receive()


async def test_transactions_interleave_on_one_stream(peer):
    await peer.shake_hands()
    waiting: dict[str, asyncio.Event] = {name: asyncio.Event() for name in ("t1", "t2")}
    both_asked = asyncio.Barrier(3)

    async def run(txid: str) -> bytes:
        inbox = peer._inboxes[txid] = asyncio.Queue()
        peer.send(call(txid, b"read", txid.encode()))
        request = await inbox.get()
        await both_asked.wait()
        await waiting[txid].wait()
        peer.send(respond(txid.encode())(request))
        return value_of(await inbox.get())

    first, second = asyncio.create_task(run("t1")), asyncio.create_task(run("t2"))
    await both_asked.wait()
    waiting["t2"].set()
    assert await second == b"t2"
    assert not first.done()
    waiting["t1"].set()
    assert await first == b"t1"


async def test_the_same_transaction_id_on_two_channels_is_two_transactions(peer):
    await peer.shake_hands()
    inbox = peer._inboxes["t1"] = asyncio.Queue()
    peer.send(call("t1", b"read", b"k", channel="c1"))
    peer.send(call("t1", b"read", b"k", channel="c2"))
    requests = [await inbox.get(), await inbox.get()]
    assert {request.channel_id for request in requests} == {"c1", "c2"}
    for request in requests:
        peer.send(respond(request.channel_id.encode())(request))
    assert {value_of(await inbox.get()), value_of(await inbox.get())} == {b"c1", b"c2"}


async def test_a_transaction_that_is_under_way_is_not_begun_again(peer):
    await peer.shake_hands()
    inbox = peer._inboxes["t1"] = asyncio.Queue()
    peer.send(call("t1", b"read", b"k"))
    request = await inbox.get()
    peer.send(call("t1", b"read", b"k"))
    refused = await inbox.get()
    assert refused.type == Type.ERROR
    assert b"already under way" in refused.payload
    peer.send(respond(b"v")(request))
    assert value_of(await inbox.get()) == b"v"


async def test_an_answer_nobody_waits_for_is_dropped(peer):
    await peer.shake_hands()
    peer.send(ChaincodeMessage(type=Type.RESPONSE, txid="t9", channel_id="c1"))
    assert value_of(await peer.execute(call("t1", b"read", b"k"), respond(b"v"))) == b"v"


async def test_what_ready_allows_is_used(peer):
    params = ChaincodeAdditionalParams(use_write_batch=True, max_size_write_batch=2)
    await peer.shake_hands(params)
    asked: list[int] = []

    def answer(request: ChaincodeMessage) -> ChaincodeMessage:
        asked.append(request.type)
        return respond()(request)

    value_of(await peer.execute(call("t1", b"write", b'["a","b","c"]'), answer))
    assert asked == [Type.WRITE_BATCH_STATE, Type.WRITE_BATCH_STATE]


async def test_a_batch_that_the_peer_refuses_fails_the_transaction(peer):
    await peer.shake_hands(ChaincodeAdditionalParams(use_write_batch=True))

    def refuse(request: ChaincodeMessage) -> ChaincodeMessage:
        answer = respond(b"read-only")(request)
        answer.type = Type.ERROR
        return answer

    answer = await peer.execute(call("t1", b"write", b'["a"]'), refuse)
    assert (answer.type, answer.payload) == (Type.ERROR, b"failed send batch: read-only")


async def test_transactions_that_wait_when_the_peer_hangs_up_are_released():
    released = threading.Event()

    class Waiting(Contract):
        @transaction
        def wait(self, ctx: Context) -> None:
            try:
                ctx.stub.get_state("k")
            finally:
                released.set()

    settings = ServerSettings("127.0.0.1:0", "waiting_1:abc")
    server = ChaincodeServer(Chaincode([Waiting()]), settings)
    peer = DialingPeer(LocalChannel(server.services()))
    await peer.shake_hands()
    inbox = peer._inboxes["t1"] = asyncio.Queue()
    peer.send(call("t1", b"wait"))
    await inbox.get()
    await peer.hang_up()
    assert await asyncio.to_thread(released.wait, 5)
    await server.stop()
