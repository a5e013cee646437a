"""The consenter of type ``solo``: this orderer decides by itself."""

from __future__ import annotations

from gridloom.common.channel.sections import OrdererConfig

from ..chain import ConsenterSupport, CuttingMode, Timer, loop_timer
from .chain import SoloChain

CONSENSUS_TYPE = "solo"


class SoloConsenter:
    """Makes solo chains; timer: measures BatchTimeout (tests bring their own)."""

    def __init__(
        self, cutting: CuttingMode = CuttingMode.BATCH_TIMEOUT, timer: Timer = loop_timer
    ) -> None:
        self._cutting = cutting
        self._timer = timer

    def handle_chain(self, support: ConsenterSupport, metadata: bytes) -> SoloChain:
        """Make the chain of a channel; solo keeps nothing in block metadata."""
        return SoloChain(support, self._cutting, self._timer)

    def check_metadata(self, current: OrdererConfig, proposed: OrdererConfig) -> None:
        """Solo has no metadata of its own, so whatever stands there will do."""
