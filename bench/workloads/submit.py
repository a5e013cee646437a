"""Submit: endorse, order, and wait for the commit of one write.

(Fabric: caliper-benchmarks' create-asset)
"""

from __future__ import annotations

from itertools import cycle
from typing import ClassVar

from ..errors import WorkloadError
from ..fresh_keys import FreshKeys
from ..workload import Workload, WorkloadContext


class Submit(Workload):
    """Writes a new key."""

    arguments: ClassVar = {
        "bytes": "size of the value (64, which makes envelopes of 4.5 KB)",
        "channels": "names of the channels, taken in turn (the network's first)",
    }

    async def initialize(self, context: WorkloadContext) -> None:
        names = context.arguments.get("channels", [context.connections.channel])
        if not isinstance(names, list) or not names:
            raise WorkloadError(context.round_name, f"channels must be a list, not {names!r}")
        self.contracts = cycle([context.contract("load", str(name)) for name in names])
        self.keys = FreshKeys(context)

    async def submit(self) -> None:
        await next(self.contracts).submit_transaction("write", *self.keys.next())
