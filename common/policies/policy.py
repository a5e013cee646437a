"""What a policy is, what it is given to judge, and how it says no.

(Fabric: common/policies/policy.go, protoutil/signeddata.go.)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from gridloom.protos.common.policies_pb2 import SignaturePolicyEnvelope
from gridloom.protos.msp.identities_pb2 import SerializedIdentity
from gridloom.protos.msp.msp_principal_pb2 import MSPPrincipal, MSPRole

from ..errors import GridloomError
from ..memo import BoundedMemo
from ..wire import parse
from .principals import role_principal


class SignedData(NamedTuple):
    """A claimed signature: the bytes, the serialized identity of the signer, the signature."""

    data: bytes
    identity: bytes
    signature: bytes


class Identity(Protocol):
    """What a policy needs of an identity; `gridloom.common.identities.Identity` is one."""

    @property
    def msp_id(self) -> str: ...

    @property
    def key(self) -> tuple[str, str]:
        """Return what tells identities apart: (MSP id, certificate hash)."""
        ...

    def verify(self, message: bytes, signature: bytes) -> None:
        """Raise a GridloomError unless the signature is this identity's."""
        ...


class Identities(Protocol):
    """What a policy needs of an MSP manager; `gridloom.common.msp.MspManager` is one."""

    def deserialize(self, serialized: bytes) -> Identity:
        """Return the identity; a GridloomError when it is none of this channel's MSPs."""
        ...

    def satisfies(self, identity: Any, principal: MSPPrincipal) -> None:  # noqa: ANN401
        """Raise a GridloomError unless an identity, one it made, is what is described."""
        ...


