"""Messages whose signer may not write to the channel.

(Fabric: orderer/common/msgprocessor/sigfilter.go.)
"""

from __future__ import annotations

from gridloom.common.channel.bundle import ChannelBundle
from gridloom.common.envelopes import OpenEnvelope
from gridloom.common.policies.policy import PolicyNotSatisfied, SignedData

from .maintenance import in_maintenance
from .rejection import PermissionDenied


def signature_filter(message: OpenEnvelope, bundle: ChannelBundle) -> None:
    """Reject whoever does not satisfy /Channel/Writers, in maintenance the orderers' Writers."""
    check_signature(message.signed_data, bundle, "Writers")


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
