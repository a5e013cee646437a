"""Channels that change while a network runs: every rule in force everywhere, at once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from gridloom.client import EndorseError, GatewayError
from gridloom.client.admin import (
    BroadcastError,
    ChaincodeDefinition,
    ChannelAdmin,
    EndorsementError,
)
from gridloom.client.admin.config_update import UpdateUnsigned
from gridloom.common.channel import changes
from gridloom.common.channel.errors import ConfigError
from gridloom.common.envelopes import NEVER, NEWEST, seek_envelope
from gridloom.common.rpc import RpcError
from gridloom.deploy.access import NetworkAccess
from gridloom.deploy.channels import ChannelOperations
from gridloom.deploy.configtx import organization_group
from gridloom.deploy.network import Network
from gridloom.deploy.nodes import utc_now
from gridloom.deploy.packaging import package_source
from gridloom.deploy.topology import ChannelSpec, Topology
from gridloom.protos.common.common_pb2 import Status
from gridloom.protos.common.configtx_pb2 import Config
from gridloom.protos.common.configuration_pb2 import OrdererAddresses
from gridloom.protos.gateway.gateway_pb2 import PreparedTransaction
from gridloom.protos.orderer.ab_pb2 import DeliverResponse, SeekInfo
from gridloom.protos.peer.transaction_pb2 import BAD_CREATOR_SIGNATURE
from harness.network import CHAINCODES, PROBE, contract, deploy, nodes
from harness.replicas import replicated

PATIENCE = 120
"""Seconds until something that must come is missed."""

THREE = """
organizations: [{name: Org1}, {name: Org2}, {name: Org3}]
channels: [{name: mychannel, members: [Org1, Org2]}]
"""


@asynccontextmanager
async def running(kind: str, topology: Topology, folder: Path) -> AsyncIterator[Network]:
    """A network in memory, or one on the disk whose peers have replicas that endorse."""
    if kind == "replicas":
        async with replicated(topology, folder) as replicas:
            yield replicas.network
    else:
        async with Network.in_memory(topology) as network:
            yield network


@pytest.fixture(params=["memory", "replicas"])
async def network(request, tmp_path) -> AsyncIterator[Network]:
    async with running(request.param, Topology.parse(THREE), tmp_path) as network:
        yield network


@pytest.fixture
def access(network) -> NetworkAccess:
    return network.access


@pytest.fixture
def channel(access) -> ChannelSpec:
    return access.topology.channel("mychannel")


@pytest.fixture
def operations(access) -> ChannelOperations:
    return ChannelOperations(access)


async def apply(operations, channel, change, signers=None, sender=""):
    """Make a change, signed by all organizations unless some are named."""
    envelope = await operations.propose(channel, change)
    signers = operations.organizations(channel) if signers is None else signers
    return await operations.submit(channel, operations.sign(envelope, signers), sender)


def add_third(access):
    org = access.topology.organization("Org3")
    group = organization_group(org, access.material.msp_config("Org3MSP"))
    return lambda config: changes.add_organization(config, org.group, group)


def set_acl(resource, policy):
    return lambda config: changes.set_acls(config, {resource: policy})


def set_batch(**limits):
    return lambda config: changes.set_batch(config, changes.BatchChange(**limits))


# --- what changes, and where ----------------------------------------------------------


async def test_a_batch_change_is_in_force_on_the_orderer_and_known_to_every_peer(
    network, operations, channel
):
    change = set_batch(timeout=timedelta(milliseconds=700), max_message_count=3)
    peers = await apply(operations, channel, change)
    assert set(peers) == {"peer0.org1.example.com", "peer0.org2.example.com"}
    support = network.orderers["orderer.example.com"].registrar.get("mychannel")
    assert support.orderer_config.batch_timeout == timedelta(milliseconds=700)
    assert support.orderer_config.batch_size.max_message_count == 3
    for name in peers:
        bundle = network.peers[name].channel("mychannel").bundle
        assert bundle.sequence == support.sequence == 1
        assert bundle.orderer.batch_timeout == timedelta(milliseconds=700)


async def test_peers_that_have_a_change_are_named_in_the_networks_order(
    operations, channel, monkeypatch
):
    sequences, asked = [], ChannelAdmin.peer_config

    async def the_first_of_two_late(admin, peer, channel_id):
        config = await asked(admin, peer, channel_id)
        if len(sequences) % 2 == 0 and not any(sequences):
            config.sequence = 0
        sequences.append(config.sequence)
        return config

    monkeypatch.setattr(ChannelAdmin, "peer_config", the_first_of_two_late)
    peers = await apply(operations, channel, set_batch(max_message_count=3))
    assert sequences[-3:] == [0, 1, 1]
    assert peers == ["peer0.org1.example.com", "peer0.org2.example.com"]


async def test_the_new_batch_limit_cuts_blocks(network, access, operations, channel):
    await deploy(access, PROBE, "probe")
    await apply(operations, channel, set_batch(max_message_count=1))
    support = network.orderers["orderer.example.com"].registrar.get("mychannel")
    before = support.height
    put = contract(access, "probe").submit_transaction
    await asyncio.gather(*(put("put", f"key{number}", "value") for number in range(5)))
    assert support.height == before + 5


async def test_anchor_peers_are_changed_by_their_own_organization_alone(
    network, operations, channel
):
    def change(config):
        return changes.set_anchor_peers(config, "Org1MSP", [("elsewhere", 7051)])

    with pytest.raises(UpdateUnsigned):
        await apply(operations, channel, change, ["Org2MSP"], "Org2MSP")
    await apply(operations, channel, change, ["Org1MSP"])
    orgs = network.peers["peer0.org2.example.com"].channel("mychannel").bundle.application.orgs
    assert orgs["Org1MSP"].anchor_peers == (("elsewhere", 7051),)


async def test_an_address_where_no_orderer_is_harms_nobody(network, access, operations, channel):
    await deploy(access, PROBE, "probe")

    def change(config):
        changed = Config()
        changed.CopyFrom(config)
        for group in (
            changed.channel_group,
            *changed.channel_group.groups["Orderer"].groups.values(),
        ):
            key = "Endpoints" if "Endpoints" in group.values else "OrdererAddresses"
            addresses = OrdererAddresses.FromString(group.values[key].value)
            addresses.addresses.insert(0, "nowhere.example.com:7050")
            group.values[key].value = addresses.SerializeToString()
        return changed

    await apply(operations, channel, change)
    for number in range(3):
        await contract(access, "probe").submit_transaction("put", f"lamp{number}", "brass")
    peer = network.peers["peer0.org1.example.com"].channel("mychannel")
    assert ("OrdererMSP", "nowhere.example.com:7050") in peer.bundle.orderer_endpoints


# --- organizations --------------------------------------------------------------------


async def join_third(access, operations, channel) -> ChannelSpec:
    """Make Org3 a member and let its peer follow the channel."""
    await apply(operations, channel, add_third(access))
    joined = replace(channel, members=("Org1", "Org2", "Org3"))
    third = [peer for peer in operations.peers(joined) if peer[0] == "Org3MSP"]
    await operations.join(joined, third)
    return joined


async def test_a_third_organization_joins_follows_and_endorses(
    network, access, operations, channel
):
    await deploy(access, PROBE, "probe")
    await contract(access, "probe").submit_transaction("put", "lamp", "brass")
    joined = await join_third(access, operations, channel)
    third = network.peers["peer0.org3.example.com"].channel("mychannel")
    first = network.peers["peer0.org1.example.com"].channel("mychannel")
    await asyncio.wait_for(third.wait_for(first.height), PATIENCE)
    assert third.bundle.sequence == first.bundle.sequence == 1
    assert third.get_block(1).header == first.get_block(1).header

    package = package_source(PROBE, label="probe_1.0")
    policy = "AND('Org1MSP.peer', 'Org3MSP.peer')"
    definition = ChaincodeDefinition("probe", "1.0", 2, False, policy)
    await access.deploy_chaincode(package, definition, joined)
    for user in ("Org3", "Org1"):
        probe = contract(access, "probe", user)
        assert await probe.submit_transaction("put", "lamp", user) == user.encode()
    await asyncio.wait_for(third.wait_for(first.height), PATIENCE)
    assert await contract(access, "probe", "Org3").evaluate_transaction("get", "lamp") == b"Org1"


async def test_before_it_joins_an_organization_is_nobody(access, operations, channel):
    await deploy(access, PROBE, "probe")
    third = access.channel_admin("Org3MSP")
    peer = access.peer("peer0.org1.example.com")
    with pytest.raises(RpcError, match="creator org unknown"):
        await third.info(peer, "mychannel")
    await join_third(access, operations, channel)
    assert (await third.info(peer, "mychannel")).height > 1


async def test_an_organization_put_out_of_the_channel_is_refused_everywhere(
    network, access, operations, channel
):
    await deploy(access, PROBE, "probe")
    joined = await join_third(access, operations, channel)
    await apply(operations, joined, lambda config: changes.remove_organization(config, "Org3MSP"))
    with pytest.raises(RpcError, match="creator org unknown"):
        await access.channel_admin("Org3MSP").info(
            access.peer("peer0.org1.example.com"), "mychannel"
        )
    with pytest.raises(GatewayError):
        await contract(access, "probe", "Org3").submit_transaction("put", "lamp", "x")
    await contract(access, "probe").submit_transaction("put", "lamp", "y")
    height = network.peers["peer0.org1.example.com"].channel("mychannel").height
    assert network.peers["peer0.org3.example.com"].channel("mychannel").height < height


# --- access control -------------------------------------------------------------------


async def test_an_acl_denies_and_permits(access, operations, channel):
    await deploy(access, PROBE, "probe")
    user, admin = (contract(access, "probe", "Org1", name) for name in ("User1", "Admin"))
    await user.submit_transaction("put", "lamp", "brass")
    await apply(operations, channel, set_acl("peer/Propose", "/Channel/Application/Admins1"))
    with pytest.raises(GatewayError):
        await user.submit_transaction("put", "lamp", "iron")
    await apply(operations, channel, set_acl("peer/Propose", "/Channel/Application/Org1MSP/Admins"))
    with pytest.raises(GatewayError) as caught:
        await user.submit_transaction("put", "lamp", "iron")
    assert "/Channel/Application/Org1MSP/Admins" in str(caught.value.details)
    await admin.submit_transaction("put", "lamp", "iron")
    await apply(operations, channel, set_acl("peer/Propose", ""))
    await user.submit_transaction("put", "lamp", "brass")


async def test_an_acl_on_blocks_closes_the_stream_that_is_open(access, operations, channel):
    network = access.gateway("Org1").get_network("mychannel")
    async with network.filtered_block_events(start_block=0) as blocks:
        assert (await anext(blocks)).number == 0
        await apply(operations, channel, set_acl("event/FilteredBlock", "Admins"))
        with pytest.raises(GatewayError, match=r"FORBIDDEN|PERMISSION_DENIED"):
            await asyncio.wait_for(anext(blocks), PATIENCE)


# --- revocation -----------------------------------------------------------------------


def revoke(access, user="User1"):
    crl = access.material.revocation_list("Org1MSP", [user])
    return lambda config: changes.add_revocations(config, "Org1MSP", [crl])


async def test_a_revoked_user_is_refused_by_the_endorser(access, operations, channel):
    await deploy(access, PROBE, "probe")
    probe = contract(access, "probe")
    await probe.submit_transaction("put", "lamp", "brass")
    await apply(operations, channel, revoke(access))
    with pytest.raises(GatewayError) as caught:
        await probe.submit_transaction("put", "lamp", "iron")
    assert "access denied: channel [mychannel] creator org [Org1MSP]" in str(caught.value)
    with pytest.raises(GatewayError):
        await probe.evaluate_transaction("get", "lamp")
    await contract(access, "probe", "Org1", "Admin").submit_transaction("put", "lamp", "iron")
    await contract(access, "probe", "Org2").submit_transaction("put", "lamp", "tin")


async def endorsed(access):
    """A transaction of a user, endorsed and signed but not sent."""
    proposal = contract(access, "probe").new_proposal("put", ["lamp", "iron"])
    return await proposal.endorse()


async def test_a_revoked_user_is_refused_by_the_orderer(access, operations, channel):
    await deploy(access, PROBE, "probe")
    transaction = await endorsed(access)
    await apply(operations, channel, revoke(access))
    with pytest.raises(GatewayError) as caught:
        await transaction.submit()
    assert "FORBIDDEN" in str(caught.value.details) + str(caught.value)


async def test_what_a_revoked_user_endorsed_in_time_comes_too_late_for_the_validator(
    network, access, operations, channel
):
    await deploy(access, PROBE, "probe")
    transaction = await endorsed(access)
    envelope = PreparedTransaction.FromString(transaction.serialized).envelope
    envelope.signature = access.signer("Org1MSP", "User1").sign(envelope.payload)
    await apply(operations, channel, revoke(access))
    # an orderer that lets it pass
    support = network.orderers["orderer.example.com"].registrar.get("mychannel")
    await support.chain.order(envelope, support.sequence)
    for name in ("peer0.org1.example.com", "peer0.org2.example.com"):
        peer = network.peers[name].channel("mychannel")
        waiting = peer.wait_for_transaction(transaction.transaction_id)
        code, _ = await asyncio.wait_for(waiting, PATIENCE)
        assert code == BAD_CREATOR_SIGNATURE


async def test_a_revoked_user_loses_the_streams_of_peer_and_orderer(access, operations, channel):
    signer = access.signer("Org1MSP", "User1")
    seek = seek_envelope(
        "mychannel", NEWEST, NEVER, SeekInfo.BLOCK_UNTIL_READY, signer, utc_now, b"n" * 24
    )
    network = access.gateway("Org1").get_network("mychannel")

    async def requests():
        yield seek
        await asyncio.Event().wait()

    stream = access.orderer(channel).stream(
        "/orderer.AtomicBroadcast/Deliver", requests(), DeliverResponse
    )
    async with aclosing(stream) as ordered, network.block_events(start_block=0) as blocks:
        assert (await anext(ordered)).block.header.number == 0
        assert (await anext(blocks)).header.number == 0
        await apply(operations, channel, revoke(access))
        with pytest.raises(GatewayError, match=r"FORBIDDEN|PERMISSION_DENIED"):
            await asyncio.wait_for(anext(blocks), PATIENCE)
        assert (await asyncio.wait_for(anext(ordered), PATIENCE)).status == Status.FORBIDDEN


# --- who has to sign ------------------------------------------------------------------


async def test_too_few_signatures_are_refused_with_an_explanation(network, operations, channel):
    with pytest.raises(UpdateUnsigned) as caught:
        await apply(operations, channel, set_acl("peer/Propose", "Admins"), ["Org1MSP"])
    assert "BAD_REQUEST" in caught.value.refusal
    assert "this policy requires 2 of the 'Admins' sub-policies" in caught.value.refusal
    assert "Org2MSP/Admins" in caught.value.explanation
    assert caught.value.who == ("Org1MSP",)
    assert network.orderers["orderer.example.com"].registrar.get("mychannel").height == 1


async def test_batch_parameters_are_the_orderers_affair(operations, channel):
    change = set_batch(max_message_count=5)
    with pytest.raises(UpdateUnsigned, match="BatchSize not satisfied"):
        await apply(operations, channel, change, ["Org1MSP", "Org2MSP"])
    await apply(operations, channel, change, ["OrdererMSP"])


async def test_signatures_gathered_one_after_the_other_are_enough(operations, channel):
    envelope = await operations.propose(channel, set_acl("peer/Propose", "Admins"))
    for organization in ("Org2MSP", "Org1MSP"):
        envelope = operations.sign(envelope, [organization])
    await operations.submit(channel, envelope, "Org1MSP")


async def test_an_update_made_before_another_one_is_out_of_date(operations, channel):
    first = await operations.propose(channel, set_acl("peer/Propose", "Admins"))
    await apply(operations, channel, set_acl("qscc/GetChainInfo", "Admins"))
    signed = operations.sign(first, operations.organizations(channel))
    with pytest.raises(BroadcastError, match="error validating ReadSet"):
        await operations.submit(channel, signed)


async def test_a_change_that_breaks_a_rule_is_not_even_sent(operations, channel):
    with pytest.raises(ConfigError, match="greater than the absolute max bytes"):
        await operations.propose(channel, set_batch(preferred_max_bytes=2**31))


# --- several channels -----------------------------------------------------------------

TWO = """
channels:
  - {name: first}
  - {name: second, endorsement: ANY Endorsement}
