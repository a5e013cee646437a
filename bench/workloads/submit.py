"""Submit: endorse, order, and wait for the commit of one write.

(Fabric: caliper-benchmarks' create-asset)
"""

from __future__ import annotations

from typing import ClassVar

from ..fresh_keys import FreshKeys
from ..workload import Workload, WorkloadContext


class Submit(Workload):
    """Writes a new key."""

    arguments: ClassVar = {"bytes": "size of the value (64, which makes envelopes of 4.5 KB)"}

    async def initialize(self, context: WorkloadContext) -> None:
        self.contract = context.contract("load")
        self.keys = FreshKeys(context)

    async def submit(self) -> None:
        await self.contract.submit_transaction("write", *self.keys.next())
