"""Case kinds of paper 000: ds, discount, penalty, powerflow, potential.

Masses and money are exact fractions; a sum of sources that contradict each other wholly
and a feeder without a power flow are answers of their own, with `error`.
(Fabric counterpart: none.)
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from types import MappingProxyType

from gridloom.chaincode.energy.baas.decision import Judgement, Thresholds, decide
from gridloom.chaincode.energy.baas.evidence import (
    BadEvidence,
    Combination,
    Evidence,
    Frame,
    TotalConflict,
    body,
    combine,
    discount,
)
from gridloom.chaincode.energy.baas.potential_units import route, trade_cost
from gridloom.chaincode.energy.baas.shortfall import BAND, penalty

from ..cases import Fields, Kind, Output
from ..power_flow.feeder import InfeasibleFlow
from ..power_flow.reference import checked_against
from ..power_flow.security import violations
from ..power_flow.solution import operating_point
from .p000_network import read_feeder, read_transport

_SEPARATOR = "|"
_INEXACT_SUM = Fraction(1, 10**9)


def _ds(fields: Fields) -> Output:
    frame = _frame(fields)
    names: dict[int, str] = {}
    sources = [
        _evidence(fields, f"sources[{i}]", source, frame, names)
        for i, source in enumerate(fields.as_list("sources", fields.required("sources")))
    ]
    guard = fields.exact("K_max") if fields.values.get("K_max") is not None else None
    thresholds = Thresholds(fields.exact("eps1"), fields.exact("eps2"), guard)
    try:
        combined = combine(frame, sources)
    except TotalConflict:
        return {"error": "total_conflict", "K": "1"}
    return _combined(combined, names) | _judged(decide(combined, thresholds))


def _combined(combined: Combination, names: Mapping[int, str]) -> dict[str, object]:
    evidence = combined.evidence
    frame = evidence.frame
    singletons = {name: 1 << i for i, name in enumerate(frame.hypotheses)}
    shown = sorted({*evidence.weights, *singletons.values(), frame.omega})
    masses = {_name(frame, subset, names): evidence.mass(subset) for subset in shown}
    return {
        "K": str(combined.conflict),
        "K_float": float(combined.conflict),
        "mass": {name: str(mass) for name, mass in masses.items()},
        "mass_float": {name: float(mass) for name, mass in masses.items()},
        "bel_pl": {
            name: [float(evidence.belief(subset)), float(evidence.plausibility(subset))]
            for name, subset in singletons.items()
        },
    }


def _judged(judgement: Judgement) -> dict[str, object]:
    return {
        "choice": judgement.choice,
        "failed": [failure.value for failure in judgement.failures],
        "M_x": float(judgement.best),
        "M_y": float(judgement.second),
        "M_omega": float(judgement.ignorance),
    }


def _discount(fields: Fields) -> Output:
    frame = _frame(fields)
    names: dict[int, str] = {}
    source = _evidence(fields, "source", fields.required("source"), frame, names)
    reliability = fields.exact("reliability", low=0)
    if reliability > 1:
        fields.fail("reliability", f"{reliability} is above 1")
    discounted = discount(source, reliability)
    shown = sorted({*names, frame.omega})
    return {_name(frame, subset, names): str(discounted.mass(subset)) for subset in shown}


def _frame(fields: Fields) -> Frame:
    listed = fields.as_list("frame", fields.required("frame"))
    hypotheses = []
    for i, name in enumerate(listed):
        if not isinstance(name, str) or not name or _SEPARATOR in name:
            fields.fail(f"frame[{i}]", f"{name!r} does not name a hypothesis")
        hypotheses.append(name)
    try:
        return Frame(tuple(hypotheses))
    except BadEvidence as fault:
        fields.fail("frame", fault.reason)


def _evidence(
    fields: Fields, path: str, value: object, frame: Frame, names: dict[int, str]
) -> Evidence:
    """A source; names: how the case spells each set, filled on the way."""
    masses: dict[int, Fraction] = {}
    for text, mass in fields.as_object(path, value).items():
        try:
            subset = frame.subset(text.split(_SEPARATOR))
        except BadEvidence as fault:
            fields.fail(f"{path}.{text}", fault.reason)
        names.setdefault(subset, text)
        read = fields.as_exact(f"{path}.{text}", mass, low=0)
        masses[subset] = masses.get(subset, Fraction(0)) + read
    total = sum(masses.values(), Fraction(0))
    if abs(total - 1) > _INEXACT_SUM:
        fields.fail(path, f"the masses add up to {float(total):g}, not 1")
    return body(frame, {subset: mass / total for subset, mass in masses.items()})


def _name(frame: Frame, subset: int, names: Mapping[int, str]) -> str:
    """As the case spells it, else its hypotheses in alphabetical order."""
    return names.get(subset) or _SEPARATOR.join(sorted(frame.members(subset)))


def _penalty(fields: Fields) -> Output:
    band = fields.exact("band", low=0) if fields.values.get("band") is not None else BAND
    owed = penalty(
        fields.exact("plan", low=0),
        fields.exact("actual", low=0),
        fields.exact("value_1"),
        fields.exact("value_2"),
        band,
    )
    return {"penalty": str(owed), "penalty_float": float(owed)}


def _powerflow(fields: Fields) -> Output:
    feeder = read_feeder(fields)
    try:
        point = operating_point(feeder)
    except InfeasibleFlow as fault:
        return {"error": "infeasible", "reason": fault.reason}
    found = violations(feeder, point)
    return {
        "f": point.state.frequency,
        "V": point.state.voltage.tolist(),
        "delta_rad": point.state.angle.tolist(),
        "PG": point.generation.real.tolist(),
        "QG": point.generation.imag.tolist(),
        "line_S_max": point.line_loading.tolist(),
        "line_P_from": point.sent.real.tolist(),
        "loss": point.loss,
        "clamped": list(point.clamped),
        "violations": found,
        "secure": not found,
        "checked_against": checked_against(feeder, point),
    }


def _potential(fields: Fields) -> Output:
    transport = read_transport(fields)
    power = fields.exact("dP", low=0)
    alpha = fields.exact("alpha")
    answers: dict[str, object] = {}
    for unit, gamma in transport.candidates.items():
        routing = route(transport.nodes, transport.lines, transport.source, unit, power)
        feasible = routing.transmission is not None
        cost = None
        if routing.transmission is not None:
            cost = float(trade_cost(power, routing.transmission, alpha, gamma))
        most = None if routing.capacity is None else float(routing.capacity)
        answers[str(unit)] = {"feasible": feasible, "cost": cost, "max_transfer": most}
    return answers


KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        "ds": _ds,
        "discount": _discount,
        "penalty": _penalty,
        "powerflow": _powerflow,
        "potential": _potential,
    }
)
