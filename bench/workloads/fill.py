"""Fill: write many keys with each transaction, to make a large state quickly.

(Fabric counterpart: none)
"""

from __future__ import annotations

import itertools
from typing import ClassVar

from ..workload import Workload, WorkloadContext


class Fill(Workload):
    """Writes the next keys of a series that goes on from transaction to transaction."""

    arguments: ClassVar = {
        "first": "number of the first key (0)",
        "batch": "keys of a transaction (1000)",
        "bytes": "size of a value (100)",
        "prefix": "of the keys (k)",
    }

    async def initialize(self, context: WorkloadContext) -> None:
        self.contract = context.contract("load")
        self.batch = context.number("batch", 1000, least=1)
        self.size = context.number("bytes", 100)
        self.prefix = str(context.arguments.get("prefix", "k"))
        first = context.number("first", 0) + context.index * self.batch
        self.numbers = itertools.count(first, self.batch * context.workers)

    async def submit(self) -> None:
        arguments = (self.prefix, str(next(self.numbers)), str(self.batch), str(self.size))
        await self.contract.submit_transaction("fill", *arguments)
