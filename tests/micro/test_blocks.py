"""Validation, MVCC, simulation and commit of blocks of 100 transactions."""

import itertools
from pathlib import Path

from gridloom.peer.ledger.cached_snapshot import CachedSnapshot
from gridloom.peer.ledger.ledger import Ledger
from gridloom.peer.ledger.sqlite import SqliteStore
from gridloom.peer.validation.mvcc import validate_and_prepare
from harness.ledger import commit, endorsed, memory_ledger, simulate, write
from harness.stage_a import StageA
from harness.transactions import namespace, rwset

BLOCK = 100


def transactions(first: int = 0):
    """A block's transactions past stage A, each of a read and a write."""
    return [
        endorsed(rwset(namespace("cc", {f"k{n}": b"v" * 64}, reads=[f"r{n}"])), f"tx{n}")
        for n in range(first, first + BLOCK)
    ]


def test_stage_a_of_a_block_with_known_signatures(benchmark, members, entries) -> None:
    stage = StageA(members.bundle())
    stage.define("basic")
    codes = {transaction.code for transaction in stage.validate(*entries).transactions}
    assert codes == {0}
    benchmark(lambda: stage.validate(*entries))


def test_mvcc_of_a_block(benchmark) -> None:
    ledger, block = memory_ledger(), transactions()
    benchmark(lambda: validate_and_prepare(1, block, CachedSnapshot(ledger.snapshot())))


def test_a_simulation_of_a_read_and_a_write(benchmark) -> None:
    ledger = memory_ledger()
    write(ledger, ("key", b"value"))

    def work(simulator) -> None:
        simulator.get_state("cc", "key")
        simulator.set_state("cc", "other", b"v" * 64)

    benchmark(lambda: simulate(ledger, work))


def test_the_commit_of_a_block_on_the_disk(benchmark, tmp_path: Path) -> None:
    ledger = Ledger("test", SqliteStore(tmp_path / "ledger.sqlite"))
    commit(ledger, [])
    numbers = itertools.count(0, BLOCK)
    benchmark.pedantic(
        lambda block: commit(ledger, block),
        setup=lambda: ((transactions(next(numbers)),), {}),
        rounds=20,
        warmup_rounds=2,
    )
    ledger.close()
