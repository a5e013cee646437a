"""Order: from Broadcast until Deliver brings the block.  No peer takes part.

(Fabric: caliper-benchmarks has none; the orderer's AtomicBroadcast alone)
"""

from __future__ import annotations

from typing import ClassVar

from ..ordering import Ordering
from ..workload import Workload, WorkloadContext


class Order(Workload):
    """Has envelopes of 4 KB ordered, and waits for each to come in a block."""

    network = "ordering"
    chaincodes = ()
    arguments: ClassVar = {
        "bytes": "size of an envelope (4096)",
        "streams": "Broadcast streams (4)",
    }

    async def initialize(self, context: WorkloadContext) -> None:
        connections = context.connections
        self.ordering = Ordering(connections.orderer, connections.signer, connections.channel)
        self.bytes = context.number("bytes", 4096)
        await self.ordering.start(context.number("streams", 4, least=1))

    async def submit(self) -> None:
        await self.ordering.order(self.bytes)

    async def cleanup(self) -> None:
        await self.ordering.stop()
