"""The other consenters of a channel, as its chain speaks to them.

(Fabric counterpart: none; orderer/poca/transport.py is the real one.)
"""

from __future__ import annotations

from typing import Protocol

from gridloom.common.poca import PocaConfig


class Fellows(Protocol):
    """How the other consenters of the channel are reached, by number."""

    def configure(self, config: PocaConfig) -> None:
        """Reach the consenters of this configuration from now on."""

    def send(self, to: int, message: bytes) -> None:
        """Try to send; what is lost is asked for again."""

    async def close(self) -> None:
        """Send nothing more."""
