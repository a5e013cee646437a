"""The study `paper-000`: its table and figures, printed and ours.

Parameters: decisions of Figure 6 for each deviation, observations of each unit.
docs/papers.md gives the verdicts.  (Fabric counterpart: none.)
"""

from __future__ import annotations

from fractions import Fraction

from gridloom.chaincode.energy.baas.grid_records import Feeder, Terms
from gridloom.chaincode.energy.baas.shortfall import penalty

from ..power_flow.ledger_point import per_unit
from ..power_flow.security import violations
from ..power_flow.solution import operating_point
from ..result import Cell, Column, Look, Metric, Plot, Result, Series, Table
from ..settings import Settings
from ..study import Run
from .five_units import LOADS, feeder, plan
from .judgements import KINDS, Judged, judge

ENVIRONMENTS = (
    ("simple environment", Fraction(90, 100), "1.2 months"),
    ("ordinary single point environment", Fraction(99, 100), "3.6 days"),
    ("common cluster environment", Fraction(999, 1000), "8.6 hours"),
    ("BaaS", Fraction(9999, 10000), "51.6 minutes"),
)
"""Table 1: environment, reliability, time not available as printed."""

DAYS = 360
"""Of the year that the printed times are parts of."""

_DEVIATIONS = (0.0, 0.05, 0.1, 0.2, 0.3)
_LINE_LIMIT = 530_000


def run(run: Run) -> Result:
    """Everything that can be had from the paper."""
    settings = Settings.of(run.fields)
    settings.only({"decisions", "observations"})
    decisions = settings.whole("decisions", 60, low=1, high=10_000)
    observations = settings.whole("observations", 20, low=1, high=1000)
    judged = []
    for number, deviation in enumerate(_DEVIATIONS):
        rng = run.rng(number)
        judged += [judge(deviation, observations, rng) for _ in range(decisions)]
        run.progress("decisions", len(judged), decisions * len(_DEVIATIONS))
    owed = penalty(Fraction(10), Fraction(8), Fraction("0.85"), Fraction("0.6"))
    return Result(
        title="Paper 000: printed and ours",
        metrics=(
            Metric("penalty", float(owed), "yuan", "of the text's example: 8 of 10 kWh"),
            Metric(
                "decided",
                sum(one.chosen is not None for one in judged) / len(judged),
                "",
                "share of decisions that rule (9) accepts",
            ),
        ),
        tables=(_reliability(), _figure_6(judged), _loading()),
        plots=(_judgements(judged), _voltages()),
        remarks=(
            "Table 1 reproduces with a year of 360 days; its last two times are rounded, the "
            "last from the one before.",
            "Figures 4 and 6 are pictures without data: the feeder is the restated model's "
            "test system, the judgements are this study's own.",
        ),
        parameters={"decisions": decisions, "observations": observations},
    )


def _reliability() -> Table:
    rows: list[list[Cell]] = []
    for name, reliability, printed in ENVIRONMENTS:
        away = (1 - reliability) * DAYS
        rows.append([name, float(reliability), float(away * 24), printed])
    columns = (Column("environment"), Column("reliability"), Column("not available", "h a year"))
    return Table(
        "table1", "Table 1: reliability", (*columns, Column("as printed")), rows,
        "10 % of 360 days are 1.2 months, 1 % are 3.6 days, 0.1 % are 8.64 hours, 0.01 % are "
        "51.84 minutes.",
    )  # fmt: skip


def _figure_6(judged: list[Judged]) -> Table:
    columns = [Column("deviation"), Column("decided"), Column("mean M(x)"), Column("mean M(y)")]
    columns += [Column(f"chose {kind}") for kind in (*KINDS, "grid")]
    rows = []
    for deviation in _DEVIATIONS:
        own = [one for one in judged if one.deviation == deviation]
        chosen = [sum(one.chosen == kind for one in own) for kind in (*KINDS, "grid")]
        best = sum(one.best for one in own) / len(own)
        second = sum(one.second for one in own) / len(own)
        rows.append([deviation, sum(chosen), best, second, *chosen])
    return Table(
        "figure6", "Figure 6: final judgements by deviation of what units keep", tuple(columns),
        rows,
    )  # fmt: skip


def _judgements(judged: list[Judged]) -> Plot:
    series = []
    for kind in KINDS:
        own = [one for one in judged if one.chosen == kind]
        series.append(
            Series(kind, [one.best for one in own], [one.second for one in own], Look.POINTS)
        )
    return Plot(
        "figure6", "Figure 6: distribution of the final judgement", "M(x)", "M(y)", tuple(series)
    )


def _loading() -> Table:
    """The test feeder at full load: what the security check looks at."""
    grid = per_unit(_feeder(), plan(450_000, [1.0] * len(LOADS)))
    point = operating_point(grid)
    found = violations(grid, point)
    rows: list[list[Cell]] = [
        [
            f"line {i}: {line.start}-{line.end}",
            float(loading),
            line.limit,
            str(f"line:{i}" in found),
        ]
        for i, (line, loading) in enumerate(zip(grid.lines, point.line_loading, strict=True))
    ]
    rows.append(["frequency", point.state.frequency, 1.006, str("frequency" in found)])
    columns = ("what", "value", "highest", "violated")
    return Table(
        "security", "Security check of the islanded feeder at full load",
        tuple(Column(name, "p.u." if name in {"value", "highest"} else "") for name in columns),
        rows,
    )  # fmt: skip


def _voltages() -> Plot:
    series = []
    for share in (0.25, 0.5, 1.0):
        grid = per_unit(_feeder(), plan(450_000, [share] * len(LOADS)))
        point = operating_point(grid)
        voltages = [float(voltage) for voltage in point.state.voltage]
        series.append(Series(f"{share:.0%} of the load", range(len(voltages)), voltages))
    return Plot(
        "voltages", "Voltages of the islanded feeder (Figure 4)", "node", "p.u.", tuple(series)
    )


def _feeder() -> Feeder:
    return feeder(Terms(0, 0, 0), _LINE_LIMIT)
