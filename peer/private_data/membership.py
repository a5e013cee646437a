"""Who is a member of a collection, as a channel's MSPs judge it (Fabric: core/common/privdata)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from gridloom.common.channel.bundle import ChannelBundle
from gridloom.common.errors import GridloomError
from gridloom.common.policies.evaluate import compile_signature_policy
from gridloom.common.policies.policy import Policy, RejectPolicy, SignedData
from gridloom.protos.peer.collection_pb2 import StaticCollectionConfig

from ..chaincodes.lifecycle.collections import member_organizations

_LIMIT = 1 << 12


@dataclass(frozen=True, slots=True)
class _Judgements:
    """What has been worked out under one configuration."""

    bundle: ChannelBundle
    policies: dict[bytes, Policy] = field(default_factory=dict)
    verdicts: dict[tuple[bytes, bytes], bool] = field(default_factory=dict)


class Membership:
    """Judges identities by the configuration in force; remembers while it stays the same.

    bundle: that configuration.  Safe for threads.
    """

    def __init__(self, bundle: Callable[[], ChannelBundle]) -> None:
        self._bundle = bundle
        self._judgements: _Judgements | None = None

    def has_signed(self, config: StaticCollectionConfig, claim: SignedData) -> bool:
        """Whether a member of the collection has made this signature."""
        try:
            _policy(config, self._known()).evaluate([claim])
        except GridloomError:
            return False
        return True

    def admits(self, config: StaticCollectionConfig, identity: bytes) -> bool:
        """Whether a serialized identity, proved elsewhere, is a member of the collection."""
        known = self._known()
        place = config.member_orgs_policy.SerializeToString(), identity
        verdict = known.verdicts.get(place)
        if verdict is None:
            if len(known.verdicts) >= _LIMIT:
                known.verdicts.clear()
            verdict = known.verdicts[place] = _holds(_policy(config, known), known.bundle, identity)
        return verdict

    def _known(self) -> _Judgements:
        bundle, known = self._bundle(), self._judgements
        if known is None or known.bundle is not bundle:
            known = self._judgements = _Judgements(bundle)
        return known


def is_own(
    config: StaticCollectionConfig, msp_id: str, membership: Membership, identity: bytes
) -> bool:
    """Whether a peer has a right to a collection: its organisation's suffices.

    (Fabric: gossip/privdata ``computeEligibility``)
    """
    return msp_id in member_organizations(config) or membership.admits(config, identity)


def _policy(config: StaticCollectionConfig, known: _Judgements) -> Policy:
    """The member policy; nobody satisfies one that cannot be used."""
    key = config.member_orgs_policy.SerializeToString()
    policy = known.policies.get(key)
    if policy is None:
        envelope = config.member_orgs_policy.signature_policy
        try:
            policy = compile_signature_policy(envelope, known.bundle.msp_manager)
        except GridloomError:
            policy = RejectPolicy(config.name)
        known.policies[key] = policy
    return policy


def _holds(policy: Policy, bundle: ChannelBundle, identity: bytes) -> bool:
    try:
        return policy.holds([bundle.msp_manager.deserialize(identity)])
    except GridloomError:
        return False
