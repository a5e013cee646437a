"""Trades periods on chaincode baas through the client SDK, in the names of its members.

The market is founded and the feeder published; the units' record is put on the ledger;
then in every period a buyer has the ledger decide, proposes, the chosen unit accepts, the
operator shows the operating point, and the meter settles what was delivered.
(Fabric counterpart: an application on the Gateway SDK.)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gridloom.chaincode.energy.baas.evidence_sources import Observation
from gridloom.chaincode.energy.baas.grid_records import Feeder, NodePower, Period
from gridloom.chaincode.energy.baas.trade_records import (
    Decision,
    Delivery,
    Stage,
    TradeContract,
)
from gridloom.chaincode.energy.baas.trading import with_trade
from gridloom.chaincode.energy.qualifications import (
    BuyerQualification,
    Market,
    SellerQualification,
    Unit,
    UnitId,
)
from gridloom.chaincode.energy.roles import Role, unit_name

from ..journal import Journal, Member
from ..power_flow.ledger_point import solve_for_ledger
from ..study import Consortium
from ..tips import Tips

AUTHENTICATION = "authentication"
BAAS = "baas"
_SEEN = 20
_CAPACITY = 500_000


@dataclass(frozen=True, slots=True)
class Wish:
    """A buyer's of a period: Wh, prices in micro-yuan per kWh; kept: the part of what was
    agreed that the seller will deliver."""

    bu_id: int
    energy: int
    price: int
    replacement_price: int
    kept: float


@dataclass(frozen=True, slots=True)
class PeriodPlan:
    """A period: its plan and who wants to buy."""

    period: int
    powers: list[NodePower]
    wish: Wish


@dataclass(frozen=True, slots=True)
class PeriodTrade:
    """What came of a wish; contract and delivery are None if it did not get so far."""

    plan: PeriodPlan
    decision: Decision
    contract: TradeContract | None = None
    delivery: Delivery | None = None


class BaasDay:
    """The market's members on a consortium."""

    def __init__(self, consortium: Consortium, feeder: Feeder) -> None:
        self._feeder = feeder
        self.consortium = consortium
        self._operator = consortium.member("operator", "desk", Role.OPERATOR.value)
        self._meter = consortium.member("utility", "meter", Role.GRID.value)
        self._units: dict[str, Member] = {
            place.unit: consortium.member(
                "prosumers", place.unit.lower(), place.role.value, _CAPACITY
            )
            for place in feeder.places
        }
        self._peers = [self._operator, self._meter, next(iter(self._units.values()))]

    async def trade(
        self,
        record: Sequence[Observation],
        plans: Sequence[PeriodPlan],
        progress: Callable[[int], None],
    ) -> list[PeriodTrade]:
        """Put the record on the ledger and trade the periods; the client's errors pass."""
        for chaincode in (AUTHENTICATION, BAAS):
            await self.consortium.deploy(chaincode)
        async with Tips([peer.network for peer in self._peers]) as tips:
            journal = Journal(tips)
            await self._found(journal)
            for first in range(0, len(record), _SEEN):
                seen = list(record[first : first + _SEEN])
                await journal.submit(self._meter, BAAS, "baas_grid:report", seen, result=type(None))
            trades = []
            for done, plan in enumerate(plans, start=1):
                trades.append(await self._period(journal, plan))
                progress(done)
            return trades

    async def _found(self, journal: Journal) -> None:
        units = next(iter(self._units.values()))
        await journal.submit(
            self._operator, AUTHENTICATION, "found", [units.msp_id], self._meter.msp_id,
            result=Market,
        )  # fmt: skip
        for place in self._feeder.places:
            member = self._units[place.unit]
            if place.role is Role.BU:
                buyer = BuyerQualification("resident", place.unit_id, "", "", "household")
                await journal.submit(member, AUTHENTICATION, "register_buyer", buyer, result=Unit)
            else:
                seller = SellerQualification("unit", "", place.unit_id, _CAPACITY, "")
                await journal.submit(member, AUTHENTICATION, "register_seller", seller, result=Unit)
        everybody = [UnitId(place.role, place.unit_id) for place in self._feeder.places]
        await journal.submit(
            self._operator, AUTHENTICATION, "approve", everybody, result=type(None)
        )
        await journal.submit(
            self._operator, BAAS, "baas_grid:publish", self._feeder, result=type(None)
        )

    async def _period(self, journal: Journal, plan: PeriodPlan) -> PeriodTrade:
        wish, number = plan.wish, plan.period
        point = solve_for_ledger(self._feeder, plan.powers)
        await journal.submit(
            self._operator, BAAS, "baas_grid:plan", number, plan.powers, point, result=Period
        )
        buyer = self._units[unit_name(Role.BU, wish.bu_id)]
        decision = await journal.submit(
            buyer, BAAS, "baas_evidence:decide", wish.bu_id, number, wish.energy, result=Decision
        )
        if decision.choice is None or decision.choice not in self._units:
            return PeriodTrade(plan, decision)
        proposed = await journal.submit(
            buyer, BAAS, "baas_contracts:propose", decision.decision_id, wish.price,
            wish.replacement_price, result=TradeContract,
        )  # fmt: skip
        seller = self._units[decision.choice]
        accepted = await journal.submit(
            seller, BAAS, "baas_contracts:accept", proposed.contract_id, result=TradeContract
        )
        point = solve_for_ledger(self._feeder, with_trade(self._feeder, plan.powers, accepted))
        judged = await journal.submit(
            self._operator, BAAS, "baas_contracts:secure", accepted.contract_id, point,
            result=TradeContract,
        )  # fmt: skip
        if judged.stage is Stage.REFUSED:
            return PeriodTrade(plan, decision, judged)
        delivery = await journal.submit(
            self._meter, BAAS, "baas_contracts:deliver", judged.contract_id,
            round(wish.kept * wish.energy), result=Delivery,
        )  # fmt: skip
        return PeriodTrade(plan, decision, judged, delivery)
