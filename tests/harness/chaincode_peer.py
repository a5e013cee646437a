"""A peer as chaincodes see it: real channels and ledgers, access control that can be told no."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from google.protobuf.message import Message

from gridloom.common.chaincode_package import build_package
from gridloom.common.channel.bundle import ChannelBundle
from gridloom.common.errors import GridloomError
from gridloom.peer.chaincodes.host import ChaincodeHost
from gridloom.peer.chaincodes.in_process import InProcessRuntime
from gridloom.peer.chaincodes.invocation import Invocation
from gridloom.peer.chaincodes.lifecycle.collections import implicit_collection
from gridloom.peer.chaincodes.lifecycle.definitions import (
    NAMESPACES,
    SOURCES,
    ChaincodeDefinition,
    ChaincodeDefinitions,
    local_package,
    private_name,
)
from gridloom.peer.chaincodes.lifecycle.serializer import serialize
from gridloom.peer.chaincodes.lifecycle.states import CollectionState, PublicSimulatorState
from gridloom.peer.chaincodes.lifecycle.store import MemoryPackageStore
from gridloom.peer.chaincodes.runtime import ChaincodeLauncher, InstalledPackage
from gridloom.peer.ledger.ledger import Ledger
from gridloom.peer.ledger.simulator import TxSimulator
from gridloom.protos.common.common_pb2 import Block, Header, SignatureHeader
from gridloom.protos.peer import chaincode_shim_pb2 as shim
from gridloom.protos.peer.chaincode_pb2 import (
    ChaincodeID,
    ChaincodeInput,
    ChaincodeInvocationSpec,
    ChaincodeSpec,
)
from gridloom.protos.peer.chaincode_shim_pb2 import ChaincodeMessage
from gridloom.protos.peer.proposal_pb2 import ChaincodeProposalPayload, Proposal, SignedProposal
from gridloom.protos.peer.proposal_response_pb2 import Response

from .ledger import commit, endorsed, golden_block, keep, memory_ledger

Exchange = Callable[[ChaincodeMessage], ChaincodeMessage]


class Refused(GridloomError):
    """What a test's access control says."""


@dataclass
class OpenAccess:
    """Lets everybody do everything but what is in ``denied``."""

    denied: set[str] = field(default_factory=set)
    asked: list[tuple[str, str]] = field(default_factory=list)

    def check_proposal(self, resource: str, channel_id: str, proposal: SignedProposal) -> None:
        self.asked.append((resource, channel_id))
        if resource in self.denied:
            raise Refused("not you")


@dataclass
class FakeChannel:
    bundle: ChannelBundle
    ledger: Ledger
    definitions: ChaincodeDefinitions


@dataclass
class FakePeer:
    """A peer of Org1MSP."""

    msp_id: str = "Org1MSP"
    acl: OpenAccess = field(default_factory=OpenAccess)
    channels: dict[str, FakeChannel] = field(default_factory=dict)
    joined: list[Block] = field(default_factory=list)
    join_error: GridloomError | None = None
    joining_from: str | None = None

    def channel(self, channel_id: str) -> FakeChannel | None:
        return self.channels.get(channel_id)

    def channel_ids(self) -> Sequence[str]:
        return list(self.channels)

    def join(self, genesis_block: Block) -> None:
        if self.join_error is not None:
            raise self.join_error
        self.joined.append(genesis_block)

    def join_by_snapshot(self, folder: str) -> None:
        if self.join_error is not None:
            raise self.join_error
        self.joining_from = folder

    def add_channel(
        self,
        channel_id: str = "test",
        ledger: Ledger | None = None,
        bundle: ChannelBundle | None = None,
    ) -> FakeChannel:
        """Join a channel, by default with the golden configuration and an empty ledger."""
        config = ChannelBundle.from_config_block(golden_block(0, "orderer")).config
        bundle = bundle or ChannelBundle(channel_id, config)
        ledger = ledger or memory_ledger()
        channel = FakeChannel(bundle, ledger, ChaincodeDefinitions())
        channel.definitions = ChaincodeDefinitions(lambda: channel.bundle.application.orgs)
        ledger.collections = channel.definitions
        self.channels[channel_id] = channel
        return channel


def signed_proposal(chaincode: str, creator: bytes = b"somebody") -> SignedProposal:
    """A proposal that names a chaincode and a creator; nobody checks its signature here."""
    spec = ChaincodeInvocationSpec(
        chaincode_spec=ChaincodeSpec(chaincode_id=ChaincodeID(name=chaincode))
    )
    payload = ChaincodeProposalPayload(input=spec.SerializeToString())
    header = Header(signature_header=SignatureHeader(creator=creator).SerializeToString())
    proposal = Proposal(header=header.SerializeToString(), payload=payload.SerializeToString())
    return SignedProposal(proposal_bytes=proposal.SerializeToString(), signature=b"signature")


def invocation(
    name: str,
    *args: bytes,
    channel_id: str = "test",
    simulator: TxSimulator | None = None,
    tx_id: str = "tx1",
    is_init: bool = False,
    original: str = "",
) -> Invocation:
    """A client's invocation of ``name``, or of ``original`` that has called ``name``."""
    chaincode_input = ChaincodeInput(args=args, is_init=is_init)
    proposal = signed_proposal(original or name)
    return Invocation(channel_id, name, chaincode_input, proposal, tx_id, simulator)


