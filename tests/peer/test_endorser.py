"""The endorser against the captured dialogue of a real one, and what it refuses."""

from datetime import UTC, datetime, timedelta

import pytest

from gridloom.common.rpc import Call, Code, RpcError
from gridloom.peer.chaincodes.lifecycle.store import FilePackageStore
from gridloom.protos.common import common_pb2
from gridloom.protos.peer.proposal_pb2 import Proposal, SignedProposal
from gridloom.protos.peer.proposal_response_pb2 import ProposalResponse
from harness.golden_peer import golden_peer
from harness.shared import shared

CAPTURED = datetime(2026, 11, 20, 9, 37, 56, tzinfo=UTC)


def wire(number: int, kind: str) -> bytes:
    (path,) = shared("golden", "wire").glob(f"{number:02}-*.{kind}.pb")
    return path.read_bytes()


def request(number: int) -> SignedProposal:
    return SignedProposal.FromString(wire(number, "req"))


def response(number: int) -> ProposalResponse:
    return ProposalResponse.FromString(wire(number, "resp"))


@pytest.fixture
async def endorser(tmp_path):
    """Makes peers of some height, and gives each with its way to answer a proposal."""
    peers = []

    async def start(height: int, now: datetime = CAPTURED):
        peer = await golden_peer(height, now, FilePackageStore(tmp_path / str(len(peers))))
        peers.append(peer)
        method = peer.services().find("/protos.Endorser/ProcessProposal")

        async def process(proposal: SignedProposal) -> ProposalResponse:
            return await method.handler(proposal, Call())

        return peer, process

    yield start
    for peer in peers:
        await peer.stop()


@pytest.mark.parametrize(
    ("number", "height"),
    [
        pytest.param(1, 61, id="write"),
        pytest.param(9, 62, id="read"),
        pytest.param(11, 62, id="chaincode error"),
        pytest.param(15, 62, id="unknown channel"),
        pytest.param(17, 62, id="unknown chaincode"),
        pytest.param(19, 62, id="private data"),
        pytest.param(23, 63, id="qscc GetChainInfo"),
        pytest.param(25, 63, id="qscc GetBlockByNumber"),
        pytest.param(27, 63, id="qscc GetTransactionByID"),
        pytest.param(29, 63, id="qscc GetBlockByTxID"),
        pytest.param(34, 63, id="qscc GetBlockByHash"),
    ],
)
async def test_a_real_proposal_gets_the_real_answer_but_for_the_signer(endorser, number, height):
    peer, process = await endorser(height)
    answer, golden = await process(request(number)), response(number + 1)
    if golden.HasField("endorsement"):
        assert answer.endorsement.endorser == peer.signer.serialized
        assert answer.endorsement.signature == peer.signer.sign(
            answer.payload + peer.signer.serialized
        )
    assert answer.HasField("endorsement") == golden.HasField("endorsement")
    answer.ClearField("endorsement")
    golden.ClearField("endorsement")
    assert answer == golden
    assert answer.payload == golden.payload


async def test_a_forged_signature_gets_the_real_refusal(endorser):
    _, process = await endorser(62)
    with pytest.raises(RpcError) as refused:
        await process(request(13))
    assert (refused.value.code, refused.value.message) == (
        Code.UNKNOWN,
        "error validating proposal: access denied: channel [golden1] creator org [Org1MSP]",
    )


async def test_a_proposal_that_was_opened_before_is_checked_all_the_same(endorser):
    _, process = await endorser(62)
    proposal = request(9)
    await process(proposal)
    forged = SignedProposal(proposal_bytes=proposal.proposal_bytes, signature=request(1).signature)
    with pytest.raises(RpcError, match=r"access denied: channel \[golden1\] creator org"):
        await process(forged)
    _, process_later = await endorser(62, CAPTURED + timedelta(minutes=16))
    with pytest.raises(RpcError, match="request unauthorized due to incorrect timestamp"):
        await process_later(proposal)


async def test_the_cleartext_of_private_writes_is_kept_until_commit(endorser):
    peer, process = await endorser(62)
    await process(request(19))
    header = common_pb2.Header.FromString(Proposal.FromString(request(19).proposal_bytes).header)
    tx_id = common_pb2.ChannelHeader.FromString(header.channel_header).tx_id
    (kept,) = peer.channel("golden1").ledger.transient.get(tx_id)
    assert kept.pvt_rwset.ns_pvt_rwset[0].namespace == "gold"
    assert b'{"secret":"wire"}' in kept.SerializeToString()


async def test_a_proposal_whose_id_is_in_the_ledger_is_refused(endorser):
    _, process = await endorser(66)
    with pytest.raises(RpcError, match=r"duplicate transaction found \[a1ce5e5c"):
        await process(request(1))


@pytest.mark.parametrize("minutes", [-16, 16])
async def test_a_proposal_of_another_time_is_refused(endorser, minutes):
    _, process = await endorser(62, CAPTURED + timedelta(minutes=minutes))
    with pytest.raises(
        RpcError,
        match="request unauthorized due to incorrect timestamp 2026-11-20T09:37:56Z, "
        r"peer time 2026-11-20T09:\d\d:56Z, peer.authentication.timewindow 15m0s",
    ):
        await process(request(9))


async def test_a_proposal_of_an_expired_client_is_refused(endorser):
    _, process = await endorser(62, CAPTURED + timedelta(days=10_000))
    with pytest.raises(RpcError, match="proposal client identity expired"):
        await process(request(9))


@pytest.mark.parametrize(
    "proposal",
    [
        SignedProposal(proposal_bytes=b"\xff"),
        SignedProposal(proposal_bytes=Proposal(header=b"\xff").SerializeToString()),
        SignedProposal(),
    ],
    ids=["proposal", "header", "nothing at all"],
)
async def test_a_proposal_that_does_not_parse_is_refused(endorser, proposal):
    _, process = await endorser(1)
    with pytest.raises(RpcError) as refused:
        await process(proposal)
    assert refused.value.code == Code.UNKNOWN
