"""Who may read and write a collection during one invocation.

A collection with member_only_read or member_only_write admits only proposal creators that
its member policy names; the committed definition is read through the simulator, so the read
stands in the read set.  (Fabric: core/common/privdata/store.go)
"""

from __future__ import annotations

from typing import NamedTuple

from gridloom.common.channel.bundle import ChannelBundle
from gridloom.common.errors import GridloomError
from gridloom.common.policies.evaluate import compile_signature_policy
from gridloom.common.policies.policy import PolicyNotSatisfied
from gridloom.protos.peer.collection_pb2 import StaticCollectionConfig
from gridloom.protos.peer.proposal_pb2 import SignedProposal

from ..acl import signed_proposal_data
from ..ledger.simulator import TxSimulator
from .errors import ShimRequestRefused
from .lifecycle.collections import implicit_collection_org
from .lifecycle.definitions import LIFECYCLE_NAMESPACE, ChaincodeDefinitions


class Permission(NamedTuple):
    """Whether the proposal's creator may read and may write a collection."""

    read: bool
    write: bool


class CollectionAccess:
    """The permissions of one proposal's creator in one chaincode, worked out once each."""

    def __init__(
        self,
        bundle: ChannelBundle,
        definitions: ChaincodeDefinitions,
        simulator: TxSimulator,
        namespace: str,
        signed_proposal: SignedProposal,
    ) -> None:
        self._bundle = bundle
        self._definitions = definitions
        self._simulator = simulator
        self._namespace = namespace
        self._signed_proposal = signed_proposal
        self._known: dict[str, Permission] = {}

    def require_read(self, collection: str) -> None:
        """Raise ShimRequestRefused unless the creator may read the collection."""
        if not self._permission(collection).read:
            raise self._refusal("read", collection)

    def require_write(self, collection: str) -> None:
        """Raise ShimRequestRefused unless the creator may write the collection."""
        if not self._permission(collection).write:
            raise self._refusal("write", collection)

    def _refusal(self, kind: str, collection: str) -> ShimRequestRefused:
        return ShimRequestRefused(
            f"tx creator does not have {kind} access permission on privatedata in "
            f"chaincodeName:{self._namespace} collectionName: {collection}"
        )

    def _permission(self, collection: str) -> Permission:
        if collection not in self._known:
            self._known[collection] = self._judge(collection)
        return self._known[collection]

    def _judge(self, collection: str) -> Permission:
        config = self._config(collection)
        if config is None or not (config.member_only_read or config.member_only_write):
            return Permission(True, True)
        if self._creator_is_member(config):
            return Permission(True, True)
        return Permission(not config.member_only_read, not config.member_only_write)

    def _config(self, collection: str) -> StaticCollectionConfig | None:
        """Return an explicit collection's rules; implicit collections have none."""
        config = None
        if self._namespace != LIFECYCLE_NAMESPACE:
            definition = self._definitions.definition(self._namespace, self._simulator)
            config = definition.collection(collection) if definition is not None else None
        if config is None and implicit_collection_org(collection) is None:
            place = f"{self._bundle.channel_id}/{self._namespace}/{collection}"
            raise ShimRequestRefused(f"collection {place} could not be found")
        return config

    def _creator_is_member(self, config: StaticCollectionConfig) -> bool:
        envelope = config.member_orgs_policy.signature_policy
        try:
            policy = compile_signature_policy(envelope, self._bundle.msp_manager)
        except GridloomError as error:
            place = f"{self._bundle.channel_id}/{self._namespace}/{config.name}"
            raise ShimRequestRefused(
                f"error setting up collection for collection criteria {place}: {error}"
            ) from error
        try:
            policy.evaluate([signed_proposal_data(self._signed_proposal)])
        except PolicyNotSatisfied:
            return False
        return True
