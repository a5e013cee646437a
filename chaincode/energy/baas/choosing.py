"""Contract baas_evidence: a buyer has the ledger decide whom he trades with.

Nothing is taken from the caller but what he wants: the candidates are the approved selling
units on the feeder, those without a feasible path drop out, and the evidence is the
ledger's own record.  (Fabric counterpart: none.)
"""

from __future__ import annotations

from fractions import Fraction

from gridloom.chaincode import Context, Contract, transaction

from ..faults import BadTerms, NegativeEnergy, NotFound
from ..neighbours import AUTHENTICATION, ask
from ..qualifications import Unit
from ..roles import Role, unit_name
from .decision import Thresholds, decide
from .evidence import Evidence, Frame, combine
from .evidence_sources import GRID, bodies, records_of
from .grid_records import MICRO, Feeder, Period, UnitPlace
from .platform import read_feeder, read_observations, read_period
from .potential_units import Line, route, trade_cost
from .trade_records import Candidate, Decision, Mass

_DECISION = "decision"
OMEGA = "Omega"


class BaasEvidence(Contract):
    """Transaction decisions by Dempster-Shafer evidence."""

    name = "baas_evidence"

    @transaction
    def decide(self, ctx: Context, bu_id: int, period: int, energy: int) -> Decision:
        """Decide for a buying unit of the caller's, and put the decision on record."""
        ask(ctx, AUTHENTICATION, "qualify", Unit, Role.BU.value, str(bu_id))
        if energy <= 0:
            raise NegativeEnergy(f"the demand of {unit_name(Role.BU, bu_id)}", energy)
        feeder, planned = read_feeder(ctx), read_period(ctx, period)
        buyer = feeder.place(Role.BU, bu_id)
        if buyer is None:
            raise NotFound(f"place of {unit_name(Role.BU, bu_id)} on the feeder")
        candidates = _candidates(ctx, feeder, planned, buyer, energy)
        potential = [each for each in candidates if each.potential]
        frame = Frame((*(each.unit for each in potential), GRID))
        paths = {each.unit: [f"line:{line}" for line in each.lines] for each in potential}
        history = records_of(read_observations(ctx))
        combined = combine(frame, bodies(frame, history, paths))
        judgement = decide(combined, _thresholds(feeder))
        decision = Decision(
            decision_id=ctx.stub.get_tx_id(),
            period=period,
            bu_id=bu_id,
            energy=energy,
            candidates=candidates,
            masses=_masses(combined.evidence),
            conflict=int(combined.conflict * MICRO),
            choice=judgement.choice,
            failures=list(judgement.failures),
        )
        ctx.put(_key(ctx, decision.decision_id), decision)
        return decision

    @transaction("evaluate")
    def decision(self, ctx: Context, decision_id: str) -> Decision:
        """A decision on record."""
        return read_decision(ctx, decision_id)


def read_decision(ctx: Context, decision_id: str) -> Decision:
    """A decision; NotFound."""
    decision = ctx.get(_key(ctx, decision_id), Decision)
    if decision is None:
        raise NotFound(f"decision {decision_id}")
    return decision


def power_of(energy: int, feeder: Feeder) -> Fraction:
    """Mean power (W) of energy (Wh) over a period."""
    return Fraction(energy * 60, feeder.terms.period_minutes)


def _key(ctx: Context, decision_id: str) -> str:
    if not decision_id:
        raise BadTerms("decision_id", "is empty")
    return ctx.stub.create_composite_key(_DECISION, [decision_id])


def _candidates(
    ctx: Context, feeder: Feeder, planned: Period, buyer: UnitPlace, energy: int
) -> list[Candidate]:
    """The approved selling units on the feeder, by id."""
    units = ask(ctx, AUTHENTICATION, "units", list[Unit])
    base = feeder.base_power
    lines = [
        Line(
            line.start,
            line.end,
            Fraction(line.limit, base),
            Fraction(flow, base),
            Fraction(line.risk, MICRO),
        )
        for line, flow in zip(feeder.lines, planned.flows, strict=True)
    ]
    power = power_of(energy, feeder) / base
    found = []
    for unit in units:
        place = feeder.place(unit.role, unit.unit_id)
        if unit.role is not Role.SU or not unit.approved or place is None:
            continue
        routing = route(len(feeder.nodes), lines, place.node, buyer.node, power)
        cost = None
        if routing.transmission is not None:
            risks = Fraction(place.risk, MICRO), Fraction(buyer.risk, MICRO)
            cost = round(trade_cost(power, routing.transmission, *risks) * MICRO)
        capacity = None if routing.capacity is None else int(routing.capacity * base)
        found.append(Candidate(place.unit, place.node, cost, capacity, list(routing.lines)))
    return found


def _thresholds(feeder: Feeder) -> Thresholds:
    terms = feeder.terms
    return Thresholds(
        Fraction(terms.eps1, MICRO),
        Fraction(terms.eps2, MICRO),
        Fraction(terms.highest_conflict, MICRO),
    )


def _masses(evidence: Evidence) -> list[Mass]:
    frame = evidence.frame
    masses = [
        Mass(name, int(evidence.mass(1 << i) * MICRO)) for i, name in enumerate(frame.hypotheses)
    ]
    if len(frame.hypotheses) > 1:
        masses.append(Mass(OMEGA, int(evidence.mass(frame.omega) * MICRO)))
    return masses
