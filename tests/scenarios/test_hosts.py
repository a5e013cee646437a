"""Three orderers and two peers on hosts of their own, each run from its own folder."""

import asyncio
import re
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from gridloom.common.errors import GridloomError
from gridloom.deploy.access import NetworkAccess
from gridloom.deploy.home import NetworkHome
from gridloom.deploy.node_config import write_node_folders
from harness.namespaces import Hosts
from harness.network import SHELF, contract, deploy, settled_height

ORDERERS = ("orderer", "orderer2", "orderer3")
PEERS = ("org1", "org2")
LIMIT = 120.0


def description(hosts: Hosts) -> str:
    orderers = ", ".join(f"{{name: {name}, host: {hosts.address(name)}}}" for name in ORDERERS)
    orgs = "\n".join(
        f"  - {{name: {name.title()}, peers: [{{host: {hosts.address(name)}}}]}}" for name in PEERS
    )
    return (
        "consensus: raft\n"
        f"orderer_organizations: [{{name: Orderer, orderers: [{orderers}]}}]\n"
        f"organizations:\n{orgs}\n"
    )


async def eventually(attempt: Callable[[], Awaitable[object]]) -> None:
    """Try until it succeeds."""
    end = time.monotonic() + LIMIT
    while True:
        try:
            await attempt()
        except GridloomError:
            if time.monotonic() > end:
                raise
            await asyncio.sleep(0.3)
        else:
            return


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(LIMIT):
        while not condition():  # noqa: ASYNC110 - a file's content
            await asyncio.sleep(0.1)


@pytest.mark.network
@pytest.mark.namespaces
async def test_hosts_of_their_own_order_together_and_lose_one(tmp_path: Path) -> None:
    with Hosts((*ORDERERS, *PEERS)) as hosts:
        write_node_folders(description(hosts), tmp_path / "consortium")
        folders = {name: tmp_path / f"consortium/nodes/{name}.example.com" for name in ORDERERS}
        folders |= {name: tmp_path / f"consortium/nodes/peer0.{name}.example.com" for name in PEERS}
        for name, folder in folders.items():
            kind = "orderer" if name in ORDERERS else "peer"
            hosts.run(name, folder, kind, "start", "--join", "mychannel.block")
        logs = {name: folder / "log" for name, folder in folders.items()}
        await until(lambda: all("ready\n" in log.read_text() for log in logs.values()))
        access = NetworkAccess.open(NetworkHome(tmp_path / "consortium"))
        try:
            await eventually(lambda: deploy(access, SHELF, "shelf"))
            shelf = contract(access, "shelf")
            await eventually(lambda: shelf.submit_transaction("put", "all", "three"))
            await everybody_has_everything(access)  # who has no log yet could not vote
            await until(lambda: bool(leaders(logs)))
            unplugged = leaders(logs)[-1]
            hosts.unplug(unplugged)
            await eventually(lambda: shelf.submit_transaction("put", "two", "are enough"))
            hosts.plug_in(unplugged)
            await eventually(lambda: shelf.submit_transaction("put", "all", "again"))
            await everybody_has_everything(access)
        finally:
            await access.close()


async def everybody_has_everything(access: NetworkAccess) -> None:
    """Return once every orderer hands out the newest block."""
    height = await settled_height(access)
    admin = access.channel_admin("Org1MSP")
    channel = access.topology.channels[0]
    for name in channel.orderers:
        orderer = access.peer(name)
        await eventually(lambda orderer=orderer: admin.fetch(orderer, channel.name, height - 1))


def leaders(logs: dict[str, Path]) -> list[str]:
    """Which orderers have led so far, by the word of the first one."""
    found = re.findall(r"Raft leader changed: \d+ -> ([1-9])", logs[ORDERERS[0]].read_text())
    return [ORDERERS[int(number) - 1] for number in found]
