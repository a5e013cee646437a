"""Private data: submits whose value goes to the collection's members only.

(Fabric: caliper-benchmarks' create-private-asset)
"""

from __future__ import annotations

import json
from typing import ClassVar

from ..fresh_keys import FreshKeys
from ..workload import LOAD, ChaincodeNeed, Workload, WorkloadContext

_COLLECTIONS = json.dumps(
    [{"name": "secrets", "policy": "OR('Org1MSP.member','Org2MSP.member')", "maxPeerCount": 1}]
)


class PrivateData(Workload):
    """Writes a new key into a private collection of both organisations."""

    chaincodes = (ChaincodeNeed("load-private", LOAD, collections=_COLLECTIONS),)
    arguments: ClassVar = {"bytes": "size of the value (64)"}

    async def initialize(self, context: WorkloadContext) -> None:
        self.contract = context.contract("load-private")
        self.keys = FreshKeys(context)

    async def submit(self) -> None:
        name, value = self.keys.next()
        await self.contract.submit("keep", [name], transient={"value": value})
