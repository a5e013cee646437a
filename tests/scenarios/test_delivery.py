"""Delivery as clients of a whole network meet it: access that ends, mutual TLS, limits."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from gridloom.client import Gateway
from gridloom.common.envelopes import (
    NEVER,
    NEWEST,
    NONCE_LENGTH,
    OLDEST,
    seek_envelope,
    signed_envelope,
)
from gridloom.common.rpc import Code, RpcError
from gridloom.common.rpc.grpc_channel import GrpcChannel
from gridloom.common.rpc.grpc_server import GrpcServer
from gridloom.common.rpc.tls import ClientTls, ServerTls
from gridloom.deploy.network import Network
from gridloom.protos.common.common_pb2 import ENDORSER_TRANSACTION
from gridloom.protos.common.configtx_pb2 import Config
from gridloom.protos.orderer import ab_pb2
from gridloom.protos.orderer.ab_pb2 import SeekInfo
from gridloom.protos.peer import events_pb2

SUCCESS, BAD_REQUEST, FORBIDDEN = 200, 400, 403
PEER = "peer0.org1.example.com"
ORDERER = "orderer.example.com"
SERVICES = {
    "/orderer.AtomicBroadcast/Deliver": (ORDERER, ab_pb2.DeliverResponse),
    "/protos.Deliver/Deliver": (PEER, events_pb2.DeliverResponse),
    "/protos.Deliver/DeliverFiltered": (PEER, events_pb2.DeliverResponse),
    "/protos.Deliver/DeliverWithPrivateData": (PEER, events_pb2.DeliverResponse),
}


class Clock:
    """The network's time: this machine's, moved by ``ahead``."""

    def __init__(self):
        self.ahead = timedelta()

    def __call__(self):
        return datetime.now(UTC) + self.ahead


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
async def network(clock):
    async with Network.in_memory(now=clock) as network:
        yield network


def seek(network, start=OLDEST, stop=NEVER, organization="Org2", **options):
    return seek_envelope(
        "mychannel",
        start,
        stop,
        SeekInfo.BLOCK_UNTIL_READY,
        network.access.signer(organization, "User1"),
        network.builder.now,
        os.urandom(NONCE_LENGTH),
        **options,
    )


async def sent(*envelopes):
    for envelope in envelopes:
        yield envelope


def stream(network, method, *envelopes, channel=None) -> AsyncIterator[object]:
    """What a deliver service answers: numbers of blocks, and statuses with a minus."""
    name, response_type = SERVICES[method]
    answers = (channel or network.channel_to(name)).stream(method, sent(*envelopes), response_type)

    async def shown():
        async with aclosing(answers):
            async for answer in answers:
                kind = answer.WhichOneof("Type")
                if kind == "status":
                    yield -answer.status
                elif kind == "filtered_block":
                    yield answer.filtered_block.number
                elif kind == "block_and_private_data":
                    yield answer.block_and_private_data.block.header.number
                else:
                    yield answer.block.header.number

    return shown()


async def remove_org2(network):
    """Change the channel's configuration: Org2 takes part no longer."""
    access, (channel,) = network.access, network.topology.channels
    admin = access.channel_admin("Org1")
    original = await admin.fetch_config(access.orderer(channel), channel.name)
    updated = Config()
    updated.CopyFrom(original)
    del updated.channel_group.groups["Application"].groups["Org2MSP"]
    signers = [access.signer("Org2")]
    await admin.update(access.orderer(channel), channel.name, original, updated, signers)


@pytest.mark.parametrize("method", SERVICES)
async def test_who_loses_access_by_a_config_update_gets_no_further_block(network, method):
    async with aclosing(stream(network, method, seek(network))) as answers:
        assert await anext(answers) == 0
        waiting = asyncio.ensure_future(anext(answers))
        await asyncio.sleep(0)
        await remove_org2(network)
        assert await asyncio.wait_for(waiting, 60) == -FORBIDDEN
        with pytest.raises(StopAsyncIteration):
            await anext(answers)
    again = [each async for each in stream(network, method, seek(network))]
    assert again == [-FORBIDDEN]


@pytest.mark.parametrize("method", SERVICES)
async def test_who_keeps_access_sees_the_config_update(network, method):
    request = seek(network, organization="Org1")
    async with aclosing(stream(network, method, request)) as answers:
        assert await anext(answers) == 0
        await remove_org2(network)
        assert await asyncio.wait_for(anext(answers), 60) == 1


@pytest.mark.parametrize("method", SERVICES)
async def test_a_session_ends_with_its_certificate(network, clock, method):
    certificate = network.access.signer("Org2", "User1").certificate
    clock.ahead = certificate.not_valid_after_utc - timedelta(minutes=1) - datetime.now(UTC)
    requests = [seek(network, OLDEST, OLDEST), seek(network, OLDEST, OLDEST)]
    async with aclosing(stream(network, method, *requests)) as answers:
        assert [await anext(answers), await anext(answers)] == [0, -SUCCESS]
        clock.ahead += timedelta(minutes=2)
        assert [each async for each in answers] == [-FORBIDDEN]


