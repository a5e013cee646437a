"""Evaluate: read one key through the gateway.  (Fabric: caliper-benchmarks' get-asset)"""

from __future__ import annotations

from typing import ClassVar

from ..filling import fill, key
from ..workload import Workload, WorkloadContext


class Evaluate(Workload):
    """Reads one of many keys at random."""

    arguments: ClassVar = {
        "keys": "how many there are (1000)",
        "bytes": "size of a value (200)",
    }

    async def initialize(self, context: WorkloadContext) -> None:
        self.contract = context.contract("load")
        self.random = context.random
        self.keys = context.number("keys", 1000, least=1)
        size = context.number("bytes", 200)
        self.prefix = await fill(context, self.contract, self.keys, size)

    async def submit(self) -> None:
        number = self.random.randrange(self.keys)
        await self.contract.evaluate_transaction("read", key(self.prefix, number))
