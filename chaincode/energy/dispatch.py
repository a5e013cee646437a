"""The dispatch system, called when an hour is settled (paper 003, stage 5).

It turns the settled hour into a set point for every unit and for the grid.  Nothing is
taken from the caller: energies come from matchmaking and settlement, and the set points
sum to zero because the accounts do.  Each unit acknowledges its own under its own name.
(Fabric counterpart: none.)
"""

from __future__ import annotations

from gridloom.chaincode import Context, Contract, transaction

from .compensations import Settlement
from .dispatch_records import Acknowledgement, DispatchPlan, Instruction
from .faults import Duplicate, NotFound
from .neighbours import AUTHENTICATION, COMPENSATION, MATCHMAKING, ask
from .qualifications import Unit
from .roles import Role, unit_name
from .rules.settlement import GRID
from .trades import HourMatch

_PLAN = "plan"
_ACKNOWLEDGED = "acknowledged"


class Dispatch(Contract):
    """Set points for settled hours."""

    name = "dispatch"

    @transaction
    def call(self, ctx: Context, delivery_time: int) -> DispatchPlan:
        """Plan a settled hour (operator only); once."""
        ask(ctx, AUTHENTICATION, "authorise", type(None), Role.OPERATOR.value)
        key = ctx.stub.create_composite_key(_PLAN, [str(delivery_time)])
        if ctx.stub.get_state(key):
            raise Duplicate(f"the dispatch of delivery hour {delivery_time}")
        hour = str(delivery_time)
        settlement = ask(ctx, COMPENSATION, "settlement", Settlement, hour)
        matched = ask(ctx, MATCHMAKING, "hour_match", HourMatch, hour)
        made = plan(matched, settlement)
        ctx.put(key, made)
        ctx.stub.set_event("HourDispatched", hour.encode())
        return made

    @transaction
    def acknowledge(
        self, ctx: Context, delivery_time: int, role: Role, unit_id: int
    ) -> Acknowledgement:
        """Say that one's unit has its instruction (the unit's owner)."""
        unit = ask(ctx, AUTHENTICATION, "qualify", Unit, role.value, str(unit_id))
        for instruction in _plan(ctx, delivery_time).instructions:
            if instruction.unit == unit.name:
                break
        else:
            raise NotFound(f"instruction of {unit.name} for delivery hour {delivery_time}")
        key = ctx.stub.create_composite_key(_ACKNOWLEDGED, [str(delivery_time), unit.name])
        said = Acknowledgement(delivery_time, unit.name, instruction.set_point)
        ctx.put(key, said)
        return said

    @transaction("evaluate")
    def plan(self, ctx: Context, delivery_time: int) -> DispatchPlan:
        """The plan of an hour."""
        return _plan(ctx, delivery_time)

    @transaction("evaluate")
    def silent(self, ctx: Context, delivery_time: int) -> list[str]:
        """The units that have not acknowledged their instruction."""
        span = [str(delivery_time)]
        stored = ctx.stub.get_state_by_partial_composite_key(_ACKNOWLEDGED, span)
        heard = {ctx.decode(key, value, Acknowledgement).unit for key, value in stored}
        instructions = _plan(ctx, delivery_time).instructions
        return [each.unit for each in instructions if each.unit not in heard]


def plan(matched: HourMatch, settlement: Settlement) -> DispatchPlan:
    """Set points of a settled hour; an hour's Wh are its mean W."""
    energy = {account.party: account.energy for account in settlement.accounts}
    sides = ((Role.SU, 1, matched.sellers), (Role.BU, -1, matched.buyers))
    instructions = []
    for role, sign, shares in sides:
        for share in shares:
            unit = unit_name(role, share.unit_id)
            inside = sign * min(share.traded, abs(energy[unit]))
            instructions.append(
                Instruction(unit, share.address, energy[unit], inside, energy[unit] - inside)
            )
    instructions.sort(key=lambda instruction: instruction.unit)
    return DispatchPlan(matched.delivery_time, energy[GRID], instructions)


def _plan(ctx: Context, delivery_time: int) -> DispatchPlan:
    key = ctx.stub.create_composite_key(_PLAN, [str(delivery_time)])
    found = ctx.get(key, DispatchPlan)
    if found is None:
        raise NotFound(f"dispatch of delivery hour {delivery_time} yet")
    return found
