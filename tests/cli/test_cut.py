"""``gridloom cut``: blocks end when told to."""

import asyncio

import pytest

from gridloom.deploy.access import NetworkAccess
from gridloom.deploy.home import NetworkHome
from harness.network import NetworkProcess, gridloom

pytestmark = pytest.mark.network


@pytest.mark.parametrize("options", [(), ("--processes",)], ids=["one process", "processes"])
async def test_a_block_ends_when_told_to(tmp_path, options):
    description = tmp_path / "manual.yaml"
    description.write_text("cutting: manual\n")
    folder = tmp_path / "network"
    with NetworkProcess(folder, "--config", str(description), *options):
        access = NetworkAccess.open(NetworkHome(folder))
        approving = asyncio.create_task(
            asyncio.to_thread(gridloom, "chaincode", "approve", "probe", "--dir", str(folder))
        )
        (org, *_) = access.topology.organizations
        admin, peer = access.channel_admin(org.msp_id), access.peer(org.peers[0].name)
        await asyncio.sleep(2)
        assert (await admin.info(peer, "mychannel")).height == 1
        assert not approving.done()
        await asyncio.to_thread(gridloom, "cut", "--dir", str(folder))
        await asyncio.wait_for(approving, 10)
        assert (await admin.info(peer, "mychannel")).height == 2
        await access.close()


def test_it_needs_a_running_network(tmp_path):
    result = gridloom("cut", "--dir", tmp_path / "nothing")
    assert result.returncode == 1
    assert "there is no network here" in result.stderr
