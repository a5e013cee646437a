"""Which combinations of peers can endorse what a chaincode did.

A *group* is the peers that satisfy one principal of the policies involved, a *layout* the
number of peers needed of each group: one way to satisfy everything at once
(Fabric: discovery/endorsement/endorsement.go).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from gridloom.common.channel.bundle import ChannelBundle
from gridloom.common.errors import GridloomError
from gridloom.common.policies.inquire import (
    PrincipalSet,
    merge_principal_sets,
    principal_sets,
)
from gridloom.protos.common.policies_pb2 import SignaturePolicyEnvelope
from gridloom.protos.msp.msp_principal_pb2 import MSPPrincipal
from gridloom.protos.peer.proposal_response_pb2 import ChaincodeCall, ChaincodeInterest

from ..chaincodes.lifecycle.definitions import LIFECYCLE_NAMESPACE
from .interest_policies import FindDefinition, InterestPolicies, NoEndorsers, PeerJudge
from .layouts import Groups, Layout, assign
from .peers import PeerInfo


@dataclass(frozen=True, slots=True)
class EndorsementDescriptor:
    """Endpoints of peers by group, and the layouts: how many of each group are needed."""

    groups: Groups
    layouts: tuple[Layout, ...]


def describe_endorsers(
    bundle: ChannelBundle,
    find: FindDefinition,
    peers: Sequence[PeerInfo],
    interest: ChaincodeInterest,
) -> EndorsementDescriptor:
    """Return who can endorse calls of these chaincodes as things are; NoEndorsers if nobody."""
    calls = interest.chaincodes
    judge = PeerJudge(bundle)
    policies = InterestPolicies(bundle, find)
    needed: dict[bytes, SignaturePolicyEnvelope] = {}
    for call in calls:
        needed.update(policies.of_call(call))
        policies.check_collections(call)

    def usable(principal: MSPPrincipal) -> bool:
        return any(judge.is_a(peer, principal) for peer in peers)

    sets = _combinations(needed.values(), usable)
    members = [peer for peer in peers if policies.may_read(peer, calls, judge)]
    names = _names(sets)
    groups = {
        name: [peer for peer in members if judge.is_a(peer, principal)]
        for name, principal in names.values()
    }
    layouts = [Counter(names[_key(p)][0] for p in principals) for principals in sets]
    feasible = [layout for layout in layouts if assign(layout, _endpoints(groups))]
    if not feasible:
        raise NoEndorsers("no peer combination can satisfy the endorsement policy")
    running = _endpoints(
        {
            name: [peer for peer in group if _runs_all(peer, calls, find)]
            for name, group in groups.items()
        }
    )
    layouts = [layout for layout in feasible if assign(layout, running)]
    if not layouts:
        raise NoEndorsers("required chaincodes are not installed on sufficient peers")
    return EndorsementDescriptor(running, tuple(layouts))


def authorized_peers(
    bundle: ChannelBundle,
    find: FindDefinition,
    peers: Sequence[PeerInfo],
    interest: ChaincodeInterest,
) -> list[PeerInfo]:
    """Return the peers that run the chaincodes and may hold what is read; NoEndorsers."""
    judge, policies = PeerJudge(bundle), InterestPolicies(bundle, find)
    for call in interest.chaincodes:
        policies.check_collections(call)
    calls = interest.chaincodes
    return [
        peer
        for peer in peers
        if policies.may_read(peer, calls, judge) and _runs_all(peer, calls, find)
    ]


def interest_in(*chaincodes: str) -> ChaincodeInterest:
    """Return the interest of plain calls of these chaincodes."""
    return ChaincodeInterest(chaincodes=[ChaincodeCall(name=name) for name in chaincodes])


def _combinations(
    policies: Iterable[SignaturePolicyEnvelope], usable: Callable[[MSPPrincipal], bool]
) -> list[PrincipalSet]:
    """Return the combinations of principals that satisfy all policies.

    usable: whether some peer is one.  Of a policy that such principals cannot satisfy all
    combinations count, so that the layouts show that nobody can.
    """
    found = []
    for policy in policies:
        try:
            sets = principal_sets(policy, usable) or principal_sets(policy)
        except GridloomError as error:
            raise NoEndorsers(str(error)) from error
        if not sets:
            raise NoEndorsers("endorsement policy cannot be satisfied")
        found.append(sets)
    if not found:
        raise NoEndorsers("no principal sets remained after filtering")
    return merge_principal_sets(found)


def _names(sets: Iterable[PrincipalSet]) -> Mapping[bytes, tuple[str, MSPPrincipal]]:
    """Name each distinct principal G0, G1 and so on."""
    names: dict[bytes, tuple[str, MSPPrincipal]] = {}
    for principals in sets:
        for principal in principals:
            names.setdefault(_key(principal), (f"G{len(names)}", principal))
    return names


def _key(principal: MSPPrincipal) -> bytes:
    return principal.SerializeToString()


def _endpoints(groups: Mapping[str, Sequence[PeerInfo]]) -> Groups:
    return {name: tuple(peer.endpoint for peer in peers) for name, peers in groups.items()}


def _runs_all(peer: PeerInfo, calls: Sequence[ChaincodeCall], find: FindDefinition) -> bool:
    for name in {call.name for call in calls} - {LIFECYCLE_NAMESPACE}:
        definition = find(name)
        if definition is None or not peer.runs(name, definition.sequence):
            return False
    return True
