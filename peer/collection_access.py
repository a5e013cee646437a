"""Who may read a collection's cleartext from a block (Fabric: core/peer/deliverevents.go)."""

from __future__ import annotations

from gridloom.common.errors import GridloomError
from gridloom.common.policies.evaluate import compile_signature_policy
from gridloom.common.policies.policy import SignedData
from gridloom.common.wire import parse
from gridloom.protos.peer import collection_pb2
from gridloom.protos.peer.lifecycle import db_pb2

from .chaincodes.lifecycle.collections import implicit_collection_org, static_collections
from .chaincodes.lifecycle.definitions import LIFECYCLE_NAMESPACE, NAMESPACES
from .chaincodes.lifecycle.serializer import field_key
from .channel import PeerChannel


def may_read_collection(
    channel: PeerChannel, block: int, chaincode: str, collection: str, reader: SignedData
) -> bool:
    """Whether a reader of block events sees a collection's data in block number ``block``.

    Judged by the collection as it was defined before that block.  Only collections with
    member_only_read ask who reads; a collection nobody defined is shown to nobody.
    """
    if implicit_collection_org(collection) is not None:
        return True
    config = _collection_below(channel, block, chaincode, collection)
    if config is None:
        return False
    if not config.member_only_read:
        return True
    members = config.member_orgs_policy.signature_policy
    try:
        compile_signature_policy(members, channel.bundle.msp_manager).evaluate([reader])
    except GridloomError:
        return False
    return True


def _collection_below(
    channel: PeerChannel, block: int, chaincode: str, collection: str
) -> collection_pb2.StaticCollectionConfig | None:
    """The collection by the newest definition that was committed before the block."""
    key = field_key(NAMESPACES, chaincode, "Collections")
    for change in channel.ledger.history(LIFECYCLE_NAMESPACE, key):
        number = channel.block_number_of(change.tx_id)
        if number is not None and number < block:
            package = parse(db_pb2.StateData, change.value, key).Bytes
            return static_collections(package).get(collection)
    return None