"""


@pytest.fixture(params=["memory", "replicas"])
async def two(request, tmp_path) -> AsyncIterator[Network]:
    async with running(request.param, Topology.parse(TWO), tmp_path) as network:
        yield network


async def deploy_on(access, channel: str, source, name: str) -> None:
    package = package_source(source, label=f"{name}_1.0")
    spec = access.topology.channel(channel)
    sequence = await access.next_sequence(spec, name)
    await access.deploy_chaincode(package, ChaincodeDefinition(name, "1.0", sequence), spec)


def on(access, channel: str, name: str, organization: str = "Org1"):
    return access.gateway(organization).get_network(channel).get_contract(name)


async def test_channels_of_one_node_share_nothing(two):
    access = two.access
    for channel in ("first", "second"):
        await deploy_on(access, channel, PROBE, "probe")
        await on(access, channel, "probe").submit_transaction("put", "name", channel)
    for channel in ("first", "second"):
        assert await on(access, channel, "probe").evaluate_transaction("get", "name") == (
            channel.encode()
        )
    change = set_acl("peer/Propose", "Admins")
    await apply(ChannelOperations(access), access.topology.channel("first"), change)
    with pytest.raises(GatewayError):
        await on(access, "first", "probe").submit_transaction("put", "name", "x")
    await on(access, "second", "probe").submit_transaction("put", "name", "y")


async def test_a_chaincode_reads_on_another_channel_and_writes_nothing_there(two):
    access = two.access
    await deploy_on(access, "second", PROBE, "probe")
    await on(access, "second", "probe").submit_transaction("put", "lamp", "brass")
    await deploy_on(access, "first", CHAINCODES / "caller", "caller")
    caller = on(access, "first", "caller")
    assert await caller.submit_transaction("call", "probe", "second", "get", "lamp", "") == b"brass"
    assert await caller.evaluate_transaction("get", "lamp") == b"brass"
    # what the callee writes on another channel is lost
    answer = await caller.submit_transaction("call", "probe", "second", "put", "lamp", "iron")
    assert answer == b"iron"
    assert await on(access, "second", "probe").evaluate_transaction("get", "lamp") == b"brass"


async def test_on_its_own_channel_a_chaincode_writes_through_another(two):
    access = two.access
    await deploy_on(access, "first", PROBE, "probe")
    await deploy_on(access, "first", CHAINCODES / "caller", "caller")
    caller = on(access, "first", "caller")
    await caller.submit_transaction("call", "probe", "", "put", "lamp", "iron")
    assert await on(access, "first", "probe").evaluate_transaction("get", "lamp") == b"iron"


async def test_a_caller_without_access_to_the_other_channel_is_refused(two):
    access = two.access
    await deploy_on(access, "second", PROBE, "probe")
    await deploy_on(access, "first", CHAINCODES / "caller", "caller")
    change = set_acl("peer/ChaincodeToChaincode", "Admins")
    await apply(ChannelOperations(access), access.topology.channel("second"), change)
    with pytest.raises(EndorseError) as caught:
        await on(access, "first", "caller").submit_transaction(
            "call", "probe", "second", "get", "lamp", ""
        )
    assert "2 of the 'Admins' sub-policies" in str(caught.value.details)


# --- joining at run time --------------------------------------------------------------


async def test_a_channel_is_made_and_joined_while_the_network_runs(network, access, operations):
    spec = operations.described("later", "endorsement: ANY Endorsement", ["Org1", "Org3"])
    block = operations.first_block(spec)
    network.orderers["orderer.example.com"].join(block)
    await operations.join(spec, operations.peers(spec))
    assert "later" in await access.channel_admin("Org3MSP").list(
        access.peer("peer0.org3.example.com")
    )
    package = package_source(PROBE, label="probe_1.0")
    await access.deploy_chaincode(package, ChaincodeDefinition("probe"), spec)
    probe = on(access, "later", "probe", "Org3")
    assert await probe.submit_transaction("put", "lamp", "brass") == b"brass"
    with pytest.raises(GatewayError):
        await (
            access.gateway("Org2").get_network("later").get_contract("probe").evaluate("get", ["x"])
        )


async def test_a_peer_joins_a_channel_once(access, operations, channel):
    with pytest.raises(EndorsementError, match=r"ledger \[mychannel\] already exists with state"):
        await operations.join(channel, operations.peers(channel))


async def test_only_the_peers_own_administrators_join_it(access, operations, channel):
    block = operations.first_block(operations.described("other"))
    _, _, peer = nodes(access)[0]
    with pytest.raises(RpcError, match="access denied"):
        await access.channel_admin("Org2MSP").join(peer, block)
    user = ChannelAdmin(access.signer("Org1MSP", "User1"))
    with pytest.raises(EndorsementError, match=r"access denied for \[JoinChain\]\[other\]"):
        await user.join(peer, block)


async def test_a_channel_the_orderer_gives_up_is_gone_for_its_peers_only_in_future(
    network, access, operations, channel
):
    await deploy(access, PROBE, "probe")
    await contract(access, "probe").submit_transaction("put", "lamp", "brass")
    await network.orderers["orderer.example.com"].registrar.remove("mychannel")
    assert await contract(access, "probe").evaluate_transaction("get", "lamp") == b"brass"
    with pytest.raises(GatewayError, match=r"channel does not exist|no orderers"):
        await contract(access, "probe").submit_transaction("put", "lamp", "iron")
