"""Blocks as plain data, without what differs from one run of a scenario to the next.

Left out are timestamps, nonces and signatures, and what derives from them: transaction ids and
hashes over any of it, of which only the length stays.
"""

from __future__ import annotations

from typing import Any

from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message

from gridloom.client.errors import code_name
from gridloom.common.blocks import commit_hash, last_config_index, transactions_filter
from gridloom.protos.common.common_pb2 import (
    CONFIG,
    Block,
    BlockMetadataIndex,
    ChannelHeader,
    Envelope,
    Metadata,
    Payload,
    SignatureHeader,
)
from gridloom.protos.common.configtx_pb2 import ConfigEnvelope, ConfigUpdateEnvelope
from gridloom.protos.ledger.rwset.kvrwset.kv_rwset_pb2 import HashedRWSet, KVRWSet
from gridloom.protos.ledger.rwset.rwset_pb2 import TxReadWriteSet
from gridloom.protos.msp.identities_pb2 import SerializedIdentity
from gridloom.protos.peer.chaincode_event_pb2 import ChaincodeEvent
from gridloom.protos.peer.chaincode_pb2 import ChaincodeInvocationSpec
from gridloom.protos.peer.proposal_pb2 import (
    ChaincodeAction,
    ChaincodeHeaderExtension,
    ChaincodeProposalPayload,
)
from gridloom.protos.peer.proposal_response_pb2 import ProposalResponsePayload
from gridloom.protos.peer.transaction_pb2 import ChaincodeActionPayload, Transaction

Normal = dict[str, Any]


def normal_block(block: Block) -> Normal:
    """Return what must be the same in every run."""
    codes = transactions_filter(block)
    return {
        "number": block.header.number,
        "hash lengths": (len(block.header.previous_hash), len(block.header.data_hash)),
        "codes": [code_name(code) for code in codes],
        "metadata": _metadata(block),
        "transactions": [_envelope(data) for data in block.data.data],
    }


def _metadata(block: Block) -> Normal:
    signatures = Metadata.FromString(block.metadata.metadata[BlockMetadataIndex.SIGNATURES])
    creators = [
        SignatureHeader.FromString(each.signature_header).creator for each in signatures.signatures
    ]
    return {
        "fields": len(block.metadata.metadata),
        "signed": signatures.value,
        "signers": [_msp_id(creator) for creator in creators],
        "last config": last_config_index(block) if block.header.number else 0,
        "orderer": bool(block.metadata.metadata[BlockMetadataIndex.ORDERER]),
        "commit hash length": len(commit_hash(block)),
    }


def _envelope(data: bytes) -> Normal:
    envelope = Envelope.FromString(data)
    payload = Payload.FromString(envelope.payload)
    header = ChannelHeader.FromString(payload.header.channel_header)
    signature_header = SignatureHeader.FromString(payload.header.signature_header)
    normal: Normal = {
        "type": header.type,
        "version": header.version,
        "channel": header.channel_id,
        "epoch": header.epoch,
        "creator": signature_header.creator,
        "nonce length": len(signature_header.nonce),
        "tx id length": len(header.tx_id),
    }
    if header.type == CONFIG:
        return normal | _config(ConfigEnvelope.FromString(payload.data))
    extension = ChaincodeHeaderExtension.FromString(header.extension)
    (action,) = Transaction.FromString(payload.data).actions
    return (
        normal
        | {"chaincode": extension.chaincode_id.name}
        | _action(ChaincodeActionPayload.FromString(action.payload))
    )


def _config(envelope: ConfigEnvelope) -> Normal:
    update = Payload.FromString(envelope.last_update.payload)
    signed = ConfigUpdateEnvelope.FromString(update.data)
    return {
        "config": _plain(envelope.config),
        "update": signed.config_update,
        "signatures": len(signed.signatures),
    }


def _action(payload: ChaincodeActionPayload) -> Normal:
    proposal = ChaincodeProposalPayload.FromString(payload.chaincode_proposal_payload)
    invocation = ChaincodeInvocationSpec.FromString(proposal.input)
    response = ProposalResponsePayload.FromString(payload.action.proposal_response_payload)
    result = ChaincodeAction.FromString(response.extension)
    event = ChaincodeEvent.FromString(result.events)
    results = TxReadWriteSet.FromString(result.results)
    return {
        "transient": dict(proposal.TransientMap),
        "input": _plain(invocation),
        "endorsers": [_msp_id(each.endorser) for each in payload.action.endorsements],
        "endorser identities": [each.endorser for each in payload.action.endorsements],
        "proposal hash length": len(response.proposal_hash),
        "response": _plain(result.response),
        "chaincode id": _plain(result.chaincode_id),
        "event": (event.chaincode_id, event.event_name, event.payload, len(event.tx_id)),
        "results": [_namespace(each) for each in results.ns_rwset],
    }


def _namespace(namespace: Any) -> Normal:  # a nested message without a short name
    return {
        "namespace": namespace.namespace,
        "public": _plain(KVRWSet.FromString(namespace.rwset)),
        "collections": [
            (
                each.collection_name,
                _plain(HashedRWSet.FromString(each.hashed_rwset)),
                each.pvt_rwset_hash,
            )
            for each in namespace.collection_hashed_rwset
        ],
    }


def _plain(message: Message) -> Normal:
    return MessageToDict(message, preserving_proto_field_name=True)


def _msp_id(identity: bytes) -> str:
    return SerializedIdentity.FromString(identity).mspid