class InvalidPolicy(GridloomError):
    """A policy that cannot be compiled; reason: what is wrong with it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class PolicyNotSatisfied(GridloomError):
    """Signatures that do not satisfy a policy.

    The text is Fabric's own sentence, because clients see it on the wire.  unmet: each
    leaf of the policy that failed and why; seen: the identities that were judged, as MSP
    id and roles; ignored: MSP id and reason of those that never counted.  `explanation`
    says all three, and stands in tracebacks as a note.  No keys, no certificates.
    """

    def __init__(
        self,
        sentence: str,
        unmet: Sequence[str] = (),
        seen: Sequence[str] = (),
        ignored: Sequence[str] = (),
    ) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.unmet = tuple(unmet)
        self.seen = tuple(seen)
        self.ignored = tuple(ignored)
        self.add_note(self.explanation)

    @property
    def explanation(self) -> str:
        """Return which leaves were unmet and who was seen, in one line."""
        parts = ["unmet: " + "; ".join(self.unmet)] if self.unmet else []
        parts.append("seen: " + (", ".join(self.seen) or "nobody"))
        if self.ignored:
            parts.append("ignored: " + ", ".join(self.ignored))
        return " | ".join(parts)


class Policy(Protocol):
    """A compiled policy."""

    def evaluate(self, signatures: Sequence[SignedData]) -> None:
        """Raise PolicyNotSatisfied unless the valid signatures among these satisfy it."""
        ...

    def evaluate_identities(self, identities: Sequence[Identity]) -> None:
        """Raise PolicyNotSatisfied unless these identities, as signers, satisfy it."""
        ...

    def holds(self, identities: Sequence[Identity]) -> bool:
        """Return whether these identities, as signers, satisfy it."""
        ...

    def unmet(self, identities: Sequence[Identity]) -> tuple[str, ...]:
        """Return the leaves that these identities leave unmet, each with its reason."""
        ...

    def convert(self) -> SignaturePolicyEnvelope:
        """Return an equivalent signature policy; InvalidPolicy when there is none."""
        ...


@dataclass(frozen=True, slots=True)
class ValidIdentities:
    """The identities of a signature set that count, in order, and why others do not."""

    identities: tuple[Identity, ...]
    ignored: tuple[str, ...]


def valid_identities(signatures: Sequence[SignedData], msps: Identities) -> ValidIdentities:
    """Return the distinct identities whose signatures hold (SignatureSetToValidIdentities).

    An identity that no MSP knows is skipped; so is a further signature of one already
    accepted, before it is verified.  A bad signature does not stand in the way of a later
    good one by the same identity.  Nobody is validated here: the principals do that.
    """
    accepted: dict[tuple[str, str], Identity] = {}
    ignored: list[str] = []
    for signed in signatures:
        try:
            identity = msps.deserialize(signed.identity)
        except GridloomError as error:
            ignored.append(f"{_claimed_msp(signed.identity)} ({type(error).__name__})")
            continue
        if identity.key in accepted:
            ignored.append(f"{identity.msp_id} (signed twice)")
            continue
        try:
            identity.verify(signed.data, signed.signature)
        except GridloomError as error:
            ignored.append(f"{identity.msp_id} ({type(error).__name__})")
            continue
        accepted[identity.key] = identity
    return ValidIdentities(tuple(accepted.values()), tuple(ignored))


HELD_REMEMBERED = 1 << 8
"""Sets of signers whose verdict a policy remembers."""

HeldMemo = BoundedMemo[tuple[tuple[str, str], ...], bool]


def remembered(
    memo: HeldMemo, identities: Sequence[Identity], holds: Callable[[Sequence[Identity]], bool]
) -> bool:
    """Return whether a policy holds for these identities, as ``holds`` said before or says now.

    The MSPs that a policy was compiled over never change, and they judge an identity without
    regard to the time, so a verdict lasts as long as the policy.
    """
    key = tuple(identity.key for identity in identities)
    held = memo.get(key)
    if held is None:
        held = holds(identities)
        memo.put(key, held)
    return held


def require(
    policy: Policy,
    sentence: Callable[[Sequence[Identity]], str],
    found: ValidIdentities,
    msps: Identities,
) -> None:
    """Raise PolicyNotSatisfied with the whole explanation unless the policy holds."""
    if policy.holds(found.identities):
        return
    seen = [describe_identity(identity, msps) for identity in found.identities]
    raise PolicyNotSatisfied(
        sentence(found.identities), policy.unmet(found.identities), seen, found.ignored
    )


def describe_identity(identity: Identity, msps: Identities) -> str:
    """Return the MSP id and the roles that the identity really has, e.g. ``Org1MSP peer``."""
    roles = [
        name.lower()
        for name in ("ADMIN", "PEER", "CLIENT", "ORDERER", "MEMBER")
        if _is(identity, role_principal(identity.msp_id, MSPRole.MSPRoleType.Value(name)), msps)
    ]
    named = [role for role in roles if role != "member"] or roles
    return f"{identity.msp_id} {'+'.join(named) or 'invalid'}"


def _is(identity: Identity, principal: MSPPrincipal, msps: Identities) -> bool:
    try:
        msps.satisfies(identity, principal)
    except GridloomError:
        return False
    return True


def _claimed_msp(serialized: bytes) -> str:
    try:
        return parse(SerializedIdentity, serialized).mspid or "no MSP id"
    except GridloomError:
        return "malformed identity"


class RejectPolicy:
    """The policy that a missing name stands for: nobody satisfies it."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def evaluate(self, signatures: Sequence[SignedData]) -> None:
        """Raise PolicyNotSatisfied."""
        raise PolicyNotSatisfied(f"no such policy: '{self.name}'", self.unmet(()))

    def evaluate_identities(self, identities: Sequence[Identity]) -> None:
        """Raise PolicyNotSatisfied."""
        raise PolicyNotSatisfied(f"no such policy: '{self.name}'", self.unmet(()))

    def holds(self, identities: Sequence[Identity]) -> bool:
        """Return False."""
        return False

    def unmet(self, identities: Sequence[Identity]) -> tuple[str, ...]:
        """Return that the policy is missing."""
        return (f"'{self.name}' does not exist",)

    def convert(self) -> SignaturePolicyEnvelope:
        """Raise InvalidPolicy."""
        raise InvalidPolicy(f"no such policy: '{self.name}'")
