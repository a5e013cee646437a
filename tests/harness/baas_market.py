"""Paper 000's market on a ledger in memory: five units on the paper's feeder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from gridloom.chaincode.energy.authentication import Authentication
from gridloom.chaincode.energy.baas import BaasContracts, BaasEvidence, BaasGrid
from gridloom.chaincode.energy.baas.evidence_sources import Observation, Source
from gridloom.chaincode.energy.baas.grid_records import (
    Feeder,
    FeederLine,
    FeederNode,
    NodeKind,
    NodePower,
    OperatingPoint,
    Terms,
    UnitPlace,
)
from gridloom.chaincode.energy.baas.trade_records import Decision, TradeContract
from gridloom.chaincode.energy.baas.trading import with_trade
from gridloom.chaincode.energy.qualifications import (
    BuyerQualification,
    SellerQualification,
    UnitId,
)
from gridloom.chaincode.energy.roles import Role, unit_name
from gridloom.chaincode.testing import Identity, MemoryLedger
from gridloom.market.power_flow.ledger_point import solve_for_ledger

from .energy_market import GRID_MSP, OPERATOR_MSP, START, UNITS_MSP, person

BASE = 1_000_000
LINES = [
    FeederLine(start, end, r * 1000, x * 1000, 530_000)
    for start, end, r, x in [
        (0, 1, 20, 40), (0, 2, 30, 50), (1, 3, 25, 45),
        (2, 4, 30, 50), (3, 4, 35, 60), (1, 2, 20, 35),
    ]
]  # fmt: skip
PLACES = [UnitPlace(Role.SU, 1, 0), UnitPlace(Role.SU, 2, 4), UnitPlace(Role.BU, 3, 3)]


def islanded_feeder() -> Feeder:
    """Wind at node 0 and storage at node 3 share the load by droop; SU1, SU2, BU3 on it."""
    droop = FeederNode(NodeKind.PD, 1_020_000, active_droop=10_000, reactive_droop=50_000)
    nodes = [droop, FeederNode(NodeKind.PQ), FeederNode(NodeKind.PQ)]
    nodes += [replace(droop, voltage=1_010_000), FeederNode(NodeKind.PQ)]
    return Feeder(BASE, nodes, LINES, PLACES, Terms(20_000, 300_000, 900_000))


PLAN = [
    NodePower(active=300_000, reactive=100_000),
    NodePower(load_active=150_000, load_reactive=50_000),
    NodePower(load_active=200_000, load_reactive=80_000),
    NodePower(active=200_000, reactive=50_000, load_active=150_000, load_reactive=60_000),
    NodePower(),
]


@dataclass
class BaasMarket:
    """A founded market with a published feeder; sellers SU1, SU2 and buyer BU3."""

    feeder: Feeder = field(default_factory=islanded_feeder)
    ledger: MemoryLedger = field(
        default_factory=lambda: MemoryLedger(now=START, check_determinism=True)
    )

    def __post_init__(self) -> None:
        self.operator = person(OPERATOR_MSP, "op", "operator")
        self.grid = person(GRID_MSP, "grid", "grid")
        self.authentication = self.ledger.deploy("authentication", Authentication())
        self.baas = self.ledger.deploy("baas", BaasGrid(), BaasEvidence(), BaasContracts())
        self.authentication.submit("found", [UNITS_MSP], GRID_MSP, by=self.operator)
        self.su1, self.su2 = self.admit(Role.SU, 1), self.admit(Role.SU, 2)
        self.bu3 = self.admit(Role.BU, 3)
        self.baas.submit("publish", self.feeder, by=self.operator)

    def admit(self, role: Role, unit_id: int) -> Identity:
        """A new client, registered and approved as this unit."""
        unit = person(UNITS_MSP, unit_name(role, unit_id), role.value, "500000")
        if role is Role.BU:
            buyer = BuyerQualification("resident", unit_id, "name", "clean", "household")
            self.authentication.submit("register_buyer", buyer, by=unit)
        else:
            seller = SellerQualification("wind", "name", unit_id, 500_000, "clean")
            self.authentication.submit("register_seller", seller, by=unit)
        self.authentication.submit("approve", [UnitId(role, unit_id)], by=self.operator)
        return unit

    def plan(self, powers: Sequence[NodePower] = PLAN, period: int = 1) -> None:
        """Plan a period with its solved operating point."""
        point = solve_for_ledger(self.feeder, powers)
        self.baas.submit("plan", period, list(powers), point, by=self.operator)

    def observe(self, source: Source, subject: str, *kept: int, first: int = -100) -> None:
        """Reports of so many of 100 kept, for one period after another."""
        reports = [
            Observation(source, subject, period, 100, share)
            for period, share in enumerate(kept, start=first)
        ]
        self.baas.submit("report", reports, by=self.grid)

    def good_record(self, unit: str = "SU1", other: str = "SU2", periods: int = 40) -> None:
        """A long record in which unit keeps its word and other hardly does."""
        for source in (Source.GENERATION, Source.STORAGE):
            self.observe(source, unit, *[100] * periods)
            self.observe(source, other, *[30] * periods)

    def decide(self, energy: int = 60_000, period: int = 1) -> Decision:
        """BU3's decision."""
        outcome = self.baas.submit("baas_evidence:decide", 3, period, energy, by=self.bu3)
        decision: Decision = outcome.value(Decision)
        return decision

    def accepted(self, energy: int = 60_000, price: int = 600_000) -> TradeContract:
        """A contract that BU3 proposed and SU1 accepted."""
        decision = self.decide(energy)
        proposed = self.baas.submit(
            "baas_contracts:propose", decision.decision_id, price, 850_000, by=self.bu3
        ).value(TradeContract)
        outcome = self.baas.submit("baas_contracts:accept", proposed.contract_id, by=self.su1)
        contract: TradeContract = outcome.value(TradeContract)
        return contract

    def solved(self, contract: TradeContract, powers: Sequence[NodePower] = PLAN) -> OperatingPoint:
        """The operating point with the contract on top of powers."""
        return solve_for_ledger(self.feeder, with_trade(self.feeder, powers, contract))

    def secure(self, contract: TradeContract, point: OperatingPoint) -> TradeContract:
        """The operator's security check."""
        outcome = self.baas.submit(
            "baas_contracts:secure", contract.contract_id, point, by=self.operator
        )
        judged: TradeContract = outcome.value(TradeContract)
        return judged
