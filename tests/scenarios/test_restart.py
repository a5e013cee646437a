"""Networks that are stopped, killed, robbed of the end of a file, and go on."""

import asyncio
import os
import signal
import subprocess
import time
from contextlib import suppress

import pytest

from gridloom.client import GatewayError
from gridloom.common.block_file import encode_block, encode_uvarint
from gridloom.protos.common.common_pb2 import Block
from harness.network import (
    GRIDLOOM,
    PROBE,
    SHELF,
    NetworkProcess,
    chain,
    contract,
    deploy,
    edited,
    nodes,
    ordered_chain,
    require_same_chains,
    settled_height,
)

PEER = "peer0.org2.example.com"


async def require_agreement(access):
    """Fail unless all nodes have the same chain; return it."""
    ordered = await ordered_chain(access)
    await settled_height(access, len(ordered))
    chains = [await chain(access, name) for name, _, _ in nodes(access)]
    require_same_chains(*chains, ordered)
    return chains[0]


async def require_everywhere(access, expected):
    """Fail unless every peer's state has all that was acknowledged."""
    await settled_height(access)
    for name, msp_id, _ in nodes(access):
        gateway = access.gateway(msp_id, peer=name)
        shelf = gateway.get_network("mychannel").get_contract("shelf")
        keys = list(expected)
        values = await asyncio.gather(*(shelf.evaluate_transaction("get", key) for key in keys))
        assert dict(zip(keys, values, strict=True)) == expected


async def load_until(access, enough, end):
    """Submit from 16 clients until ``enough`` are acknowledged, call ``end``; return them all."""
    acknowledged = {}
    reached = asyncio.Event()

    async def client(number):
        shelf = contract(access, "shelf", "Org1" if number % 2 else "Org2")
        for count in range(10_000):
            key = f"{number}-{count}"
            try:
                await shelf.submit_transaction("put", key, key)
            except GatewayError:
                return
            acknowledged[key] = key.encode()
            if len(acknowledged) >= enough:
                reached.set()

    clients = [asyncio.create_task(client(number)) for number in range(16)]
    await reached.wait()
    end()
    await asyncio.gather(*clients)
    return acknowledged


@pytest.mark.network
@pytest.mark.slow
class TestOneProcess:
    """All nodes in one process."""

    options = ()

    @pytest.fixture
    def network(self, tmp_path):
        with NetworkProcess(tmp_path / "home", *self.options) as network:
            yield network

    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
    async def test_a_stopped_network_continues_its_ledger(self, network, tmp_path, number):
        async with network.access() as access:
            await deploy(access, SHELF, "shelf")
            await contract(access, "shelf").submit_transaction("put", "lamp", "brass")
            before = await require_agreement(access)
        assert network.stop(number) == 0
        network.start()
        async with network.access() as access:
            assert (await require_agreement(access)) == before
            shelf = contract(access, "shelf")
            assert await shelf.evaluate_transaction("get", "lamp") == b"brass"
            await shelf.submit_transaction("put", "lamp", "steel")
            second = edited(SHELF, tmp_path / "second", "EDITION = 1", "EDITION = 2")
            await deploy(access, second, "shelf", version="2")
            assert await shelf.evaluate_transaction("edition") == b"2"
            after = await require_agreement(access)
        assert after[: len(before)] == before

    async def test_what_was_acknowledged_survives_a_kill_under_load(self, network):
        async with network.access() as access:
            await deploy(access, SHELF, "shelf")
            acknowledged = await load_until(access, 150, network.kill)
        network.start()
        async with network.access() as access:
            await require_everywhere(access, acknowledged)
            blocks = await require_agreement(access)
            await contract(access, "shelf").submit_transaction("put", "and", "on")
            assert len(await require_agreement(access)) == len(blocks) + 1


