"""Membership arithmetic: from one configuration and a change to the next one.

``changer`` makes simple and joint changes, ``restore`` builds a configuration from what was stored.
Pure: configurations and progress in, new ones out (etcd: confchange/).
"""

from .changer import Changer
from .restore import restore

__all__ = ["Changer", "restore"]
