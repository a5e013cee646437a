"""Payload sizes: submits whose values are of several sizes in turn.

(Fabric: caliper-benchmarks' create-asset with its byteSize)
"""

from __future__ import annotations

from itertools import cycle
from typing import ClassVar

from ..errors import WorkloadError
from ..fresh_keys import FreshKeys
from ..workload import Workload, WorkloadContext


class Payload(Workload):
    """Writes new keys of the sizes asked for, one after the other."""

    arguments: ClassVar = {"sizes": "bytes of the values, in turn ([100, 1000, 10000, 100000])"}

    async def initialize(self, context: WorkloadContext) -> None:
        sizes = context.arguments.get("sizes", [100, 1000, 10_000, 100_000])
        if not isinstance(sizes, list) or not sizes or any(type(size) is not int for size in sizes):
            raise WorkloadError(context.round_name, f"sizes must be a list of bytes, not {sizes!r}")
        self.contract = context.contract("load")
        self.keys = cycle([FreshKeys(context, size) for size in sizes])

    async def submit(self) -> None:
        await self.contract.submit_transaction("write", *next(self.keys).next())