@pytest.mark.parametrize("method", SERVICES)
async def test_many_requests_on_one_stream_are_answered_in_turn(network, method):
    requests = [seek(network, NEWEST, NEWEST), seek(network, OLDEST, NEWEST)]
    answers = [each async for each in stream(network, method, *requests)]
    assert answers == [0, -SUCCESS, 0, -SUCCESS]


async def order_something(network):
    """Have block 1 made of an envelope that is no configuration, and committed."""
    access, (channel,) = network.access, network.topology.channels
    signer, now = access.signer("Org1", "User1"), network.builder.now
    nonce = os.urandom(NONCE_LENGTH)
    envelope = signed_envelope(ENDORSER_TRANSACTION, channel.name, b"data", signer, now, nonce)
    await access.invocation("Org1", "User1").broadcast(access.orderer(channel), envelope)
    await asyncio.wait_for(network.peers[PEER].channel(channel.name).wait_for(2), 60)


@pytest.mark.parametrize("method", SERVICES)
async def test_headers_with_signatures_come_without_data_but_not_of_config_blocks(network, method):
    await order_something(network)
    request = seek(network, OLDEST, NEWEST, content_type=SeekInfo.HEADER_WITH_SIG)
    name, response_type = SERVICES[method]
    answers = network.channel_to(name).stream(method, sent(request), response_type)
    config, other, status = [answer async for answer in answers]
    assert status.status == SUCCESS
    if method.endswith("Filtered"):
        sizes = [len(each.filtered_block.filtered_transactions) for each in (config, other)]
        assert sizes == [1, 0]
        return
    private = method.endswith("PrivateData")
    first, second = (
        each.block_and_private_data.block if private else each.block for each in (config, other)
    )
    assert len(first.data.data) == 1
    assert not second.HasField("data")
    assert second.header.data_hash
    assert second.metadata.metadata


class MutualTls:
    """The peer over gRPC: a server that asks clients for a certificate, and their channels."""

    def __init__(self, network):
        node = network.builder.material.node
        self.server_tls = node(PEER).tls
        self.client_tls = node("peer0.org2.example.com").tls
        other = node(ORDERER).tls
        self.other_hash = certificate_hash(other.certificate)
        roots = self.client_tls.root + self.server_tls.root
        tls = ServerTls(self.server_tls.certificate, self.server_tls.key, roots)
        self.server = GrpcServer(network.peers[PEER].services(), "localhost:0", tls)
        self.channels = []

    def channel(self, *, certificate=True):
        tls = ClientTls(
            self.server_tls.root,
            self.client_tls.certificate if certificate else None,
            self.client_tls.key if certificate else None,
            PEER,
        )
        self.channels.append(GrpcChannel(f"localhost:{self.server.port}", tls))
        return self.channels[-1]


def certificate_hash(pem):
    return sha256(x509.load_pem_x509_certificate(pem).public_bytes(Encoding.DER)).digest()


@pytest.fixture
async def mutual(network):
    mutual = MutualTls(network)
    await mutual.server.start()
    yield mutual
    for channel in mutual.channels:
        await channel.close()
    await mutual.server.stop(0)


@pytest.mark.parametrize("method", [method for method in SERVICES if "protos" in method])
async def test_under_mutual_tls_a_request_is_bound_to_the_clients_certificate(
    network, mutual, method
):
    right = certificate_hash(mutual.client_tls.certificate)
    for claimed, expected in [
        (right, [0, -SUCCESS]),
        (mutual.other_hash, [-BAD_REQUEST]),
        (right[:-1], [-BAD_REQUEST]),
        (b"", [-BAD_REQUEST]),
    ]:
        request = seek(network, NEWEST, NEWEST, tls_cert_hash=claimed)
        answers = stream(network, method, request, channel=mutual.channel())
        assert [each async for each in answers] == expected


async def test_a_client_without_a_certificate_is_not_let_in(network, mutual):
    request = seek(network, NEWEST, NEWEST)
    answers = stream(
        network, "/protos.Deliver/Deliver", request, channel=mutual.channel(certificate=False)
    )
    with pytest.raises(RpcError) as refused:
        await anext(answers)
    assert refused.value.code is Code.UNAVAILABLE


async def test_the_client_binds_its_block_events_by_itself(network, mutual):
    tls = ClientTls(
        mutual.server_tls.root, mutual.client_tls.certificate, mutual.client_tls.key, PEER
    )
    signer = network.access.signer("Org2", "User1")
    gateway = Gateway.connect(f"localhost:{mutual.server.port}", signer, tls=tls)
    try:
        async with gateway.get_network("mychannel").block_events(start_block=0) as blocks:
            assert (await anext(aiter(blocks))).header.number == 0
    finally:
        await gateway.close()