class ScriptedChaincode:
    """Chaincode whose transactions are Python functions of the message and the exchange."""

    def __init__(self, run: Callable[[ChaincodeMessage, Exchange], ChaincodeMessage]) -> None:
        self._run = run

    def handle_transaction(self, message: ChaincodeMessage, exchange: Exchange) -> ChaincodeMessage:
        return self._run(message, exchange)


class ScriptedLauncher:
    """Launches what was registered for a package's path; counts launches."""

    waits = False

    def __init__(self, *, timeout: float = 30.0) -> None:
        self.scripts: dict[str, ScriptedChaincode] = {}
        self.launched: list[str] = []
        self.timeout = timeout

    async def launch(self, package: InstalledPackage) -> InProcessRuntime:
        self.launched.append(package.id)
        if package.path not in self.scripts:
            raise Refused(f"no module {package.path}")
        return InProcessRuntime(self.scripts[package.path], timeout=self.timeout)


@dataclass
class HostBench:
    """A host on a fake peer with one channel, and a quick way to deploy to it."""

    peer: FakePeer
    host: ChaincodeHost
    launcher: ScriptedLauncher

    @staticmethod
    def create(*, timeout: float = 30.0, **launchers: ChaincodeLauncher) -> HostBench:
        launcher = ScriptedLauncher(timeout=timeout)
        host = ChaincodeHost(MemoryPackageStore(), {"script": launcher, **launchers})
        peer = FakePeer()
        peer.add_channel()
        host.attach(peer)
        return HostBench(peer, host, launcher)

    def install(
        self, name: str, *, kind: str = "script", files: dict[str, bytes] | None = None
    ) -> str:
        package = build_package(name, kind, name, files or {"src/x": name.encode()})
        return self.host.approved.packages.install(name, package)

    def define(
        self,
        name: str,
        package_id: str,
        channel_id: str = "test",
        sequence: int = 1,
        **fields: Any,  # fields of ChaincodeDefinition
    ) -> None:
        """Commit a definition with Org1MSP's approval of it."""
        ledger = self.peer.channels[channel_id].ledger
        definition = ChaincodeDefinition(sequence, **{"version": "1.0", **fields})
        tx_id = f"define {name} {sequence}"
        simulator = ledger.simulator(tx_id)
        record = private_name(name, sequence)
        own = CollectionState(simulator, implicit_collection("Org1MSP"))
        serialize(NAMESPACES, name, definition.as_record(), PublicSimulatorState(simulator))
        serialize(NAMESPACES, record, definition.as_parameters(), own)
        serialize(SOURCES, record, local_package(package_id), own)
        results = simulator.results()
        simulator.done()
        assert results.private is not None
        keep(ledger, tx_id, results.private)
        commit(ledger, [endorsed(results.public, tx_id)])

    def deploy(
        self,
        name: str,
        run: Callable[[ChaincodeMessage, Exchange], ChaincodeMessage],
        **fields: Any,  # arguments of define
    ) -> str:
        """Install a script and define it on the channel; returns the package id."""
        self.launcher.scripts[name] = ScriptedChaincode(run)
        package_id = self.install(name)
        self.define(name, package_id, **fields)
        return package_id

    def simulator(self, channel_id: str = "test", tx_id: str = "tx1") -> TxSimulator:
        return self.peer.channels[channel_id].ledger.simulator(tx_id)


def completed(
    message: ChaincodeMessage, payload: bytes = b"", status: int = 200, text: str = ""
) -> ChaincodeMessage:
    """The COMPLETED that ends a transaction."""
    response = Response(status=status, message=text, payload=payload)
    return ChaincodeMessage(
        type=ChaincodeMessage.COMPLETED,
        payload=response.SerializeToString(),
        txid=message.txid,
        channel_id=message.channel_id,
    )


def ask(
    exchange: Exchange,
    message: ChaincodeMessage,
    kind: ChaincodeMessage.Type.ValueType,
    payload: bytes | Message,
) -> ChaincodeMessage:
    """Send one request of the transaction and return the answer."""
    data = payload if isinstance(payload, bytes) else payload.SerializeToString()
    return exchange(
        ChaincodeMessage(type=kind, payload=data, txid=message.txid, channel_id=message.channel_id)
    )


def put(exchange: Exchange, message: ChaincodeMessage, key: str, value: bytes) -> None:
    answer = ask(exchange, message, ChaincodeMessage.PUT_STATE, shim.PutState(key=key, value=value))
    assert answer.type == ChaincodeMessage.RESPONSE, answer.payload


def get(exchange: Exchange, message: ChaincodeMessage, key: str) -> bytes:
    answer = ask(exchange, message, ChaincodeMessage.GET_STATE, shim.GetState(key=key))
    assert answer.type == ChaincodeMessage.RESPONSE, answer.payload
    return answer.payload


def call(
    exchange: Exchange, message: ChaincodeMessage, name: str, *args: bytes
) -> ChaincodeMessage:
    """Call another chaincode: its COMPLETED or ERROR, or the peer's ERROR."""
    spec = ChaincodeSpec(chaincode_id=ChaincodeID(name=name), input=ChaincodeInput(args=args))
    answer = ask(exchange, message, ChaincodeMessage.INVOKE_CHAINCODE, spec)
    if answer.type == ChaincodeMessage.ERROR:
        return answer
    return ChaincodeMessage.FromString(answer.payload)
