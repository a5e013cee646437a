"""What can be wrong with an identity; ``common.identities`` re-exports all of it.

    IdentityError
        UnknownMsp              the MSP id is not one of the channel's
        InvalidMspConfig        an MSP's definition is refused at set-up
        InvalidIdentity         a certificate that the MSP does not accept
        InvalidSignature        a signature that the key did not make
        PrincipalNotSatisfied   a valid identity that is not who the policy asks for

(Fabric: the plain errors of msp/)
"""

from __future__ import annotations

from .errors import GridloomError


class IdentityError(GridloomError):
    """Root of everything an MSP refuses."""


class UnknownMsp(IdentityError):
    """msp_id: the id that no MSP of the channel carries."""

    def __init__(self, msp_id: str) -> None:
        super().__init__(f"MSP {msp_id} is not defined on channel")
        self.msp_id = msp_id


class InvalidMspConfig(IdentityError):
    """msp_id: whose definition; reason: the rule it breaks."""

    def __init__(self, msp_id: str, reason: str) -> None:
        super().__init__(f"MSP {msp_id}: {reason}")
        self.msp_id = msp_id
        self.reason = reason


class InvalidIdentity(IdentityError):
    """reason: the rule that the certificate breaks; msp_id: the MSP that judged, if known."""

    def __init__(self, reason: str, msp_id: str = "") -> None:
        super().__init__(f"{reason} (MSP {msp_id})" if msp_id else reason)
        self.reason = reason
        self.msp_id = msp_id


class InvalidSignature(IdentityError):
    """reason: malformed, high-S, or not made by this key over this message."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class PrincipalNotSatisfied(IdentityError):
    """reason: what the identity lacks; msp_id: the MSP that judged."""

    def __init__(self, reason: str, msp_id: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.msp_id = msp_id
