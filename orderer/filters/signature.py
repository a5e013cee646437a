"""Messages whose signer may not write to the channel.

(Fabric: orderer/common/msgprocessor/sigfilter.go.)
"""

from __future__ import annotations

from contextlib import suppress

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

    def __init__(self, bundle: ChannelBundle) -> None:
        self._bundle = bundle
        self._writers: BoundedMemo[bytes, Identity] = BoundedMemo(WRITERS_REMEMBERED)

    def __call__(self, message: OpenEnvelope) -> None:
        """PermissionDenied in the words of the policy."""
        signed = message.signed_data
        writer = self._writers.get(signed.identity)
        if writer is not None:
            try:
                writer.verify(signed.data, signed.signature)
                return
            except GridloomError:
                pass  # the policy says what is wrong
        check_signature(signed, self._bundle, "Writers")
        self._remember(signed.identity)

    def _remember(self, serialized: bytes) -> None:
        # A policy that anybody satisfies is satisfied by somebody unknown too.
        with suppress(GridloomError):
            self._writers.put(serialized, self._bundle.msp_manager.deserialize(serialized))


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
