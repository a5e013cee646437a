"""Measure rich queries: a page of 10 from 100,000 documents, with and without an index.

    python tools/measure_queries.py                            on SQLite, in a temporary folder
    python tools/measure_queries.py postgresql://user@host/db  on PostgreSQL as well

What is timed is a whole transaction's query: a simulator, the page, its bookmark.
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from gridloom.peer.ledger.ledger import Ledger
from gridloom.peer.ledger.queries.indexes import read_index
from gridloom.peer.ledger.state_database import StateDatabase
from gridloom.peer.ledger.state_db import Version, VersionedValue
from gridloom.peer.ledger.storage import open_storage
from gridloom.peer.ledger.store import BlockRecord, LedgerStore
from gridloom.peer.ledger.update_batch import UpdateBatch
from gridloom.protos.common.common_pb2 import Block, BlockHeader

DOCUMENTS, BLOCK, PAGE, REPEATS = 100_000, 5_000, 10, 50
NAMESPACE = "marbles"
INDEX = {"index": {"fields": ["docType", "owner"]}, "ddoc": "owners", "name": "byOwner"}
QUERIES = {
    "equality, by the index": {"selector": {"docType": "marble", "owner": "owner77"}},
    "equality, second page": {"selector": {"docType": "marble", "owner": "owner77"}},
    "range in the index's order": {
        "selector": {"docType": "marble", "owner": {"$gt": "owner5"}},
        "sort": ["docType", "owner"],
    },
    "no index serves": {"selector": {"size": 77}},
}


def main(places: list[str]) -> int:
    """Fill a ledger in each place, and print one line for each query."""
    with tempfile.TemporaryDirectory() as folder:
        for place in (Path(folder), *places):
            for line in measure(place):
                print(f"{'SQLite' if isinstance(place, Path) else 'PostgreSQL'}: {line}")
    return 0


def measure(place: Path | str) -> Iterator[str]:
    """Yield the times of each query."""
    store = open_storage(place, "measured", StateDatabase.COUCHDB).store(f"c{time.time_ns()}")
    started = time.perf_counter()
    fill(store)
    yield f"{DOCUMENTS} documents stored in {time.perf_counter() - started:.1f} s"
    started = time.perf_counter()
    store.define_indexes(NAMESPACE, [read_index(json.dumps(INDEX).encode())])
    yield f"index made in {time.perf_counter() - started:.2f} s"
    ledger = Ledger("measured", store)
    for name, query in QUERIES.items():
        bookmark = page(ledger, query, "")[1] if "second" in name else ""
        times = []
        for _ in range(REPEATS):
            started = time.perf_counter()
            page(ledger, query, bookmark)
            times.append((time.perf_counter() - started) * 1e3)
        median, worst = statistics.median(times), max(times)
        yield f"page of {PAGE}, {name}: median {median:.2f} ms, maximum {worst:.2f} ms"
    ledger.close()


def fill(store: LedgerStore) -> None:
    """Commit the documents, some thousands in a block."""
    for number, start in enumerate(range(0, DOCUMENTS, BLOCK)):
        batch = UpdateBatch()
        for n in range(start, start + BLOCK):
            document = {"docType": "marble", "owner": f"owner{n % 997}", "size": n % 1009}
            value = json.dumps(document).encode()
            entry = VersionedValue(value, Version(number, n - start))
            batch.put(NAMESPACE, "", f"m{n:06}".encode(), entry)
        block = Block(header=BlockHeader(number=number))
        store.commit(BlockRecord(block, number.to_bytes(32, "big"), [], [], batch))


def page(ledger: Ledger, query: dict[str, object], bookmark: str) -> tuple[int, str]:
    """Run one page; how many results it has, and its bookmark."""
    simulator = ledger.simulator("tx")
    try:
        results = simulator.get_query_result_page(NAMESPACE, json.dumps(query), bookmark, PAGE)
        return len(list(results)), results.bookmark()
    finally:
        simulator.done()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
