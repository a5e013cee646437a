"""What the endorser makes of a chaincode's answer, and whom it lets propose at all."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import cast

import pytest

from gridloom.common.envelopes import transaction_id
from gridloom.common.msp import Msp
from gridloom.common.proposals import new_proposal
from gridloom.common.rpc import Call, Code, RpcError
from gridloom.peer.acl import AccessControl
from gridloom.peer.chaincodes.errors import ChaincodeHostError, ExecutionFailed
from gridloom.peer.chaincodes.host import ChaincodeHost
from gridloom.peer.chaincodes.invocation import Invocation
from gridloom.peer.chaincodes.lifecycle.endorsement_info import EndorsementInfo
from gridloom.peer.channel import PeerChannel
from gridloom.peer.endorser import Endorser
from gridloom.peer.ledger.provider import LedgerProvider
from gridloom.peer.ledger.simulator import TxSimulator
from gridloom.protos.common import common_pb2
from gridloom.protos.peer.chaincode_event_pb2 import ChaincodeEvent
from gridloom.protos.peer.proposal_pb2 import (
    ChaincodeAction,
    ChaincodeProposalPayload,
    Proposal,
    SignedProposal,
)
from gridloom.protos.peer.proposal_response_pb2 import (
    ProposalResponse,
    ProposalResponsePayload,
    Response,
)
from harness.consortium import CHANNEL, NOW, Consortium, clock, consortium

GARBAGE = b"\xff\xff"


@dataclass
class ScriptedHost:
    """Stands for the chaincode host: does ``run`` and answers ``response``."""

    response: Response = field(default_factory=lambda: Response(status=200))
    event: ChaincodeEvent | None = None
    run: Callable[[TxSimulator], object] = lambda simulator: None
    missing: bool = False
    failing: bool = False
    calls: list[Invocation] = field(default_factory=list)

    def is_system(self, name: str) -> bool:
        return name in ("qscc", "cscc", "_lifecycle")

    def endorsement_info(
        self, channel_id: str, name: str, simulator: TxSimulator | None
    ) -> EndorsementInfo:
        if self.missing:
            raise ChaincodeHostError("not here")
        return EndorsementInfo("1.0")

    async def invoke(
        self, call: Invocation, _: object = None
    ) -> tuple[Response, ChaincodeEvent | None]:
        self.calls.append(call)
        if self.failing:
            raise ExecutionFailed("failed to execute transaction")
        if call.simulator is not None:
            self.run(call.simulator)
        return self.response, self.event


class Bench:
    """An endorser of Org1MSP on the consortium's channel."""

    def __init__(self) -> None:
        members = consortium()
        self.host = ScriptedHost()
        self.signer = members.peer()
        ledger = LedgerProvider("memory").create(members.genesis())
        self.channel = PeerChannel(members.bundle(), ledger, lambda _: None)
        local = Msp.from_config(members.material.msp_config("Org1MSP"))
        channels = {CHANNEL: self.channel}.get
        self.endorser = Endorser(
            self.signer,
            local,
            cast(ChaincodeHost, self.host),
            channels=channels,
            access=AccessControl(lambda name: self.channel.bundle, local),
            now=clock,
            time_window=timedelta(minutes=15),
        )

    async def process(self, signed: SignedProposal) -> ProposalResponse:
        return await self.endorser.process_proposal(signed, Call())


@pytest.fixture
def bench() -> Bench:
    return Bench()


def propose(signer=None, channel: str = CHANNEL, chaincode: str = "basic", **changes):
    """A signed proposal; changes replace fields of the channel header or other layers."""
    signer = signer or consortium().user()
    proposal, _ = new_proposal(
        channel, chaincode, [b"fn"], signer.serialized, b"nonce", NOW, transient={"t": b"secret"}
    )
    header = common_pb2.Header.FromString(proposal.header)
    channel_header = common_pb2.ChannelHeader.FromString(header.channel_header)
    signature_header = common_pb2.SignatureHeader.FromString(header.signature_header)
    for name in ("type", "epoch", "tx_id", "extension"):
        if name in changes:
            setattr(channel_header, name, changes[name])
    for name in ("creator", "nonce"):
        if name in changes:
            setattr(signature_header, name, changes[name])
            channel_header.tx_id = transaction_id(signature_header.nonce, signature_header.creator)
    header.channel_header = channel_header.SerializeToString()
    header.signature_header = signature_header.SerializeToString()
    proposal.header = header.SerializeToString()
    proposal.payload = changes.get("payload", proposal.payload)
    data = proposal.SerializeToString()
    return SignedProposal(
        proposal_bytes=data, signature=changes.get("signature", signer.sign(data))
    )


