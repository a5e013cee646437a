"""What a leader knows of the members: how far each is, and how much may be sent to it.

``progress`` is one member, ``inflights`` the appends on their way to it, ``tracker`` all of them
with their configuration and the votes (etcd: tracker/).
"""

from .inflights import Inflights
from .progress import Progress, ProgressMap, ProgressState
from .tracker import MembershipConfig, ProgressTracker

__all__ = [
    "Inflights",
    "MembershipConfig",
    "Progress",
    "ProgressMap",
    "ProgressState",
    "ProgressTracker",
]
