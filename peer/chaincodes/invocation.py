"""One call of a chaincode within a transaction, and what the chaincode may reach by it.

(Fabric: core/chaincode/transaction_context.go)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from gridloom.protos.peer.chaincode_pb2 import ChaincodeInput
from gridloom.protos.peer.chaincode_shim_pb2 import ChaincodeMessage
from gridloom.protos.peer.proposal_pb2 import SignedProposal

from ..ledger.simulator import TxSimulator
from .errors import ShimRequestRefused
from .private_access import CollectionAccess
from .query_results import OpenQueries
from .resources import AccessChecks, ChannelResources


@dataclass(frozen=True, slots=True)
class Invocation:
    """One call of a chaincode within a transaction.

    channel_id: empty outside channels; simulator: None outside channels and for chaincodes
    that take none; caller: name of the calling chaincode, empty when a client called.
    """

    channel_id: str
    name: str
    input: ChaincodeInput = field(repr=False)
    signed_proposal: SignedProposal = field(repr=False)
    tx_id: str
    simulator: TxSimulator | None = field(repr=False)
    caller: str = ""


class CalleeDirectory(Protocol):
    """How one chaincode reaches another; the host is one."""

    def is_system(self, name: str) -> bool:
        """Whether ``name`` is a system chaincode's."""
        ...

    def channel(self, channel_id: str) -> ChannelResources | None:
        """Return a joined channel, None when the peer has not joined it."""
        ...

    @property
    def acl(self) -> AccessChecks:
        """Judges who may call a chaincode."""
        ...

    def call(self, invocation: Invocation) -> ChaincodeMessage:
        """Run the callee and return its COMPLETED or ERROR; a GridloomError if it cannot."""
        ...


@dataclass(frozen=True, slots=True)
class Scope:
    """All that a request of a running chaincode is answered from."""

    invocation: Invocation
    simulator: TxSimulator
    channel: ChannelResources
    callees: CalleeDirectory
    access: CollectionAccess
    queries: OpenQueries
    is_init: bool

    @property
    def namespace(self) -> str:
        """The chaincode's own part of the state."""
        return self.invocation.name

    def require_read(self, collection: str) -> None:
        """Raise ShimRequestRefused unless this invocation may read the collection."""
        self.refuse_in_init()
        self.access.require_read(collection)

    def require_write(self, collection: str) -> None:
        """Raise ShimRequestRefused unless this invocation may write the collection."""
        self.refuse_in_init()
        self.access.require_write(collection)

    def refuse_in_init(self) -> None:
        """Raise ShimRequestRefused during INIT, where there is no private data."""
        if self.is_init:
            raise ShimRequestRefused("private data APIs are not allowed in chaincode Init()")


Answer = Callable[[Scope, bytes], bytes]
"""Answers one kind of request: its payload in, the RESPONSE's payload out."""
