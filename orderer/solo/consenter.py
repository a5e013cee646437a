"""The consenter of type ``solo``: this orderer decides by itself."""

from __future__ import annotations

from collections.abc import Callable

from gridloom.common.channel.bundle import ChannelBundle

from ..chain import ConsenterSupport, CuttingMode, Timer, loop_seconds, loop_timer
from .chain import SoloChain

CONSENSUS_TYPE = "solo"


class SoloConsenter:
    """Makes solo chains; timer, and the seconds it counts: tests bring their own."""

    onboards = False

    def __init__(
        self,
        cutting: CuttingMode = CuttingMode.BATCH_TIMEOUT,
        timer: Timer = loop_timer,
        seconds: Callable[[], float] = loop_seconds,
    ) -> None:
        self._cutting = cutting
        self._timer = timer
        self._seconds = seconds

    def handle_chain(self, support: ConsenterSupport, metadata: bytes) -> SoloChain:
        """Make the chain of a channel; solo keeps nothing in block metadata."""
        return SoloChain(support, self._cutting, self._timer, self._seconds)

    def is_member(self, bundle: ChannelBundle) -> bool:
        """Whoever is given a solo channel orders it."""
        return True

    def forget(self, channel_id: str) -> None:
        """Solo keeps nothing besides the blocks."""
