"""Putting keys on the ledger before a round reads them.  (Fabric counterpart: none.)"""

from __future__ import annotations

import asyncio

from gridloom.client import Contract

from .workload import WorkloadContext

KEYS_AT_ONCE = 500
"""Keys one transaction writes."""

TRANSACTIONS_AT_ONCE = 4


async def fill(
    context: WorkloadContext, contract: Contract, keys: int, size: int, prefix: str = ""
) -> str:
    """Write ``keys`` documents of about ``size`` bytes and return the prefix of their keys.

    A document's key is the prefix and its number in ten digits.  prefix: this worker's own by
    default.
    """
    prefix = prefix or f"w{context.index}-"
    limit = asyncio.Semaphore(TRANSACTIONS_AT_ONCE)

    async def write(first: int) -> None:
        count = min(KEYS_AT_ONCE, keys - first)
        async with limit:
            arguments = (prefix, str(first), str(count), str(size))
            await contract.submit_transaction("fill", *arguments)

    await asyncio.gather(*(write(first) for first in range(0, keys, KEYS_AT_ONCE)))
    return prefix


def key(prefix: str, number: int) -> str:
    """Return the key of a document."""
    return f"{prefix}{number:010}"
