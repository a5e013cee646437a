"""Who endorses: the peer's deputy when it can, else the peer itself."""

import asyncio

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from gridloom.client import EndorseError
from gridloom.common.crypto import SigningKey
from gridloom.common.errors import MalformedMessage
from gridloom.common.rpc import Call, Code, RpcError
from gridloom.deploy.packaging import package_service
from gridloom.deploy.topology import Topology
from gridloom.peer.delegation import ENDORSE, PROCESS_PROPOSAL
from gridloom.protos.gateway.gateway_pb2 import EndorseRequest, EndorseResponse, ProposedTransaction
from gridloom.protos.peer.proposal_pb2 import SignedProposal
from gridloom.protos.peer.proposal_response_pb2 import ProposalResponse
from harness.network import CHAINCODES, SHELF, contract, deploy, edited, nodes
from harness.replicas import replicated

VAULT = CHAINCODES / "vault"


@pytest.fixture
async def replicas(tmp_path):
    async with replicated(Topology.default(), tmp_path) as replicas:
        yield replicas


def proposed(access, *arguments):
    """A signed proposal to put something on the shelf."""
    proposal = contract(access, "shelf").new_proposal("put", arguments=arguments)
    proposed = ProposedTransaction.FromString(proposal.serialized)
    signer = access.signer("Org1", "User1")
    proposed.proposal.signature = signer.sign(proposed.proposal.proposal_bytes)
    return proposed


async def test_chaincodes_of_users_are_delegated_and_those_of_the_system_are_not(replicas):
    access = replicas.network.access
    await deploy(access, SHELF, "shelf")
    assert replicas.asked == []
    await contract(access, "shelf").submit_transaction("put", "lamp", "brass")
    assert (replicas.asked, replicas.given_back) == ([ENDORSE], 0)  # by both peers, in one call


async def test_who_asks_a_peer_itself_is_answered_by_its_replica(replicas):
    access = replicas.network.access
    await deploy(access, SHELF, "shelf")
    signed = proposed(access, "lamp", "brass").proposal
    answers = [await peer.unary(PROCESS_PROPOSAL, signed, ProposalResponse)
               for _, _, peer in nodes(access)]  # fmt: skip
    assert answers[0].payload == answers[1].payload
    assert (replicas.asked, replicas.given_back) == ([PROCESS_PROPOSAL] * 2, 0)


async def test_what_was_just_committed_is_read_by_the_next_proposal(replicas):
    access = replicas.network.access
    await deploy(access, SHELF, "shelf")
    shelf = contract(access, "shelf")
    for metal in ("brass", "copper", "tin"):
        await shelf.submit_transaction("put", "lamp", metal)
        assert await shelf.evaluate_transaction("get", "lamp") == metal.encode()


@pytest.mark.parametrize("method", [ENDORSE, PROCESS_PROPOSAL])
async def test_what_own_keys_have_signed_elsewhere_is_vouched_for(replicas, monkeypatch, method):
    access = replicas.network.access
    await deploy(access, SHELF, "shelf")
    proposal = proposed(access, "lamp", "tin")
    vouched = []
    monkeypatch.setattr(SigningKey, "vouch", lambda *arguments: vouched.append(arguments))
    signers = [peer.signer for peer in replicas.network.peers.values()]
    if method == ENDORSE:
        request = EndorseRequest(proposed_transaction=proposal.proposal)
        await nodes(access)[0][2].unary(ENDORSE, request, EndorseResponse)
    else:
        for _, _, peer in nodes(access):
            await peer.unary(PROCESS_PROPOSAL, proposal.proposal, ProposalResponse)
    assert len(vouched) == len(signers) == 2
    for signer, (_, message, signature) in zip(signers, vouched, strict=True):
        key = signer.certificate.public_key()
        key.verify(signature, message, ec.ECDSA(hashes.SHA256()))  # by the library, not by memory


async def test_private_data_are_written_by_the_peer_itself(replicas):
    access = replicas.network.access
    await deploy(access, VAULT, "vault")
    vault = contract(access, "vault")
    collection = "_implicit_org_Org1MSP"

    async def put(secret):
        proposal = vault.new_proposal(
            "put",
            arguments=[collection, "lamp"],
            transient={"value": secret},
            endorsing_organizations=["Org1MSP"],
        )
        submitted = await (await proposal.endorse()).submit()
        assert (await submitted.get_status()).successful

    await put(b"brass")
    assert (replicas.asked, replicas.given_back) == ([ENDORSE, PROCESS_PROPOSAL], 2)
    await put(b"copper")
    assert len(replicas.asked) == 2  # it is known by now
    assert await vault.evaluate_transaction("get", collection, "lamp") == b"copper"


