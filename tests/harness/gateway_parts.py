"""A gateway with everything around it scripted: peers, orderers, definitions, heights."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from functools import cache
from random import Random
from typing import TypeVar

from google.protobuf.message import Message

from gridloom.client.admin import parse_collections
from gridloom.common.policies.language import parse
from gridloom.common.proposals import new_proposal
from gridloom.common.rpc import Call, Code, RpcError
from gridloom.peer.acl import AccessControl
from gridloom.peer.chaincodes.lifecycle.definitions import ChaincodeDefinition
from gridloom.peer.discovery.peers import PeerInfo
from gridloom.peer.gateway.broadcast_streams import OrdererInfo
from gridloom.peer.gateway.service import Gateway, GatewayOptions
from gridloom.protos.common.common_pb2 import Block, Status
from gridloom.protos.orderer.ab_pb2 import BroadcastResponse
from gridloom.protos.peer.chaincode_event_pb2 import ChaincodeEvent
from gridloom.protos.peer.policy_pb2 import ApplicationPolicy
from gridloom.protos.peer.proposal_pb2 import ChaincodeAction, SignedProposal
from gridloom.protos.peer.proposal_response_pb2 import (
    ChaincodeInterest,
    Endorsement,
    ProposalResponse,
    ProposalResponsePayload,
    Response,
)

from .consortium import CHANNEL, NOW, Consortium

M = TypeVar("M", bound=Message)

THREE_ORGANIZATIONS = """
organizations:
  - {name: Org1, peers: 2}
  - {name: Org2, peers: 2}
  - {name: Org3, peers: 1}
"""
PROCESS_PROPOSAL = "/protos.Endorser/ProcessProposal"


@cache
def three_organizations() -> Consortium:
    """Org1 and Org2 with two peers each, Org3 with one; made once, read only."""
    return Consortium(THREE_ORGANIZATIONS)


def definition(policy: str = "", collections: str = "", sequence: int = 1) -> ChaincodeDefinition:
    """A committed definition; policy: in the language, or a path; "" is the channel's default."""
    if policy and not policy.startswith("/"):
        application = ApplicationPolicy(signature_policy=parse(policy))
    else:
        reference = policy or "/Channel/Application/Endorsement"
        application = ApplicationPolicy(channel_config_policy_reference=reference)
    return ChaincodeDefinition(
        sequence=sequence,
        version="1.0",
        endorsement_plugin="escc",
        validation_plugin="vscc",
        validation_parameter=application.SerializeToString(),
        collections=parse_collections(collections).SerializeToString() if collections else b"",
    )


def success(
    result: bytes = b"result",
    *,
    payload: bytes | None = None,
    interest: ChaincodeInterest | None = None,
    endorser: bytes = b"",
) -> ProposalResponse:
    """What a peer answers that endorses; payload: what it signs, made of the result if None."""
    action = ChaincodeAction(response=Response(status=200, payload=result))
    extension = action.SerializeToString()
    signed = ProposalResponsePayload(extension=extension).SerializeToString()
    return ProposalResponse(
        response=Response(status=200, payload=result),
        payload=signed if payload is None else payload,
        endorsement=Endorsement(endorser=endorser, signature=b"signature"),
        interest=interest,
    )


def chaincode_error(message: str, status: int = 500) -> ProposalResponse:
    """What a peer answers when the chaincode fails."""
    return ProposalResponse(response=Response(status=status, message=message), payload=b"payload")


def peer_error(message: str) -> ProposalResponse:
    """What a peer answers when it fails itself."""
    return ProposalResponse(response=Response(status=500, message=message))


async def _hang(timeout: float | None) -> None:
    try:
        async with asyncio.timeout(timeout):
            await asyncio.Event().wait()
    except TimeoutError as error:
        raise RpcError(Code.DEADLINE_EXCEEDED, "Deadline Exceeded") from error


class ScriptedEndorser:
    """A channel to a peer that answers every proposal the same, or fails, or waits for ever."""

    def __init__(self, endorser: bytes) -> None:
        self.endorser = endorser
        self.answer: ProposalResponse | Exception | None = success()
        self.asked = 0

    async def unary(
        self, method: str, request: Message, response_type: type[M], *, timeout: float | None = None
    ) -> M:
        assert method == PROCESS_PROPOSAL
        self.asked += 1
        if self.answer is None:
            await _hang(timeout)
        if isinstance(self.answer, Exception):
            raise self.answer
        response = ProposalResponse()
        assert self.answer is not None
        response.CopyFrom(self.answer)
        if response.HasField("endorsement"):
            response.endorsement.endorser = self.endorser
        assert isinstance(response, response_type)
        return response

    def server_stream(
        self, method: str, request: Message, response_type: type[M], *, timeout: float | None = None
    ) -> AsyncGenerator[M, None]:
        raise NotImplementedError

    def stream(
        self,
        method: str,
        requests: AsyncIterator[Message],
        response_type: type[M],
        *,
        timeout: float | None = None,
    ) -> AsyncGenerator[M, None]:
        raise NotImplementedError

    async def close(self) -> None:
        raise NotImplementedError


