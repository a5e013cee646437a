"""Day-ahead, intraday, real time: the stages of a delivery hour, and what is quoted in them.

Paper 002, II.B: bidding rolls through three time scales.  Each stage trades what the better
forecast adds to the stage before; a stage opens once the one before is closed.
(Fabric counterpart: none.)
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from .parties import Flow, Side


class Stage(StrEnum):
    """The time scales in their order."""

    DAY_AHEAD = "day_ahead"
    INTRADAY = "intraday"
    REAL_TIME = "real_time"

    @property
    def before(self) -> Stage | None:
        """The stage that must be closed first."""
        order = list(Stage)
        place = order.index(self)
        return order[place - 1] if place else None


@dataclass(frozen=True, slots=True)
class Window:
    """A stage of an hour on the ledger.

    closes_at: Unix time in seconds, judged by the transactions' own timestamps; closed: the
    operator has ended it.
    """

    hour: int
    stage: Stage
    closes_at: int
    closed: bool


@dataclass(frozen=True, slots=True)
class Quote:
    """What a party would sell or buy in a flow; its price is the least or the most it trades at.

    energy: Wh, > 0; price: micro-yuan per kWh; revision counts the versions from 0.
    """

    party: str
    hour: int
    stage: Stage
    flow: Flow
    side: Side
    energy: int
    price: int
    revision: int


@dataclass(frozen=True, slots=True)
class Forecast:
    """What the next hour is expected to bring, Wh: the company's generation and own load,
    the users' demand, and what the bureau can sell (None: any amount)."""

    generation: int
    load: int
    demand: int
    bureau: int | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """The four target prices, micro-yuan per kWh; None where nothing flows."""

    gu: int | None
    gc: int | None
    cu: int | None
    cg: int | None

    def of(self, flow: Flow) -> int | None:
        """The target price of a flow."""
        return {Flow.GU: self.gu, Flow.GC: self.gc, Flow.CU: self.cu, Flow.CG: self.cg}[flow]


@dataclass(frozen=True, slots=True)
class Targets:
    """Announced target prices, and what the ledger found them worth (micro-yuan).

    company, bureau: earned; users: paid; regret: None without a game.
    """

    hour: int
    stage: Stage
    forecast: Forecast
    prices: Asked
    company: int
    bureau: int
    users: int
    regret: int | None
