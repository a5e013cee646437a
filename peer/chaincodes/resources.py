"""What chaincodes need of the peer around them: its channels and its access control.

The host is made before the peer and attached to it afterwards, so these are the seams a
peer fills in (Fabric: the interfaces of core/chaincode and core/peer).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from gridloom.common.channel.bundle import ChannelBundle
from gridloom.protos.common.common_pb2 import Block
from gridloom.protos.common.ledger_pb2 import BlockchainInfo
from gridloom.protos.ledger.queryresult.kv_query_result_pb2 import KeyModification
from gridloom.protos.peer.proposal_pb2 import SignedProposal
from gridloom.protos.peer.transaction_pb2 import ProcessedTransaction

from ..ledger.query_executor import QueryExecutor
from ..ledger.simulator import TxSimulator
from .lifecycle.definitions import ChaincodeDefinitions


class ChannelLedger(Protocol):
    """The parts of a channel's ledger that chaincodes reach; `peer.ledger.Ledger` is one."""

    @property
    def height(self) -> int: ...

    def changed_at(self, namespace: str) -> int: ...
    def info(self) -> BlockchainInfo: ...
    def block(self, number: int) -> Block: ...
    def block_by_hash(self, header_hash: bytes) -> Block: ...
    def block_by_tx_id(self, tx_id: str) -> Block: ...
    def transaction(self, tx_id: str) -> ProcessedTransaction: ...
    def simulator(self, tx_id: str) -> TxSimulator: ...
    def query_executor(self) -> QueryExecutor: ...
    def history(self, namespace: str, key: str) -> Iterator[KeyModification]: ...


class ChannelResources(Protocol):
    """One channel the peer has joined; `peer.channel.PeerChannel` is one."""

    @property
    def bundle(self) -> ChannelBundle: ...

    @property
    def ledger(self) -> ChannelLedger: ...

    @property
    def definitions(self) -> ChaincodeDefinitions: ...


class AccessChecks(Protocol):
    """Judges callers; `peer.acl.AccessControl` is one."""

    def check_proposal(self, resource: str, channel_id: str, proposal: SignedProposal) -> None:
        """Raise a GridloomError unless the proposal's creator may use the resource.

        resource: Fabric's name, "qscc/GetChainInfo"; channel_id: empty for the peer's own.
        """
        ...


class PeerResources(Protocol):
    """The peer a host is attached to; `peer.node.Peer` is one."""

    @property
    def msp_id(self) -> str:
        """MSP id of the peer's own organisation."""
        ...

    @property
    def acl(self) -> AccessChecks:
        """Judges the callers of this peer."""
        ...

    def channel(self, channel_id: str) -> ChannelResources | None:
        """Return a joined channel, None when the peer has not joined it."""
        ...

    def channel_ids(self) -> Sequence[str]:
        """Return the names of all joined channels."""
        ...

    def join(self, genesis_block: Block) -> object:
        """Join the channel of this block; a GridloomError with its reason when that fails."""
        ...

    def join_by_snapshot(self, folder: str) -> object:
        """Begin to join a channel from the snapshot in a folder; a GridloomError if it cannot."""
        ...

    @property
    def joining_from(self) -> str | None:
        """The folder of the snapshot that a channel is being joined from, None while none is."""
        ...
