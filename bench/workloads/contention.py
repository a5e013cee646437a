"""Contention: read-modify-write on a few hot keys, so that blocks hold conflicts.

With ``retries`` a conflict is tried again; without, it is a failure MVCC_READ_CONFLICT.
(Fabric: none; the YCSB of blockchain papers)
"""

from __future__ import annotations

from typing import ClassVar

from ..workload import Workload, WorkloadContext


class Contention(Workload):
    """Increments one of a few counters that all workers share."""

    arguments: ClassVar = {
        "keys": "how many counters there are (100)",
        "hot": "of a hundred transactions so many go to the first one (50)",
    }

    async def initialize(self, context: WorkloadContext) -> None:
        self.contract = context.contract("load")
        self.random = context.random
        self.keys = context.number("keys", 100, least=1)
        self.hot = context.number("hot", 50)

    async def submit(self) -> None:
        hot = self.random.randrange(100) < self.hot
        number = 0 if hot else self.random.randrange(self.keys)
        await self.contract.submit_transaction("increment", f"counter{number}")
