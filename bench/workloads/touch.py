"""Touch: read and overwrite keys that are there.  (Fabric: caliper-benchmarks' update-asset)"""

from __future__ import annotations

from typing import ClassVar

from ..filling import key
from ..workload import Workload, WorkloadContext


class Touch(Workload):
    """Overwrites one of the keys of ``fill``, or reads it."""

    arguments: ClassVar = {
        "keys": "how many there are (1000)",
        "reads": "of a hundred transactions so many only read (0)",
        "prefix": "of the keys (k)",
    }

    async def initialize(self, context: WorkloadContext) -> None:
        self.contract = context.contract("load")
        self.random = context.random
        self.keys = context.number("keys", 1000, least=1)
        self.reads = context.number("reads", 0)
        self.prefix = str(context.arguments.get("prefix", "k"))

    async def submit(self) -> None:
        name = key(self.prefix, self.random.randrange(self.keys))
        if self.random.randrange(100) < self.reads:
            await self.contract.evaluate_transaction("read", name)
        else:
            await self.contract.submit_transaction("write", name, "v" * 64)
