"""Smart contracts in Python (Fabric: fabric-contract-api and fabric-shim).

    from gridloom.chaincode import ChaincodeError, Context, Contract, transaction

    class Orders(Contract):
        @transaction
        def publish(self, ctx: Context, order_id: str, quantity: int) -> None:
            if ctx.stub.get_state(order_id):
                raise ChaincodeError(f"order {order_id} already exists")
            ctx.put(order_id, quantity)

        @transaction("evaluate")
        def read(self, ctx: Context, order_id: str) -> int | None:
            return ctx.get(order_id, int)

Start with ``contract`` (what an author writes), ``stub`` (what the ledger offers) and
``testing`` (a ledger in memory to try a contract on).  ``chaincode`` answers transactions
in a peer's process; ``server`` does so as a service that peers dial.

A transaction must come to the same result on every peer.  So: no clock (use
``ctx.stub.get_tx_timestamp()``), no randomness, no files or network, no loops over sets,
no state kept in the contract object, no binary floats.
"""

from .chaincode import Chaincode
from .client_identity import ClientIdentity
from .context import Context
from .contract import Contract, transaction
from .errors import (
    ArgumentError,
    ChaincodeError,
    ContractError,
    InvalidKey,
    LoadError,
    PeerError,
    StateError,
)
from .iterators import KV, KeyModification, QueryResponseMetadata
from .peer_link import PeerParameters, Response
from .state_based import KeyEndorsementPolicy
from .stub import ChaincodeStub

__all__ = [
    "KV",
    "ArgumentError",
    "Chaincode",
    "ChaincodeError",
    "ChaincodeStub",
    "ClientIdentity",
    "Context",
    "Contract",
    "ContractError",
    "InvalidKey",
    "KeyEndorsementPolicy",
    "KeyModification",
    "LoadError",
    "PeerError",
    "PeerParameters",
    "QueryResponseMetadata",
    "Response",
    "StateError",
    "transaction",
]
