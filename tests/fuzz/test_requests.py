"""What clients send to peers and orderers: every request is answered or refused cleanly.

Access is open to everybody here, for otherwise nothing mutated would come past the signatures.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from gridloom.common.block_store import BlockNotFound
from gridloom.common.channel.bundle import ChannelBundle
from gridloom.common.channel.sections import OrdererConfig
from gridloom.common.deliver import DeliverHandler
from gridloom.common.envelopes import NEWEST, NEXT_COMMIT, OLDEST, block_position, seek_envelope
from gridloom.common.rpc import Call
from gridloom.common.wire import parse
from gridloom.orderer.broadcast import BroadcastHandler
from gridloom.orderer.chain import CuttingMode
from gridloom.orderer.deliver import BlockResponses
from gridloom.orderer.node import Orderer
from gridloom.orderer.solo.consenter import SoloConsenter
from gridloom.orderer.storage import MemoryStorage
from gridloom.peer.acl import AccessControl
from gridloom.peer.chaincodes.lifecycle.store import FilePackageStore
from gridloom.peer.channel import ChannelStopped
from gridloom.peer.discovery.service import DiscoveryService
from gridloom.peer.proposal import UnpackedProposal, check_time, open_content, open_headers
from gridloom.peer.settings import DiscoverySettings
from gridloom.protos.common.common_pb2 import SUCCESS, Block, Envelope
from gridloom.protos.common.configtx_pb2 import Config
from gridloom.protos.discovery.protocol_pb2 import (
    AuthInfo,
    ChaincodeQuery,
    ConfigQuery,
    LocalPeerQuery,
    PeerMembershipQuery,
    Query,
    Request,
    SignedRequest,
)
from gridloom.protos.gateway.gateway_pb2 import (
    ChaincodeEventsRequest,
    CommitStatusRequest,
    EndorseRequest,
    EvaluateRequest,
    SignedChaincodeEventsRequest,
    SignedCommitStatusRequest,
    SubmitRequest,
)
from gridloom.protos.orderer.ab_pb2 import SeekInfo
from gridloom.protos.orderer.configuration_pb2 import BatchSize
from gridloom.protos.peer.proposal_pb2 import SignedProposal
from gridloom.protos.peer.proposal_response_pb2 import ChaincodeCall, ChaincodeInterest
from harness import golden_config
from harness.consortium import CHANNEL, clock, consortium
from harness.crafted_chain import CraftedChain, anybody_may_do_anything
from harness.fuzz import fuzz, fuzz_async
from harness.gateway_parts import NO_DEADLINE, GatewayBench, definition, signed_proposal
from harness.golden_channel import ordered_block
from harness.golden_peer import golden_peer
from harness.golden_wire import recorded_bytes

CAPTURED = datetime(2026, 11, 20, 9, 37, 56, tzinfo=UTC)
PROPOSALS = (1, 9, 13, 15, 17, 19, 23, 25, 27, 36, 38)


@pytest.fixture(autouse=True)
def quiet(caplog):
    caplog.set_level(logging.CRITICAL, logger="gridloom")


@pytest.fixture
def bench() -> GatewayBench:
    bench = GatewayBench()
    bench.define(gold=definition("OR('Org1MSP.peer', 'Org2MSP.peer')"))
    bench.gateway._access.check = lambda *_: None
    return bench


def proposals() -> list[bytes]:
    return [recorded_bytes(number) for number in PROPOSALS]


def test_proposals_are_unpacked_or_refused():
    class Everybody:
        msp_id = "Org1MSP"

        def deserialize(self, serialized: bytes, /):
            return self

        def validate(self, identity, /): ...

        def verify(self, message, signature): ...

    def unpack(data: bytes) -> None:
        signed = parse(SignedProposal, data)
        proposed = signed.proposal_bytes
        headers = open_headers(proposed)
        proposal = UnpackedProposal(signed, proposed, open_content(proposed, headers))
        proposal.check(Everybody())
        stamp = headers.channel.timestamp
        check_time(headers.signature.creator, stamp, CAPTURED, timedelta(minutes=15))

    fuzz(unpack, proposals())


async def test_the_endorser_answers_any_proposal(tmp_path):
    peer = await golden_peer(62, CAPTURED, FilePackageStore(tmp_path))
    method = peer.services().find("/protos.Endorser/ProcessProposal")

    async def process(data: bytes) -> None:
        await method.handler(parse(SignedProposal, data), Call())

    try:
        await fuzz_async(process, proposals())
    finally:
        await peer.stop()


async def test_gateway_evaluate(bench):
    async def evaluate(data: bytes) -> None:
        await bench.gateway.evaluate(parse(EvaluateRequest, data), NO_DEADLINE)

    request = EvaluateRequest(
        channel_id=CHANNEL,
        proposed_transaction=signed_proposal("gold", transient={"secret": b"value"}),
        target_organizations=["Org2MSP"],
    )
    assert await bench.gateway.evaluate(request, NO_DEADLINE)
    await fuzz_async(evaluate, [request.SerializeToString(), recorded_bytes(40)])


async def test_discovery_answers_any_query(bench):
    bundle = ChannelBundle(CHANNEL, anybody_may_do_anything(bench.channel.bundle.config))
    bench.channel.bundle = bundle
    access = AccessControl(lambda _: bundle, bundle.msp_manager.msp("Org1MSP"))
    access.check_role = lambda *_: None
    service = DiscoveryService(
        bench.infos["peer0.org1"],
        bench,
        access,
        channels=lambda channel_id: bench.channel if channel_id == CHANNEL else None,
        channel_ids=lambda: [CHANNEL],
        runnable=lambda _: {"gold": 1},
        settings=DiscoverySettings(),
    )
    who = AuthInfo(client_identity=bench.consortium.user().serialized)
    call = ChaincodeCall(name="gold", collection_names=["_implicit_org_Org1MSP"])
    interest = ChaincodeInterest(chaincodes=[call])
    public = ChaincodeInterest(chaincodes=[ChaincodeCall(name="gold")])
    queries = [
        Query(channel=CHANNEL, config_query=ConfigQuery()),
        Query(channel=CHANNEL, peer_query=PeerMembershipQuery(filter=interest)),
        Query(channel=CHANNEL, cc_query=ChaincodeQuery(interests=[public])),
        Query(local_peers=LocalPeerQuery()),
    ]

    async def discover(data: bytes) -> None:
        await service.discover(SignedRequest(payload=data), NO_DEADLINE)

    seeds = [Request(authentication=who, queries=[each]).SerializeToString() for each in queries]
    (answered,) = (await service.discover(SignedRequest(payload=seeds[2]), NO_DEADLINE)).results
    assert answered.WhichOneof("result") == "cc_query_res"
    await fuzz_async(discover, seeds)


async def test_gateway_endorse(bench):
    async def endorse(data: bytes) -> None:
        await bench.gateway.endorse(parse(EndorseRequest, data), NO_DEADLINE)

    requests = [
        EndorseRequest(channel_id=CHANNEL, proposed_transaction=signed_proposal("gold")),
        EndorseRequest(
            channel_id=CHANNEL,
            proposed_transaction=signed_proposal("gold"),
            endorsing_organizations=["Org1MSP", "Org2MSP"],
        ),
    ]
    for request in requests:
        assert await bench.gateway.endorse(request, NO_DEADLINE)
    seeds = [request.SerializeToString() for request in requests]
    await fuzz_async(endorse, [*seeds, recorded_bytes(44)])


async def test_gateway_submit(bench):
    async def submit(data: bytes) -> None:
        await bench.gateway.submit(parse(SubmitRequest, data), NO_DEADLINE)

    request = SubmitRequest.FromString(recorded_bytes(46))
    request.channel_id = CHANNEL
    await fuzz_async(submit, [request.SerializeToString(), recorded_bytes(54)])


async def test_gateway_commit_status(bench):
    async def ask(data: bytes) -> None:
        await bench.gateway.commit_status(parse(SignedCommitStatusRequest, data), NO_DEADLINE)

    bench.channel.fates["tx"], bench.channel.failure = (0, 7), None
    request = CommitStatusRequest(channel_id=CHANNEL, transaction_id="tx", identity=b"anybody")
    signed = SignedCommitStatusRequest(request=request.SerializeToString(), signature=b"s")
    assert await bench.gateway.commit_status(signed, NO_DEADLINE)
    bench.channel.failure = ChannelStopped(CHANNEL, 8, "nobody waits")
    await fuzz_async(ask, [signed.SerializeToString(), recorded_bytes(48)])


async def test_gateway_chaincode_events(bench):
    async def no_blocks(start: int) -> AsyncIterator[Block]:
        for _ in ():
            yield

    bench.channel.committed_blocks = no_blocks

    async def follow(data: bytes) -> None:
        request = parse(SignedChaincodeEventsRequest, data)
        async for _ in bench.gateway.chaincode_events(request, NO_DEADLINE):
            pass

    request = ChaincodeEventsRequest.FromString(
        SignedChaincodeEventsRequest.FromString(recorded_bytes(74)).request
    )
    request.channel_id = CHANNEL
    signed = SignedChaincodeEventsRequest(request=request.SerializeToString(), signature=b"s")
    await fuzz_async(follow, [signed.SerializeToString(), recorded_bytes(74)])


class ThreeBlocks:
    """A channel of three blocks that will never have another one."""

    first, height, errored = 0, 3, None
    bundle: ChannelBundle = golden_config.genesis_bundle()

    def get_block(self, number: int) -> Block:
        return ordered_block(number)

    async def wait_for(self, height: int) -> None:
        raise BlockNotFound(height, 0, 3)


async def test_deliver():
    handler = DeliverHandler(lambda _: ThreeBlocks(), clock, check_expiration=True)
    signer = consortium().user()
    seeds = [
        seek_envelope("golden1", start, stop, behavior, signer, clock, b"n" * 24)
        for start, stop, behavior in (
            (OLDEST, NEWEST, SeekInfo.BLOCK_UNTIL_READY),
            (NEWEST, block_position(7), SeekInfo.FAIL_IF_NOT_READY),
            (block_position(1), block_position(2), SeekInfo.BLOCK_UNTIL_READY),
            (NEXT_COMMIT, OLDEST, SeekInfo.BLOCK_UNTIL_READY),
        )
    ]

    async def deliver(data: bytes) -> None:
        async def requests() -> AsyncIterator[Envelope]:
            yield parse(Envelope, data)

        answers = handler.handle(requests(), Call(), BlockResponses(), lambda *_: None)
        async for _ in answers:
            pass

    await fuzz_async(deliver, [seed.SerializeToString() for seed in seeds])


class TakesAnything:
    """A chain that orders nothing, and agrees to every configuration."""

    def check_metadata(self, current: OrdererConfig, proposed: OrdererConfig) -> None: ...

    async def wait_ready(self) -> None: ...

    async def order(self, envelope: Envelope, sequence: int) -> None: ...

    async def configure(self, envelope: Envelope, sequence: int) -> None: ...

    async def halt(self) -> None: ...


async def test_broadcast():
    chain = CraftedChain(anybody_may_do_anything)
    orderer = Orderer(
        consortium().orderer(),
        "OrdererMSP",
        MemoryStorage(),
        clock,
        check_expiration=False,
        consenters={"solo": SoloConsenter(CuttingMode.MANUAL)},
    )
    orderer.join(chain.blocks[0])
    support = orderer.registrar.find(CHANNEL)
    filters = support.processor._filters
    support.processor._filters = lambda bundle: filters(bundle)[:1]
    support.chain = TakesAnything()
    handler = BroadcastHandler(orderer.registrar)

    async def process(data: bytes) -> None:
        await handler.process(parse(Envelope, data))

    update = chain.updated(more_messages)
    assert (await handler.process(update)).status == SUCCESS
    transaction = Envelope.FromString(chain.written("basic", a=b"1"))
    assert (await handler.process(transaction)).status == SUCCESS
    await fuzz_async(process, [update.SerializeToString(), transaction.SerializeToString()])
    await orderer.stop()


def more_messages(config: Config) -> None:
    value = config.channel_group.groups["Orderer"].values["BatchSize"]
    size = BatchSize.FromString(value.value)
    size.max_message_count += 1
    value.value = size.SerializeToString()
