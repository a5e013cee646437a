"""The study `dipi`: periods of paper 001's market on its three channels.

Parameters: periods, sellers, buyers; alpha, the natural weighting factor of sellers who
depend on weather; reliability, the mean share of what was agreed that they generate.
(Fabric counterpart: none.)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from gridloom.chaincode.energy.dipi.coin import credit_of
from gridloom.chaincode.energy.dipi.records import (
    Bid,
    GridTerms,
    LinePlan,
    Match,
    Offer,
    Reading,
)

from ..result import Cell, Column, Metric, Plot, Result, Series, Table
from ..settings import Settings
from ..study import Consortium, Run
from .cycle import PeriodInput, PeriodOutcome
from .members import CHANNELS, cycle_on

TERMS = GridTerms(wheeling=20_000, retail=615_000, buyback=410_000)
"""Section 5.1, micro-yuan per kWh."""

_MICRO = 10**6
_FIRST_BUYER = 100


def run(run: Run) -> Result:
    """Trade the periods and report credits and money."""
    settings = Settings.of(run.fields)
    settings.only({"periods", "sellers", "buyers", "alpha", "reliability"})
    periods = settings.whole("periods", 6, low=1, high=1000)
    sellers = settings.whole("sellers", 3, low=1, high=20)
    buyers = settings.whole("buyers", 3, low=1, high=20)
    alpha = settings.number("alpha", 0.2, low=0, high=0.299999)
    reliability = settings.number("reliability", 0.85, low=0, high=1)
    factors = {n: round(alpha * _MICRO) if n % 2 else 0 for n in range(1, sellers + 1)}
    numbers = range(_FIRST_BUYER, _FIRST_BUYER + buyers)
    inputs = [_period(run.rng(n), n, list(factors), numbers, reliability) for n in range(periods)]

    async def work(consortium: Consortium) -> list[PeriodOutcome]:
        outcomes = []
        async with cycle_on(consortium, factors, numbers) as cycle:
            for done, given in enumerate(inputs, start=1):
                outcomes.append(await cycle.trade(given))
                run.progress("periods", done, periods)
        return outcomes

    outcomes = run.on_ledger(work, CHANNELS)
    return Result(
        title="Paper 001: credit on three chains",
        metrics=_metrics(outcomes),
        tables=(_trades(outcomes), _coins(outcomes)),
        plots=(_credits(outcomes),),
        remarks=(
            "DU1 schedules and checks, JY1 matches and settles, LH1 assesses: what one chain "
            "tells another is recomputed or recognised by its digest.",
            f"Sellers with odd numbers depend on weather and have alpha = {alpha:g}.",
        ),
        parameters={"periods": periods, "sellers": sellers, "buyers": buyers},
    )


def _period(
    rng: np.random.Generator,
    period: int,
    sellers: Sequence[int],
    buyers: Sequence[int],
    reliability: float,
) -> PeriodInput:
    lines = [
        LinePlan(name, 400_000, int(rng.integers(50, 300)) * 1000) for name in ("west", "east")
    ]
    offers = [
        Offer(
            number,
            period,
            energy=int(rng.integers(80, 250)) * 1000,
            price=int(rng.integers(530, 570)) * 1000,
            capacity=250_000,
            renewable=number % 2,
            position=500 * number,
        )
        for number in sellers
    ]
    bids = [
        Bid(
            number,
            period,
            energy=int(rng.integers(50, 200)) * 1000,
            price=int(rng.integers(540, 600)) * 1000,
            position=int(rng.integers(0, 3000)),
        )
        for number in buyers
    ]
    return PeriodInput(period, lines, TERMS, offers, bids, _meter(rng, reliability))


def _meter(rng: np.random.Generator, reliability: float) -> Callable[[Match], Reading]:
    def read(match: Match) -> Reading:
        weather = rng.normal(reliability, 0.1) if match.su_id % 2 else rng.normal(1.0, 0.03)
        used = rng.normal(1.0, 0.05)
        return Reading(
            match.number, round(max(used, 0) * match.energy), round(max(weather, 0) * match.energy)
        )

    return read


def _metrics(outcomes: list[PeriodOutcome]) -> tuple[Metric, ...]:
    trades = [trade for one in outcomes if one.record for trade in one.record.trades]
    return (
        Metric("contracts", len(trades), "", "matched, executed and settled"),
        Metric("energy", sum(t.traded for t in trades) / 1000, "kWh", "traded"),
        Metric("paid", sum(t.buyer for t in trades) / _MICRO, "yuan", "by the buyers"),
        Metric("earned", sum(t.seller for t in trades) / _MICRO, "yuan", "by the sellers"),
        Metric("grid", sum(t.grid for t in trades) / _MICRO, "yuan", "left to the grid company"),
        Metric(
            "unbalanced",
            sum(t.buyer - t.seller - t.grid for t in trades),
            "micro-yuan",
            "buyers minus sellers and grid: nothing is lost",
        ),
    )


def _trades(outcomes: list[PeriodOutcome]) -> Table:
    columns = [Column("period"), Column("seller"), Column("buyer"), Column("weight")]
    columns += [Column(n, "Wh") for n in ("agreed", "used", "generated", "traded")]
    columns += [Column(n, "yuan") for n in ("buyer pays", "seller earns", "grid earns")]
    rows: list[list[Cell]] = []
    for one in outcomes:
        weights = {match.number: match.weight / _MICRO for match in one.matching.matches}
        for t in one.record.trades if one.record else ():
            energies = [t.agreed, t.used, t.generated, t.traded]
            money = [amount / _MICRO for amount in (t.buyer, t.seller, t.grid)]
            names = [f"SU{t.su_id}", f"BU{t.bu_id}"]
            rows.append([one.matching.period, *names, weights[t.number], *energies, *money])
    return Table("trades", "Contracts as settled", tuple(columns), rows)


def _coins(outcomes: list[PeriodOutcome]) -> Table:
    rows: list[list[Cell]] = [
        [one.matching.period, p.unit, f"{p.sequence:#010x}", p.value, credit_of(p) / _MICRO]
        for one in outcomes
        for p in one.proofs
    ]
    columns = ("period", "unit", "sequence number", "value", "credit")
    return Table(
        "coins", "Credits as coloured coins on LH1", tuple(map(Column, columns)), rows,
        "The low six bits of the sequence number say genesis (0x25) or transfer (0x33), the "
        "next six the padding that the value carries over the credit.",
    )  # fmt: skip


def _credits(outcomes: list[PeriodOutcome]) -> Plot:
    units = sorted({proof.unit for one in outcomes for proof in one.proofs})
    series = []
    for unit in units:
        credit: list[float | None] = []
        for one in outcomes:
            own = [credit_of(proof) / _MICRO for proof in one.proofs if proof.unit == unit]
            before = credit[-1] if credit else None
            credit.append(own[0] if own else before)
        series.append(Series(unit, [one.matching.period for one in outcomes], credit))
    return Plot("credit", "Integrated credit", "period", "points", tuple(series))
