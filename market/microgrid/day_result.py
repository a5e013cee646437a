"""A traded day of the microgrid as a result: hours, sellers' errors, paper's tables, plots.

Money in yuan, energy in kWh, all of it what the ledger settled.  (Fabric counterpart: none.)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..result import Cell, Column, Metric, Result
from ..result import Table as ResultTable
from .bayes import PrivateHour
from .comparison import Table, tables
from .day import DayResult
from .figures import FigureRow, figure_rows
from .pictures import pictures
from .summary import DaySummary, summarise

_MICRO = 1_000_000


def day_result(
    day: DayResult, played: Mapping[int, PrivateHour], measured: Mapping[str, object]
) -> Result:
    """played: the Bayesian game by hour, empty without one; measured: of the run."""
    summary = summarise(day, 0.0)
    rows = figure_rows(day, summary)
    return Result(
        title="The microgrid's day (paper 003)",
        metrics=_metrics(day, summary, rows, played),
        tables=(
            _hours(day, summary, rows),
            _errors(day),
            _set_points(day),
            *(_bayes(played),) * bool(played),
            *(_compared(table) for table in tables(day) if table.compared),
        ),
        plots=pictures(day, summary, rows),
        remarks=_remarks(day, played),
        measured=measured,
    )


def _metrics(
    day: DayResult,
    summary: DaySummary,
    rows: Sequence[FigureRow],
    played: Mapping[int, PrivateHour],
) -> tuple[Metric, ...]:
    alone = sum(row.bill_grid_only for row in rows)
    revenue_alone = sum(row.revenue_grid_only for row in rows)
    errors = [error for result in day.hours for error in result.errors.sellers]
    accounts = [account for result in day.hours for account in result.settlement.accounts]
    facts: list[tuple[str, float | int | None, str, str]] = [
        ("bill", summary.total_bill, "yuan", "what the buyers pay"),
        ("bill_alone", alone, "yuan", "the same from the grid alone"),
        ("saving", summary.saving_percent, "%", "of the buyers' bill"),
        ("revenue", summary.seller_revenue, "yuan", "what the sellers earn"),
        (
            "revenue_ratio",
            summary.seller_revenue / revenue_alone if revenue_alone else None,
            "",
            "to selling the initial surplus to the grid",
        ),
        ("imbalance", sum(account.amount for account in accounts), "micro-yuan", "must be zero"),
        ("shortfall", sum(e.shortfall for e in errors) / 1000, "kWh", "agreed, not delivered"),
        ("shortfall_cost", sum(e.cost for e in errors) / _MICRO, "yuan", "borne by the sellers"),
    ]
    if played:
        known = sum(sum(hour.informed.seller_revenue) for hour in played.values())
        private = sum(sum(hour.outcome.seller_revenue) for hour in played.values())
        facts.append(
            ("price_of_privacy", known - private, "yuan", "revenue with public types more")
        )
    return tuple(
        Metric(name, None if value is None else round(value, 6) + 0.0, unit, meaning)
        for name, value, unit, meaning in facts
    )


def _hours(day: DayResult, summary: DaySummary, rows: Sequence[FigureRow]) -> ResultTable:
    lines: list[list[Cell]] = [
        [
            hour.hour,
            result.priced.outcome.regime.value,
            hour.price,
            result.priced.exact_price,
            hour.bill_buyers,
            row.bill_grid_only,
            hour.revenue_sellers,
            row.revenue_grid_only,
            sum(hour.bought),
            hour.grid_import_kwh,
            hour.grid_export_kwh,
            result.plan.grid_set_point / 1000,
        ]
        for result, hour, row in zip(day.hours, summary.hours, rows, strict=True)
    ]
    columns = (
        Column("hour"), Column("regime"), Column("price", "yuan/kWh"),
        Column("exact_price", "yuan/kWh"), Column("bill", "yuan"), Column("bill_alone", "yuan"),
        Column("revenue", "yuan"), Column("revenue_alone", "yuan"), Column("traded", "kWh"),
        Column("import", "kWh"), Column("export", "kWh"), Column("grid_set_point", "kW"),
    )  # fmt: skip
    return ResultTable("hours", "Hour by hour", columns, lines)


def _errors(day: DayResult) -> ResultTable:
    lines: list[list[Cell]] = []
    for result in day.hours:
        planned = {share.unit_id: share.ordered for share in result.match.sellers}
        for error in result.errors.sellers:
            lines.append(
                [
                    result.hour,
                    f"user{error.su_id}",
                    planned[error.su_id] / 1000,
                    error.metered / 1000,
                    error.shortfall / 1000,
                    error.cost / _MICRO,
                    error.export_change / 1000,
                    error.income / _MICRO,
                ]
            )
    columns = (
        Column("hour"), Column("seller"), Column("planned", "kWh"), Column("metered", "kWh"),
        Column("shortfall", "kWh"), Column("cost", "yuan"), Column("export_change", "kWh"),
        Column("income", "yuan"),
    )  # fmt: skip
    explanation = (
        "Table 7's error compensation: what a seller did not deliver of the agreed volume he "
        "buys from the grid at p_b; what is over goes to the grid at p_s."
    )
    return ResultTable("errors", "Forecast errors and who bears them", columns, lines, explanation)


def _set_points(day: DayResult) -> ResultTable:
    lines: list[list[Cell]] = [
        [result.hour, each.unit, each.set_point / 1000, each.inside / 1000, each.grid / 1000]
        for result in day.hours
        for each in result.plan.instructions
    ]
    columns = (
        Column("hour"), Column("unit"), Column("set_point", "kW"), Column("inside", "kWh"),
        Column("grid", "kWh"),
    )  # fmt: skip
    return ResultTable("dispatch", "Dispatch: every unit's set point", columns, lines)


def _bayes(played: Mapping[int, PrivateHour]) -> ResultTable:
    lines: list[list[Cell]] = [
        [
            hour,
            game.outcome.price,
            game.informed.price,
            sum(game.outcome.seller_revenue),
            sum(game.informed.seller_revenue),
            sum(game.outcome.buyer_cost),
            sum(game.informed.buyer_cost),
        ]
        for hour, game in played.items()
    ]
    columns = (
        Column("hour"), Column("price", "yuan/kWh"), Column("price_public", "yuan/kWh"),
        Column("revenue", "yuan"), Column("revenue_public", "yuan"), Column("bill", "yuan"),
        Column("bill_public", "yuan"),
    )  # fmt: skip
    title = "The Bayesian game: types private, and had they been public"
    return ResultTable("private_types", title, columns, lines)


def _compared(table: Table) -> ResultTable:
    lines: list[list[Cell]] = []
    for hour, cells in table.rows.items():
        for column, cell in zip(table.columns, cells, strict=True):
            if cell.ours is not None and cell.printed is not None:
                lines.append([hour, column, cell.ours, cell.printed, cell.difference])
    columns = (
        Column("hour"), Column("column"), Column("ours"), Column("printed"),
        Column("difference"),
    )  # fmt: skip
    title = f"Table {table.number} beside the paper: {table.title}"
    explanation = f"{table.agreeing} of {table.compared} cells agree. {table.explanation}"
    return ResultTable(f"table{table.number}", title, columns, lines, explanation)


def _remarks(day: DayResult, played: Mapping[int, PrivateHour]) -> tuple[str, ...]:
    remarks = [
        f"{len(day.scenario.hours)} hours, {len(day.scenario.users)} users; mechanism {day.mode}. "
        "Every number is the ledger's; money and energy of each hour sum to zero there."
    ]
    if day.scenario.delivered is not None:
        remarks.append(
            "Orders were made of a forecast of the panels' output; the meters show what came."
        )
    if played:
        remarks.append(
            "Sellers' types are private: prices follow from the prior, loads from true types."
        )
    return tuple(remarks)
