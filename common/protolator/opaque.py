"""Which bytes fields hold messages, and of what type.

Some always hold the same type; for others a neighbouring field, or the name under which a
configuration value is kept, tells (hyperledger/fabric-config: protolator/protoext).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from google.protobuf.message import DecodeError, Message

from gridloom.protos.common import common_pb2, configtx_pb2, configuration_pb2, policies_pb2
from gridloom.protos.ledger.rwset import rwset_pb2
from gridloom.protos.ledger.rwset.kvrwset import kv_rwset_pb2
from gridloom.protos.msp import identities_pb2, msp_config_pb2, msp_principal_pb2
from gridloom.protos.orderer import configuration_pb2 as orderer_configuration_pb2
from gridloom.protos.orderer.etcdraft import configuration_pb2 as etcdraft_pb2
from gridloom.protos.orderer.smartbft import configuration_pb2 as smartbft_pb2
from gridloom.protos.peer import (
    chaincode_event_pb2,
    chaincode_pb2,
    proposal_pb2,
    proposal_response_pb2,
    transaction_pb2,
)
from gridloom.protos.peer import configuration_pb2 as peer_configuration_pb2

MessageType = type[Message]

FIXED: Mapping[str, MessageType] = {
    "common.BlockData.data": common_pb2.Envelope,
    "common.ConfigSignature.signature_header": common_pb2.SignatureHeader,
    "common.ConfigUpdateEnvelope.config_update": configtx_pb2.ConfigUpdate,
    "common.Envelope.payload": common_pb2.Payload,
    "common.Header.channel_header": common_pb2.ChannelHeader,
    "common.Header.signature_header": common_pb2.SignatureHeader,
    "common.SignatureHeader.creator": identities_pb2.SerializedIdentity,
    "protos.ChaincodeAction.events": chaincode_event_pb2.ChaincodeEvent,
    "protos.ChaincodeAction.results": rwset_pb2.TxReadWriteSet,
    "protos.ChaincodeActionPayload.chaincode_proposal_payload": (
        proposal_pb2.ChaincodeProposalPayload
    ),
    "protos.ChaincodeEndorsedAction.proposal_response_payload": (
        proposal_response_pb2.ProposalResponsePayload
    ),
    "protos.ChaincodeProposalPayload.input": chaincode_pb2.ChaincodeInvocationSpec,
    "protos.ProposalResponsePayload.extension": proposal_pb2.ChaincodeAction,
    "protos.TransactionAction.header": common_pb2.SignatureHeader,
    "protos.TransactionAction.payload": transaction_pb2.ChaincodeActionPayload,
    "rwset.NsReadWriteSet.rwset": kv_rwset_pb2.KVRWSet,
}
"""Fields by full name, with what they always hold."""

CONFIG_VALUES: Mapping[str, MessageType] = {
    "ACLs": peer_configuration_pb2.ACLs,
    "AnchorPeers": peer_configuration_pb2.AnchorPeers,
    "BatchSize": orderer_configuration_pb2.BatchSize,
    "BatchTimeout": orderer_configuration_pb2.BatchTimeout,
    "BlockDataHashingStructure": configuration_pb2.BlockDataHashingStructure,
    "Capabilities": configuration_pb2.Capabilities,
    "ChannelCreationPolicy": policies_pb2.Policy,
    "ChannelRestrictions": orderer_configuration_pb2.ChannelRestrictions,
    "ConsensusType": orderer_configuration_pb2.ConsensusType,
    "Consortium": configuration_pb2.Consortium,
    "Endpoints": configuration_pb2.OrdererAddresses,
    "HashingAlgorithm": configuration_pb2.HashingAlgorithm,
    "KafkaBrokers": orderer_configuration_pb2.KafkaBrokers,
    "MSP": msp_config_pb2.MSPConfig,
    "OrdererAddresses": configuration_pb2.OrdererAddresses,
    "Orderers": configuration_pb2.Orderers,
}
"""Values of the channel configuration by their key; a key means the same in every group."""

_PAYLOADS: Mapping[int, MessageType] = {
    common_pb2.CONFIG: configtx_pb2.ConfigEnvelope,
    common_pb2.CONFIG_UPDATE: configtx_pb2.ConfigUpdateEnvelope,
    common_pb2.ENDORSER_TRANSACTION: transaction_pb2.Transaction,
}
_POLICIES: Mapping[int, MessageType] = {
    policies_pb2.Policy.SIGNATURE: policies_pb2.SignaturePolicyEnvelope,
    policies_pb2.Policy.IMPLICIT_META: policies_pb2.ImplicitMetaPolicy,
}
_PRINCIPALS: Mapping[int, MessageType] = {
    msp_principal_pb2.MSPPrincipal.ROLE: msp_principal_pb2.MSPRole,
    msp_principal_pb2.MSPPrincipal.ORGANIZATION_UNIT: msp_principal_pb2.OrganizationUnit,
    msp_principal_pb2.MSPPrincipal.IDENTITY: identities_pb2.SerializedIdentity,
}
_MSPS: Mapping[int, MessageType] = {0: msp_config_pb2.FabricMSPConfig}
_CONSENSUS: Mapping[str, MessageType] = {
    "etcdraft": etcdraft_pb2.ConfigMetadata,
    "BFT": smartbft_pb2.Options,
}


def _payload_data(payload: common_pb2.Payload, _: str) -> MessageType | None:
    try:
        header = common_pb2.ChannelHeader.FromString(payload.header.channel_header)
    except DecodeError:
        return None
    return _PAYLOADS.get(header.type)


def _header_extension(header: common_pb2.ChannelHeader, _: str) -> MessageType | None:
    if header.type == common_pb2.ENDORSER_TRANSACTION:
        return proposal_pb2.ChaincodeHeaderExtension
    return None


_DEPENDING: Mapping[str, Callable[[Any, str], MessageType | None]] = {
    "common.ChannelHeader.extension": _header_extension,
    "common.ConfigValue.value": lambda _, key: CONFIG_VALUES.get(key),
    "common.MSPPrincipal.principal": lambda m, _: _PRINCIPALS.get(m.principal_classification),
    "common.Payload.data": _payload_data,
    "common.Policy.value": lambda m, _: _POLICIES.get(m.type),
    "msp.MSPConfig.config": lambda m, _: _MSPS.get(m.type),
    "orderer.ConsensusType.metadata": lambda m, _: _CONSENSUS.get(m.type),
}


def depends(field: str) -> bool:
    """Whether what the field holds depends on the message it is in."""
    return field in _DEPENDING


def content_type(field: str, message: Message, key: str) -> MessageType | None:
    """Return what a bytes field holds; None for plain bytes.

    field: its full name; message: the one it is in, with everything that decides set;
    key: under which the message is kept in a map, empty otherwise.
    """
    if field in _DEPENDING:
        return _DEPENDING[field](message, key)
    return FIXED.get(field)
