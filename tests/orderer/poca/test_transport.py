"""orderer/poca/transport: consenters recognise each other by signature, over any connection."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from gridloom.common.poca import BlockProof, write_proof
from gridloom.common.rpc import Code, RpcError, ServiceRegistry
from gridloom.common.rpc.local import LocalChannel
from gridloom.common.rpc.unreachable import UnreachableChannel
from gridloom.orderer.poca.core import Ask
from gridloom.orderer.poca.messages import encode
from gridloom.orderer.poca.transport import CLUSTER, STEP, PocaService, PocaTransport
from gridloom.protos.orderer.cluster_pb2 import ConsensusRequest, StepRequest, StepResponse
from harness.ordering import CHANNEL
from harness.poca_orderers import config, material, signer

CONFIG = config(["95", "98", "100"])


class Chain:
    """What a service hands messages to."""

    config = CONFIG

    def __init__(self):
        self.heard = []
        self.news = asyncio.Event()

    def receive(self, sender, message):
        self.heard.append((sender, message))
        self.news.set()

    async def has_heard(self, count):
        async with asyncio.timeout(120):
            while len(self.heard) < count:
                self.news.clear()
                await self.news.wait()


def service(chain):
    registry = ServiceRegistry()
    registry.add(CLUSTER, PocaService({CHANNEL: chain}.get))
    return LocalChannel(registry)


@asynccontextmanager
async def transport(own, connect, configured=CONFIG):
    sending = PocaTransport(CHANNEL, signer(own), connect)
    sending.configure(configured)
    try:
        yield sending
    finally:
        await sending.close()


async def test_messages_arrive_in_order_under_their_senders_number():
    chain = Chain()
    async with transport(1, lambda endpoint: service(chain)) as sending:
        for number in range(5):
            sending.send(0, b"message %d" % number)
        await chain.has_heard(5)
    assert chain.heard == [(1, b"message %d" % number) for number in range(5)]


async def test_a_broken_connection_is_opened_again():
    chain, attempts = Chain(), []

    def connect(endpoint):
        attempts.append(endpoint)
        return UnreachableChannel(endpoint) if len(attempts) < 3 else service(chain)

    async with transport(1, connect) as sending:
        sending.send(2, b"patience")
        await chain.has_heard(1)
    assert set(attempts) == {CONFIG.consenters[2].endpoint}


async def test_a_sender_who_lags_behind_is_known_by_his_signature():
    chain = Chain()
    older = config(["90", "95", "98", "100"])  # the receiver knows three of these
    async with transport(2, lambda endpoint: service(chain), older) as sending:
        sending.send(0, b"where are you?")
        await chain.has_heard(1)
    assert chain.heard == [(2, b"where are you?")]


async def call(chain, request):
    async def requests():
        yield StepRequest(consensus_request=request)

    async for _ in service(chain).stream(STEP, requests(), StepResponse):
        pass


def client_signature(message):
    return material().user("Org1MSP", "User1").signing_identity.sign(message)


@pytest.mark.parametrize(
    "metadata",
    [
        b"",
        b"{}",
        write_proof(BlockProof(0, 0, b"")),
        write_proof(BlockProof(0, 0, client_signature(b"x"))),
        write_proof(BlockProof(9, 0, b"\x30\x06\x02\x01\x01\x02\x01\x01")),
    ],
)
async def test_who_is_no_consenter_is_not_heard(metadata):
    chain = Chain()
    request = ConsensusRequest(channel=CHANNEL, payload=encode(Ask(1)), metadata=metadata)
    with pytest.raises(RpcError) as caught:
        await call(chain, request)
    assert caught.value.code is Code.PERMISSION_DENIED
    assert chain.heard == []


async def test_a_channel_that_is_not_ordered_here_is_not_found():
    with pytest.raises(RpcError) as caught:
        await call(Chain(), ConsensusRequest(channel="elsewhere"))
    assert caught.value.code is Code.NOT_FOUND
