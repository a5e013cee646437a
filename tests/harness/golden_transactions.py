"""Reading the golden channel: what each transaction of a real Fabric network read and wrote."""

from __future__ import annotations

from dataclasses import dataclass

from gridloom.protos.common.common_pb2 import Block, Envelope, Payload
from gridloom.protos.ledger.rwset.kvrwset.kv_rwset_pb2 import HashedRWSet, KVRWSet
from gridloom.protos.ledger.rwset.rwset_pb2 import TxReadWriteSet
from gridloom.protos.peer.chaincode_pb2 import ChaincodeInvocationSpec
from gridloom.protos.peer.proposal_pb2 import (
    ChaincodeAction,
    ChaincodeProposalPayload,
)
from gridloom.protos.peer.proposal_response_pb2 import ProposalResponsePayload
from gridloom.protos.peer.transaction_pb2 import ChaincodeActionPayload, Transaction

from .shared import shared


@dataclass(frozen=True)
class GoldenTransaction:
    """One endorser transaction, opened."""

    args: tuple[bytes, ...]
    action: ChaincodeAction

    @property
    def results(self) -> TxReadWriteSet:
        return TxReadWriteSet.FromString(self.action.results)

    def public(self, namespace: str) -> KVRWSet:
        for entry in self.results.ns_rwset:
            if entry.namespace == namespace:
                return KVRWSet.FromString(entry.rwset)
        return KVRWSet()

    def hashed(self, namespace: str, collection: str) -> HashedRWSet:
        for entry in self.results.ns_rwset:
            for part in entry.collection_hashed_rwset:
                if (entry.namespace, part.collection_name) == (namespace, collection):
                    return HashedRWSet.FromString(part.hashed_rwset)
        return HashedRWSet()


def golden_block(number: int) -> Block:
    return Block.FromString(shared("golden", "blocks", "peer", f"{number:03}.pb").read_bytes())


def golden_transaction(number: int, index: int = 0) -> GoldenTransaction:
    envelope = Envelope.FromString(golden_block(number).data.data[index])
    transaction = Transaction.FromString(Payload.FromString(envelope.payload).data)
    payload = ChaincodeActionPayload.FromString(transaction.actions[0].payload)
    proposal = ChaincodeProposalPayload.FromString(payload.chaincode_proposal_payload)
    spec = ChaincodeInvocationSpec.FromString(proposal.input).chaincode_spec
    response = ProposalResponsePayload.FromString(payload.action.proposal_response_payload)
    return GoldenTransaction(tuple(spec.input.args), ChaincodeAction.FromString(response.extension))
