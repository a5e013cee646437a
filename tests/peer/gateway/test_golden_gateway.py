"""The dialogues of a real gateway: the same requests are answered with the same bytes.

Blocks, configuration, signatures and definitions are the real ones; endorsers and orderer say
what the real ones have said.
"""

from contextlib import aclosing
from random import Random

import pytest
import pytest_asyncio

from gridloom.common.rpc import RpcError
from gridloom.peer.acl import AccessControl
from gridloom.peer.discovery.peers import PeerInfo
from gridloom.peer.gateway import Gateway
from gridloom.peer.gateway.broadcast_streams import OrdererInfo
from gridloom.protos.common.common_pb2 import Payload
from gridloom.protos.gateway.gateway_pb2 import (
    EndorseRequest,
    EndorseResponse,
    EvaluateRequest,
    EvaluateResponse,
    SignedChaincodeEventsRequest,
    SignedCommitStatusRequest,
    SubmitRequest,
)
from gridloom.protos.msp.identities_pb2 import SerializedIdentity
from gridloom.protos.peer.proposal_response_pb2 import ProposalResponse, Response
from gridloom.protos.peer.transaction_pb2 import ChaincodeActionPayload, Transaction
from harness.gateway_parts import (
    NO_DEADLINE,
    ScriptedEndorser,
    ScriptedOrderer,
    chaincode_error,
    success,
)
from harness.golden_channel import BLOCKS, CHANNEL, GoldenPeer
from harness.golden_wire import recorded, recorded_bytes, status_bytes
from harness.shared import shared


def info(number, endpoint):
    """A real peer by its certificate, at the address it had."""
    domain = f"org{number}.example.com"
    folder = shared("golden", "msp", "crypto", "peerOrganizations", domain, "peers")
    (certificate,) = folder.glob("*/msp/signcerts/*.pem")
    msp_id = f"Org{number}MSP"
    identity = SerializedIdentity(mspid=msp_id, id_bytes=certificate.read_bytes())
    serialized = identity.SerializeToString()
    return PeerInfo(msp_id, endpoint, serialized, ScriptedEndorser(serialized), height=BLOCKS)


class GoldenGateway:
    """The gateway of peer0.org1 with the whole golden ledger behind it."""

    def __init__(self, peer):
        self.peer = peer
        self.infos = [info(1, "127.0.0.1:7051"), info(2, "127.0.0.1:9051")]
        self.orderer = ScriptedOrderer()
        orderer = OrdererInfo("OrdererMSP", "127.0.0.1:7050", self.orderer)
        bundle = peer.channel.bundle
        self.service = Gateway(
            self.infos[0],
            self,
            lambda channel_id: [orderer] if channel_id == CHANNEL else [],
            lambda channel_id: peer.channel if channel_id == CHANNEL else None,
            AccessControl(
                lambda channel_id: bundle if channel_id == CHANNEL else None,
                bundle.msp_manager.msp("Org1MSP"),
            ),
            random=Random(1),
        )

    def peers(self, channel_id):
        return self.infos if channel_id == CHANNEL else ()

    def answer(self, response):
        for each in self.infos:
            each.channel.answer = response

    async def refusal(self, call):
        with pytest.raises(RpcError) as caught:
            await call
        return status_bytes(caught.value)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def ledger():
    peer = GoldenPeer("memory")
    await peer.commit_up_to(BLOCKS)
    yield peer
    await peer.close()


@pytest.fixture
def golden(ledger):
    return GoldenGateway(ledger)


pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_evaluate(golden):
    golden.answer(success(recorded(41, EvaluateResponse).result.payload))
    response = await golden.service.evaluate(recorded(40, EvaluateRequest), NO_DEADLINE)
    assert response.SerializeToString() == recorded_bytes(41)


async def test_evaluate_with_a_chaincodes_error(golden):
    golden.answer(chaincode_error("the asset nosuch does not exist"))
    call = golden.service.evaluate(recorded(42, EvaluateRequest), NO_DEADLINE)
    assert await golden.refusal(call) == recorded_bytes(43)


async def test_evaluate_on_an_unknown_channel(golden):
    call = golden.service.evaluate(recorded(72, EvaluateRequest), NO_DEADLINE)
    assert await golden.refusal(call) == recorded_bytes(73)


@pytest.mark.parametrize("number", [44, 52, 58, 60])
async def test_endorse(golden, number):
    expected = recorded(number + 1, EndorseResponse)
    payload = Payload.FromString(expected.prepared_transaction.payload)
    transaction = Transaction.FromString(payload.data)
    action = ChaincodeActionPayload.FromString(transaction.actions[0].payload).action
    (endorsement,) = action.endorsements
    assert endorsement.endorser == golden.infos[0].identity
    golden.answer(
        ProposalResponse(
            payload=action.proposal_response_payload,
            endorsement=endorsement,
            response=Response(status=200),
        )
    )
    response = await golden.service.endorse(recorded(number, EndorseRequest), NO_DEADLINE)
    assert response.SerializeToString() == recorded_bytes(number + 1)
    assert not golden.infos[1].channel.asked  # the real policy asks for either organisation


async def test_endorse_with_a_chaincodes_error(golden):
    golden.answer(chaincode_error("the asset gw5 already exists"))
    call = golden.service.endorse(recorded(50, EndorseRequest), NO_DEADLINE)
    assert await golden.refusal(call) == recorded_bytes(51)


async def test_endorse_of_an_unknown_chaincode(golden):
    call = golden.service.endorse(recorded(70, EndorseRequest), NO_DEADLINE)
    assert await golden.refusal(call) == recorded_bytes(71)


@pytest.mark.parametrize("number", [46, 54, 62, 64])
async def test_submit(golden, number):
    response = await golden.service.submit(recorded(number, SubmitRequest), NO_DEADLINE)
    assert response.SerializeToString() == recorded_bytes(number + 1)
    assert golden.orderer.asked == 1


@pytest.mark.parametrize("number", [48, 56, 66, 68])
async def test_commit_status(golden, number):
    request = recorded(number, SignedCommitStatusRequest)
    response = await golden.service.commit_status(request, NO_DEADLINE)
    assert response.SerializeToString() == recorded_bytes(number + 1)


async def test_chaincode_events(golden):
    request = recorded(74, SignedChaincodeEventsRequest)
    async with aclosing(golden.service.chaincode_events(request, NO_DEADLINE)) as responses:
        first = await anext(responses)
    assert first.SerializeToString() == recorded_bytes(75)
