"""The deliver services against captured dialogues of a real peer."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from gridloom.common.rpc import Call
from gridloom.peer.chaincodes.lifecycle.store import FilePackageStore
from gridloom.peer.node import Peer
from gridloom.protos.common.common_pb2 import Envelope
from gridloom.protos.peer.events_pb2 import DeliverResponse
from gridloom.protos.peer.proposal_pb2 import SignedProposal
from harness.golden_channel import ordered_block
from harness.golden_peer import golden_peer
from harness.shared import shared

CAPTURED = datetime(2026, 11, 20, 9, 38, 2, tzinfo=UTC)


def wire(number: int, kind: str) -> bytes:
    (path,) = shared("golden", "wire").glob(f"{number}-*.{kind}.pb")
    return path.read_bytes()


@pytest.fixture
async def start(tmp_path):
    peers = []

    async def start(height: int) -> Peer:
        peers.append(await golden_peer(height, CAPTURED, FilePackageStore(tmp_path)))
        return peers[-1]

    yield start
    for peer in peers:
        await peer.stop()


async def dialogue(peer: Peer, method: str, *requests: bytes) -> list[DeliverResponse]:
    async def sent() -> AsyncIterator[Envelope]:
        for request in requests:
            yield Envelope.FromString(request)

    handler = peer.services().find(f"/protos.Deliver/{method}").handler
    return [response async for response in handler(sent(), Call())]


@pytest.mark.parametrize(
    ("method", "request_number", "answers"),
    [
        ("Deliver", 76, [77, 78]),
        ("DeliverFiltered", 82, [83, 84]),
        ("Deliver", 88, [89]),
    ],
)
async def test_a_real_request_gets_the_real_answers(start, method, request_number, answers):
    peer = await start(66)
    given = await dialogue(peer, method, wire(request_number, "req"))
    assert given == [DeliverResponse.FromString(wire(number, "resp")) for number in answers]


async def test_private_data_comes_with_the_block_of_a_transaction_endorsed_here(start):
    peer = await start(62)
    channel = peer.channel("golden1")
    endorse = peer.services().find("/protos.Endorser/ProcessProposal").handler
    await endorse(SignedProposal.FromString(wire(19, "req")), Call())
    await channel.commit(ordered_block(62))
    given = await dialogue(peer, "DeliverWithPrivateData", wire(85, "req"))
    assert given == [DeliverResponse.FromString(wire(number, "resp")) for number in (86, 87)]


async def test_without_the_cleartext_only_the_block_comes(start):
    peer = await start(63)
    block, status = await dialogue(peer, "DeliverWithPrivateData", wire(85, "req"))
    golden = DeliverResponse.FromString(wire(86, "resp"))
    assert block.block_and_private_data.block == golden.block_and_private_data.block
    assert not block.block_and_private_data.private_data_map
    assert status == DeliverResponse.FromString(wire(87, "resp"))
