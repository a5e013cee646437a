"""``gridloom cut``: blocks end when told to."""

import asyncio
import os
from datetime import UTC, datetime

import pytest

from gridloom.common.envelopes import NONCE_LENGTH, signed_envelope
from gridloom.deploy.home import HomeError, NetworkHome
from gridloom.deploy.network_lock import NetworkLock
from gridloom.protos.common.common_pb2 import ENDORSER_TRANSACTION
from harness.network import NetworkProcess, chain, gridloom, nodes, settled_height

pytestmark = pytest.mark.network


@pytest.mark.parametrize("options", [(), ("--processes",)], ids=["one process", "processes"])
async def test_a_block_ends_when_told_to(tmp_path, options):
    description = tmp_path / "manual.yaml"
    description.write_text("cutting: manual\n")
    folder = tmp_path / "network"
    with NetworkProcess(folder, "--config", str(description), *options) as network:
        async with network.access() as access:
            await order(access, b"first")
            await order(access, b"second")
            assert await settled_height(access) == 1
            told = await asyncio.to_thread(gridloom, "cut", "--dir", str(folder))
            assert told.returncode == 0, told.stderr
            assert await settled_height(access, at_least=2) == 2
            (block,) = await chain(access, nodes(access)[0][0], start=1)
    assert len(block.data.data) == 2


async def order(access, data):
    """Return when the orderer has taken a message."""
    (channel,), signer = access.topology.channels, access.signer("Org1", "User1")
    nonce = os.urandom(NONCE_LENGTH)
    envelope = signed_envelope(
        ENDORSER_TRANSACTION, channel.name, data, signer, lambda: datetime.now(UTC), nonce
    )
    await access.invocation("Org1", "User1").broadcast(access.orderer(channel), envelope)


def test_it_needs_a_running_network(tmp_path):
    result = gridloom("cut", "--dir", tmp_path / "nothing")
    assert result.returncode == 1
    assert "there is no network here" in result.stderr


def test_a_network_that_starts_is_not_sent_a_signal_that_would_end_it(tmp_path):
    home = NetworkHome(tmp_path)
    home.save_state({"pid": 1, "ports": [], "orderers": [], "processes": {}})  # of its last run
    with pytest.raises(HomeError, match="the network is not running"):
        home.serving_process()
    with NetworkLock(tmp_path):
        with pytest.raises(HomeError, match=f"is starting or stopping in process {os.getpid()}"):
            home.serving_process()
        for command in (("cut",), ("ca", "renew", "peer0.org1.example.com")):
            assert gridloom(*command, folder=tmp_path).returncode == 1
        home.save_state(home.state() | {"pid": os.getpid()})
        assert home.serving_process() == os.getpid()
