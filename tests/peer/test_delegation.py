"""Who endorses: the peer's deputy when it can, else the peer itself."""

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from gridloom.common.crypto import SigningKey
from gridloom.common.errors import MalformedMessage
from gridloom.common.rpc import Code, RpcError
from gridloom.deploy.topology import Topology
from gridloom.peer.delegation import METHOD
from gridloom.protos.gateway.gateway_pb2 import ProposedTransaction
from gridloom.protos.peer.proposal_pb2 import SignedProposal
from gridloom.protos.peer.proposal_response_pb2 import ProposalResponse
from harness.network import CHAINCODES, SHELF, contract, deploy, nodes
from harness.replicas import replicated

VAULT = CHAINCODES / "vault"


@pytest.fixture
async def replicas(tmp_path):
    async with replicated(Topology.default(), tmp_path) as replicas:
        yield replicas


async def test_chaincodes_of_users_are_delegated_and_those_of_the_system_are_not(replicas):
    access = replicas.network.access
    await deploy(access, SHELF, "shelf")
    assert replicas.asked == 0
    await contract(access, "shelf").submit_transaction("put", "lamp", "brass")
    assert (replicas.asked, replicas.given_back) == (2, 0)


async def test_what_was_just_committed_is_read_by_the_next_proposal(replicas):
    access = replicas.network.access
    await deploy(access, SHELF, "shelf")
    shelf = contract(access, "shelf")
    for metal in ("brass", "copper", "tin"):
        await shelf.submit_transaction("put", "lamp", metal)
        assert await shelf.evaluate_transaction("get", "lamp") == metal.encode()


async def test_each_peer_vouches_for_what_its_own_key_has_signed_elsewhere(replicas, monkeypatch):
    access = replicas.network.access
    await deploy(access, SHELF, "shelf")
    vouched = []
    monkeypatch.setattr(SigningKey, "vouch", lambda *arguments: vouched.append(arguments))
    await contract(access, "shelf").submit_transaction("put", "lamp", "tin")
    signers = [peer.signer for peer in replicas.network.peers.values()]
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
    assert (replicas.asked, replicas.given_back) == (1, 1)
    await put(b"copper")
    assert (replicas.asked, replicas.given_back) == (1, 1)  # it is known by now
    assert await vault.evaluate_transaction("get", collection, "lamp") == b"copper"


@pytest.mark.parametrize("code", [Code.UNAVAILABLE, Code.CANCELLED, Code.UNIMPLEMENTED])
async def test_a_deputy_that_is_lost_is_replaced_by_the_peer(replicas, code):
    access = replicas.network.access
    await deploy(access, SHELF, "shelf")
    shelf = contract(access, "shelf")
    replicas.fail = RpcError(code, "lost")
    assert await shelf.submit_transaction("put", "lamp", "brass") == b""
    assert await shelf.evaluate_transaction("get", "lamp") == b"brass"
    assert replicas.given_back == 2


async def test_what_a_deputy_refuses_is_refused(replicas):
    """With the peer's own words: it is the same endorser."""
    access = replicas.network.access
    await deploy(access, SHELF, "shelf")
    proposal = contract(access, "shelf").new_proposal("put", arguments=["lamp", "brass"])
    signed = ProposedTransaction.FromString(proposal.serialized).proposal
    forged = SignedProposal(proposal_bytes=signed.proposal_bytes, signature=b"forged")
    _, _, peer = nodes(access)[0]
    with pytest.raises(RpcError, match=r"access denied: channel .mychannel. creator org") as caught:
        await peer.unary(METHOD, forged, ProposalResponse)
    assert caught.value.code is Code.UNKNOWN
    assert (replicas.asked, replicas.given_back) == (1, 1)


@pytest.mark.parametrize("data", [b"", b"\xff\xff"])
async def test_a_malformed_proposal_does_not_get_there(replicas, data):
    _, _, peer = nodes(replicas.network.access)[0]
    with pytest.raises((RpcError, MalformedMessage)):
        await peer.unary(METHOD, SignedProposal(proposal_bytes=data), ProposalResponse)
    assert replicas.asked == 0
