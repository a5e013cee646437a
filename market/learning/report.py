"""The learning market's day as a result: the paper's figures 2-5, money, credit.

(Fabric counterpart: none.)
"""

from __future__ import annotations

from collections.abc import Sequence

from gridloom.chaincode.energy.learning.credit import report as credit_report
from gridloom.chaincode.energy.learning.flows import dispatch
from gridloom.chaincode.energy.learning.parties import Flow
from gridloom.chaincode.energy.learning.stages import Stage

from ..result import Cell, Column, Look, Metric, Plot, Result, Series, Table
from .day import HourResult

_MICRO, _WH = 1e6, 1e3
_ARROWS = {Flow.GU: "G->U", Flow.GC: "G->C", Flow.CU: "C->U", Flow.CG: "C->G"}


def report(hours: Sequence[HourResult], remarks: tuple[str, ...] = ()) -> Result:
    """Everything about the day that its seed determines."""
    return Result(
        title="The learning market's day",
        metrics=_metrics(hours),
        tables=(_hours(hours), _orders(hours), _credit(hours)),
        plots=_plots(hours),
        remarks=(
            "Plant and bidding spaces are the paper's; its series of loads, generation and "
            "quotes exist as figures only, so the weather, loads and bids here are generated.",
            "The printed game only moves money between the three parties, so it fixes no "
            "interior price; targets are those of the elastic game or of a weighted sum.",
            *remarks,
        ),
    )


def _metrics(hours: Sequence[HourResult]) -> tuple[Metric, ...]:
    accounts = [hour.account for hour in hours]
    company, bureau, users = (sum(own) / _MICRO for own in zip(*accounts, strict=True))
    unbalanced = sum(abs(a.company + a.bureau - a.users) for a in accounts)
    found = [stage.found for hour in hours for stage in hour.stages]
    regrets = [one.regret for one in found if one.regret is not None]
    errors = [one.error for one in found if one.error is not None]
    green = sum(hour.traded(Flow.GU) + hour.traded(Flow.GC) for hour in hours)
    spare = sum(max(h.data.actual.generation - h.data.actual.load, 0) for h in hours)
    violations = [v for hour in hours for v in hour.execution.violations]
    facts = (
        ("company", company, "yuan", "H_G: earned by the microgrid company"),
        ("bureau", bureau, "yuan", "H_C: earned by the energy bureau after subsidies"),
        ("users", users, "yuan", "R_U: paid by the users after subsidies"),
        ("balance", unbalanced, "micro-yuan", "sum over the hours of |H_G + H_C - R_U|"),
        ("green_sold", green / _WH, "kWh", "ordered from the microgrid company"),
        ("green_spare", spare / _WH, "kWh", "what it had beyond its own load"),
        ("orders", sum(len(hour.orders) for hour in hours), "", "made by the automatic auction"),
        ("violations", len(violations), "", "orders not kept, in the credit reports"),
        ("largest_regret", max(regrets, default=None), "yuan", "left to gain at a target"),
        ("colony_error", max(errors, default=None), "yuan/kWh",
         "farthest target from the exact equilibrium, where there is one"),
    )  # fmt: skip
    return tuple(Metric(*fact) for fact in facts)


def _hours(hours: Sequence[HourResult]) -> Table:
    columns = [Column("hour"), Column("generation", "kWh"), Column("load", "kWh"),
               Column("demand", "kWh")]  # fmt: skip
    for arrow in _ARROWS.values():
        columns += [Column(f"{arrow} target", "yuan/kWh"), Column(f"{arrow} traded", "kWh")]
    columns += [Column("H_G", "yuan"), Column("H_C", "yuan"), Column("R_U", "yuan"),
                Column("violations")]  # fmt: skip
    rows: list[list[Cell]] = []
    for hour in hours:
        actual, targets = hour.data.actual, hour.stages[0].found.prices
        row: list[Cell] = [hour.data.hour]
        row += [x / _WH for x in (actual.generation, actual.load, actual.demand)]
        for flow in Flow:
            price = targets.of(flow)
            row += [None if price is None else price / _MICRO, hour.traded(flow) / _WH]
        row += [money / _MICRO for money in hour.account]
        rows.append([*row, len(hour.execution.violations)])
    return Table(
        "hours", "Hour by hour", tuple(columns), rows,
        "Targets are the day-ahead stage's (Fig. 5); traded is the sum of all stages (Fig. 4).",
    )  # fmt: skip


