"""Membership service providers: which certificates are members, and in which role.

``Msp`` is one organisation's, ``MspManager`` all of a channel's.  A reader's order:
``msp`` (the sequence of checks), ``authorities`` and ``chains`` (the CA tree), ``node_ous``,
``revocation``, ``principals``.  (Fabric: msp/)
"""

from .channel_msps import MspManager
from .msp import Msp, check_well_formed
from .version import MspVersion

__all__ = ["Msp", "MspManager", "MspVersion", "check_well_formed"]