class ScriptedOrderer(ScriptedEndorser):
    """A channel to an orderer that answers every envelope with ``status`` or fails."""

    def __init__(self) -> None:
        super().__init__(b"")
        self.status: BroadcastResponse | Exception | None = BroadcastResponse(status=Status.SUCCESS)

    async def stream(
        self,
        method: str,
        requests: AsyncIterator[Message],
        response_type: type[M],
        *,
        timeout: float | None = None,
    ) -> AsyncGenerator[M, None]:
        self.asked += 1
        async for _ in requests:
            if isinstance(self.status, Exception):
                raise self.status
            if self.status is None:
                await _hang(timeout)
            assert isinstance(self.status, response_type)
            yield self.status
            return


class ScriptedChannel:
    """A joined channel of the gateway's peer."""

    def __init__(self, consortium: Consortium) -> None:
        self.bundle = consortium.bundle()
        self.height = 1
        self.definitions: dict[str, ChaincodeDefinition] = {}
        self.blocks: list[tuple[Block, list[ChaincodeEvent]]] = []
        self.fates: dict[str, tuple[int, int]] = {}
        self.failure: Exception | None = None
        self.grown = asyncio.Event()

    def definition(self, name: str) -> ChaincodeDefinition | None:
        return self.definitions.get(name)

    async def wait_for_transaction(self, tx_id: str) -> tuple[int, int]:
        if self.failure is not None:
            raise self.failure
        while tx_id not in self.fates:
            await self.grown.wait()
        return self.fates[tx_id]

    def block_number_of(self, tx_id: str) -> int | None:
        return self.fates[tx_id][1] if tx_id in self.fates else None

    async def committed_blocks(self, start: int) -> AsyncGenerator[Block, None]:
        number = start
        while True:
            while number >= self.height:
                self.grown.clear()
                await self.grown.wait()
            if 0 < number <= len(self.blocks):
                yield self.blocks[number - 1][0]
            number += 1

    def events_of(self, block: Block) -> list[ChaincodeEvent]:
        return self.blocks[block.header.number - 1][1]

    def commit(self, *events: ChaincodeEvent) -> None:
        """Add a block with these events, and their transactions as VALID."""
        block = Block()
        block.header.number = self.height
        self.blocks.append((block, list(events)))
        self.fates |= {event.tx_id: (0, self.height) for event in events}
        self.height += 1
        self.grown.set()


class GatewayBench:
    """The gateway of peer0.org1 in a channel of three organisations, all of it scripted.

    endorsers: by name of the peer without its domain, such as peer1.org2.
    """

    def __init__(self, *, options: GatewayOptions | None = None, seed: int = 1) -> None:
        self.consortium = three_organizations()
        self.channel = ScriptedChannel(self.consortium)
        self.endorsers: dict[str, ScriptedEndorser] = {}
        self.infos: dict[str, PeerInfo] = {}
        for org in self.consortium.topology.organizations:
            for node in org.peers:
                identity = self.consortium.material.node(node.name).signing_identity.serialized
                endorser = ScriptedEndorser(identity)
                name = node.name.removesuffix(".example.com")
                self.endorsers[name] = endorser
                self.infos[name] = PeerInfo(org.msp_id, node.endpoint, identity, endorser, height=1)
        self.orderers = [
            OrdererInfo("OrdererMSP", f"orderer{index}:7050", ScriptedOrderer()) for index in (0, 1)
        ]
        local_msp = self.channel.bundle.msp_manager.msp("Org1MSP")
        self.gateway = Gateway(
            self.infos["peer0.org1"],
            self,
            lambda channel_id: self.orderers if channel_id == CHANNEL else (),
            lambda channel_id: self.channel if channel_id == CHANNEL else None,
            AccessControl(lambda c: self.channel.bundle if c == CHANNEL else None, local_msp),
            random=Random(seed),
            options=options,
        )

    def peers(self, channel_id: str) -> Sequence[PeerInfo]:
        """The directory: who is in the channel."""
        return list(self.infos.values()) if channel_id == CHANNEL else ()

    def define(self, **definitions: ChaincodeDefinition) -> None:
        """Commit definitions of chaincodes."""
        self.channel.definitions.update(definitions)

    def asked(self) -> list[str]:
        """The peers that were asked, each as often as it was."""
        return [name for name, endorser in self.endorsers.items() for _ in range(endorser.asked)]

    def each(self, change: Callable[[ScriptedEndorser], None]) -> None:
        """Change every peer."""
        for endorser in self.endorsers.values():
            change(endorser)


def signed_proposal(
    chaincode: str = "basic",
    *,
    channel_id: str = CHANNEL,
    transient: Mapping[str, bytes] | None = None,
    arguments: Sequence[bytes] = (b"f",),
) -> SignedProposal:
    """A proposal as a client sends it; nobody here looks at its signature."""
    creator = three_organizations().user().serialized
    proposal, _ = new_proposal(
        channel_id, chaincode, arguments, creator, b"n" * 24, NOW, transient=transient
    )
    return SignedProposal(proposal_bytes=proposal.SerializeToString(), signature=b"signature")


NO_DEADLINE = Call()
