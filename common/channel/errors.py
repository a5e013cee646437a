"""What can be wrong with a channel configuration.

ConfigError
    UnsupportedCapability   it asks for something this version does not know
    UpdateRejected          a config update that may not become the next configuration
"""

from __future__ import annotations

from ..errors import GridloomError


class ConfigError(GridloomError):
    """A configuration that breaks a rule; reason: which, with the path where there is one."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class UnsupportedCapability(ConfigError):
    """group: Channel, Orderer or Application; capability: the name, empty when one lacks."""

    def __init__(self, group: str, capability: str, reason: str) -> None:
        super().__init__(reason)
        self.group = group
        self.capability = capability


class UpdateRejected(ConfigError):
    """A config update refused; a PolicyNotSatisfied behind it is the ``__cause__``."""
