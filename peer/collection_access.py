"""Who may read a collection's cleartext from a block (Fabric: core/peer/deliverevents.go)."""

from __future__ import annotations

from gridloom.common.errors import GridloomError
from gridloom.common.policies.evaluate import compile_signature_policy
from gridloom.common.policies.policy import SignedData

from .chaincodes.lifecycle.collections import implicit_collection_org, static_collections
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
    row = channel.ledger.collections_below(chaincode, block)
    config = static_collections(row.package).get(collection) if row is not None else None
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
