"""Results as a table for the screen and as CSV.  (Fabric: Caliper's report table)"""

from __future__ import annotations

import csv
import io

from .result import BenchmarkResult, RoundResult

_LATENCIES = ("mean", "p50", "p90", "p95", "p99", "p999", "max")
_LONGEST_EXAMPLE = 300


def table(result: BenchmarkResult) -> str:
    """Return a table of the rounds, then what is to be said of single ones."""
    head = (
        f"{'round':26} {'planned':>8} {'tps':>8} {'ratio':>7} {'ok':>8} {'failed':>7}"
        f" {'p50 ms':>8} {'p99 ms':>8} {'p99.9':>8}  CPU ms per transaction"
    )
    lines = [head, *(_line(each) for each in result.rounds)]
    for each in result.rounds:
        lines += [_failures(each, kind, count) for kind, count in each.failed.items()]
        lines += [f"{each.name}: {text}" for text in (each.error, each.note) if text]
    verifications = result.environment.get("p256_verifications_per_s")
    if verifications:
        lines.append(f"ratio: of {verifications:,} P-256 verifications a second of one core")
    return "\n".join(lines)


def _failures(each: RoundResult, kind: str, count: int) -> str:
    example = " ".join(each.failure_examples.get(kind, "").split())
    said = f", the first: {example[:_LONGEST_EXAMPLE]}" if example else ""
    return f"{each.name}: {count:,} x {kind}{said}"


def _line(each: RoundResult) -> str:
    mark = "!" if each.marked else ""
    planned = "-" if each.planned_tps is None else f"{each.planned_tps:,.0f}"
    latency = " ".join(f"{_number(each.latency_ms[name]):>8}" for name in ("p50", "p99", "p999"))
    cpu = ", ".join(f"{name} {value:.2f}" for name, value in each.cpu_ms_per_tx.items())
    name = (mark + each.name)[:26]
    return (
        f"{name:26} {planned:>8} {each.tps:>8,.0f} {each.tps_per_verification:>7.4f} "
        f"{each.succeeded:>8,} {sum(each.failed.values()):>7,} {latency}  {cpu}"
    )


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:,.1f}"


def csv_text(result: BenchmarkResult) -> str:
    """Return a line for each round; maps become columns of their own."""
    rows = [_row(each) for each in result.rounds]
    columns = list(dict.fromkeys(name for row in rows for name in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _row(each: RoundResult) -> dict[str, object]:
    row: dict[str, object] = {
        "name": each.name,
        "workload": each.workload,
        "planned_tps": each.planned_tps,
        "tps": each.tps,
        "tps_per_verification": each.tps_per_verification,
        "succeeded": each.succeeded,
        "failed": sum(each.failed.values()),
        "retried": each.retried,
        "seconds": each.seconds,
        "driven": each.driven,
        "note": each.error or each.note,
    }
    row |= {f"latency_{name}_ms": each.latency_ms.get(name) for name in _LATENCIES}
    row |= {f"failed_{kind}": count for kind, count in each.failed.items()}
    row |= {f"cpu_ms_per_tx_{name}": value for name, value in each.cpu_ms_per_tx.items()}
    row |= {f"rss_mb_{name}": value for name, value in each.rss_mb.items()}
    return row
