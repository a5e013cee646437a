"""The delay study as a result: the paper's figure 8, all of it measured.

(Fabric counterpart: none.)
"""

from __future__ import annotations

from collections.abc import Sequence

from ..result import Cell, Column, Look, Metric, Plot, Result, Series, Table
from .delay import Delays

PAPER_DELAY, PAPER_PARTICIPANTS = 0.2, 10


def report(delays: Sequence[Delays]) -> Result:
    """Delays by number of participants."""
    trades = sum(len(own.seconds) for own in delays)
    rows: list[list[Cell]] = [
        [own.way, own.participants, own.rounds, len(own.seconds),
         own.percentile(50), own.percentile(95), max(own.seconds), own.cpu]
        for own in delays
    ]  # fmt: skip
    columns = (
        Column("way"), Column("participants"), Column("rounds"), Column("trades"),
        Column("p50", "s"), Column("p95", "s"), Column("longest", "s"), Column("cpu a round", "s"),
    )  # fmt: skip
    measured = {
        f"{own.way}_{own.participants}": {
            "p50": round(own.percentile(50), 4),
            "p95": round(own.percentile(95), 4),
            "cpu": round(own.cpu, 4),
        }
        for own in delays
    }
    return Result(
        title="Transaction delay on the ledger",
        metrics=(Metric("trades", trades, "", "whose delay was measured"),),
        remarks=(
            f"The paper gives about {PAPER_DELAY} s for up to {PAPER_PARTICIPANTS} participants on "
            "a machine it does not name; what is measured here is this machine's.",
        ),
        measured=measured,
        measured_tables=(
            Table("delays", "Figure 8: delays by participants", columns, rows,
                  "From sending a request or offer until all peers have the decision."),
        ),
        measured_plots=(
            Plot("delay", "Figure 8: transaction delay", "participants", "s", _series(delays)),
        ),
    )  # fmt: skip


def _series(delays: Sequence[Delays]) -> tuple[Series, ...]:
    series = []
    for way in dict.fromkeys(own.way for own in delays):
        mine = [own for own in delays if own.way == way]
        x = [float(own.participants) for own in mine]
        for share, look in ((50, Look.LINE), (95, Look.POINTS)):
            y = [own.percentile(share) for own in mine]
            series.append(Series(f"{way}, p{share}", x, y, look))
    known = [x for x in sorted({float(d.participants) for d in delays}) if x <= PAPER_PARTICIPANTS]
    series.append(Series("paper, about", known, [PAPER_DELAY] * len(known)))
    return tuple(series)
