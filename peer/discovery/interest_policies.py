"""The policies that what a chaincode did is subject to, and who may see what it read.

(Fabric: discovery/support/chaincode, core/chaincode/lifecycle/metadata_provider.go,
discovery/endorsement/collection.go)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from gridloom.common.channel.bundle import ChannelBundle
from gridloom.common.errors import GridloomError
from gridloom.common.wire import parse
from gridloom.protos.common.policies_pb2 import SignaturePolicyEnvelope
from gridloom.protos.msp.msp_principal_pb2 import MSPPrincipal
from gridloom.protos.peer.policy_pb2 import ApplicationPolicy
from gridloom.protos.peer.proposal_response_pb2 import ChaincodeCall

from ..chaincodes.lifecycle.collections import implicit_collection_org
from ..chaincodes.lifecycle.definitions import ChaincodeDefinition
from ..validation.namespace_policies import NamespacePolicies, NoSuchCollection
from .peers import PeerInfo

FindDefinition = Callable[[str], ChaincodeDefinition | None]
"""A chaincode's committed definition by name, None if it has none."""


class NoEndorsers(GridloomError):
    """No combination of known peers can endorse; the message is Fabric's."""


class PeerJudge:
    """What the MSPs of a channel say of its peers."""

    def __init__(self, bundle: ChannelBundle) -> None:
        self._msps = bundle.msp_manager

    def is_a(self, peer: PeerInfo, principal: MSPPrincipal) -> bool:
        """Whether the peer's identity is what the principal describes."""
        try:
            self._msps.satisfies(self._msps.deserialize(peer.identity), principal)
        except GridloomError:
            return False
        return True


class InterestPolicies:
    """The policies of one channel's chaincodes and collections."""

    def __init__(self, bundle: ChannelBundle, find: FindDefinition) -> None:
        self._bundle = bundle
        self._find = find
        self._namespaces = NamespacePolicies(bundle, find)

    def of_call(self, call: ChaincodeCall) -> Mapping[bytes, SignaturePolicyEnvelope]:
        """Return all that apply to one call, by their bytes; NoEndorsers."""
        policies = {policy.SerializeToString(): policy for policy in call.key_policies}
        if call.disregard_namespace_policy and not call.collection_names:
            if not policies:
                raise NoEndorsers(
                    f"requested to disregard chaincode {call.name}'s policy but key and "
                    "collection policies are missing, either disable DisregardNamespacePolicy "
                    "or specify at least one key policy or at least one collection policy"
                )
            self._of_chaincode(call.name)  # which has to be defined nevertheless
        elif not call.collection_names:
            self._add(policies, self._of_chaincode(call.name))
        for collection in call.collection_names:
            self._add(policies, self._of_collection(call.name, collection))
        return policies

    def check_collections(self, call: ChaincodeCall) -> None:
        """Raise NoEndorsers unless the collections that are read exist."""
        for collection in () if call.no_private_reads else call.collection_names:
            if implicit_collection_org(collection) is None:
                self._members(call.name, collection)

    def may_read(self, peer: PeerInfo, calls: Sequence[ChaincodeCall], judge: PeerJudge) -> bool:
        """Whether the peer may hold all private data that is read."""
        return all(
            self._is_member(peer, call.name, collection, judge)
            for call in calls
            if not call.no_private_reads
            for collection in call.collection_names
        )

    def _is_member(self, peer: PeerInfo, chaincode: str, collection: str, judge: PeerJudge) -> bool:
        msp_id = implicit_collection_org(collection)
        if msp_id is not None:
            return peer.msp_id == msp_id
        return any(judge.is_a(peer, member) for member in self._members(chaincode, collection))

    def _members(self, chaincode: str, collection: str) -> Sequence[MSPPrincipal]:
        definition = self._find(chaincode)
        config = definition.collection(collection) if definition is not None else None
        if config is None:
            raise NoEndorsers(
                f"collection {collection} doesn't exist in collection config for chaincode "
                f"{chaincode}"
            )
        return config.member_orgs_policy.signature_policy.identities

    def _of_chaincode(self, name: str) -> SignaturePolicyEnvelope:
        try:
            return self._signature_policy(self._namespaces.chaincode_policy(name))
        except GridloomError as error:
            raise self._not_found(name) from error

    def _of_collection(self, chaincode: str, collection: str) -> SignaturePolicyEnvelope:
        """Return the policy of a collection; without one the chaincode's applies."""
        try:
            policy = self._namespaces.collection_policy(chaincode, collection)
        except NoSuchCollection:
            policy = b""
        if not policy:
            return self._of_chaincode(chaincode)
        try:
            return self._signature_policy(policy)
        except GridloomError as error:
            raise self._not_found(chaincode) from error

    def _signature_policy(self, serialized: bytes) -> SignaturePolicyEnvelope:
        policy = parse(ApplicationPolicy, serialized, "application policy")
        if policy.WhichOneof("Type") == "signature_policy":
            return policy.signature_policy
        return self._bundle.policies.get(policy.channel_config_policy_reference).convert()

    def _not_found(self, chaincode: str) -> NoEndorsers:
        channel_id = self._bundle.channel_id
        return NoEndorsers(
            f"No metadata was found for chaincode {chaincode} in channel {channel_id}"
        )

    @staticmethod
    def _add(
        policies: dict[bytes, SignaturePolicyEnvelope], policy: SignaturePolicyEnvelope
    ) -> None:
        if not policy.identities or not policy.HasField("rule"):
            raise NoEndorsers("policy not found")
        policies[policy.SerializeToString()] = policy
