"""What a peer answers to gossip, and to whom."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing

from gridloom.common.rpc.local import LocalChannel
from gridloom.deploy.network import Network
from gridloom.deploy.topology import Topology
from gridloom.peer.gossip.communication import STREAM
from gridloom.peer.gossip.handshake import Handshake
from gridloom.peer.gossip.membership import Membership
from gridloom.peer.gossip.messages import open_envelope, pki_id, sign
from gridloom.peer.gossip.state_info import channel_mac
from gridloom.protos.gossip.message_pb2 import Envelope, GossipMessage

ONE, TWO = "peer0.org1.example.com", "peer0.org2.example.com"


async def test_only_whoever_vouches_for_a_question_gets_an_answer():
    async with Network.in_memory(Topology.default()) as network:
        peer, signer = network.peers[ONE], network.access.material.node(TWO).signing_identity
        asking = Membership(signer, "two:1", peer._peer_identity, lambda: 0.0, incarnation=1)
        state = GossipMessage(tag=GossipMessage.CHAN_OR_ORG)
        state.state_info_pull_req.channel_MAC = channel_mac(pki_id(signer.serialized), "mychannel")

        async def said() -> AsyncIterator[Envelope]:
            yield Handshake(signer, peer._peer_identity).own()
            for question in (asking.request(1), state):
                yield Envelope(payload=question.SerializeToString())
            for question in (asking.request(2), state):
                yield sign(question, signer)
            await asyncio.Event().wait()

        channel = LocalChannel(peer.services())
        async with aclosing(channel.stream(STREAM, said(), Envelope)) as answers:
            heard = [open_envelope(await anext(answers)) for _ in range(3)]
        assert [message.WhichOneof("content") for message in heard] == [
            "conn",
            "mem_res",
            "state_snapshot",
        ]
        assert heard[1].nonce == 2
        assert peer.membership.endpoints() == {"two:1"}