async def test_where_a_peer_has_a_service_its_gateways_endorse_themselves(replicas):
    """For they would have to reach the service, which waits for the peer alone."""
    access = replicas.network.access
    await deploy(access, SHELF, "shelf")
    await access.install(package_service("127.0.0.1:9", "other_1.0"), ["Org2MSP"])
    await contract(access, "shelf").submit_transaction("put", "lamp", "brass")
    assert (replicas.asked, replicas.given_back) == ([ENDORSE, PROCESS_PROPOSAL], 1)


@pytest.mark.parametrize("code", [Code.UNAVAILABLE, Code.CANCELLED, Code.UNIMPLEMENTED])
async def test_a_deputy_that_is_lost_is_replaced_by_the_peer(replicas, code):
    access = replicas.network.access
    await deploy(access, SHELF, "shelf")
    shelf = contract(access, "shelf")
    replicas.fail = RpcError(code, "lost")
    assert await shelf.submit_transaction("put", "lamp", "brass") == b""
    assert await shelf.evaluate_transaction("get", "lamp") == b"brass"
    assert (replicas.asked, replicas.given_back) == ([ENDORSE, *[PROCESS_PROPOSAL] * 2], 3)


async def test_what_a_deputy_refuses_is_refused(replicas):
    """With the peer's own words: it is the same endorser."""
    access = replicas.network.access
    await deploy(access, SHELF, "shelf")
    signed = proposed(access, "lamp", "brass").proposal
    forged = SignedProposal(proposal_bytes=signed.proposal_bytes, signature=b"forged")
    _, _, peer = nodes(access)[0]
    with pytest.raises(RpcError, match=r"access denied: channel .mychannel. creator org") as caught:
        await peer.unary(PROCESS_PROPOSAL, forged, ProposalResponse)
    assert caught.value.code is Code.UNKNOWN
    assert (replicas.asked, replicas.given_back) == ([PROCESS_PROPOSAL], 1)


async def test_what_each_peer_said_reaches_the_client_of_the_gateway(replicas):
    """In the same words as without the deputy."""
    access = replicas.network.access
    await deploy(access, SHELF, "shelf")
    shelf = contract(access, "shelf")
    told = []
    for lost in (None, RpcError(Code.UNAVAILABLE, "lost")):
        replicas.fail = lost
        with pytest.raises(EndorseError) as caught:
            await shelf.submit_transaction("no_such_function")
        told.append((caught.value.code, str(caught.value), caught.value.details))
    assert told[0] == told[1]
    assert replicas.asked[0] == ENDORSE
    assert told[0][2]


async def test_the_gateways_client_need_not_wait_longer_than_it_wants(replicas, tmp_path):
    access = replicas.network.access
    slow = edited(SHELF, tmp_path / "slow", r"ctx\.stub\.put_state\(key, value\)",
                  "import time; time.sleep(0.3); \\g<0>")  # fmt: skip
    await deploy(access, slow, "shelf")
    request = EndorseRequest(proposed_transaction=proposed(access, "lamp", "brass").proposal)
    peer, *_ = replicas.network.peers.values()
    endorse = peer.services().find(ENDORSE).handler
    with pytest.raises(RpcError, match="endorsement timeout expired while collecting") as caught:
        await endorse(request, Call(deadline=0.05))
    assert caught.value.code is Code.DEADLINE_EXCEEDED
    await asyncio.sleep(0.5)  # until the chaincode is done


@pytest.mark.parametrize("data", [b"", b"\xff\xff"])
async def test_a_malformed_proposal_does_not_get_there(replicas, data):
    _, _, peer = nodes(replicas.network.access)[0]
    malformed = SignedProposal(proposal_bytes=data)
    with pytest.raises((RpcError, MalformedMessage)):
        await peer.unary(PROCESS_PROPOSAL, malformed, ProposalResponse)
    request = EndorseRequest(proposed_transaction=malformed)
    with pytest.raises(RpcError) as caught:
        await peer.unary(ENDORSE, request, EndorseResponse)
    assert caught.value.code is Code.INVALID_ARGUMENT
    assert replicas.asked == []
