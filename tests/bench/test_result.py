"""Results: as JSON and back, as CSV, as a page, and two of them compared."""

import csv
import io
import json
from html.parser import HTMLParser
from pathlib import Path
from random import Random

import pytest

from gridloom.bench import table14
from gridloom.bench.comparison import compare_results, compare_rounds
from gridloom.bench.errors import ResultError
from gridloom.bench.export import csv_text, table
from gridloom.bench.report import render
from gridloom.bench.result import BenchmarkResult, RoundResult, failed_round, read_result, slices
from gridloom.bench.tally import Tally
from harness.shared import SHARED

KEYS = {
    "name",
    "workload",
    "planned_tps",
    "tps",
    "succeeded",
    "failed",
    "latency_ms",
    "cpu_ms_per_tx",
    "rss_mb",
}


def round_of(name: str = "submit", tps: int = 200, ms: float = 10.0, seed: int = 0) -> RoundResult:
    """A round of ten seconds whose latencies scatter around a value."""
    random, tally = Random(seed), Tally()
    for number in range(tps * 10):
        tally.success(number / tps, ms / 1e3 * random.uniform(0.5, 1.5))
    tally.failure(1.0, "MVCC_READ_CONFLICT", "transaction t failed")
    return RoundResult(
        name, "submit", 250.0, float(tps), tally.succeeded, dict(tally.failed),
        tally.latency_ms(), {"network": 1.5, "client": 0.5}, {"network": 140.2},
        0.01, failure_examples=tally.examples, seconds=10.0, slices=slices(tally, 10.0),
    )  # fmt: skip


RESULT = BenchmarkResult(
    [round_of(), failed_round("<broken>", "x.py", None, "workload x.py raised in submit & more")],
    {"p256_verifications_per_s": 20_000},
)


def test_the_json_has_the_fields_and_comes_back_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "out.json").write_text(RESULT.json())
    document = json.loads(RESULT.json())
    assert document.keys() == {"rounds", "environment"}
    for each in document["rounds"]:
        assert each.keys() >= KEYS
        assert each["latency_ms"].keys() >= {"mean", "p50", "p95", "p99", "p999", "max"}
    assert read_result(tmp_path / "out.json") == RESULT


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"rounds": [{}]}', '{"rounds": 3}'])
def test_what_is_no_result_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "out.json").write_text(text)
    with pytest.raises(ResultError, match="not a result"):
        read_result(tmp_path / "out.json")


def test_the_csv_has_a_line_for_each_round() -> None:
    good, broken = csv.DictReader(io.StringIO(csv_text(RESULT)))
    assert (good["name"], good["succeeded"], good["failed"]) == ("submit", "2000", "1")
    assert good["cpu_ms_per_tx_network"] == "1.5"
    assert broken["note"].startswith("workload x.py raised")


def test_the_table_marks_rounds_and_explains_failures() -> None:
    text = table(RESULT)
    assert "!<broken>" in text
    assert "1 x MVCC_READ_CONFLICT, the first: transaction t failed" in text


class Links(HTMLParser):
    """Collects what a page would fetch."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.figures = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.figures += tag == "svg"
        for name, value in attrs:
            outside = name in ("src", "href", "xlink:href") and not (value or "#").startswith("#")
            if outside and tag != "a":
                self.found.append(value or "")


def test_the_page_is_self_contained_and_has_its_plots() -> None:
    page = render(RESULT)
    links = Links()
    links.feed(page)
    assert links.found == []
    assert links.figures == 3
    assert "&lt;broken&gt;" in page
    assert "<broken>" not in page


def test_a_real_change_is_certain_and_none_is_not() -> None:
    same = compare_rounds(round_of(seed=1), round_of(seed=2))
    assert [change.certain for change in same if change.figure != "p99 ms"] == [False] * 3
    slower = {c.figure: c for c in compare_rounds(round_of(), round_of(tps=100, ms=20.0))}
    assert slower["tps"].ratio == pytest.approx(0.5, abs=0.01)
    assert slower["p50 ms"].ratio == pytest.approx(2, abs=0.1)
    assert all(change.certain for change in slower.values())
    assert all(change.low <= change.ratio <= change.high for change in slower.values())


def test_results_are_compared_by_the_names_of_their_rounds() -> None:
    lines = compare_results(RESULT, BenchmarkResult([round_of(tps=400)]))
    assert any(line.startswith("  tps") and "x 2.0" in line for line in lines)
    with pytest.raises(ResultError, match="no round is in both"):
        compare_results(RESULT, BenchmarkResult([round_of("other")]))


def test_table_14_is_the_papers() -> None:
    shared = (SHARED / "papers" / "tables" / "p003_table14_caliper.csv").read_text()
    printed = list(csv.DictReader(io.StringIO(shared)))
    rows = table14.printed_rows()
    assert [row.send_rate_tps for row in rows] == [float(r["send_rate_tps"]) for r in printed]
    assert [row.avg_latency_ms for row in rows] == [float(r["avg_latency_ms"]) for r in printed]
    assert [row.test for row in rows if row.contradicts_itself] == list(range(20, 27))


def test_table_14_sets_both_kinds_beside_the_printed_rows() -> None:
    benchmark = table14.table14_benchmark(transactions=10)
    assert len(benchmark.rounds) == 52
    assert {each.count for each in benchmark.rounds} == {10}
    result = BenchmarkResult([round_of("query 1"), round_of("submit 1", ms=40.0)])
    first, *others = table14.rows(result)
    assert first["printed"]["avg_latency_ms"] == 70
    assert first["query"]["throughput_tps"] == 200
    assert first["submit"]["avg_latency_ms"] == pytest.approx(40, abs=2)
    assert all("query" not in row for row in others)
    assert " 26* " in table14.text(result)
