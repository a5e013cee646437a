"""Rich query: find documents by a field, on a network with CouchDB's rules.

(Fabric: caliper-benchmarks' rich queries)
"""

from __future__ import annotations

import json
from typing import ClassVar

from ..filling import fill
from ..workload import Workload, WorkloadContext


class RichQuery(Workload):
    """Asks for the documents of one of a hundred owners."""

    network = "documents"
    arguments: ClassVar = {
        "keys": "how many documents there are (1000)",
        "bytes": "size of each (200)",
    }

    async def initialize(self, context: WorkloadContext) -> None:
        self.contract = context.contract("load")
        self.random = context.random
        keys = context.number("keys", 1000, least=1)
        await fill(context, self.contract, keys, context.number("bytes", 200))

    async def submit(self) -> None:
        selector = {"selector": {"owner": f"owner{self.random.randrange(100)}"}}
        await self.contract.evaluate_transaction("query", json.dumps(selector))
