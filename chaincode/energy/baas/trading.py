"""Contract baas_contracts: from a decision to a settled delivery, past the security check.

The buyer proposes to the unit that the ledger chose for him, the unit accepts.  The
operator then shows the operating point that the trade leads to; the ledger verifies it,
and a trade that would violate a limit is refused, with the violation on record.  What the
grid's meter says was delivered is paid at the contract's price, what is missing below
95 % costs the penalty.  (Fabric counterpart: none.)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

from gridloom.chaincode import Context, Contract, transaction

from ..faults import BadTerms, Duplicate, NegativeEnergy, NotFound, WrongStage
from ..neighbours import AUTHENTICATION, ask
from ..qualifications import Unit
from ..roles import Role, unit_name
from ..rules.amounts import WH_PER_KWH, value_of
from ..rules.settlement import Account, Transfer, settle
from .choosing import power_of, read_decision
from .grid_records import Feeder, NodePower, OperatingPoint
from .operating_point import verify
from .platform import read_feeder, read_period, write_period
from .shortfall import penalty
from .trade_records import Delivery, Stage, TradeContract

_CONTRACT = "contract"
_DELIVERY = "delivery"
_OF_DECISION = "contract of decision"


class BaasContracts(Contract):
    """Contracts between intelligent units."""

    name = "baas_contracts"

    @transaction
    def propose(
        self, ctx: Context, decision_id: str, price: int, replacement_price: int
    ) -> TradeContract:
        """Offer a contract to the unit that a decision of the caller's chose, once."""
        decision = read_decision(ctx, decision_id)
        ask(ctx, AUTHENTICATION, "qualify", Unit, Role.BU.value, str(decision.bu_id))
        if not 0 <= price <= replacement_price:
            reason = f"0 <= value_2 <= value_1 does not hold for {price} and {replacement_price}"
            raise BadTerms("price", reason)
        if decision.choice is None or not decision.choice.startswith(Role.SU.value):
            reason = "it chose the grid" if decision.choice else "it accepts no unit"
            raise WrongStage(decision.period, f"the decision gives nothing to propose: {reason}")
        mark = ctx.stub.create_composite_key(_OF_DECISION, [decision_id])
        if ctx.stub.get_state(mark):
            raise Duplicate(f"a contract of decision {decision_id}")
        contract = TradeContract(
            contract_id=ctx.stub.get_tx_id(),
            decision_id=decision_id,
            period=decision.period,
            bu_id=decision.bu_id,
            su_id=int(decision.choice.removeprefix(Role.SU.value)),
            energy=decision.energy,
            price=price,
            replacement_price=replacement_price,
            stage=Stage.PROPOSED,
        )
        ctx.put(mark, contract.contract_id)
        _write(ctx, contract)
        return contract

    @transaction
    def accept(self, ctx: Context, contract_id: str) -> TradeContract:
        """Accept a proposal (the owner of the selling unit only)."""
        contract = _at(ctx, contract_id, Stage.PROPOSED)
        ask(ctx, AUTHENTICATION, "qualify", Unit, Role.SU.value, str(contract.su_id))
        accepted = replace(contract, stage=Stage.ACCEPTED)
        _write(ctx, accepted)
        return accepted

    @transaction
    def secure(self, ctx: Context, contract_id: str, point: OperatingPoint) -> TradeContract:
        """Check what the trade makes of the grid, and admit or refuse it (operator only).

        point: the operating point with this trade and all secured before it in the period.
        """
        ask(ctx, AUTHENTICATION, "authorise", type(None), Role.OPERATOR.value)
        contract = _at(ctx, contract_id, Stage.ACCEPTED)
        feeder, period = read_feeder(ctx), read_period(ctx, contract.period)
        powers = with_trade(feeder, period.powers, contract)
        verdict = verify(feeder, powers, point)
        if verdict.violations:
            judged = replace(contract, stage=Stage.REFUSED, violations=verdict.violations)
            ctx.stub.set_event("TradeRefused", ", ".join(verdict.violations).encode())
        else:
            judged = replace(contract, stage=Stage.SECURED)
            write_period(
                ctx, replace(period, powers=powers, point=point, flows=verdict.flows, violations=[])
            )
            ctx.stub.set_event("TradeSecured", contract_id.encode())
        _write(ctx, judged)
        return judged

    @transaction
    def deliver(self, ctx: Context, contract_id: str, actual: int) -> Delivery:
        """Settle a secured contract by the meter, Wh (grid only)."""
        ask(ctx, AUTHENTICATION, "authorise", type(None), Role.GRID.value)
        contract = _at(ctx, contract_id, Stage.SECURED)
        if actual < 0:
            raise NegativeEnergy(f"delivery of {unit_name(Role.SU, contract.su_id)}", actual)
        delivery = settle_delivery(contract, actual)
        ctx.put(ctx.stub.create_composite_key(_DELIVERY, [contract_id]), delivery)
        _write(ctx, replace(contract, stage=Stage.SETTLED))
        return delivery

    @transaction("evaluate")
    def contract(self, ctx: Context, contract_id: str) -> TradeContract:
        """A contract as it stands."""
        return _read(ctx, contract_id)

    @transaction("evaluate")
    def accounts(self, ctx: Context, contract_id: str) -> list[str]:
        """What a settled contract did to its parties, as lines of text."""
        delivery = ctx.get(ctx.stub.create_composite_key(_DELIVERY, [contract_id]), Delivery)
        if delivery is None:
            raise NotFound(f"delivery of contract {contract_id}")
        return [
            f"{account.party} {account.energy} Wh {account.money} micro-yuan"
            for account in accounts_of(_read(ctx, contract_id), delivery)
        ]


