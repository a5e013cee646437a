"""The discovery service: the answers of a real one, and what it refuses."""

import json
from hashlib import sha256

import pytest
from google.protobuf.json_format import MessageToDict

from gridloom.common.channel.bundle import ChannelBundle
from gridloom.common.identities import SigningIdentity
from gridloom.common.rpc import Call, Code, RpcError
from gridloom.deploy.live_directory import LiveDirectory
from gridloom.deploy.network import Network
from gridloom.peer.discovery.channel_config import config_result
from gridloom.peer.discovery.service import DiscoveryService
from gridloom.peer.settings import DiscoverySettings
from gridloom.protos.discovery import protocol_pb2 as pb
from gridloom.protos.gossip.message_pb2 import GossipMessage
from gridloom.protos.peer.proposal_response_pb2 import ChaincodeCall, ChaincodeInterest
from harness.golden_channel import peer_block
from harness.network import PROBE, deploy, settled_height
from harness.shared import shared

PEER = "peer0.org1.example.com"
CALL = Call()


@pytest.fixture
async def network():
    async with Network.in_memory() as network:
        await deploy(network.access, PROBE, "probe")
        await settled_height(network.access)
        yield network


def service(network, **settings) -> DiscoveryService:
    """The service of Org1's peer, as its node assembles it but for the settings."""
    peer = network.peers[PEER]
    directory = LiveDirectory(network.peers)
    directory.open(network.topology, network.builder.material, network.channel_to)
    own = next(info for info in directory.peers("mychannel") if info.msp_id == "Org1MSP")
    return DiscoveryService(
        own,
        directory,
        peer.acl,
        channels=peer.channel,
        channel_ids=peer.channel_ids,
        runnable=peer.host.runnable,
        settings=DiscoverySettings(**settings),
    )


def signed(signer: SigningIdentity, *queries: pb.Query, tls_hash: bytes = b"") -> pb.SignedRequest:
    who = pb.AuthInfo(client_identity=signer.serialized, client_tls_cert_hash=tls_hash)
    payload = pb.Request(authentication=who, queries=queries).SerializeToString()
    return pb.SignedRequest(payload=payload, signature=signer.sign(payload))


def channel_query(kind: str, message, channel="mychannel") -> pb.Query:
    return pb.Query(channel=channel, **{kind: message})


PEERS = channel_query("peer_query", pb.PeerMembershipQuery())
LOCAL = pb.Query(local_peers=pb.LocalPeerQuery())


def endorsers(*interests: ChaincodeInterest) -> pb.Query:
    return channel_query("cc_query", pb.ChaincodeQuery(interests=interests))


def interest(*names: str, **call: object) -> ChaincodeInterest:
    return ChaincodeInterest(chaincodes=[ChaincodeCall(name=name, **call) for name in names])


async def ask(network, *queries, organization="Org1", user="User1", **settings):
    signer = network.access.signer(organization, user)
    response = await service(network, **settings).discover(signed(signer, *queries), CALL)
    return list(response.results)


async def refusal(network, query, **options) -> str:
    (result,) = await ask(network, query, **options)
    return result.error.content


def endpoints(peers: pb.Peers) -> list[str]:
    messages = [GossipMessage.FromString(peer.membership_info.payload) for peer in peers.peers]
    return [message.alive_msg.membership.endpoint for message in messages]


def test_the_configuration_is_told_as_a_real_peer_tells_it():
    result = config_result(ChannelBundle.from_config_block(peer_block(0)))
    recorded = json.loads(shared("golden", "discover", "config.golden1.json").read_text())
    assert MessageToDict(result, preserving_proto_field_name=True) == recorded


async def test_the_peers_of_a_channel_come_with_heights_and_chaincodes(network):
    (result,) = await ask(network, PEERS)
    found = result.members.peers_by_org
    assert sorted(found) == ["Org1MSP", "Org2MSP"]
    for msp_id, peers in found.items():
        (peer,) = peers.peers
        state = GossipMessage.FromString(peer.state_info.payload).state_info
        assert state.properties.ledger_height == network.peers[PEER].channel("mychannel").height
        assert [each.name for each in state.properties.chaincodes] == ["probe", "_lifecycle"]
        node = network.topology.organization(msp_id).peers[0]
        assert endpoints(peers) == [node.endpoint]
        identity = network.builder.material.node(node.name).signing_identity
        assert peer.identity == identity.serialized


async def test_the_form_is_that_of_a_real_answer(network):
    """The recorded answer is the discover command's reading; its fields all have a source."""
    recorded = json.loads(shared("golden", "discover", "peers.golden1.json").read_text())
    assert {tuple(sorted(peer)) for peer in recorded} == {
        ("Chaincodes", "Endpoint", "Identity", "LedgerHeight", "MSPID")
    }
    assert recorded[0]["Chaincodes"][-1] == "_lifecycle"


