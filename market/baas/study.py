"""The study `baas`: a day of paper 000's market on a ledger, with random weather.

Parameters: periods; record, the periods of history before them; line_limit in VA; eps1,
eps2 and highest_conflict of rule (9) and its guard.  (Fabric counterpart: none.)
"""

from __future__ import annotations

import numpy as np

from gridloom.chaincode.energy.baas.evidence_sources import Observation, Source
from gridloom.chaincode.energy.baas.grid_records import Terms
from gridloom.chaincode.energy.baas.trade_records import Stage

from ..result import Cell, Column, Look, Metric, Plot, Result, Series, Table
from ..settings import Settings
from ..study import Consortium, Run
from .day import BaasDay, PeriodPlan, PeriodTrade, Wish
from .five_units import BUYERS, LOADS, SELLERS, feeder, plan

STEADINESS = {1: 0.85, 2: 0.97, 3: 0.7}
"""Mean share of its word that each selling unit keeps: wind, storage, load shedding."""

_MICRO = 10**6
_RECORD, _PERIODS = 0, 1  # streams of random numbers
_PRICE, _REPLACEMENT = 600_000, 850_000


def run(run: Run) -> Result:
    """Trade the periods on a ledger and report what it made of them."""
    settings = Settings.of(run.fields)
    settings.only({"periods", "record", "line_limit", "eps1", "eps2", "highest_conflict"})
    periods = settings.whole("periods", 12, low=1, high=1000)
    length = settings.whole("record", 30, low=0, high=200)
    limit = settings.whole("line_limit", 210_000, low=1, high=10**9)
    thresholds = [
        round(settings.number(name, default, low=0, high=1) * _MICRO)
        for name, default in (("eps1", 0.05), ("eps2", 0.3), ("highest_conflict", 0.95))
    ]
    record = _record(run.rng(_RECORD), length)
    plans = [_period(run.rng(_PERIODS, number), number) for number in range(periods)]
    grid = feeder(Terms(*thresholds), limit)

    async def work(consortium: Consortium) -> list[PeriodTrade]:
        day = BaasDay(consortium, grid)
        return await day.trade(record, plans, lambda done: run.progress("periods", done, periods))

    trades = run.on_ledger(work)
    return Result(
        title="Paper 000: a day of decisions on evidence",
        metrics=_metrics(trades),
        tables=(_trades(trades),),
        plots=(_masses(trades),),
        remarks=(
            "Every decision, security check and penalty was computed by the chaincode; the "
            "operating points were solved here and verified there.",
            "The paper prints no network, evidence or load data: those are the restated "
            "model's test system and this study's seed.",
        ),
        parameters={"periods": periods, "record": length, "line_limit": limit},
    )


def _record(rng: np.random.Generator, length: int) -> list[Observation]:
    """Every unit's history in every source but the lines', which hardly ever fail."""
    record = []
    for period in range(-length, 0):
        for number, steadiness in STEADINESS.items():
            for source in (Source.GENERATION, Source.STORAGE, Source.LOAD_SHEDDING):
                kept = float(np.clip(rng.normal(steadiness, 0.1), 0, 1))
                record.append(Observation(source, f"SU{number}", period, 1000, round(1000 * kept)))
        for line in range(6):
            minutes = 60 if rng.random() > 0.02 else 30
            record.append(Observation(Source.LINE, f"line:{line}", period, 60, minutes))
    return record


def _period(rng: np.random.Generator, number: int) -> PeriodPlan:
    shares = [float(share) for share in rng.uniform(0.4, 1.0, len(LOADS))]
    wind = int(rng.integers(200_000, 500_000))
    energy = int(rng.integers(20, 160)) * 1000
    kept = float(np.clip(rng.normal(0.95, 0.08), 0, 1.05))
    wish = Wish(int(rng.choice(BUYERS)), energy, _PRICE, _REPLACEMENT, kept)
    return PeriodPlan(number, plan(wind, shares), wish)


def _metrics(trades: list[PeriodTrade]) -> tuple[Metric, ...]:
    refused = [t for t in trades if t.contract is not None and t.contract.stage is Stage.REFUSED]
    settled = [trade.delivery for trade in trades if trade.delivery is not None]
    undecided = sum(trade.decision.choice is None for trade in trades)
    return (
        Metric("periods", len(trades), "", "each with a buyer's wish"),
        Metric("undecided", undecided, "", "rule (9) accepts nobody"),
        Metric("refused", len(refused), "", "contracts that would violate a security limit"),
        Metric("settled", len(settled), "", "contracts delivered and paid"),
        Metric("energy", sum(d.delivered for d in settled) / 1000, "kWh", "delivered"),
        Metric("paid", sum(d.payment for d in settled) / _MICRO, "yuan", "for it"),
        Metric("penalties", sum(d.penalty for d in settled) / _MICRO, "yuan", "for shortfalls"),
    )


def _trades(trades: list[PeriodTrade]) -> Table:
    columns = (
        Column("period"), Column("buyer"), Column("wanted", "Wh"), Column("choice"),
        Column("conflict"), Column("stage"), Column("violations"), Column("delivered", "Wh"),
        Column("payment", "yuan"), Column("penalty", "yuan"),
    )  # fmt: skip
    return Table("trades", "The periods", columns, [_row(trade) for trade in trades])


def _row(trade: PeriodTrade) -> list[Cell]:
    decision, contract, delivery = trade.decision, trade.contract, trade.delivery
    return [
        trade.plan.period,
        f"BU{decision.bu_id}",
        decision.energy,
        decision.choice or "none: " + ", ".join(failure.value for failure in decision.failures),
        decision.conflict / _MICRO,
        None if contract is None else ("settled" if delivery else contract.stage.value),
        None if contract is None else " ".join(contract.violations),
        None if delivery is None else delivery.delivered,
        None if delivery is None else delivery.payment / _MICRO,
        None if delivery is None else delivery.penalty / _MICRO,
    ]


def _masses(trades: list[PeriodTrade]) -> Plot:
    names = [f"SU{number}" for number in SELLERS]
    series = []
    for name in [*names, "grid"]:
        masses: list[float | None] = []
        for trade in trades:
            known = {each.hypothesis: each.mass / _MICRO for each in trade.decision.masses}
            masses.append(known.get(name))
        periods = [trade.plan.period for trade in trades]
        series.append(Series(name, periods, masses, Look.POINTS))
    return Plot("masses", "Combined evidence of each period", "period", "mass", tuple(series))
