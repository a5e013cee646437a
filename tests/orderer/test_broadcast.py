"""Broadcast: the status and the words for everything that can be sent."""

import os
from collections.abc import Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest

from gridloom.common.rpc import Call
from gridloom.common.rpc.local import LocalChannel
from gridloom.common.wire import parse
from gridloom.deploy.topology import Batch
from gridloom.orderer.chain import CuttingMode
from gridloom.orderer.node import Orderer
from gridloom.orderer.solo.consenter import SoloConsenter
from gridloom.orderer.storage import MemoryStorage
from gridloom.protos.common import common_pb2
from gridloom.protos.common.common_pb2 import Block, Envelope
from harness.ordering import (
    BROADCAST,
    CHANNEL,
    Client,
    change_orderer,
    genesis,
    material,
    message,
    orderer_signer,
    set_timeout,
    stream_of,
    user,
)
from harness.shared import shared

SUCCESS, BAD_REQUEST, FORBIDDEN = 200, 400, 403
NOT_SATISFIED = (
    "implicit policy evaluation failed - 0 sub-policies were satisfied, "
    "but this policy requires 1 of the 'Writers' sub-policies to be satisfied"
)


@asynccontextmanager
async def orderer_of(block: Block, **options):
    orderer = Orderer(
        orderer_signer(), "OrdererMSP", MemoryStorage(), cutting=CuttingMode.MANUAL, **options
    )
    orderer.join(block)
    await orderer.start()
    try:
        yield Client(LocalChannel(orderer.services()), user())
    finally:
        await orderer.stop()


@pytest.fixture
async def client() -> Iterator[Client]:
    async with orderer_of(genesis()) as client:
        yield client


async def answer(client: Client, envelope: Envelope) -> tuple[int, str]:
    [found] = await client.broadcast(envelope)
    return found.status, found.info


def with_headers(channel_header: bytes | None = None, signature_header: bytes = b"") -> Envelope:
    header = common_pb2.Header(channel_header=channel_header, signature_header=signature_header)
    payload = common_pb2.Payload(header=header).SerializeToString()
    return Envelope(payload=payload, signature=user().sign(payload))


@pytest.mark.parametrize(
    "header_type",
    [common_pb2.MESSAGE, common_pb2.ENDORSER_TRANSACTION, common_pb2.DELIVER_SEEK_INFO, 77],
)
async def test_whatever_is_not_configuration_is_ordered_unread(client, header_type) -> None:
    envelope = message(b"\xff\xff garbage", header_type=header_type)
    assert await client.send(envelope, envelope) == [SUCCESS, SUCCESS]


@pytest.mark.parametrize(
    ("envelope", "info"),
    [
        (Envelope(), "could not determine channel ID: header not set"),
        (
            Envelope(payload=common_pb2.Payload(data=b"x").SerializeToString()),
            "could not determine channel ID: header not set",
        ),
        (with_headers(), "could not determine channel ID: channel header not set"),
        (message(channel_id="nosuch"), "channel does not exist"),
        (
            message(header_type=common_pb2.CONFIG),
            "message is of type that cannot be processed directly",
        ),
        (
            message(header_type=common_pb2.ORDERER_TRANSACTION),
            "message is of type that is no longer supported",
        ),
    ],
)
async def test_what_cannot_be_processed_is_a_bad_request(client, envelope, info) -> None:
    assert await answer(client, envelope) == (BAD_REQUEST, info)


@pytest.mark.parametrize(
    "envelope",
    [
        Envelope(payload=b"\xff"),
        with_headers(b"\xff"),
        with_headers(b"\x22\x01x", b"\xff"),
    ],
)
async def test_malformed_bytes_are_a_bad_request(client, envelope) -> None:
    status, info = await answer(client, envelope)
    assert status == BAD_REQUEST
    assert info.startswith("could not determine channel ID: ")


async def test_the_stream_ends_after_the_first_refusal(client) -> None:
    answers = await client.send(message(), message(channel_id="nosuch"), message())
    assert answers == [SUCCESS, BAD_REQUEST]


async def test_a_wrong_signature_is_forbidden_in_fabrics_words(client) -> None:
    envelope = message()
    envelope.signature = user().sign(b"something else")
    assert await answer(client, envelope) == (FORBIDDEN, f"{NOT_SATISFIED}: permission denied")


async def test_a_peer_is_no_writer_of_the_test_network(client) -> None:
    peer = material().node("peer0.org1.example.com").signing_identity
    assert (await answer(client, message(signer=peer)))[0] == FORBIDDEN
    assert (await answer(client, message(signer=orderer_signer())))[0] == SUCCESS


