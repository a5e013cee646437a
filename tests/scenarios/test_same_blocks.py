"""One script, run in one process and in three: the same blocks, but for what is never the same.

Both networks are copies of one folder that was made and never used, so credentials, genesis
block and ports are equal, and what may differ is what ``harness.normal_blocks`` leaves out.
"""

import asyncio
import shutil
from datetime import timedelta

import pytest

from gridloom.client import EndorseError
from gridloom.client.admin import ChaincodeDefinition
from gridloom.common.channel.durations import render_duration
from gridloom.common.wire import parse
from gridloom.deploy.home import NetworkHome
from gridloom.deploy.nodes import NodeBuilder
from gridloom.deploy.packaging import package_source
from gridloom.deploy.up import UpOptions, open_network
from gridloom.protos.common.configtx_pb2 import Config
from gridloom.protos.orderer.configuration_pb2 import BatchSize, BatchTimeout
from harness.network import (
    PROBE,
    SHELF,
    NetworkProcess,
    chain,
    contract,
    edited,
    nodes,
    ordered_chain,
    require_same_chains,
    settled_height,
    submit_init,
)
from harness.normal_blocks import normal_block

DESCRIPTION = """
cutting: timeout
channels: [{name: mychannel, batch: {timeout: 20ms}}]
"""


class Script:
    """Every step waits for its block on all peers, so each run cuts the same ones."""

    def __init__(self, access, folder):
        self.access = access
        self.folder = folder
        (self.channel,) = access.topology.channels
        self.orderer = access.orderer(self.channel)

    async def run(self):
        await self.deploy(PROBE, "probe")
        await self.deploy(SHELF, "shelf", init_required=True)
        await submit_init(self.access, "shelf", "init", "Ann")
        await self.submit("probe", "put", "a", "1")
        await self.submit("probe", "increment", "n")
        await self.submit("probe", "emit", "dawn", "06:12")
        await self.submit("shelf", "fill", "k", "12")
        await self.submit("shelf", "relay", "probe", "put", '["b", "2"]')
        await self.submit("shelf", "tag", "red", "lamp")
        await self.submit("shelf", "remove", "k0003")
        await self.submit("shelf", "guard", "lamp", '["Org2MSP"]')
        await self.submit("shelf", "whisper", transient={"secret": "under-the-mat"})
        for function, argument in (("fail", "no sun"), ("missing", "")):
            with pytest.raises(EndorseError):
                await self.submit("probe", function, argument)
        second = edited(SHELF, self.folder / "second", "EDITION = 1", "EDITION = 2")
        await self.deploy(second, "shelf", sequence=2, policy="OR('Org1MSP.peer','Org2MSP.peer')")
        await self.cut_by(count=3, timeout=timedelta(hours=1))
        await self.burst(
            ("probe", "increment", "n"), ("probe", "increment", "n"), ("probe", "put", "c", "3")
        )
        await self.burst(
            ("shelf", "put", "k0001", "x"), ("shelf", "count_into", "k", "l", "total"),
            ("shelf", "put", "lamp", "moved"),
        )  # fmt: skip
        await self.stolen_lamp()

    async def deploy(self, source, name, *, sequence=1, **options):
        package = package_source(source, label=f"{name}_{sequence}")
        definition = ChaincodeDefinition(
            name,
            str(sequence),
            sequence,
            options.get("init_required", False),
            options.get("policy", ""),
        )
        members = ("Org1MSP", "Org2MSP")
        package_id = await self.access.install(package, members)
        for (_, _, peer), msp_id in zip(nodes(self.access), members, strict=True):
            await self.access.lifecycle(msp_id).approve(
                peer, self.orderer, self.channel.name, definition, package_id
            )
            await settled_height(self.access)
        await self.access.lifecycle("Org1").commit(
            self.access.endorsers(self.channel), self.orderer, self.channel.name, definition
        )
        await settled_height(self.access)

    async def submit(self, name, function, *arguments, transient=None):
        await contract(self.access, name).submit(function, arguments, transient=transient)
        await settled_height(self.access)

    async def burst(self, *calls):
        """Endorse all before the first is ordered; together they fill one block."""
        endorsed = [
            await contract(self.access, name).new_proposal(function, arguments).endorse()
            for name, function, *arguments in calls
        ]
        submitted = [await transaction.submit() for transaction in endorsed]
        await asyncio.gather(*(each.get_status() for each in submitted))
        await settled_height(self.access)

    async def stolen_lamp(self):
        """A block with an endorsement failure, of one organisation where the guard wants two."""
        shelf = contract(self.access, "shelf")
        submitted = [
            await shelf.submit_async("put", [key, "stolen"], endorsing_organizations=["Org1MSP"])
            for key in ("lamp", "k0001", "lamp")
        ]
        names = [(await each.get_status()).name for each in submitted]
        assert names == ["ENDORSEMENT_POLICY_FAILURE", "VALID", "ENDORSEMENT_POLICY_FAILURE"]
        await settled_height(self.access)

    async def cut_by(self, *, count, timeout):
        """Change when blocks are cut, which is a block of its own."""
        (org,) = self.access.topology.orderer_organizations
        admin = self.access.channel_admin(org.msp_id)
        original = await admin.fetch_config(self.orderer, self.channel.name)
        updated = Config()
        updated.CopyFrom(original)
        values = updated.channel_group.groups["Orderer"].values
        size = parse(BatchSize, values["BatchSize"].value)
        size.max_message_count = count
        values["BatchSize"].value = size.SerializeToString()
        wait = BatchTimeout(timeout=render_duration(timeout))
        values["BatchTimeout"].value = wait.SerializeToString()
        before = await settled_height(self.access)
        await admin.update(self.orderer, self.channel.name, original, updated)
        await settled_height(self.access, at_least=before + 1)


@pytest.fixture
def unused(tmp_path):
    """A network's folder with everything but ledgers."""
    config = tmp_path / "network.yaml"
    config.write_text(DESCRIPTION)
    home = NetworkHome(tmp_path / "unused")
    topology = open_network(home, UpOptions(config=config, port_base=0))
    builder = NodeBuilder.create(topology, home)
    for channel in topology.channels:
        builder.genesis_block(channel)
    return home.path


async def run_script(unused, *options):
    """Run the script on a copy of a folder; return the blocks, which all its nodes agree on."""
    folder = unused.with_name("copy" + "".join(options))
    shutil.copytree(unused, folder)
    with NetworkProcess(folder, *options) as network:
        async with network.access() as access:
            await Script(access, folder / "sources").run()
            chains = [await chain(access, name) for name, _, _ in nodes(access)]
            require_same_chains(*chains, await ordered_chain(access))
            assert [normal_block(block) for block in chains[0]] == [
                normal_block(block) for block in chains[1]
            ]
            return chains[0]


@pytest.mark.network
@pytest.mark.slow
async def test_one_process_and_one_for_each_node_write_the_same_blocks(unused):
    together = await run_script(unused)
    apart = await run_script(unused, "--processes")
    assert together[0] == apart[0]
    assert [normal_block(block) for block in together] == [normal_block(block) for block in apart]
    codes = [code for block in together for code in normal_block(block)["codes"]]
    assert {"VALID", "MVCC_READ_CONFLICT", "PHANTOM_READ_CONFLICT"} <= set(codes)
    assert "ENDORSEMENT_POLICY_FAILURE" in codes
    assert sorted({len(block.data.data) for block in together}) == [1, 3]
