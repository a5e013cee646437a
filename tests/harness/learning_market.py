"""The learning market's chaincode on a ledger in memory, with its people."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from gridloom.chaincode.energy.automatic_auction import AutomaticAuction
from gridloom.chaincode.energy.learning.parties import (
    Bounds,
    Flow,
    Game,
    Kind,
    Side,
    Society,
    Terms,
)
from gridloom.chaincode.energy.learning.stages import Asked, Forecast, Quote, Stage
from gridloom.chaincode.testing import Identity, MemoryLedger

from .energy_market import GRID_MSP, OPERATOR_MSP, START, UNITS_MSP, person

TERMS = Terms(
    company=Society(OPERATOR_MSP, Bounds(500_000, 700_000)),
    bureau=Society(GRID_MSP, Bounds(400_000, 600_000)),
    user=Society(UNITS_MSP, Bounds(400_000, 600_000)),
    subsidy=50_000,
    price_scale=300_000,
    energy_scale=75_000,
)
GAME = Game(elasticity=1_600_000, cost=120_000, regret=1_000)

HOUR = 12
FORECAST = Forecast(generation=500_000, load=300_000, demand=400_000)
PRICES = Asked(gu=550_000, gc=None, cu=500_000, cg=None)


def new_ledger() -> MemoryLedger:
    """A ledger that runs every transaction twice."""
    return MemoryLedger(now=START, check_determinism=True)


@dataclass
class LearningMarket:
    """A founded market with a company, a bureau and two users, all admitted."""

    terms: Terms = TERMS
    ledger: MemoryLedger = field(default_factory=new_ledger)
    operator: Identity = field(default_factory=lambda: person(GRID_MSP, "desk", "operator"))
    meter: Identity = field(default_factory=lambda: person(GRID_MSP, "meter", "grid"))

    def __post_init__(self) -> None:
        self.auction = self.ledger.deploy("automatic_auction", AutomaticAuction())
        self.auction.submit("found", self.terms, by=self.operator)
        self.people = {
            "G1": person(OPERATOR_MSP, "G1", "company"),
            "C1": person(GRID_MSP, "C1", "bureau"),
            "U1": person(UNITS_MSP, "U1", "user"),
            "U2": person(UNITS_MSP, "U2", "user"),
        }
        kinds = {"G": Kind.COMPANY, "C": Kind.BUREAU, "U": Kind.USER}
        for name, identity in self.people.items():
            self.auction.submit("join", name, kinds[name[0]], by=identity)
        self.auction.submit("admit", list(self.people), by=self.operator)

    def open(self, stage: Stage = Stage.DAY_AHEAD, **changes: Any) -> None:
        """Open a stage of HOUR; changes: hour, by, closes_in."""
        closes = self.ledger.now + changes.get("closes_in", timedelta(hours=1))
        hour, by = changes.get("hour", HOUR), changes.get("by", self.operator)
        self.auction.submit("open_stage", hour, stage, int(closes.timestamp()), by=by)

    def quote(
        self, party: str, flow: str, side: Side, energy: int, price: int, **changes: Any
    ) -> None:
        """Quote in a flow of HOUR; changes: by, and fields of the quote."""
        by = changes.pop("by", self.people.get(party))
        made = Quote(party, HOUR, Stage.DAY_AHEAD, Flow(flow), side, energy, price, 0)
        self.auction.submit("quote", replace(made, **changes), by=by)

    def announce(self, prices: Asked = PRICES, **changes: Any) -> Any:
        """Announce target prices of HOUR; changes: forecast, stage, by."""
        forecast, stage = changes.get("forecast", FORECAST), changes.get("stage", Stage.DAY_AHEAD)
        by = changes.get("by", self.operator)
        return self.auction.submit("announce", HOUR, stage, forecast, prices, by=by)

    def close(self, stage: Stage = Stage.DAY_AHEAD, by: Identity | None = None) -> Any:
        """Close a stage of HOUR."""
        return self.auction.submit("close_stage", HOUR, stage, by=by or self.operator)
