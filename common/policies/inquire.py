"""Who could satisfy a policy: its minimal combinations of principals.

The gateway plans endorsements with them.  A policy that refers to the channel's policies
is first turned into a signature policy by its `convert`.
(Fabric: common/policies/inquire, common/graph; the plan is discovery/endorsement.)
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence

from gridloom.protos.common.policies_pb2 import SignaturePolicyEnvelope
from gridloom.protos.msp.msp_principal_pb2 import MSPPrincipal

from .evaluate import Rule, SignedBy, compile_rule
from .policy import InvalidPolicy, Policy
from .principals import ComparablePrincipal, describe_principal

MAX_COMBINATIONS = 2000

PrincipalSet = tuple[MSPPrincipal, ...]
_Set = tuple[ComparablePrincipal, ...]


def principal_sets(
    policy: SignaturePolicyEnvelope | Policy,
    usable: Callable[[MSPPrincipal], bool] | None = None,
    limit: int = MAX_COMBINATIONS,
) -> list[PrincipalSet]:
    """Return the combinations of principals, each of which satisfies the policy.

    A principal stands in a combination as often as different identities must satisfy it.
    No combination contains another.  Nothing is returned when nobody can satisfy the
    policy, nor when it asks for nobody.

    usable: leaves out principals that nobody present satisfies, before combining; limit:
    at most so many combinations are looked at (Fabric prunes at random, here the first
    ones in the order of the rules stay).  InvalidPolicy for a policy that does not
    compile, has no signature form, or names principals that cannot be compared.
    """
    envelope = policy if isinstance(policy, SignaturePolicyEnvelope) else policy.convert()
    principals = [_comparable(principal) for principal in envelope.identities]
    rule = compile_rule(envelope.rule, len(principals))
    leaves = {
        index
        for index, principal in enumerate(envelope.identities)
        if usable is None or usable(principal)
    }
    found = itertools.islice(_combinations(rule, leaves, limit), limit)
    sets = [tuple(principals[index] for index in indices) for indices in found]
    return _messages(_minimal(sets))


def merge_principal_sets(
    policies: Iterable[Sequence[PrincipalSet]], limit: int = MAX_COMBINATIONS
) -> list[PrincipalSet]:
    """Return the combinations that satisfy several policies at once, minimal again.

    One identity may count for each policy, so a principal of one covers an equal or
    weaker one of another (a peer is also a member).  No policies: no combinations.
    """
    merged: list[_Set] | None = None
    for sets in policies:
        comparable = [tuple(map(_comparable, principals)) for principals in sets]
        if merged is None:
            merged = _minimal(comparable)
            continue
        pairs = itertools.islice(itertools.product(merged, comparable), limit)
        merged = _minimal([_union(first, second) for first, second in pairs])
    return _messages(merged or [])


def _comparable(principal: MSPPrincipal) -> ComparablePrincipal:
    comparable = ComparablePrincipal.of(principal)
    if comparable is None:
        raise InvalidPolicy(f"the principal {describe_principal(principal)} cannot be compared")
    return comparable


def _messages(sets: Iterable[_Set]) -> list[PrincipalSet]:
    return [tuple(principal.to_principal() for principal in each) for each in sets]


def _combinations(rule: Rule, leaves: set[int], limit: int) -> Iterator[tuple[int, ...]]:
    """Yield the leaves of every way to satisfy a rule, at most limit for each sub-rule."""
    if isinstance(rule, SignedBy):
        if rule.principal in leaves:
            yield (rule.principal,)
        return
    inner = [list(itertools.islice(_combinations(r, leaves, limit), limit)) for r in rule.rules]
    possible = [ways for ways in inner if ways]
    for chosen in itertools.combinations(possible, max(rule.n, 0)):
        for ways in itertools.product(*chosen):
            yield tuple(itertools.chain.from_iterable(ways))


def _minimal(sets: Iterable[_Set]) -> list[_Set]:
    """Drop empty sets, repeated ones and those that contain another, plurality counted."""
    kept: dict[frozenset[tuple[ComparablePrincipal, int]], _Set] = {}
    sizes: set[int] = set()
    for principals in sorted(filter(None, sets), key=len):
        numbered = frozenset(_numbered(principals))
        smaller = any(size < len(principals) for size in sizes)
        if numbered in kept or (smaller and any(other < numbered for other in kept)):
            continue
        kept[numbered] = principals
        sizes.add(len(principals))
    return list(kept.values())


def _numbered(principals: _Set) -> Iterator[tuple[ComparablePrincipal, int]]:
    """Yield each principal with its how-manieth occurrence, so that sets count plurality."""
    seen: dict[ComparablePrincipal, int] = {}
    for principal in principals:
        seen[principal] = seen.get(principal, 0) + 1
        yield principal, seen[principal]


def _union(first: _Set, second: _Set) -> _Set:
    """Return principals that satisfy both sets, each identity counting once in either."""
    left = list(first)
    merged: list[ComparablePrincipal] = []
    for principal in second:
        partner = _partner(principal, left)
        if partner is None:
            merged.append(principal)
            continue
        left.remove(partner)
        merged.append(principal if principal.is_a(partner) else partner)
    return (*merged, *left)


def _partner(
    principal: ComparablePrincipal, others: Sequence[ComparablePrincipal]
) -> ComparablePrincipal | None:
    """Return an equal principal if there is one, else one that implies or is implied."""
    if principal in others:
        return principal
    related = (other for other in others if principal.is_a(other) or other.is_a(principal))
    return next(related, None)
