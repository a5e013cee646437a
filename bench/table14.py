"""Table 14 of paper 003: Caliper's 26 rounds of queries, and the same rounds as submits.

The paper sent 1,000 queries at each of 26 rates and printed what Caliper reported.  Queries are
not ordered, so the table says nothing of trading; hence the same rates are driven with submits.
(Fabric: Caliper's report; papers/NOTES 1.5 for what is wrong with the printed table)
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from importlib import resources
from typing import Any

from . import plots
from .rates import FixedRate
from .result import BenchmarkResult, RoundResult
from .rounds import Benchmark, Round

TRANSACTIONS = 1000
QUERY, SUBMIT = "query", "submit"
_MODULES = {QUERY: "evaluate", SUBMIT: "submit"}


@dataclass(frozen=True, slots=True)
class PrintedRow:
    """One printed row; latencies in ms, throughput in transactions a second."""

    test: int
    send_rate_tps: float
    max_latency_ms: float
    min_latency_ms: float
    avg_latency_ms: float
    throughput_tps: float

    @property
    def contradicts_itself(self) -> bool:
        """Whether a transaction is said to have taken longer than the whole test."""
        return self.max_latency_ms > 1000 * TRANSACTIONS / self.throughput_tps


def printed_rows() -> list[PrintedRow]:
    """Return Table 14 as printed."""
    text = (resources.files("gridloom.bench") / "data" / "table14.csv").read_text()
    names = PrintedRow.__slots__[1:]
    return [
        PrintedRow(int(row["test"]), *(float(row[name]) for name in names))
        for row in csv.DictReader(text.splitlines())
    ]


def table14_benchmark(
    transactions: int = TRANSACTIONS, kinds: Sequence[str] = (QUERY, SUBMIT)
) -> Benchmark:
    """Return the rounds: for each kind one at each printed rate."""
    rounds = [
        Round(
            name=f"{kind} {row.test}",
            workload=_MODULES[kind],
            rate=FixedRate(row.send_rate_tps),
            duration=transactions / row.send_rate_tps,
            count=transactions,
            warmup=1.0 if row.test == 1 else 0.2,
        )
        for kind in kinds
        for row in printed_rows()
    ]
    return Benchmark(rounds, name="Table 14")


def rows(result: BenchmarkResult) -> list[dict[str, Any]]:
    """Return for each printed row its numbers and ours of each kind, as plain data."""
    by_name = {each.name: each for each in result.rounds}
    return [
        {
            "test": row.test,
            "send_rate_tps": row.send_rate_tps,
            "printed": {name: getattr(row, name) for name in PrintedRow.__slots__[2:]},
            "printed_contradicts_itself": row.contradicts_itself,
            **{
                kind: _figures(found)
                for kind in _MODULES
                if (found := by_name.get(f"{kind} {row.test}")) is not None
            },
        }
        for row in printed_rows()
    ]


def _figures(each: RoundResult) -> dict[str, Any]:
    latency = each.latency_ms
    return {
        "throughput_tps": each.tps,
        "min_latency_ms": latency["min"],
        "avg_latency_ms": latency["mean"],
        "max_latency_ms": latency["max"],
        "succeeded": each.succeeded,
        "failed": sum(each.failed.values()),
        "driven": each.driven and not each.error,
    }


def text(result: BenchmarkResult) -> str:
    """Return the table for the screen: printed beside ours."""
    lines = [
        f"{'':4} {'send':>5} | {'printed (query)':^27} | {'query here':^27} | {'submit here':^27}",
        f"{'test':4} {'rate':>5} |" + f" {'tps':>6} {'avg ms':>9} {'max ms':>10} |" * 3,
    ]
    for row in rows(result):
        mark = "*" if row["printed_contradicts_itself"] else " "
        cells = "".join(f" {_cells(row.get(kind))} |" for kind in ("printed", *_MODULES))
        lines.append(f"{row['test']:3}{mark} {row['send_rate_tps']:5.0f} |{cells}")
    lines.append("* printed so, and impossible: a transaction took longer than all 1,000 together")
    lines.append("! could not be driven at this rate from here")
    return "\n".join(lines)


def _cells(figures: Mapping[str, Any] | None) -> str:
    if figures is None or figures["avg_latency_ms"] is None:
        return f"{'-':>6} {'-':>9} {'-':>10}"
    mark = "" if figures.get("driven", True) else "!"
    return (
        f"{mark + format(figures['throughput_tps'], '.0f'):>6} "
        f"{figures['avg_latency_ms']:9,.1f} {figures['max_latency_ms']:10,.1f}"
    )


def section(result: BenchmarkResult) -> str:
    """Return the table and a plot as HTML, to stand in a report."""
    found = rows(result)
    series = {
        name: [
            (row["send_rate_tps"], row[kind]["avg_latency_ms"])
            for row in found
            if kind in row and row[kind]["avg_latency_ms"] is not None
        ]
        for name, kind in (("printed", "printed"), ("query here", QUERY), ("submit here", SUBMIT))
    }
    drawn = plots.curves(
        "table14", {n: p for n, p in series.items() if p}, "send rate, tps", "mean latency, ms"
    )
    return (
        "<h2>Table 14, printed and here</h2>"
        f"<figure>{drawn}<figcaption>Mean latency over the send rate</figcaption></figure>"
        f"<pre>{escape(text(result))}</pre>"
    )