class TestProcesses(TestOneProcess):
    """Each node in a process of its own; the killed one is their supervisor."""

    options = ("--processes",)

    async def test_what_was_acknowledged_survives_the_kill_of_every_node(self, network):
        def kill():
            for process_id in network.home.state()["processes"].values():
                with suppress(ProcessLookupError):  # its supervisor may be faster
                    os.kill(process_id, signal.SIGKILL)

        async with network.access() as access:
            await deploy(access, SHELF, "shelf")
            acknowledged = await load_until(access, 150, kill)
        assert network.wait() == 1
        network.start()
        async with network.access() as access:
            await require_everywhere(access, acknowledged)
            await require_agreement(access)

    async def test_a_killed_peer_ends_the_network_which_says_so_and_continues(self, network):
        async with network.access() as access:
            await deploy(access, PROBE, "probe")
            await contract(access, "probe").submit_transaction("put", "lamp", "brass")
        os.kill(network.home.state()["processes"][PEER], signal.SIGKILL)
        assert network.wait() == 1
        assert f"Error: node {PEER} was killed by SIGKILL; its log is" in network.errors
        state = network.home.state()
        assert (state["pid"], state["processes"]) == (None, {})
        assert f"node {PEER} was killed" in state["failure"]
        assert network.home.process_id() is None
        network.start()
        async with network.access() as access:
            await contract(access, "probe").submit_transaction("put", "lamp", "steel")
            await require_agreement(access)
        assert network.home.state().get("failure") is None


@pytest.mark.network
@pytest.mark.slow
async def test_a_peer_that_was_killed_alone_catches_up_when_it_is_back(tmp_path):
    with NetworkProcess(tmp_path / "home") as network:
        network.stop()
    running = {}

    def start(name):
        running[name] = subprocess.Popen(
            [*GRIDLOOM, "node", "run", name, "--dir", str(network.home.path)],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )

    def require_ready(name):
        assert running[name].stdout.readline() == b"ready\n"
        running[name].stdout.close()

    names = [node.name for node in network.home.topology().nodes()]
    try:
        for name in names:
            start(name)
        for name in names:
            require_ready(name)
        async with network.access() as access:
            await deploy(access, SHELF, "shelf", policy="OR('Org1MSP.peer','Org2MSP.peer')")
            running[PEER].kill()
            running[PEER].wait()
            shelf = contract(access, "shelf")
            for number in range(20):
                await shelf.submit_transaction("put", f"k{number}", "meanwhile")
            start(PEER)
            require_ready(PEER)
            # The two approvals may share a block; every later transaction waited for its own.
            assert len(await require_agreement(access)) >= 23
            await require_everywhere(access, {f"k{n}": b"meanwhile" for n in range(20)})
            await contract(access, "shelf", "Org2").submit_transaction("put", "back", "yes")
    finally:
        for process in running.values():
            process.terminate()
        assert [process.wait(120) for process in running.values()] == [0, 0, 0]


@pytest.mark.network
@pytest.mark.slow
async def test_half_written_files_are_no_obstacle(tmp_path):
    with NetworkProcess(tmp_path / "home") as network:
        async with network.access() as access:
            await deploy(access, SHELF, "shelf")
            await contract(access, "shelf").submit_transaction("put", "lamp", "brass")
            blocks = await require_agreement(access)
        network.kill()
        home = network.home
        (file,) = (home.path / "orderers").rglob("blockfile_000000")
        torn_block = Block()
        torn_block.CopyFrom(blocks[-1])
        torn_block.header.number += 1
        record = encode_block(torn_block)
        with file.open("ab") as torn:
            torn.write((encode_uvarint(len(record)) + record)[:-100])
        for path in (home.path / "peers").rglob("ledger.db-wal"):
            with path.open("ab") as wal:
                wal.write(os.urandom(5000))
        (home.path / "network.json.new").write_text('{"pid": 1')
        (home.path / "organizations.new" / "peerOrganizations").mkdir(parents=True)
        network.start()
        async with network.access() as access:
            assert await require_agreement(access) == blocks
            await contract(access, "shelf").submit_transaction("put", "lamp", "steel")
            await require_agreement(access)


def kill_after(seconds, folder, options):
    """Start ``gridloom up`` and kill it."""
    command = [*GRIDLOOM, "up", "--dir", str(folder), "--port-base", "0", *options]
    nowhere = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, **nowhere) as process:
        time.sleep(seconds)
        process.kill()


@pytest.mark.network
@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "moments"),
    [((), (0.35, 0.45, 0.5, 0.6)), (("--processes",), (0.5, 0.8, 1.1))],
    ids=["one", "processes"],
)
async def test_a_first_start_that_was_killed_at_any_moment_is_continued(tmp_path, options, moments):
    for moment in moments:
        kill_after(moment, tmp_path / "home", options)
    with NetworkProcess(tmp_path / "home", *options) as network:
        async with network.access() as access:
            await deploy(access, PROBE, "probe")
            await contract(access, "probe").submit_transaction("put", "lamp", "brass")
            await require_agreement(access)
