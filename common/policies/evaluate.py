"""Signature policies: compiled once, evaluated greedily.

The rule (Fabric: common/cauthdsl/cauthdsl.go): ``signed_by`` takes the first identity
that is not used yet and satisfies its principal, and marks it used; ``n_out_of`` tries
every sub-rule in order, each starting from what the successful ones before it used, and
holds when at least n succeeded.  There is no backtracking, so the order of signatures
and of rules matters: a principal listed first may take the identity that only a later
one could have used.  With n = 0 it always holds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gridloom.protos.common.policies_pb2 import SignaturePolicy as SignaturePolicyMessage
from gridloom.protos.common.policies_pb2 import SignaturePolicyEnvelope
from gridloom.protos.msp.msp_principal_pb2 import MSPPrincipal

from ..errors import GridloomError
from ..memo import BoundedMemo
from .policy import (
    HELD_REMEMBERED,
    HeldMemo,
    Identities,
    Identity,
    InvalidPolicy,
    SignedData,
    ValidIdentities,
    remembered,
    require,
    valid_identities,
)
from .principals import describe_principal

_SENTENCE = "signature set did not satisfy policy"


@dataclass(frozen=True, slots=True)
class SignedBy:
    """The leaf: one identity that satisfies the principal with this index."""

    principal: int


@dataclass(frozen=True, slots=True)
class NOutOf:
    """The gate: at least n of the rules."""

    n: int
    rules: tuple[Rule, ...]


Rule = SignedBy | NOutOf
Satisfies = Callable[[int, int], bool]


def compile_rule(rule: SignaturePolicyMessage, principals: int) -> Rule:
    """Turn a rule message into a Rule; InvalidPolicy when it is empty or points outside.

    principals: how many identities the envelope lists.
    """
    match rule.WhichOneof("Type"):
        case "signed_by":
            if not 0 <= rule.signed_by < principals:
                raise InvalidPolicy(
                    f"identity index out of range, requested {rule.signed_by}, "
                    f"but identities length is {principals}"
                )
            return SignedBy(rule.signed_by)
        case "n_out_of":
            rules = tuple(compile_rule(inner, principals) for inner in rule.n_out_of.rules)
            return NOutOf(rule.n_out_of.n, rules)
        case _:
            raise InvalidPolicy("empty policy element")


def apply_rule(rule: Rule, signers: int, satisfies: Satisfies, used: int = 0) -> int | None:
    """Return the identities used after the rule held, None when it does not hold.

    signers: how many identities there are; satisfies(identity, principal): by index;
    used: bit i is set when identity i is taken.
    """
    if isinstance(rule, SignedBy):
        for signer in range(signers):
            if not used >> signer & 1 and satisfies(signer, rule.principal):
                return used | 1 << signer
        return None
    count = 0
    for inner in rule.rules:
        after = apply_rule(inner, signers, satisfies, used)
        if after is not None:
            count += 1
            used = after
    return used if count >= rule.n else None


def unmet_leaves(
    rule: Rule, signers: int, satisfies: Satisfies, used: int = 0
) -> list[tuple[int, bool]]:
    """Return the leaves that fail in a rule that fails: (principal, somebody could have).

    The second is True when an identity satisfies the principal but was used before.
    """
    if isinstance(rule, SignedBy):
        return [(rule.principal, any(satisfies(i, rule.principal) for i in range(signers)))]
    leaves: list[tuple[int, bool]] = []
    for inner in rule.rules:
        after = apply_rule(inner, signers, satisfies, used)
        if after is None:
            leaves += unmet_leaves(inner, signers, satisfies, used)
        else:
            used = after
    return leaves


class SignaturePolicy:
    """A compiled SignaturePolicyEnvelope over the MSPs of a channel."""

    __slots__ = ("_held", "_msps", "_principals", "_rule", "envelope")

    def __init__(self, envelope: SignaturePolicyEnvelope, msps: Identities) -> None:
        """Compile; InvalidPolicy. The envelope must not be changed afterwards."""
        if not envelope.HasField("rule"):
            raise InvalidPolicy("empty policy element")
        self.envelope = envelope
        self._principals: tuple[MSPPrincipal, ...] = tuple(envelope.identities)
        self._rule = compile_rule(envelope.rule, len(self._principals))
        self._msps = msps
        self._held: HeldMemo = BoundedMemo(HELD_REMEMBERED)

    def evaluate(self, signatures: Sequence[SignedData]) -> None:
        """Raise PolicyNotSatisfied unless the valid signatures among these satisfy it."""
        self._require(valid_identities(signatures, self._msps))

    def evaluate_identities(self, identities: Sequence[Identity]) -> None:
        """Raise PolicyNotSatisfied unless these identities satisfy it."""
        self._require(ValidIdentities(tuple(identities), ()))

    def holds(self, identities: Sequence[Identity]) -> bool:
        """Return whether these identities satisfy it, in this order; worked out once for each."""
        return remembered(self._held, identities, self._rule_holds)

    def _rule_holds(self, identities: Sequence[Identity]) -> bool:
        return apply_rule(self._rule, len(identities), self._satisfies(identities)) is not None

    def unmet(self, identities: Sequence[Identity]) -> tuple[str, ...]:
        """Return the leaves that failed, each with its reason; nothing when it holds."""
        if self.holds(identities):
            return ()
        leaves = unmet_leaves(self._rule, len(identities), self._satisfies(identities))
        if not leaves:
            return ("nobody can satisfy it",)
        texts = (
            describe_principal(self._principals[principal])
            + (" (its signer counts for another rule)" if taken else "")
            for principal, taken in leaves
        )
        return tuple(dict.fromkeys(texts))

    def convert(self) -> SignaturePolicyEnvelope:
        """Return the envelope itself."""
        return self.envelope

    def _require(self, found: ValidIdentities) -> None:
        require(self, lambda _: _SENTENCE, found, self._msps)

    def _satisfies(self, identities: Sequence[Identity]) -> Satisfies:
        def satisfies(signer: int, principal: int) -> bool:
            try:
                self._msps.satisfies(identities[signer], self._principals[principal])
            except GridloomError:
                return False
            return True

        return satisfies


def compile_signature_policy(
    envelope: SignaturePolicyEnvelope, msps: Identities
) -> SignaturePolicy:
    """Compile an envelope over the MSPs of a channel; InvalidPolicy."""
    return SignaturePolicy(envelope, msps)
