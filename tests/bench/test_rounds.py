"""A benchmark's YAML: what is read, and how faults are named."""

from pathlib import Path

import pytest

from gridloom.bench.rates import FixedLoad, FixedRate, LinearRate, MaximumRate
from gridloom.bench.rounds import load_benchmark, parse_benchmark
from gridloom.deploy.document import DocumentError

ALL = """
test:
  name: everything
  workers: 2
  rounds:
    - label: closed
      workload: {module: submit, arguments: {bytes: 100}}
      txNumber: 500
      rateControl: {type: fixed-load, opts: {transactionLoad: 8}}
    - label: open
      workload: {module: ./mine.py}
      txNumber: 100
      warmUp: 0
      retries: 3
      rateControl: {type: fixed-rate, opts: {tps: 50}}
    - workload: {module: evaluate}
      txDuration: 4
      rateControl: {type: linear-rate, opts: {startingTps: 1, finishingTps: 9}}
    - workload: {module: evaluate}
      rateControl: {type: maximum-rate, opts: {startingTps: 10, latencyLimit: 200}}
"""


def test_all_of_it_is_read(tmp_path: Path) -> None:
    (tmp_path / "rounds.yaml").write_text(ALL)
    benchmark = load_benchmark(tmp_path / "rounds.yaml")
    closed, opened, ramp, search = benchmark.rounds
    assert benchmark.workers == 2
    assert (closed.rate, closed.count, closed.arguments) == (FixedLoad(8), 500, {"bytes": 100})
    assert (opened.rate, opened.duration, opened.retries) == (FixedRate(50.0), 2.0, 3)
    assert opened.workload == str(tmp_path / "mine.py")
    assert (ramp.rate, ramp.name) == (LinearRate(1.0, 9.0, 4.0), "evaluate")
    assert isinstance(search.rate, MaximumRate)
    assert search.rate.latency_limit_ms == 200


def test_the_command_line_has_the_last_word_on_workers(tmp_path: Path) -> None:
    (tmp_path / "rounds.yaml").write_text(ALL)
    assert load_benchmark(tmp_path / "rounds.yaml", workers=5).workers == 5


@pytest.mark.parametrize(
    ("change", "path", "words"),
    [
        (("tps: 50", "tps: -1"), "test.rounds[1].rateControl.opts.tps", "-1 is not in"),
        (("tps: 50", "tps: fast"), "test.rounds[1].rateControl.opts.tps", "expected a number"),
        (("{tps: 50}", "{}"), "test.rounds[1].rateControl.opts.tps", "is required"),
        (("fixed-rate", "fixed-rat"), "test.rounds[1].rateControl.type", "did you mean"),
        (("warmUp", "warmup"), "test.rounds[1].warmup", "did you mean 'warmUp'"),
        (("module: submit", "modul: submit"), "test.rounds[0].workload.module", "is required"),
        (("txDuration: 4", "txNumber: 4"), "test.rounds[2].txNumber", "needs txDuration"),
        (("workers: 2", "workers: 0"), "test.workers", "0 is not in 1..64"),
    ],
)
def test_a_fault_is_named_with_its_place(change: tuple[str, str], path: str, words: str) -> None:
    text = ALL.replace(*change)
    assert text != ALL
    with pytest.raises(DocumentError) as raised:
        parse_benchmark(text)
    assert raised.value.path == path
    assert words in str(raised.value)


@pytest.mark.parametrize("text", ["", "test: {}", "test: {rounds: []}", "- a", "\x00", "{"])
def test_a_document_without_rounds_is_refused(text: str) -> None:
    with pytest.raises(DocumentError):
        parse_benchmark(text)
