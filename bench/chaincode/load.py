"""The chaincode that workloads call: one function for each kind of access to the state.

It runs on a real Fabric network unchanged.  (Fabric: caliper-benchmarks' fixed-asset)
"""

from __future__ import annotations

import json

from gridloom.chaincode import Context, Contract, transaction

COLLECTION = "secrets"


class Load(Contract):
    """Writes, reads, ranges, queries, private data."""

    name = "load"
    version = "1.0"

    @transaction("submit")
    def write(self, ctx: Context, key: str, value: str) -> None:
        """Write a value without looking."""
        ctx.stub.put_state(key, value.encode())

    @transaction("evaluate")
    def read(self, ctx: Context, key: str) -> str:
        """Return a value, "" if there is none."""
        return ctx.stub.get_state(key).decode()

    @transaction("submit")
    def fill(self, ctx: Context, prefix: str, first: int, count: int, size: int) -> None:
        """Write the documents prefix0000000first and on, of about ``size`` bytes each."""
        for number in range(first, first + count):
            key = f"{prefix}{number:010}"
            document = {"number": number, "owner": f"owner{number % 100}", "filler": ""}
            document["filler"] = "x" * max(0, size - len(json.dumps(document)))
            ctx.stub.put_state(key, json.dumps(document, sort_keys=True).encode())

    @transaction("submit")
    def increment(self, ctx: Context, key: str) -> int:
        """Read, add one, write: two of these in one block conflict."""
        value = int(ctx.stub.get_state(key) or b"0") + 1
        ctx.stub.put_state(key, str(value).encode())
        return value

    @transaction("evaluate")
    def scan(self, ctx: Context, start: str, end: str) -> int:
        """Read a range and return how many keys it has."""
        return sum(1 for _ in ctx.stub.get_state_by_range(start, end))

    @transaction("evaluate")
    def query(self, ctx: Context, selector: str) -> int:
        """Run a rich query and return how many documents it finds."""
        return sum(1 for _ in ctx.stub.get_query_result(selector))

    @transaction("submit")
    def keep(self, ctx: Context, key: str) -> None:
        """Write the transient ``value`` into the private collection."""
        ctx.stub.put_private_data(COLLECTION, key, ctx.stub.get_transient()["value"])
