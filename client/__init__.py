"""The client SDK: transactions and events of any Fabric network, ours or a real one.

The nouns are those of the official gateway SDKs (hyperledger/fabric-gateway): a
:class:`Gateway` connects an identity to a peer, a :class:`Network` is a channel, a
:class:`Contract` a chaincode on it; :class:`Proposal`, :class:`Transaction` and
:class:`Commit` are the steps of one submit.  Everything here is asyncio; ``blocking`` has
the same for plain programs.
"""

from .blocks import BlockEvents
from .chaincode_events import ChaincodeEvent, ChaincodeEvents
from .checkpointers import Checkpoint, Checkpointer, FileCheckpointer, InMemoryCheckpointer
from .commit import Commit, Status, SubmittedTransaction
from .contract import Contract
from .errors import (
    CommitError,
    CommitStatusError,
    EndorseError,
    GatewayError,
    OfflineError,
    SubmitError,
)
from .gateway import Gateway, Timeouts
from .identity import DigestSigner, Identity, Signer
from .network import Network
from .proposal import Proposal
from .transaction import Transaction

__all__ = [
    "BlockEvents",
    "ChaincodeEvent",
    "ChaincodeEvents",
    "Checkpoint",
    "Checkpointer",
    "Commit",
    "CommitError",
    "CommitStatusError",
    "Contract",
    "DigestSigner",
    "EndorseError",
    "FileCheckpointer",
    "Gateway",
    "GatewayError",
    "Identity",
    "InMemoryCheckpointer",
    "Network",
    "OfflineError",
    "Proposal",
    "Signer",
    "Status",
    "SubmitError",
    "SubmittedTransaction",
    "Timeouts",
    "Transaction",
]
