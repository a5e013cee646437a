"""Which combinations of peers can endorse what a chaincode did.

A *group* is the peers that satisfy one principal of the policies involved, a *layout* the
number of peers needed of each group: one way to satisfy everything at once
(Fabric: discovery/endorsement/endorsement.go).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from gridloom.common.channel.bundle import ChannelBundle
from gridloom.common.errors import GridloomError
from gridloom.common.policies.evaluate import compile_signature_policy
from gridloom.common.policies.inquire import (
    PrincipalSet,
    merge_principal_sets,
    principal_sets,
)
from gridloom.common.policies.policy import Policy
from gridloom.common.wire import parse
from gridloom.protos.common.policies_pb2 import SignaturePolicyEnvelope
from gridloom.protos.msp.msp_principal_pb2 import MSPPrincipal
from gridloom.protos.peer.policy_pb2 import ApplicationPolicy
from gridloom.protos.peer.proposal_response_pb2 import ChaincodeCall, ChaincodeInterest

from ..chaincodes.lifecycle.definitions import ChaincodeDefinition, implicit_collection_org
from ..validation.namespace_policies import NamespacePolicies
from .peers import PeerInfo

Layout = Mapping[str, int]


class NoEndorsers(GridloomError):
    """No combination of known peers can endorse; the message is Fabric's."""


@dataclass(frozen=True, slots=True)
class EndorsementDescriptor:
    """Peers by group, and the layouts that say how many of each group are needed."""

    groups: Mapping[str, tuple[PeerInfo, ...]]
    layouts: tuple[Layout, ...]


class EndorsementAnalyzer:
    """Answers for one channel as it is now.

    find: a chaincode's committed definition by name, None if it has none.
    """

    def __init__(
        self,
        bundle: ChannelBundle,
        find: Callable[[str], ChaincodeDefinition | None],
        peers: Sequence[PeerInfo],
    ) -> None:
        self._bundle = bundle
        self._find = find
        self._policies = NamespacePolicies(bundle, find)
        self._peers = peers

    def descriptor(self, interest: ChaincodeInterest) -> EndorsementDescriptor:
        """Return who can endorse calls of these chaincodes; NoEndorsers if nobody can."""
        calls = interest.chaincodes
        definitions = {call.name: self._definition(call.name) for call in calls}
        members = [peer for peer in self._peers if self._authorized(peer, calls)]
        sets = self._principal_sets(calls)
        groups: dict[str, tuple[PeerInfo, ...]] = {}
        names: dict[bytes, str] = {}
        for principal in (principal for principals in sets for principal in principals):
            key = principal.SerializeToString(deterministic=True)
            if key not in names:
                names[key] = f"G{len(names)}"
                groups[names[key]] = tuple(m for m in members if self._satisfies(m, principal))
        layouts: list[Layout] = [
            Counter(names[p.SerializeToString(deterministic=True)] for p in principals)
            for principals in sets
        ]
        layouts = _feasible(layouts, groups)
        if not layouts:
            raise NoEndorsers("no peer combination can satisfy the endorsement policy")
        running = {
            group: tuple(p for p in peers if _runs_all(p, definitions))
            for group, peers in groups.items()
        }
        layouts = _feasible(layouts, running)
        if not layouts:
            raise NoEndorsers("required chaincodes are not installed on sufficient peers")
        return EndorsementDescriptor(running, tuple(layouts))

    def _definition(self, name: str) -> ChaincodeDefinition:
        definition = self._find(name)
        if definition is None:
            raise NoEndorsers(
                f"No metadata was found for chaincode {name} in channel {self._bundle.channel_id}"
            )
        return definition

    def _principal_sets(self, calls: Sequence[ChaincodeCall]) -> list[PrincipalSet]:
        needed = [self._sets(policy) for call in calls for policy in self._call_policies(call)]
        needed += [self._sets(key_policy) for call in calls for key_policy in call.key_policies]
        return merge_principal_sets(needed)

    def _call_policies(self, call: ChaincodeCall) -> list[Policy]:
        namespace = self._compile(self._policies.chaincode_policy(call.name))
        if not call.collection_names:
            if not call.disregard_namespace_policy:
                return [namespace]
            if not call.key_policies:
                raise NoEndorsers(
                    f"requested to disregard chaincode {call.name}'s policy but key and "
                    "collection policies are missing, either disable DisregardNamespacePolicy "
                    "or specify at least one key policy or at least one collection policy"
                )
            return []
        own = [self._policies.collection_policy(call.name, c) for c in call.collection_names]
        policies = [self._compile(policy) if policy else namespace for policy in own]
        return policies

    def _sets(self, policy: Policy | SignaturePolicyEnvelope) -> list[PrincipalSet]:
        sets = principal_sets(policy)
        if not sets:
            raise NoEndorsers("endorsement policy cannot be satisfied")
        return sets

    def _compile(self, serialized: bytes) -> Policy:
        policy = parse(ApplicationPolicy, serialized, "application policy")
        if policy.WhichOneof("Type") == "signature_policy":
            return compile_signature_policy(policy.signature_policy, self._bundle.msp_manager)
        return self._bundle.policies.get(policy.channel_config_policy_reference)

    def _authorized(self, peer: PeerInfo, calls: Sequence[ChaincodeCall]) -> bool:
        """Whether the peer may hold all private data that is read."""
        return all(
            self._is_member(peer, call.name, collection)
            for call in calls
            if not call.no_private_reads
            for collection in call.collection_names
        )

    def _is_member(self, peer: PeerInfo, chaincode: str, collection: str) -> bool:
        msp_id = implicit_collection_org(collection)
        if msp_id is not None:
            return peer.msp_id == msp_id
        definition = self._find(chaincode)
        config = definition.collection(collection) if definition is not None else None
        if config is None:
            return False
        members = compile_signature_policy(
            config.member_orgs_policy.signature_policy, self._bundle.msp_manager
        )
        identity = self._bundle.msp_manager.deserialize(peer.identity)
        return members.holds([identity])

    def _satisfies(self, peer: PeerInfo, principal: MSPPrincipal) -> bool:
        manager = self._bundle.msp_manager
        try:
            manager.satisfies(manager.deserialize(peer.identity), principal)
        except GridloomError:
            return False
        return True


def _runs_all(peer: PeerInfo, definitions: Mapping[str, ChaincodeDefinition]) -> bool:
    return all(peer.runs(name, definition.version) for name, definition in definitions.items())


def _feasible(layouts: Sequence[Layout], groups: Mapping[str, Sequence[PeerInfo]]) -> list[Layout]:
    return [
        layout
        for layout in layouts
        if all(len(groups[group]) >= needed for group, needed in layout.items())
    ]


def interest_in(*chaincodes: str) -> ChaincodeInterest:
    """Return the interest of plain calls of these chaincodes."""
    return ChaincodeInterest(chaincodes=[ChaincodeCall(name=name) for name in chaincodes])
