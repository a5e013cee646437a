"""Implicit meta policies: ANY, ALL or a MAJORITY of the child groups' policies of a name.

A child without such a policy counts and never agrees; with no child groups at all it
always holds.  (Fabric: common/policies/implicitmeta.go, convert.go.)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gridloom.protos.common.policies_pb2 import ImplicitMetaPolicy as ImplicitMetaMessage
from gridloom.protos.common.policies_pb2 import SignaturePolicy as SignaturePolicyMessage
from gridloom.protos.common.policies_pb2 import SignaturePolicyEnvelope

from ..memo import BoundedMemo
from .policy import (
    HELD_REMEMBERED,
    HeldMemo,
    Identities,
    Identity,
    InvalidPolicy,
    Policy,
    SignedData,
    ValidIdentities,
    remembered,
    require,
    valid_identities,
)


def threshold_of(rule: int, children: int) -> int:
    """Return how many children must agree.

    InvalidPolicy for a rule that is none of the three; Fabric compiles it to a policy
    that holds exactly when nobody agrees, which no channel can want.
    """
    if rule not in ImplicitMetaMessage.Rule.values():
        raise InvalidPolicy(f"unknown implicit meta rule {rule}")
    if children == 0:
        return 0
    if rule == ImplicitMetaMessage.ANY:
        return 1
    return children if rule == ImplicitMetaMessage.ALL else children // 2 + 1


class ImplicitMetaPolicy:
    """A compiled implicit meta policy; children: group name -> its policy of that name."""

    __slots__ = ("_children", "_held", "_msps", "sub_policy", "threshold")

    def __init__(
        self, message: ImplicitMetaMessage, children: Mapping[str, Policy], msps: Identities
    ) -> None:
        self.sub_policy = message.sub_policy
        self.threshold = threshold_of(message.rule, len(children))
        self._children = dict(sorted(children.items()))
        self._held: HeldMemo = BoundedMemo(HELD_REMEMBERED)
        self._msps = msps

    def evaluate(self, signatures: Sequence[SignedData]) -> None:
        """Raise PolicyNotSatisfied unless enough children accept the valid signatures."""
        self._require(valid_identities(signatures, self._msps))

    def evaluate_identities(self, identities: Sequence[Identity]) -> None:
        """Raise PolicyNotSatisfied unless enough children accept all these identities."""
        self._require(ValidIdentities(tuple(identities), ()))

    def holds(self, identities: Sequence[Identity]) -> bool:
        """Return whether enough children accept these identities; worked out once for each."""
        return remembered(self._held, identities, self._enough_hold)

    def _enough_hold(self, identities: Sequence[Identity]) -> bool:
        remaining = self.threshold
        for child in self._children.values():
            if remaining == 0:
                break
            remaining -= child.holds(identities)
        return remaining == 0

    def unmet(self, identities: Sequence[Identity]) -> tuple[str, ...]:
        """Return the unmet leaves of every child that refuses; nothing when it holds."""
        if self.holds(identities):
            return ()
        unmet = []
        for group, child in self._children.items():
            nested = isinstance(child, ImplicitMetaPolicy)
            prefix = f"{group}/" if nested else f"{group}/{self.sub_policy}: "
            unmet += [prefix + leaf for leaf in child.unmet(identities)]
        return tuple(unmet)

    def convert(self) -> SignaturePolicyEnvelope:
        """Return threshold-of the children's policies, equal principals listed once."""
        envelope = SignaturePolicyEnvelope()
        envelope.rule.n_out_of.n = self.threshold
        for child in self._children.values():
            _append(envelope, child.convert())
        return envelope

    def _require(self, found: ValidIdentities) -> None:
        require(self, self._sentence, found, self._msps)

    def _sentence(self, identities: Sequence[Identity]) -> str:
        agreed = sum(child.holds(identities) for child in self._children.values())
        return (
            f"implicit policy evaluation failed - {agreed} sub-policies were satisfied, but this "
            f"policy requires {self.threshold} of the '{self.sub_policy}' sub-policies to be "
            "satisfied"
        )


def _append(target: SignaturePolicyEnvelope, addition: SignaturePolicyEnvelope) -> None:
    """Add a policy as one more rule, its leaves pointing into the target's principals."""
    index = {principal.SerializeToString(): i for i, principal in enumerate(target.identities)}
    places: list[int] = []
    for principal in addition.identities:
        key = principal.SerializeToString()
        if key not in index:
            index[key] = len(target.identities)
            target.identities.append(principal)
        places.append(index[key])
    rule = target.rule.n_out_of.rules.add()
    rule.CopyFrom(addition.rule)
    _renumber(rule, places)


def _renumber(rule: SignaturePolicyMessage, places: Sequence[int]) -> None:
    if rule.WhichOneof("Type") == "signed_by":
        rule.signed_by = places[rule.signed_by]
    for inner in rule.n_out_of.rules if rule.HasField("n_out_of") else ():
        _renumber(inner, places)
