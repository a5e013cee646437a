"""Range: read keys that lie side by side.  (Fabric: caliper-benchmarks' range queries)"""

from __future__ import annotations

from typing import ClassVar

from ..filling import fill, key
from ..workload import Workload, WorkloadContext


class Range(Workload):
    """Reads a range that begins anywhere."""

    arguments: ClassVar = {
        "keys": "how many there are (1000)",
        "length": "how many a range has (20)",
    }

    async def initialize(self, context: WorkloadContext) -> None:
        self.contract = context.contract("load")
        self.random = context.random
        self.keys = context.number("keys", 1000, least=1)
        self.length = min(context.number("length", 20), self.keys)
        self.prefix = await fill(context, self.contract, self.keys, context.number("bytes", 200))

    async def submit(self) -> None:
        first = self.random.randint(0, self.keys - self.length)
        bounds = key(self.prefix, first), key(self.prefix, first + self.length)
        await self.contract.evaluate_transaction("scan", *bounds)
