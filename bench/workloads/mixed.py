"""Mixed: reads and writes through one gateway.  (Fabric: caliper-benchmarks' mixed rounds)"""

from __future__ import annotations

from typing import ClassVar

from ..workload import Workload, WorkloadContext
from .evaluate import Evaluate
from .submit import Submit


class Mixed(Workload):
    """Evaluates most of the time and submits the rest."""

    arguments: ClassVar = {"reads": "of a hundred transactions so many evaluate (80)"}

    async def initialize(self, context: WorkloadContext) -> None:
        self.reads = context.number("reads", 80)
        self.random = context.random
        self.evaluate, self.write = Evaluate(), Submit()
        await self.evaluate.initialize(context)
        await self.write.initialize(context)

    async def submit(self) -> None:
        reads = self.random.randrange(100) < self.reads
        await (self.evaluate if reads else self.write).submit()
