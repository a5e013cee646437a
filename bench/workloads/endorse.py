"""Endorse: collect the endorsements the policy asks for, and order nothing.

(Fabric: caliper-benchmarks has none; the gateway's Endorse alone)
"""

from __future__ import annotations

from typing import ClassVar

from ..fresh_keys import FreshKeys
from ..workload import Workload, WorkloadContext


class Endorse(Workload):
    """Proposes the write of a new key."""

    arguments: ClassVar = {"bytes": "size of the value (64, which makes envelopes of 4.5 KB)"}

    async def initialize(self, context: WorkloadContext) -> None:
        self.contract = context.contract("load")
        self.keys = FreshKeys(context)

    async def submit(self) -> None:
        await self.contract.new_proposal("write", self.keys.next()).endorse()
