"""A result as one self-contained HTML page with its plots.  (Fabric: Caliper's report.html)"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from . import plots
from .result import BenchmarkResult, RoundResult

_STYLE = """
body{font:15px/1.5 system-ui,sans-serif;color:#1c2733;max-width:60rem;margin:2rem auto}
h1,h2{font-weight:600}table{border-collapse:collapse;font-size:13px}.wide{overflow-x:auto}
th,td{padding:.25rem .6rem;text-align:right;border-bottom:1px solid #e3e8ee;white-space:nowrap}
th:first-child,td:first-child,.text{text-align:left}
figure{margin:1rem 0}svg{max-width:100%;height:auto}
figcaption,.note{color:#5b6875;font-size:13px}.marked td{color:#c23b3b}
"""

_LATENCIES = ("mean", "p50", "p90", "p95", "p99", "p999", "max")


def render(result: BenchmarkResult, extra: str = "", title: str = "Benchmark") -> str:
    """Return the page's HTML; extra: more sections, as HTML."""
    sections = [
        f"<h1>{escape(title)}</h1>",
        _head(result.environment),
        _rounds(result.rounds),
        extra,
        *(_round(each) for each in result.rounds if each.succeeded),
        _environment(result.environment),
    ]
    body = "\n".join(sections)
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>Gridloom: {escape(title)}</title><style>{_STYLE}</style></head>"
        f"<body>{body}</body></html>\n"
    )


def _head(environment: Mapping[str, object]) -> str:
    verifications = environment.get("p256_verifications_per_s", "?")
    return (
        f"<p class=note>{escape(str(environment.get('taken_at', '')))}; network: "
        f"{escape(str(environment.get('network', '')))}; one core verifies {verifications} P-256 "
        "signatures a second, of which <i>ratio</i> is the share.  Latency counts from the planned "
        "start.  Rounds in red are marked: their figures are not those of their plan.</p>"
    )


def _rounds(rounds: Sequence[RoundResult]) -> str:
    heads = ("round", "workload", "planned", "tps", "ratio", "succeeded", "failed", "retried")
    columns = [*heads, *(f"{name} ms" for name in _LATENCIES), "note"]
    lines = "".join(_line(each) for each in rounds)
    table = "".join(f"<th>{name}</th>" for name in columns)
    return (
        f"<div class=wide><table><tr>{table}</tr>{lines}</table></div>"
        f"<figure>{plots.throughput(rounds)}<figcaption>Throughput</figcaption></figure>"
        f"<figure>{plots.latencies(rounds)}<figcaption>Latency, ms</figcaption></figure>"
    )


def _line(each: RoundResult) -> str:
    planned = "closed" if each.planned_tps is None else f"{each.planned_tps:,.0f}"
    failed = ", ".join(f"{count:,} {kind}" for kind, count in each.failed.items()) or "0"
    cells = [
        each.name,
        each.workload,
        planned,
        f"{each.tps:,.1f}",
        f"{each.tps_per_verification:.4f}",
        f"{each.succeeded:,}",
        failed,
        f"{each.retried:,}",
        *(_number(each.latency_ms.get(name)) for name in _LATENCIES),
    ]
    row = "".join(f"<td>{escape(cell)}</td>" for cell in cells)
    note = f"<td class=text>{escape(each.error or each.note)}</td>"
    return f"<tr{' class=marked' if each.marked else ''}>{row}{note}</tr>"


def _round(each: RoundResult) -> str:
    names = list(dict.fromkeys([*each.cpu_ms_per_tx, *each.rss_mb]))
    lines = "".join(
        f"<tr><td>{escape(name)}</td><td>{_number(each.cpu_ms_per_tx.get(name), 3)}</td>"
        f"<td>{_number(each.rss_mb.get(name))}</td></tr>"
        for name in names
    )
    return (
        f"<h2>{escape(each.name)}</h2><figure>{plots.over_time(each)}"
        "<figcaption>Throughput and median latency over the round</figcaption></figure>"
        "<table><tr><th>process</th><th>CPU ms per transaction</th><th>memory, MB</th></tr>"
        f"{lines}</table>"
    )


def _environment(environment: Mapping[str, object]) -> str:
    lines = "".join(
        f"<tr><td>{escape(name)}</td><td class=text>{escape(str(value))}</td></tr>"
        for name, value in environment.items()
    )
    return f"<h2>Environment</h2><table>{lines}</table>"


def _number(value: float | None, digits: int = 1) -> str:
    return "-" if value is None else f"{value:,.{digits}f}"
