"""What a policy is given to judge (Fabric: protoutil/signeddata.go, common/policies)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SignedData:
    """A claimed signature: the bytes, the serialized identity of the signer, the signature."""

    data: bytes
    identity: bytes
    signature: bytes