def action(answer: ProposalResponse) -> ChaincodeAction:
    payload = ProposalResponsePayload.FromString(answer.payload)
    return ChaincodeAction.FromString(payload.extension)


@pytest.mark.parametrize(
    ("status", "endorsed", "payload", "interest", "event"),
    [
        (200, True, True, True, True),
        (399, True, True, True, True),
        (400, False, False, False, False),
        (499, False, False, False, False),
        (500, False, True, True, False),
        (700, False, True, True, False),
    ],
)
async def test_a_status_decides_what_the_answer_carries(
    bench, status, endorsed, payload, interest, event
):
    bench.host.response = Response(status=status, message="said", payload=b"result")
    bench.host.event = ChaincodeEvent(chaincode_id="basic", event_name="e")
    answer = await bench.process(propose())
    assert answer.response == bench.host.response
    assert answer.HasField("endorsement") == endorsed
    assert bool(answer.payload) == payload
    assert answer.HasField("interest") == interest
    assert answer.version == (1 if endorsed else 0)
    assert bool(payload and action(answer).events) == event


@pytest.mark.parametrize("status", [200, 399, 400, 499, 500, 700])
async def test_an_evaluation_answers_the_same_and_signs_nothing(bench, status):
    bench.host.response = Response(status=status, message="said", payload=b"result")
    signed = propose()
    evaluated, endorsed = await bench.endorser.evaluate(signed), await bench.process(signed)
    assert evaluated.response == endorsed.response
    assert not evaluated.HasField("endorsement")
    # By these a gateway tells a chaincode's failure from a peer's.
    assert bool(evaluated.payload) == (status >= 500)


async def test_an_evaluation_is_refused_like_any_other_proposal(bench):
    for refused in (propose(signature=b"forged"), propose(nonce=b""), propose(epoch=1)):
        with pytest.raises(RpcError) as expected:
            await bench.process(refused)
        with pytest.raises(RpcError) as raised:
            await bench.endorser.evaluate(refused)
        assert raised.value.message == expected.value.message


async def test_what_is_endorsed_is_signed_with_the_endorsers_identity(bench):
    bench.host.run = lambda simulator: simulator.set_state("basic", "key", b"value")
    answer = await bench.process(propose())
    signed = answer.payload + bench.signer.serialized
    identity = bench.channel.bundle.msp_manager.deserialize(answer.endorsement.endorser)
    identity.verify(signed, answer.endorsement.signature)
    done = action(answer)
    assert (done.chaincode_id.name, done.chaincode_id.version) == ("basic", "1.0")
    assert done.response == bench.host.response
    assert b"value" in done.results


async def test_transient_data_is_not_in_the_hash_that_is_endorsed(bench):
    signed = propose()
    proposal = Proposal.FromString(signed.proposal_bytes)
    payload = ChaincodeProposalPayload.FromString(proposal.payload)
    assert payload.TransientMap
    other = propose(payload=ChaincodeProposalPayload(input=payload.input).SerializeToString())
    assert (await bench.process(signed)).payload == (await bench.process(other)).payload


async def test_the_interest_names_what_was_touched(bench):
    def run(simulator: TxSimulator) -> None:
        simulator.get_state("_lifecycle", "namespaces/fields/basic/Sequence")
        simulator.get_state("read", "key")
        simulator.set_state("basic", "key", b"value")

    bench.host.run = run
    interest = (await bench.process(propose())).interest
    assert [call.name for call in interest.chaincodes] == ["basic", "read"]