async def test_an_identity_of_no_known_msp_is_forbidden(client) -> None:
    header = common_pb2.SignatureHeader(creator=b"\xffnobody", nonce=b"n")
    channel = common_pb2.ChannelHeader(channel_id=CHANNEL)
    envelope = with_headers(channel.SerializeToString(), header.SerializeToString())
    assert (await answer(client, envelope))[0] == FORBIDDEN


async def test_a_message_may_be_as_large_as_absolute_max_bytes_and_no_larger() -> None:
    overhead = len(message(b"").payload)
    async with orderer_of(
        genesis(Batch(absolute_max_bytes=4096, preferred_max_bytes=2048))
    ) as client:
        fitting = message(bytes(4096 - overhead - 100))
        assert await answer(client, fitting) == (SUCCESS, "")
        large = message(bytes(5000))
        size = len(large.payload) + len(large.signature)
        expected = f"message payload is {size} bytes and exceeds maximum allowed 4096 bytes"
        assert await answer(client, large) == (BAD_REQUEST, expected)


async def test_an_expired_signer_is_refused_unless_checks_are_off() -> None:
    late = datetime.now(UTC) + timedelta(days=365 * 20)
    expired = (BAD_REQUEST, "broadcast client identity expired")
    async with orderer_of(genesis(), now=lambda: late) as client:
        assert await answer(client, message()) == expired
    async with orderer_of(genesis(), now=lambda: late, check_expiration=False) as client:
        assert await answer(client, message()) != expired


async def test_a_config_update_nobody_may_make_is_a_bad_request_in_fabrics_words() -> None:
    first = genesis()
    update = change_orderer(first, set_timeout("7s"), admins=["Org1MSP"])
    async with orderer_of(first) as client:
        assert await answer(client, update) == (
            BAD_REQUEST,
            f"error applying config update to existing channel '{CHANNEL}': error authorizing "
            "update: error validating DeltaSet: policy for [Value]  /Channel/Orderer/BatchTimeout "
            "not satisfied: implicit policy evaluation failed - 0 sub-policies were satisfied, "
            "but this policy requires 1 of the 'Admins' sub-policies to be satisfied",
        )


async def test_a_config_update_sent_by_no_writer_is_forbidden() -> None:
    first = genesis()
    peer = material().node("peer0.org1.example.com").signing_identity
    update = change_orderer(first, set_timeout("7s"), sender=peer)
    async with orderer_of(first) as client:
        status, info = await answer(client, update)
    assert status == FORBIDDEN
    assert info.startswith("config update for existing channel did not pass initial checks: ")


async def test_garbage_in_a_config_update_is_a_bad_request(client) -> None:
    for data in (b"\xff", b"", b"\x0a\x01\xff"):
        envelope = message(data, header_type=common_pb2.CONFIG_UPDATE)
        assert (await answer(client, envelope))[0] == BAD_REQUEST


async def test_random_bytes_never_break_the_stream(client) -> None:
    for length in range(1, 60):
        assert (await answer(client, Envelope(payload=os.urandom(length))))[0] == BAD_REQUEST


def wire(number: int, name: str, kind: str) -> bytes:
    file = f"{number:02}-{name}-AtomicBroadcast_Broadcast.{kind}.pb"
    return shared("golden", "wire", file).read_bytes()


@pytest.mark.parametrize(("number", "name"), [(5, "broadcast"), (7, "broadcast-rejected")])
async def test_a_real_dialogue_is_repeated_byte_for_byte(number, name) -> None:
    """On the chain of the real network, whose raft orderer is played by a solo one."""
    storage = MemoryStorage()
    store = storage.open("golden1")
    for path in sorted(shared("golden", "blocks", "orderer").glob("*.pb")):
        store.append(parse(Block, path.read_bytes(), "block"))
    consenters = {"etcdraft": SoloConsenter(CuttingMode.MANUAL)}
    sent = datetime(2026, 11, 20, 9, 40, tzinfo=UTC)
    orderer = Orderer(
        orderer_signer(), "OrdererMSP", storage, now=lambda: sent, consenters=consenters
    )
    await orderer.start()
    request = parse(Envelope, wire(number, name, "req"), "request")
    method = orderer.services().find(BROADCAST)
    answers = [
        found.SerializeToString() async for found in method.handler(stream_of([request]), Call())
    ]
    assert answers == [wire(number + 1, name, "resp")]
    await orderer.stop()
