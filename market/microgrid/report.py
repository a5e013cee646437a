"""report.html: the traded day on one self-contained page, figures inside.

(Fabric counterpart: none.)
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from importlib import resources
from string import Template

from ..plots import draw
from . import paper
from .comparison import Cell, Table, tables
from .day import DayResult
from .figures import FigureRow, figure_rows
from .ledger_map import Place, places
from .pictures import pictures
from .summary import DaySummary


def render(day: DayResult, summary: DaySummary) -> str:
    """The page's HTML; needs no other file and no network."""
    page = (resources.files("gridloom.market") / "data" / "report.html").read_text()
    rows = figure_rows(day, summary)
    compared = tables(day)
    body = "\n".join(
        (
            _head(day, summary, rows),
            _pictures(day, summary, rows),
            *(_table_section(table) for table in compared),
            _claims(day, summary, rows),
            _ledger_section(places(day)),
        )
    )
    return Template(page).substitute(title="Gridloom market day", body=body)


def _head(day: DayResult, summary: DaySummary, rows: Sequence[FigureRow]) -> str:
    scenario = day.scenario
    source = "Tables 8 and 9 of the paper" if scenario.is_paper else "own load.csv, generation.csv"
    alone = sum(row.revenue_grid_only for row in rows)
    model_bill = sum(sum(result.priced.outcome.buyer_cost) for result in day.hours)
    searched = [
        abs((result.priced.outcome.price or 0.0) - (result.priced.exact_price or 0.0))
        for result in day.hours
    ]
    facts = (
        (f"{summary.total_bill:.3f} yuan", "buyers' bill"),
        (f"{summary.saving_percent:.3f} %", "saved against the grid alone"),
        (f"{summary.seller_revenue:.3f} yuan", "sellers' revenue"),
        (f"{summary.seller_revenue / alone:.4f}" if alone else "-", "of selling all to the grid"),
        (f"{sum(len(hour.tx_ids) for hour in summary.hours)}", "transactions in the hours"),
        (f"{summary.seconds:.1f} s", "trading time"),
    )
    boxes = "".join(f"<div><b>{value}</b>{name}</div>" for value, name in facts)
    return (
        "<h1>Market day</h1>"
        f"<p class=note>{len(scenario.hours)} hours, {len(scenario.users)} users, data: {source}; "
        f"mechanism <code>{escape(day.mode)}</code>; grid prices p_s = {scenario.tariff.sell:g}, "
        f"p_b = {scenario.tariff.buy:g} yuan per kWh.</p>"
        f"<div class=facts>{boxes}</div>"
        "<p>All numbers are what the ledger settled, in whole Wh and micro-yuan; for each hour "
        "money and energy sum to zero. The pricing model itself, unrounded, gives a bill of "
        f"{model_bill:.6f} yuan. The particle swarm's prices differ from the exact ones by at "
        f"most {max(searched, default=0.0):.1e} yuan per kWh.</p>"
    )


def _pictures(day: DayResult, summary: DaySummary, rows: Sequence[FigureRow]) -> str:
    drawn = "".join(
        f"<figure>{draw(plot)}<figcaption>{plot.title}</figcaption></figure>"
        for plot in pictures(day, summary, rows)
    )
    return f"<h2>Prices, bills and revenues</h2>{drawn}"


def _table_section(table: Table) -> str:
    remarks = bool(table.remarks)
    heads = "".join(f"<th>{escape(column)}</th>" for column in table.columns)
    extra = "<th class=text>remark</th>" if remarks else ""
    lines = []
    for hour, cells in table.rows.items():
        numbers = "".join(map(_cell, cells))
        remark = f"<td class=text>{escape(table.remarks.get(hour, ''))}</td>" if remarks else ""
        lines.append(f"<tr><th>{hour}</th>{numbers}{remark}</tr>")
    agreement = ""
    if table.compared:
        agreement = (
            f"<p class=note>{table.agreeing} of {table.compared} printed cells agree with ours "
            "(green); below each number: the printed one and the difference.</p>"
        )
    return (
        f"<h2>Table {table.number}: {escape(table.title)}</h2>"
        f"<p>{escape(table.explanation)}</p>{agreement}"
        f"<div class=wide><table><tr><th>hour</th>{heads}{extra}</tr>{''.join(lines)}</table></div>"
    )


def _cell(cell: Cell) -> str:
    if cell.ours is None:
        return "<td>-</td>"
    number = f"{cell.ours:.6g}"
    if cell.printed is None or cell.difference is None:
        return f"<td>{number}</td>"
    kind = "agrees" if cell.agrees else "differs"
    beside = f"{cell.printed:g} ({cell.difference:+.3f})"
    return f"<td class={kind}>{number}<small>{beside}</small></td>"


def _claims(day: DayResult, summary: DaySummary, rows: Sequence[FigureRow]) -> str:
    alone = sum(row.bill_grid_only for row in rows)
    text = (
        f"<p>Against {alone:.3f} yuan from the grid alone buyers pay {summary.total_bill:.3f} "
        f"yuan, {summary.saving_percent:.3f} % less.</p>"
    )
    if not day.scenario.is_paper:
        return f"<h2>Saving</h2>{text}"
    theirs = sum(row.printed_bill or 0.0 for row in rows)
    text += (
        "<p>The paper's Table 12, allocated by eq. (13) with its cap, amounts to "
        f"{theirs:.3f} yuan.</p>"
    )
    items = "".join(
        f"<li><b>{escape(claim)}.</b> {escape(verdict)}</li>" for claim, verdict in paper.CLAIMS
    )
    return f"<h2>The paper's claims</h2>{text}<ul>{items}</ul>"


def _ledger_section(found: Iterable[Place]) -> str:
    lines = "".join(
        f"<tr><th>{place.hour}</th><td class=text>{escape(place.number)}</td>"
        f"<td>{place.value}</td><td class=text>{escape(place.unit)}</td>"
        f"<td class=text>{escape(place.chaincode)}<small>{escape(place.key)}</small></td>"
        f"<td>{place.block}</td><td class=text><code>{place.transaction_id}</code></td></tr>"
        for place in found
    )
    heads = "".join(
        f"<th class=text>{name}</th>"
        for name in ("hour", "number", "value", "unit", "chaincode, key", "block", "transaction")
    )
    return (
        "<h2>Where on the ledger each number stands</h2><details open><summary>All keys</summary>"
        f"<div class=wide><table><tr>{heads}</tr>{lines}</table></div></details>"
    )