async def test_a_failing_host_is_an_answer_with_status_500(bench):
    bench.host.failing = True
    answer = await bench.process(propose())
    assert answer == ProposalResponse(
        response=Response(status=500, message="error in simulation: failed to execute transaction")
    )


async def test_a_missing_chaincode_is_an_answer_with_advice(bench):
    bench.host.missing = True
    answer = await bench.process(propose())
    assert answer.response.status == 500
    assert answer.response.message == (
        "make sure the chaincode basic has been successfully defined "
        "on channel mychannel and try again: not here"
    )


async def test_an_unknown_channel_is_an_answer_not_an_error(bench):
    answer = await bench.process(propose(channel="other"))
    assert answer.response == Response(status=500, message="channel 'other' not found")


@pytest.mark.parametrize("name", ["qscc", "cscc"])
async def test_chaincodes_that_look_at_the_ledger_itself_get_no_simulator(bench, name):
    answer = await bench.process(propose(chaincode=name))
    assert bench.host.calls[0].simulator is None
    assert not answer.HasField("interest")
    assert answer.HasField("endorsement")


async def test_a_proposal_to_the_peer_itself_gets_a_response_only(bench):
    bench.host.response = Response(status=200, payload=b"ids")
    answer = await bench.process(propose(channel="", chaincode="cscc"))
    assert answer == ProposalResponse(response=bench.host.response)
    stranger = consortium().user(2)
    with pytest.raises(RpcError, match="access denied: channel \\[\\] creator org unknown"):
        await bench.process(propose(stranger, channel="", chaincode="cscc"))


REFUSED = {
    "header type": ({"type": common_pb2.MESSAGE}, "invalid header type MESSAGE"),
    "no known type": ({"type": 77}, "invalid header type 77"),
    "epoch": ({"epoch": 3}, "epoch is non-zero"),
    "nonce": ({"nonce": b""}, "nonce is empty"),
    "creator": ({"creator": b""}, "creator is empty"),
    "transaction id": ({"tx_id": "abc"}, "incorrectly computed txid 'abc' -- expected '"),
    "no signature": ({"signature": b""}, "empty signature bytes"),
    "signature": ({"signature": GARBAGE}, "access denied: channel [mychannel] creator org [Org1"),
    "identity": ({"creator": GARBAGE}, "access denied: channel [mychannel] creator org unknown"),
    "no extension": ({"extension": b""}, "ChaincodeHeaderExtension.ChaincodeId is nil"),
    "empty name": (
        {"extension": b"\x12\x00"},
        "ChaincodeHeaderExtension.ChaincodeId.Name is empty",
    ),
    "extension": ({"extension": GARBAGE}, "error unmarshalling ChaincodeHeaderExtension"),
    "payload": ({"payload": GARBAGE}, "error unmarshalling ChaincodeProposalPayload"),
    "no spec": ({"payload": b""}, "chaincode invocation spec did not contain chaincode spec"),
    "no input": (
        {"payload": b"\x0a\x02\x0a\x00"},
        "chaincode input did not contain any input",
    ),
}


@pytest.mark.parametrize("what", REFUSED)
async def test_a_faulty_proposal_is_refused_with_fabrics_words(bench, what):
    changes, words = REFUSED[what]
    with pytest.raises(RpcError) as refused:
        await bench.process(propose(**changes))
    assert refused.value.code == Code.UNKNOWN
    assert words in refused.value.message
    assert not bench.host.calls


async def test_a_creator_of_another_consortium_is_refused(bench):
    stranger = Consortium(seed=9).user()
    with pytest.raises(RpcError, match="access denied: channel"):
        await bench.process(propose(stranger))


async def test_only_writers_propose_but_anybody_of_the_channel_asks_system_chaincodes(bench):
    peer = consortium().peer(2)  # a peer reads, it does not write
    with pytest.raises(RpcError, match=r"check policy on channel \[mychannel\] with policy"):
        await bench.process(propose(peer))
    assert (await bench.process(propose(peer, chaincode="qscc"))).response.status == 200
