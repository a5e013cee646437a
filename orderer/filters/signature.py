"""Messages whose signer may not write to the channel.

(Fabric: orderer/common/msgprocessor/sigfilter.go.)
"""

from __future__ import annotations

from gridloom.common.channel.bundle import ChannelBundle
from gridloom.common.envelopes import OpenEnvelope
from gridloom.common.errors import GridloomError
from gridloom.common.identities import Identity
from gridloom.common.memo import BoundedMemo
from gridloom.common.policies.policy import PolicyNotSatisfied, SignedData

from .maintenance import in_maintenance
from .rejection import PermissionDenied

WRITERS_REMEMBERED = 1 << 10


class SignatureFilter:
    """Rejects whoever does not satisfy /Channel/Writers, in maintenance the orderers' Writers.

    A signer who has satisfied the policy does so under this configuration from then on, for a
    verdict on an identity never depends on the time; so of a writer that is known only the
    signature is checked, each time.  Whoever fails that is for the policy to judge.
    """

    def __init__(self) -> None:
        self._known = _Writers(None)

    def __call__(self, message: OpenEnvelope, bundle: ChannelBundle) -> None:
        """PermissionDenied in the words of the policy."""
        known = self._known
        if known.bundle is not bundle:
            known = self._known = _Writers(bundle)
        signed = message.signed_data
        if known.signed(signed):
            return
        check_signature(signed, bundle, "Writers")
        known.add(signed.identity, bundle)


class _Writers:
    """The signers that have satisfied Writers under one configuration, by serialized identity."""

    def __init__(self, bundle: ChannelBundle | None) -> None:
        self.bundle = bundle
        self._identities: BoundedMemo[bytes, Identity] = BoundedMemo(WRITERS_REMEMBERED)

    def signed(self, signed: SignedData) -> bool:
        """Whether it is the signature of a known writer over these very bytes."""
        identity = self._identities.get(signed.identity)
        if identity is None:
            return False
        try:
            identity.verify(signed.data, signed.signature)
        except GridloomError:
            return False
        return True

    def add(self, serialized: bytes, bundle: ChannelBundle) -> None:
        try:
            self._identities.put(serialized, bundle.msp_manager.deserialize(serialized))
        except GridloomError:
            return  # a policy that anybody satisfies, even somebody unknown


def check_signature(signed: SignedData, bundle: ChannelBundle, role: str) -> None:
    """PermissionDenied unless ``signed`` satisfies the policy ``role`` of the channel.

    role: Readers or Writers.  In maintenance mode it is that of the orderer organisations:
    peers and clients are kept out while the consensus type changes.
    """
    group = "/Channel/Orderer" if in_maintenance(bundle) else "/Channel"
    try:
        bundle.policies.get(f"{group}/{role}").evaluate([signed])
    except PolicyNotSatisfied as error:
        raise PermissionDenied(str(error)) from error