def settle_delivery(contract: TradeContract, actual: int) -> Delivery:
    """Payment at value_2 for up to the agreed energy, and the penalty, each rounded once."""
    delivered = min(actual, contract.energy)
    owed = penalty(
        Fraction(contract.energy),
        Fraction(actual),
        Fraction(contract.replacement_price, WH_PER_KWH),
        Fraction(contract.price, WH_PER_KWH),
    )
    fine = (2 * owed.numerator + owed.denominator) // (2 * owed.denominator)
    return Delivery(contract.contract_id, delivered, value_of(delivered, contract.price), fine)


def accounts_of(contract: TradeContract, delivery: Delivery) -> tuple[Account, ...]:
    """Buyer's and seller's accounts; they sum to zero."""
    seller, buyer = unit_name(Role.SU, contract.su_id), unit_name(Role.BU, contract.bu_id)
    paid = delivery.payment - delivery.penalty
    transfer = Transfer(seller, buyer, delivery.delivered, paid)
    return settle([transfer], {seller: delivery.delivered, buyer: -delivery.delivered})


def with_trade(
    feeder: Feeder, powers: Sequence[NodePower], contract: TradeContract
) -> list[NodePower]:
    """The plan with the seller generating and the buyer using the traded power more."""
    power = round(power_of(contract.energy, feeder))
    changed = list(powers)
    seller = feeder.place(Role.SU, contract.su_id)
    buyer = feeder.place(Role.BU, contract.bu_id)
    assert seller is not None
    assert buyer is not None
    source = changed[seller.node]
    changed[seller.node] = replace(source, active=source.active + power)
    sink = changed[buyer.node]
    changed[buyer.node] = replace(sink, load_active=sink.load_active + power)
    return changed


def _key(ctx: Context, contract_id: str) -> str:
    if not contract_id:
        raise BadTerms("contract_id", "is empty")
    return ctx.stub.create_composite_key(_CONTRACT, [contract_id])


def _read(ctx: Context, contract_id: str) -> TradeContract:
    contract = ctx.get(_key(ctx, contract_id), TradeContract)
    if contract is None:
        raise NotFound(f"contract {contract_id}")
    return contract


def _write(ctx: Context, contract: TradeContract) -> None:
    ctx.put(_key(ctx, contract.contract_id), contract)


def _at(ctx: Context, contract_id: str, stage: Stage) -> TradeContract:
    contract = _read(ctx, contract_id)
    if contract.stage is not stage:
        reason = f"the contract is {contract.stage.value}, not {stage.value}"
        raise WrongStage(contract.period, reason)
    return contract