def _orders(hours: Sequence[HourResult]) -> Table:
    columns = (
        Column("hour"), Column("stage"), Column("flow"), Column("seller"), Column("buyer"),
        Column("energy", "kWh"), Column("price", "yuan/kWh"), Column("amount", "yuan"),
    )  # fmt: skip
    rows: list[list[Cell]] = [
        [o.hour, o.stage.value, _ARROWS[o.flow], o.seller, o.buyer, o.energy / _WH,
         o.price / _MICRO, o.amount / _MICRO]
        for hour in hours for o in hour.orders
    ]  # fmt: skip
    return Table("orders", "Orders of the automatic auction", columns, rows)


def _credit(hours: Sequence[HourResult]) -> Table:
    executions = [hour.execution for hour in hours]
    names = sorted({reading.party for hour in hours for reading in hour.readings})
    rows: list[list[Cell]] = []
    for name in names:
        said = credit_report(name, executions)
        rows.append([name, said.hours, said.kept, len(said.violations), said.energy / _WH])
    columns = (Column("party"), Column("hours"), Column("kept"), Column("violations"),
               Column("missed", "kWh"))  # fmt: skip
    return Table("credit", "Credit reports", columns, rows)


def _plots(hours: Sequence[HourResult]) -> tuple[Plot, ...]:
    x = [float(hour.data.hour) for hour in hours]

    def known(stage: Stage, field: str) -> list[float | None]:
        return [getattr(hour.data.known[stage], field) / _WH for hour in hours]

    loads = tuple(
        Series(f"{label}, {word}", x, known(stage, field), look)
        for field, label in (("demand", "users"), ("load", "company"))
        for stage, word, look in ((Stage.REAL_TIME, "true", Look.LINE),
                                  (Stage.DAY_AHEAD, "day-ahead", Look.POINTS))
    )  # fmt: skip
    flows = [
        dispatch(h.data.actual.generation, h.data.actual.load, h.data.actual.demand) for h in hours
    ]
    saleable = (
        Series("company", x, [(f.gu + f.gc) / _WH for f in flows], Look.BAR),
        Series("bureau", x, [(f.cu + f.cg) / _WH for f in flows], Look.BAR),
    )
    return (
        Plot("loads", "Figure 2: loads, true and predicted", "hour", "kWh", loads),
        Plot("saleable", "Figure 3: what producers can sell", "hour", "kWh", saleable),
        Plot("values", "Figure 4: prices of the orders made", "hour", "yuan/kWh", _paid(hours, x)),
        Plot("targets", "Figure 5: best bid values", "hour", "yuan/kWh", _asked(hours, x)),
    )


def _asked(hours: Sequence[HourResult], x: Sequence[float]) -> tuple[Series, ...]:
    series = []
    for flow, arrow in _ARROWS.items():
        prices = [hour.stages[0].found.prices.of(flow) for hour in hours]
        y = [None if price is None else price / _MICRO for price in prices]
        series.append(Series(arrow, x, y, Look.POINTS))
    return tuple(series)


def _paid(hours: Sequence[HourResult], x: Sequence[float]) -> tuple[Series, ...]:
    """The mean price of each flow's orders, weighted by their energy."""
    series = []
    for flow, arrow in _ARROWS.items():
        y: list[float | None] = []
        for hour in hours:
            own = [order for order in hour.orders if order.flow is flow]
            energy = sum(order.energy for order in own)
            value = sum(order.energy * order.price for order in own)
            y.append(value / energy / _MICRO if energy else None)
        series.append(Series(arrow, x, y, Look.POINTS))
    return tuple(series)
