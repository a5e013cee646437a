"""What operators do: join channels, install, approve and commit chaincodes.

These calls go to single peers and to the orderer, as those of the ``peer`` command do, because
a gateway serves applications only (Fabric: internal/peer/channel, internal/peer/lifecycle).
``config_update``, which few need, is imported by its own name.
"""

from .channel import ChannelAdmin
from .collections import CollectionsError, parse_collections
from .invocation import BroadcastError, DeliverError, EndorsementError, Invocation
from .lifecycle import ChaincodeDefinition, LifecycleAdmin
from .snapshot import SnapshotAdmin, SnapshotJoinError, SnapshotRequestError

__all__ = [
    "BroadcastError",
    "ChaincodeDefinition",
    "ChannelAdmin",
    "CollectionsError",
    "DeliverError",
    "EndorsementError",
    "Invocation",
    "LifecycleAdmin",
    "SnapshotAdmin",
    "SnapshotJoinError",
    "SnapshotRequestError",
    "parse_collections",
]
