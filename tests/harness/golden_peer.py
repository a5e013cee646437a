"""A whole peer on the golden channel, with the chaincode ``gold`` written again in Python.

Its keys are not the real peer's, so endorsements differ in signature and identity; everything
that is endorsed must be the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from gridloom.common.channel.bundle import ChannelBundle
from gridloom.common.rpc import Channel
from gridloom.peer.chaincodes.host import ChaincodeHost
from gridloom.peer.chaincodes.in_process import InProcessRuntime
from gridloom.peer.chaincodes.lifecycle.store import PackageStore
from gridloom.peer.chaincodes.runtime import Exchange, InstalledPackage
from gridloom.peer.discovery.peers import PeerInfo
from gridloom.peer.ledger.provider import LedgerProvider
from gridloom.peer.node import Peer
from gridloom.protos.msp.msp_config_pb2 import MSPConfig
from gridloom.protos.peer import chaincode_pb2, chaincode_shim_pb2, proposal_pb2
from gridloom.protos.peer.proposal_response_pb2 import Response

from .consortium import Consortium, consortium
from .golden_channel import GoldenPeer, ordered_block
from .shared import shared

Message = chaincode_shim_pb2.ChaincodeMessage


class Gold:
    """The functions of ``gold`` that the captured dialogue calls, over the shim's messages."""

    def handle_transaction(self, message: Message, exchange: Exchange) -> Message:
        args = chaincode_pb2.ChaincodeInput.FromString(message.payload).args
        name, *values = [arg.decode() for arg in args]
        response = Response(status=200)
        match name:
            case "PutKV":
                put = chaincode_shim_pb2.PutState(key=values[0], value=values[1].encode())
                self._ask(message, exchange, Message.PUT_STATE, put.SerializeToString())
            case "PutPrivate":
                put = chaincode_shim_pb2.PutState(
                    collection=values[0], key=values[1], value=_transient(message)["value"]
                )
                self._ask(message, exchange, Message.PUT_STATE, put.SerializeToString())
            case "GetKV":
                response.payload = self._get(message, exchange, values[0])
            case "ReadAsset":
                response.payload = self._get(message, exchange, values[0])
                if not response.payload:
                    failure = f"the asset {values[0]} does not exist"
                    response = Response(status=500, message=failure)
            case _:
                response = Response(status=int(name), message="as asked")
        return Message(
            type=Message.COMPLETED,
            payload=response.SerializeToString(),
            txid=message.txid,
            channel_id=message.channel_id,
        )

    def _get(self, message: Message, exchange: Exchange, key: str) -> bytes:
        get = chaincode_shim_pb2.GetState(key=key)
        return self._ask(message, exchange, Message.GET_STATE, get.SerializeToString())

    @staticmethod
    def _ask(
        message: Message, exchange: Exchange, kind: Message.Type.ValueType, payload: bytes
    ) -> bytes:
        answer = exchange(
            Message(type=kind, payload=payload, txid=message.txid, channel_id=message.channel_id)
        )
        assert answer.type == Message.RESPONSE, answer.payload
        return answer.payload


def _transient(message: Message) -> dict[str, bytes]:
    proposal = proposal_pb2.Proposal.FromString(message.proposal.proposal_bytes)
    payload = proposal_pb2.ChaincodeProposalPayload.FromString(proposal.payload)
    return dict(payload.TransientMap)


class GoldLauncher:
    """Runs ``Gold`` for every package."""

    waits = False

    async def launch(self, package: InstalledPackage) -> InProcessRuntime:
        return InProcessRuntime(Gold())


class NoPeers:
    """A directory without anybody."""

    def peers(self, channel_id: str) -> Sequence[PeerInfo]:
        return ()


def no_orderer(endpoint: str) -> Channel:
    """A network without orderers."""
    raise ConnectionError(endpoint)


async def golden_peer(height: int, now: datetime, packages: PackageStore) -> Peer:
    """A peer of Org1MSP that has committed so many golden blocks, at this time.

    packages: an empty store, where ``gold`` is then installed.
    """
    ledgers = await golden_ledgers(height)
    host = ChaincodeHost(packages, {"ccaas": GoldLauncher()})
    package = shared("golden", "lifecycle", "basic.tar.gz").read_bytes()
    host.approved.packages.install("basic_1.0", package)
    return Peer(
        consortium().peer(),
        org1_msp(),
        ledgers,
        host,
        orderers=no_orderer,
        peers=NoPeers(),
        now=lambda: now,
        random_bytes=Consortium(seed=5).random_bytes,
    )


async def golden_ledgers(height: int) -> LedgerProvider:
    """Ledgers in memory with so many golden blocks."""
    peer = GoldenPeer("memory")
    await peer.commit_up_to(height)
    await peer.channel.stop()
    return peer.ledgers


def org1_msp() -> MSPConfig:
    """The MSP of Org1MSP as the golden channel defines it."""
    bundle = ChannelBundle.from_config_block(ordered_block(0))
    return bundle.application.orgs["Org1MSP"].msp_config
