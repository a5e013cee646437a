"""Whom a peer finds at an address, whoever comes and goes there."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from itertools import count
from typing import TypeVar

import pytest
from google.protobuf.message import Message

from gridloom.common.errors import GridloomError
from gridloom.common.rpc import Channel
from gridloom.common.rpc.local import LocalChannel
from gridloom.deploy.network import Network
from gridloom.deploy.topology import Topology
from gridloom.peer.discovery import gossip_directory
from gridloom.peer.discovery.gossip_directory import GossipDirectory
from gridloom.peer.discovery.peers import PeerInfo
from harness.gossiping import Unreachable

M = TypeVar("M", bound=Message)

DESCRIPTION = """
organizations: [{name: Org1, peers: 2}, {name: Org2}, {name: Org3}]
"""
ASKING, FIRST, RENEWED, OTHER = (
    f"{name}.example.com" for name in ("peer0.org2", "peer0.org1", "peer1.org1", "peer0.org3")
)
ADDRESS = "somewhere:7051"


class Place(Unreachable):
    """An address at which one peer answers, then another, or nobody."""

    def __init__(self) -> None:
        self.there: Channel = Unreachable()

    async def stream(
        self,
        method: str,
        requests: AsyncIterator[Message],
        response_type: type[M],
        *,
        timeout: float | None = None,
    ) -> AsyncGenerator[M, None]:
        async for response in self.there.stream(method, requests, response_type, timeout=timeout):
            yield response


class Asking:
    """A peer's directory, which knows one address."""

    def __init__(self, network: Network) -> None:
        self.network, self.place = network, Place()
        self.peer = network.peers[ASKING]
        self.directory = GossipDirectory(
            lambda endpoint: self.place if endpoint == ADDRESS else Unreachable(),
            count().__next__,
            bootstrap=[ADDRESS],
        )
        local = LocalChannel(self.peer.services())
        own = PeerInfo("Org2MSP", "own:7051", self.peer.signer.serialized, local)
        self.directory.start(self.peer, own)

    async def move_in(self, name: str = "") -> None:
        """Have another peer answer there, or nobody; who was there is gone."""
        self.peer.communication.disconnect(ADDRESS)
        self.place.there = Unreachable()
        if name:
            self.place.there = LocalChannel(self.network.peers[name].services())

    async def until_found(self, *names: str) -> None:
        wanted = {self.network.peers[name].signer.serialized for name in names}
        await until(lambda: {found.identity for found in self.found()} == wanted)

    def found(self) -> list[PeerInfo]:
        return list(self.directory.peers("mychannel"))[1:]


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.01)


@pytest.fixture
async def asking(monkeypatch):
    for pause in ("LOOK", "SEEK", "KEEP_UP"):
        monkeypatch.setattr(gossip_directory, pause, 0.01)
    async with Network.in_memory(Topology.parse(DESCRIPTION)) as network:
        asking = Asking(network)
        yield asking
        await asking.directory.stop()


async def test_who_comes_is_found_and_who_goes_is_missed(asking):
    await asking.move_in(FIRST)
    await asking.until_found(FIRST)
    (found,) = asking.found()
    height = asking.network.peers[FIRST].standing("mychannel").height
    assert (found.msp_id, found.endpoint, found.height) == ("Org1MSP", ADDRESS, height)
    await asking.move_in()
    await asking.until_found()


async def test_a_peer_with_a_new_certificate_is_known_by_that_one(asking):
    await asking.move_in(FIRST)
    await asking.until_found(FIRST)
    await asking.move_in(RENEWED)
    await asking.until_found(RENEWED)


async def test_another_organisations_peer_may_move_in(asking):
    await asking.move_in(FIRST)
    await asking.until_found(FIRST)
    await asking.move_in(OTHER)
    await asking.until_found(OTHER)
    assert asking.found()[0].msp_id == "Org3MSP"


async def test_a_failure_does_not_end_the_asking(asking, monkeypatch, caplog):
    def broken(channel_id: str) -> None:
        raise GridloomError("the ledger is being repaired")

    with monkeypatch.context() as patched:
        patched.setattr(asking.peer, "standing", broken)
        await until(lambda: "the ledger is being repaired" in caplog.text)
    await asking.move_in(FIRST)
    await asking.until_found(FIRST)
