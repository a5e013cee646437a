"""A peer as a whole: joining, restarting, its services and its ways to the orderers."""

import asyncio

import pytest

from gridloom.common.channel.errors import ConfigError
from gridloom.common.channel.genesis import genesis_block
from gridloom.common.rpc import Code, RpcError
from gridloom.common.rpc.local import LocalChannel
from gridloom.peer.chaincodes.host import ChaincodeHost
from gridloom.peer.chaincodes.lifecycle.store import FilePackageStore
from gridloom.peer.endorser import Endorser
from gridloom.peer.ledger.errors import LedgerExists
from gridloom.peer.ledger.provider import LedgerProvider
from gridloom.peer.node import Peer
from gridloom.peer.settings import ConcurrencySettings, PeerSettings
from gridloom.protos.common.common_pb2 import Envelope
from gridloom.protos.common.configtx_pb2 import ConfigGroup
from gridloom.protos.peer.events_pb2 import DeliverResponse
from gridloom.protos.peer.proposal_pb2 import SignedProposal
from gridloom.protos.peer.proposal_response_pb2 import ProposalResponse
from harness.block_orderer import BlockOrderer
from harness.consortium import CHANNEL, Consortium, clock, consortium
from harness.golden_channel import BLOCKS, GoldenPeer, ordered_block
from harness.golden_peer import NoPeers, org1_msp


@pytest.fixture
async def start(tmp_path):
    """Makes peers of Org1MSP over ledgers in tmp_path or in memory."""
    peers = []

    def start(
        orderers=lambda endpoint: BlockOrderer(), storage="memory", msp=None, settings=None
    ) -> Peer:
        host = ChaincodeHost(FilePackageStore(tmp_path / "packages"), {})
        peer = Peer(
            consortium().peer(),
            msp or consortium().material.msp_config("Org1MSP"),
            LedgerProvider(storage),
            host,
            orderers=orderers,
            peers=NoPeers(),
            settings=settings,
            now=clock,
            random_bytes=Consortium(seed=4).random_bytes,
        )
        peers.append(peer)
        return peer

    yield start
    for peer in peers:
        await peer.stop()


async def test_a_new_peer_has_no_channel_but_its_services(start):
    peer = start()
    assert peer.channel_ids() == []
    assert peer.channel(CHANNEL) is None
    assert peer.msp_id == "Org1MSP"
    services = {"protos.Endorser", "protos.Deliver", "protos.Snapshot", "gateway.Gateway"}
    assert services <= set(peer.services().services)


async def test_joining_opens_the_channel_at_its_genesis_block(start):
    peer = start()
    channel = peer.join(consortium().genesis())
    assert peer.channel(CHANNEL) is channel
    assert (channel.height, channel.bundle.sequence) == (1, 0)
    assert peer.channel_ids() == [CHANNEL]


async def test_joining_twice_is_refused(start):
    peer = start()
    channel = peer.join(consortium().genesis())
    with pytest.raises(LedgerExists, match="already exists with state"):
        peer.join(consortium().genesis())
    assert peer.channel(CHANNEL) is channel


async def test_a_channel_without_application_is_refused_and_leaves_nothing(start):
    peer = start()
    group = ConfigGroup()
    group.CopyFrom(consortium().bundle().config.channel_group)
    del group.groups["Application"]
    with pytest.raises(ConfigError, match="application"):
        peer.join(genesis_block("mychannel", group, clock, consortium().random_bytes))
    assert peer.channel_ids() == []
    peer.join(consortium().genesis())


async def test_a_block_that_is_no_genesis_block_is_refused(start):
    with pytest.raises(ConfigError):
        start().join(ordered_block(1))


async def test_a_running_peer_pulls_what_it_joins_and_a_stopped_one_does_not(start):
    orderer = BlockOrderer([ordered_block(number) for number in range(BLOCKS)])
    peer = start(lambda endpoint: orderer, msp=org1_msp())
    await peer.start()
    channel = peer.join(ordered_block(0))
    await channel.wait_for(10)
    await peer.stop()
    assert channel.height >= 10
    assert orderer.connections == [1]


async def test_after_a_restart_all_channels_go_on_from_disk(start, tmp_path):
    golden = GoldenPeer(tmp_path / "ledgers")
    await golden.commit_up_to(51)
    await golden.close()
    orderer = BlockOrderer([ordered_block(number) for number in range(BLOCKS)])
    peer = start(lambda endpoint: orderer, tmp_path / "ledgers", org1_msp())
    assert peer.channel_ids() == ["golden1"]
    channel = peer.channel("golden1")
    assert channel is not None
    assert (channel.height, channel.bundle.sequence) == (51, 1)
    await peer.start()
    await channel.wait_for(BLOCKS)
    assert orderer.connections == [51]


async def test_the_orderers_of_the_configuration_are_asked_in_turn(start):
    asked: list[str] = []
    done = asyncio.Event()
    down = BlockOrderer()
    down.broken = True

    def connect(endpoint: str) -> BlockOrderer:
        asked.append(endpoint)
        if len(asked) == 3:
            done.set()
        return down

    peer = start(connect)
    peer.join(consortium().genesis())
    await peer.start()
    await asyncio.wait_for(done.wait(), 60)
    expected = [endpoint for _, endpoint in peer.channel(CHANNEL).bundle.orderer_endpoints]
    assert set(asked) == set(expected)


async def refused(call) -> str:
    with pytest.raises(RpcError) as caught:
        await call
    assert caught.value.code is Code.UNKNOWN
    return caught.value.message


async def test_endorser_and_deliver_take_so_many_calls_at_a_time_and_no_more(start, monkeypatch):
    released = asyncio.Event()

    async def endorse(self, signed, call):
        await released.wait()
        return ProposalResponse(version=1)

    monkeypatch.setattr(Endorser, "process_proposal", endorse)
    settings = PeerSettings(concurrency=ConcurrencySettings(endorser=2, deliver=1))
    channel = LocalChannel(start(settings=settings).services())

    def propose():
        method = "/protos.Endorser/ProcessProposal"
        return channel.unary(method, SignedProposal(), ProposalResponse)

    async def silent():
        await released.wait()
        yield Envelope()

    def deliver(method="Deliver"):
        return channel.stream(f"/protos.Deliver/{method}", silent(), DeliverResponse)

    waiting = [asyncio.ensure_future(call) for call in (propose(), propose(), anext(deliver()))]
    await asyncio.sleep(0)
    assert await refused(propose()) == (
        "too many requests for /protos.Endorser, exceeding concurrency limit (2)"
    )
    for method in ("Deliver", "DeliverFiltered", "DeliverWithPrivateData"):
        assert await refused(anext(deliver(method))) == (
            "too many requests for /protos.Deliver, exceeding concurrency limit (1)"
        )
    released.set()
    await asyncio.gather(*waiting)
    assert (await propose()).version == 1


def test_the_limits_are_the_sample_configurations():
    assert ConcurrencySettings() == ConcurrencySettings(endorser=2500, deliver=2500, gateway=500)
