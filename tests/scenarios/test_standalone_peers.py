"""Peers that run by themselves find each other, whoever is an anchor peer, and miss the dead."""

import asyncio
import shutil
from collections.abc import Callable, Iterable, Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from gridloom.deploy.node_config import write_node_folders
from gridloom.deploy.standalone import read_block
from gridloom.deploy.standalone_peer import StandalonePeer
from gridloom.peer.discovery import gossip_directory
from gridloom.peer.discovery.peers import PeerInfo
from harness.ports import free_port

DESCRIPTION = """
organizations:
  - {{name: Org1, peers: [{{host: 127.0.0.1, port: {}}}, {{host: 127.0.0.1, port: {}}}]}}
  - {{name: Org2, peers: [{{host: 127.0.0.1, port: {}}}, {{host: 127.0.0.1, port: {}}}]}}
"""
PEERS = [f"peer{number}.{org}.example.com" for org in ("org1", "org2") for number in (0, 1)]
ANCHORS = {PEERS[0], PEERS[2]}


class Machines:
    """A consortium's peers, each on ports of its own and with its own folder only."""

    def __init__(self, folder: Path) -> None:
        description = DESCRIPTION.format(*(free_port() for _ in PEERS))
        made = {node.name: node for node in write_node_folders(description, folder / "consortium")}
        self.folders = {name: made[name] for name in PEERS}
        self.block = self.folders[PEERS[0]] / "mychannel.block"
        self.running: dict[str, StandalonePeer] = {}

    async def start(self, *names: str, joined: bool = True) -> None:
        for name in names:
            quiet = {"CORE_OPERATIONS_LISTENADDRESS": ""}
            node = StandalonePeer(self.folders[name], quiet, [self.block] if joined else [])
            await node.start()
            for server in node.servers:
                await server.start()
            self.running[name] = node

    async def stop(self, *names: str) -> None:
        for name in names:
            node = self.running.pop(name)
            await asyncio.gather(*(server.stop() for server in node.servers))
            await node.stop()

    def peers(self, name: str) -> Sequence[PeerInfo]:
        """The channel's peers as one of them knows them, itself first."""
        return self.running[name]._directory.peers("mychannel")

    def known_to(self, name: str) -> set[str]:
        """The addresses of the peers that one knows, itself included."""
        return {peer.endpoint for peer in self.peers(name)}

    def addresses(self, names: Iterable[str]) -> set[str]:
        return {self.running[name].settings.address for name in names}

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(60):
            while not condition():  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(0.02)

    async def until_all_know_all(self) -> None:
        everybody = self.addresses(self.running)
        await self.until(lambda: all(self.known_to(name) == everybody for name in self.running))


@pytest.fixture
async def machines(tmp_path, monkeypatch):
    for pause, seconds in {"LOOK": 0.02, "SEEK": 0.05, "KEEP_UP": 0.1}.items():
        monkeypatch.setattr(gossip_directory, pause, seconds)
    machines = Machines(tmp_path)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(lambda: machines.stop(*machines.running))
        yield machines


@pytest.mark.network
async def test_everybody_knows_everybody_whatever_came_first(machines):
    await machines.start(*(name for name in PEERS if name not in ANCHORS))
    await asyncio.sleep(0.2)
    assert [len(machines.known_to(name)) for name in machines.running] == [1, 1]
    await machines.start(*ANCHORS)
    await machines.until_all_know_all()


@pytest.mark.network
async def test_a_peer_that_ended_is_missed_and_found_again(machines):
    await machines.start(*PEERS)
    await machines.until_all_know_all()
    for name in (PEERS[3], PEERS[2]):
        await machines.stop(name)
        await machines.until_all_know_all()
        await machines.start(name)
        await machines.until_all_know_all()


@pytest.mark.network
async def test_who_has_not_joined_the_channel_is_none_of_its_peers(machines):
    await machines.start(*ANCHORS)
    await machines.start(PEERS[3], joined=False)
    await machines.until(lambda: len(machines.known_to(PEERS[0])) > 1)
    await asyncio.sleep(0.3)
    assert machines.known_to(PEERS[0]) == machines.addresses(ANCHORS)
    machines.running[PEERS[3]].peer.join(read_block(machines.block))
    await machines.until_all_know_all()


@pytest.mark.network
async def test_height_and_chaincodes_of_others_are_known(machines):
    await machines.start(*ANCHORS)
    await machines.until_all_know_all()
    _, other = machines.peers(PEERS[0])
    assert (other.msp_id, other.height, other.chaincodes) == ("Org2MSP", 1, {})


@pytest.mark.network
async def test_a_new_chaincode_is_told_at_once(machines, monkeypatch):
    await machines.start(*ANCHORS)
    await machines.until_all_know_all()
    monkeypatch.setattr(gossip_directory, "KEEP_UP", 3_600.0)
    host = machines.running[PEERS[2]].peer.host
    monkeypatch.setattr(host, "runnable", lambda channel_id: {"shelf": 3})
    await machines.until(lambda: machines.peers(PEERS[0])[1].chaincodes == {"shelf": 3})


@pytest.mark.network
async def test_whoever_is_of_no_organization_of_the_channel_is_not_known(machines, tmp_path):
    msp = machines.folders[PEERS[1]] / "msp"
    shutil.rmtree(msp)
    shutil.copytree(Machines(tmp_path / "others").folders[PEERS[1]] / "msp", msp)
    await machines.start(*PEERS[:3])
    await machines.until(lambda: len(machines.known_to(PEERS[0])) > 1)
    await asyncio.sleep(0.3)
    assert machines.known_to(PEERS[0]) == machines.addresses([PEERS[0], PEERS[2]])
