"""Proposals and the transactions made of them (Fabric: protoutil/proputils.go, txutils.go).

A client builds a proposal and signs it, peers answer with endorsements over one and the same
payload, and proposal and endorsements together become the transaction that is ordered.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from gridloom.protos.common.common_pb2 import (
    ENDORSER_TRANSACTION,
    Envelope,
    Header,
    Payload,
    SignatureHeader,
)
from gridloom.protos.peer.chaincode_pb2 import (
    ChaincodeID,
    ChaincodeInput,
    ChaincodeInvocationSpec,
    ChaincodeSpec,
)
from gridloom.protos.peer.proposal_pb2 import (
    ChaincodeAction,
    ChaincodeHeaderExtension,
    ChaincodeProposalPayload,
    Proposal,
)
from gridloom.protos.peer.proposal_response_pb2 import (
    Endorsement,
    ProposalResponse,
    ProposalResponsePayload,
)
from gridloom.protos.peer.transaction_pb2 import (
    ChaincodeActionPayload,
    Transaction,
)

from .envelopes import channel_header, transaction_id, without_transient
from .errors import GridloomError, MalformedMessage
from .wire import parse


class ProposalResponsesDiffer(GridloomError):
    """Endorsers simulated the same proposal to different results."""

    def __init__(self) -> None:
        super().__init__("ProposalResponsePayloads do not match")


def new_proposal(  # noqa: PLR0917  # the order of Fabric's own constructor
    channel_id: str,
    chaincode: str,
    arguments: Sequence[bytes],
    creator: bytes,
    nonce: bytes,
    moment: datetime,
    *,
    transient: Mapping[str, bytes] | None = None,
    is_init: bool = False,
) -> tuple[Proposal, str]:
    """Return a proposal to invoke ``chaincode`` and its transaction id.

    channel_id: empty for calls outside any channel, such as installing; creator: the
    serialized identity that will sign; moment: timezone-aware.
    """
    tx_id = transaction_id(nonce, creator)
    extension = ChaincodeHeaderExtension(chaincode_id=ChaincodeID(name=chaincode))
    header = channel_header(
        ENDORSER_TRANSACTION,
        channel_id,
        moment,
        tx_id=tx_id,
        extension=extension.SerializeToString(),
    )
    spec = ChaincodeSpec(
        type=ChaincodeSpec.GOLANG,
        chaincode_id=ChaincodeID(name=chaincode),
        input=ChaincodeInput(args=arguments, is_init=is_init),
    )
    payload = ChaincodeProposalPayload(
        input=ChaincodeInvocationSpec(chaincode_spec=spec).SerializeToString(),
        TransientMap=transient or {},
    )
    proposal = Proposal(
        header=Header(
            channel_header=header.SerializeToString(),
            signature_header=SignatureHeader(creator=creator, nonce=nonce).SerializeToString(),
        ).SerializeToString(),
        payload=payload.SerializeToString(deterministic=True),
    )
    return proposal, tx_id


def unique_endorsements(endorsements: Iterable[Endorsement]) -> list[Endorsement]:
    """Drop every endorsement after the first by the same endorser."""
    unique: dict[bytes, Endorsement] = {}
    for endorsement in endorsements:
        unique.setdefault(endorsement.endorser, endorsement)
    return list(unique.values())


def prepare_transaction(
    proposal: Proposal, response_payload: bytes, endorsements: Iterable[Endorsement]
) -> Envelope:
    """Return the transaction as an envelope still to be signed by the proposal's creator.

    response_payload: the bytes all endorsers signed; MalformedMessage if the proposal's own
    parts do not parse.
    """
    header = parse(Header, proposal.header, "proposal header")
    bare = without_transient(proposal.payload)
    return endorsed_transaction(header, bare, response_payload, endorsements)


def endorsed_transaction(
    header: Header,
    bare_payload: bytes,
    response_payload: bytes,
    endorsements: Iterable[Endorsement],
) -> Envelope:
    """The same of a proposal whose parts are known already.

    bare_payload: the proposal's payload without transient data.
    """
    content = ChaincodeActionPayload(chaincode_proposal_payload=bare_payload)
    endorsed = content.action
    endorsed.proposal_response_payload = response_payload
    endorsed.endorsements.extend(unique_endorsements(endorsements))
    transaction = Transaction()
    transaction.actions.add(header=header.signature_header, payload=content.SerializeToString())
    payload = Payload(header=header, data=transaction.SerializeToString())
    return Envelope(payload=payload.SerializeToString())


def endorsements_of(envelope: Envelope) -> tuple[bytes, Sequence[Endorsement]]:
    """Return the payload that endorsers of a transaction signed, and what they signed it with.

    MalformedMessage unless it is a transaction of one action.
    """
    payload = parse(Payload, envelope.payload)
    transaction = parse(Transaction, payload.data)
    if len(transaction.actions) != 1:
        raise MalformedMessage("transaction", f"{len(transaction.actions)} actions")
    action = parse(ChaincodeActionPayload, transaction.actions[0].payload).action
    return action.proposal_response_payload, action.endorsements


def assemble_transaction(proposal: Proposal, responses: Sequence[ProposalResponse]) -> Envelope:
    """Return the unsigned transaction of a proposal and its responses (Fabric: CreateSignedTx).

    ProposalResponsesDiffer when the endorsers disagree, MalformedMessage without any.
    """
    if not responses:
        raise MalformedMessage("proposal responses", "at least one is needed")
    if any(response.payload != responses[0].payload for response in responses):
        raise ProposalResponsesDiffer
    endorsements = [each.endorsement for each in responses if each.HasField("endorsement")]
    if not endorsements:
        raise MalformedMessage("proposal responses", "no endorsements")
    return prepare_transaction(proposal, responses[0].payload, endorsements)


def chaincode_action(response_payload: bytes) -> ChaincodeAction:
    """Parse what the chaincode did out of a proposal response's payload."""
    payload = parse(ProposalResponsePayload, response_payload, "proposal response payload")
    return parse(ChaincodeAction, payload.extension, "chaincode action")


def transaction_action(envelope: Envelope) -> ChaincodeAction:
    """Parse what the chaincode did out of a transaction; MalformedMessage if it is not one."""
    payload = parse(Payload, envelope.payload, "payload")
    transaction = parse(Transaction, payload.data, "transaction")
    if not transaction.actions:
        raise MalformedMessage("transaction", "it has no action")
    action = parse(ChaincodeActionPayload, transaction.actions[0].payload, "action payload")
    return chaincode_action(action.action.proposal_response_payload)
