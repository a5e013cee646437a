"""Paper 001's three chains on ledgers in memory, and their people."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from gridloom.chaincode import Contract
from gridloom.chaincode.energy.authentication import Authentication
from gridloom.chaincode.energy.dipi.credit_index import DipiCredit
from gridloom.chaincode.energy.dipi.records import (
    Bid,
    Check,
    CreditProof,
    GridTerms,
    LinePlan,
    Matching,
    Offer,
    PeriodRecord,
    Reading,
    Schedule,
)
from gridloom.chaincode.energy.dipi.scheduling import DipiScheduling
from gridloom.chaincode.energy.dipi.trading import DipiTrading
from gridloom.chaincode.energy.qualifications import (
    BuyerQualification,
    SellerQualification,
    UnitId,
)
from gridloom.chaincode.energy.roles import Role, unit_name
from gridloom.chaincode.testing import DeployedChaincode, Identity, MemoryLedger

from .energy_market import GRID_MSP, OPERATOR_MSP, START, UNITS_MSP, person

TERMS = GridTerms(wheeling=20_000, retail=615_000, buyback=410_000)
LINES = [LinePlan("west", 300_000, 100_000), LinePlan("east", 250_000, 50_000)]


@dataclass
class DipiMarket:
    """DU1, JY1 and LH1, each founded by the same dispatcher; sellers 1, 2, buyers 3, 4."""

    operator: Identity = field(default_factory=lambda: person(OPERATOR_MSP, "op", "operator"))
    grid: Identity = field(default_factory=lambda: person(GRID_MSP, "grid", "grid"))

    def __post_init__(self) -> None:
        self.du1 = self._chain("du1", DipiScheduling())
        self.jy1 = self._chain("jy1", DipiTrading())
        self.lh1 = self._chain("lh1", DipiCredit())
        self.units = {
            unit_name(role, number): self._admit(role, number)
            for role, number in ((Role.SU, 1), (Role.SU, 2), (Role.BU, 3), (Role.BU, 4))
        }

    def _chain(self, channel: str, contract: Contract) -> DeployedChaincode:
        ledger = MemoryLedger(channel, now=START, check_determinism=True)
        authentication = ledger.deploy("authentication", Authentication())
        authentication.submit("found", [UNITS_MSP], GRID_MSP, by=self.operator)
        return ledger.deploy(contract.name, contract)

    def _admit(self, role: Role, number: int) -> Identity:
        unit = person(UNITS_MSP, unit_name(role, number), role.value, "500000")
        authentication = DeployedChaincode(self.jy1.ledger, "authentication")
        if role is Role.BU:
            buyer = BuyerQualification("resident", number, "name", "clean", "household")
            authentication.submit("register_buyer", buyer, by=unit)
        else:
            seller = SellerQualification("wind", "name", number, 500_000, "clean")
            authentication.submit("register_seller", seller, by=unit)
        authentication.submit("approve", [UnitId(role, number)], by=self.operator)
        return unit

    def schedule(self, period: int = 1, lines: list[LinePlan] | None = None) -> Schedule:
        """Step 1."""
        planned: Schedule = self.du1.submit(
            "plan", period, LINES if lines is None else lines, TERMS, by=self.operator
        ).value(Schedule)
        self.jy1.submit("open", planned, by=self.operator)
        return planned

    def offer(self, su_id: int, energy: int = 200_000, price: int = 550_000, **more: int) -> None:
        """A seller's offer; more: period, capacity, renewable, position."""
        terms = {"period": 1, "capacity": 250_000, "renewable": 1, "position": 0, **more}
        order = Offer(su_id=su_id, energy=energy, price=price, **terms)
        self.jy1.submit("offer", order, by=self.units[f"SU{su_id}"])

    def bid(self, bu_id: int, energy: int = 200_000, price: int = 560_000, **more: int) -> None:
        """A buyer's bid, a second after what was before; more: period, position."""
        self.jy1.ledger.now += timedelta(seconds=1)
        order = Bid(bu_id=bu_id, energy=energy, price=price, **{"period": 1, "position": 0, **more})
        self.jy1.submit("bid", order, by=self.units[f"BU{bu_id}"])

    def match(self, period: int = 1) -> Matching:
        """Step 3 on JY1."""
        matching: Matching = self.jy1.submit("match", period, by=self.operator).value(Matching)
        return matching

    def check(self, matching: Matching) -> Check:
        """Step 3 on DU1."""
        checked: Check = self.du1.submit(
            "check", matching.period, matching.matches, by=self.operator
        ).value(Check)
        return checked

    def execute(self, matching: Matching) -> None:
        """Steps 3 to 5: checked by DU1, executed on JY1, expected by DU1."""
        self.jy1.submit("execute", self.check(matching), by=self.operator)
        self.du1.submit("expect", matching.period, matching.matches, by=self.operator)

    def settle(self, period: int, *readings: tuple[int, int]) -> PeriodRecord:
        """Step 4 on JY1: (used, generated) of each match."""
        listed = [Reading(number, *each) for number, each in enumerate(readings)]
        outcome = self.jy1.submit("settle", period, listed, by=self.grid)
        record: PeriodRecord = outcome.value(PeriodRecord)
        return record

    def assess(self, record: PeriodRecord) -> list[CreditProof]:
        """Step 4 on DU1 and LH1."""
        recorded = self.du1.submit("record", record.period, record.trades, by=self.operator).value(
            PeriodRecord
        )
        self.lh1.submit("anchor", record.period, recorded.digest, by=self.operator)
        outcome = self.lh1.submit("assess", record.period, record.trades, by=self.units["BU3"])
        proofs: list[CreditProof] = outcome.value(list[CreditProof])
        return proofs

    def traded(self, *readings: tuple[int, int], period: int = 1) -> PeriodRecord:
        """A period with one match of 200 kWh between SU1 and BU3, settled."""
        self.schedule(period)
        self.offer(1, period=period)
        self.bid(3, period=period)
        self.execute(self.match(period))
        return self.settle(period, *readings)