async def test_peers_may_be_only_those_who_could_endorse(network):
    for name, expected in (("probe", 2), ("_lifecycle", 2)):
        query = channel_query("peer_query", pb.PeerMembershipQuery(filter=interest(name)))
        (result,) = await ask(network, query)
        found = result.members.peers_by_org.values()
        assert sum(len(peers.peers) for peers in found) == expected
    query = channel_query("peer_query", pb.PeerMembershipQuery(filter=interest("missing")))
    (result,) = await ask(network, query)
    assert [len(peers.peers) for peers in result.members.peers_by_org.values()] == [0, 0]


async def test_endorsers_are_groups_and_how_many_of_each(network):
    (result,) = await ask(network, endorsers(interest("probe"), interest("_lifecycle")))
    of_probe, of_lifecycle = result.cc_query_res.content
    assert (of_probe.chaincode, of_lifecycle.chaincode) == ("probe", "_lifecycle")
    (layout,) = of_probe.layouts
    assert dict(layout.quantities_by_group) == {"G0": 1, "G1": 1}
    groups = of_probe.endorsers_by_groups
    assert sorted(endpoint for group in groups.values() for endpoint in endpoints(group)) == sorted(
        node.endpoint for node in network.topology.peers()
    )


async def test_a_chaincode_that_nobody_has_is_an_error_with_fabrics_words(network):
    recorded = shared("golden", "discover", "endorsers.nosuch.txt").read_text().strip()
    expected = recorded.removeprefix("server returned: ")
    assert await refusal(network, endorsers(interest("nosuchcc"))) == expected


@pytest.mark.parametrize(
    ("query", "message"),
    [
        (endorsers(), "chaincode query must have at least one chaincode interest"),
        (endorsers(interest()), "chaincode interest must contain at least one chaincode"),
        (endorsers(interest("")), "chaincode name in interest cannot be empty"),
        (pb.Query(channel="mychannel"), "unknown or missing request type"),
        (
            pb.Query(channel="mychannel", local_peers=pb.LocalPeerQuery()),
            "unknown or missing request type",
        ),
        (channel_query("peer_query", pb.PeerMembershipQuery(), "nosuch"), "access denied"),
    ],
)
async def test_what_cannot_be_answered_says_why(network, query, message):
    assert await refusal(network, query) == message


async def test_one_refusal_leaves_the_other_answers(network):
    results = await ask(network, PEERS, endorsers(), PEERS)
    assert [result.WhichOneof("result") for result in results] == ["members", "error", "members"]


async def test_peers_without_a_channel_are_for_administrators(network):
    recorded = shared("golden", "discover", "peers.local.nonadmin.txt").read_text().strip()
    assert await refusal(network, LOCAL) == recorded
    (result,) = await ask(network, LOCAL, user="Admin")
    assert sorted(result.members.peers_by_org) == ["Org1MSP", "Org2MSP"]
    assert not any(p.HasField("state_info") for p in result.members.peers_by_org["Org1MSP"].peers)
    assert await refusal(network, LOCAL, organization="Org2", user="Admin") == "access denied"
    (result,) = await ask(network, LOCAL, org_members_allowed=True)
    assert result.WhichOneof("result") == "members"


async def test_strangers_and_forgers_are_denied(network):
    other = Network.in_memory().access.signer("Org1", "User1")
    response = await service(network).discover(signed(other, PEERS), CALL)
    assert response.results[0].error.content == "access denied"
    request = signed(network.access.signer("Org1", "User1"), PEERS)
    request.signature = request.signature[:-1] + bytes([request.signature[-1] ^ 1])
    response = await service(network).discover(request, CALL)
    assert response.results[0].error.content == "access denied"


async def test_a_request_that_names_nobody_is_refused_whole(network):
    for payload, message in (
        (b"\xff", "failed parsing request"),
        (b"", "access denied, no authentication info in request"),
        (
            pb.Request(authentication=pb.AuthInfo()).SerializeToString(),
            "access denied, client identity wasn't supplied",
        ),
    ):
        with pytest.raises(RpcError, match=message) as refused:
            await service(network).discover(pb.SignedRequest(payload=payload), CALL)
        assert refused.value.code is Code.UNKNOWN


async def test_a_tls_certificate_has_to_be_the_one_that_is_claimed(network):
    signer, call = network.access.signer("Org1", "User1"), CALL._replace(certificate=b"der")
    claimed = sha256(b"der").digest()
    response = await service(network).discover(signed(signer, PEERS, tls_hash=claimed), call)
    assert response.results[0].WhichOneof("result") == "members"
    with pytest.raises(RpcError, match="doesn't match computed TLS hash"):
        await service(network).discover(signed(signer, PEERS, tls_hash=b"other"), call)
