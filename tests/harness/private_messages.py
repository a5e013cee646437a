"""Gossip messages about one collection: ``c`` of chaincode ``cc``, of Org1 and Org2."""

from __future__ import annotations

from gridloom.common.policies.language import parse
from gridloom.peer.chaincodes.lifecycle.definitions import ChaincodeDefinitions, StateQuery
from gridloom.peer.private_data.digests import Digest
from gridloom.protos.gossip.message_pb2 import (
    GossipMessage,
    PrivateDataMessage,
    PrivatePayload,
    RemotePvtDataRequest,
)
from gridloom.protos.peer.collection_pb2 import (
    CollectionConfig,
    CollectionConfigPackage,
    CollectionPolicyConfig,
    StaticCollectionConfig,
)


def collection() -> StaticCollectionConfig:
    members = parse("OR('Org1MSP.member','Org2MSP.member')")
    return StaticCollectionConfig(
        name="c", member_orgs_policy=CollectionPolicyConfig(signature_policy=members)
    )


class _Definitions(ChaincodeDefinitions):
    def collection(
        self, namespace: str, collection_name: str, reader: StateQuery
    ) -> StaticCollectionConfig | None:
        return collection() if (namespace, collection_name) == ("cc", "c") else None


def definitions() -> ChaincodeDefinitions:
    """Definitions that know this collection only."""
    return _Definitions()


def push() -> GossipMessage:
    """Private data for an endorser's fellow members."""
    package = CollectionConfigPackage(
        config=[CollectionConfig(static_collection_config=collection())]
    )
    payload = PrivatePayload(
        collection_name="c",
        namespace="cc",
        tx_id="tx",
        private_rwset=b"\x0a\x00",
        private_sim_height=1,
        collection_configs=package,
    )
    return GossipMessage(
        nonce=7,
        channel=b"mychannel",
        tag=GossipMessage.CHAN_ONLY,
        private_data=PrivateDataMessage(payload=payload),
    )


def request(block: int = 1) -> GossipMessage:
    """A question for private data of a block."""
    digests = [Digest("tx", "cc", "c", block, index).message() for index in (0, 1)]
    return GossipMessage(
        nonce=8,
        channel=b"mychannel",
        tag=GossipMessage.CHAN_ONLY,
        privateReq=RemotePvtDataRequest(digests=digests),
    )
