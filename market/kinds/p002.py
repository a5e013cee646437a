"""Case kinds of paper 002: objectives, weighted, nash_fixed, elastic_nash, nearest, rho.

(Fabric counterpart: none.)
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType

from gridloom.chaincode.energy.learning.flows import Flows, dispatch

from ..ants import evaporation
from ..cases import Fields, Kind, Output, finite
from ..learning.elastic import ElasticGame, NoEquilibrium
from ..learning.nearest import Quotes
from ..learning.objectives import SUBSIDY, Prices, objectives
from ..learning.vertex import Box, Weights, asked_prices, weighted_optimum

_FLOWS = ("GU", "GC", "CU", "CG")


def _objectives(fields: Fields) -> Output:
    bureau = None
    if fields.values.get("gen_c") is not None:
        bureau = fields.number("gen_c", low=0.0)
    flows = dispatch(
        fields.number("gen_g", low=0.0),
        fields.number("load_g", low=0.0),
        fields.number("demand_u", low=0.0),
        bureau,
    )
    quoted = fields.part("prices")
    prices = Prices(*(quoted.number(name, low=0.0) for name in _FLOWS))
    worth = objectives(flows, prices, _subsidy(fields))
    return {
        "Q": dict(zip((*_FLOWS, "unserved"), flows, strict=True)),
        "H_G": worth.company,
        "H_C": worth.bureau,
        "R_U": worth.users,
        "zero_sum": worth.balance,
    }


def _weighted(fields: Fields) -> Output:
    weights = Weights(*(fields.number(name, low=0.0) for name in ("w_G", "w_C", "w_U")))
    best = weighted_optimum(_flows(fields), weights, _box(fields), _subsidy(fields))
    return {"prices": dict(zip(_FLOWS, best.prices, strict=True)), "value": best.value}


def _nash_fixed(fields: Fields) -> Output:
    return dict(zip(_FLOWS, asked_prices(_flows(fields), _box(fields)), strict=True))


def _elastic_nash(fields: Fields) -> Output:
    game = ElasticGame(
        elasticity=fields.number("b", low=0.0),
        demand=fields.number("D", low=0.0),
        supply=fields.number("SG", low=0.0),
        feed_in=fields.number("P_GC"),
        cost=fields.number("cC"),
        subsidy=_subsidy(fields, "s"),
        company_box=fields.interval("box_GU"),
        bureau_box=fields.interval("box_CU"),
    )
    names = ("P_GU", "P_CU", "share_G", "profit_G", "profit_C", "iterations")
    try:
        return dict(zip(names, game.equilibrium(), strict=True))
    except NoEquilibrium as error:
        return {**dict.fromkeys(names), "reason": str(error), "period": error.period}


def _nearest(fields: Fields) -> Output:
    target = _features(fields, "target", None)
    quotes: dict[str, tuple[float, ...]] = {}
    for i, item in enumerate(fields.as_list("quotes", fields.required("quotes"))):
        quote = fields.as_part(f"quotes[{i}]", item)
        name = quote.text("id")
        if name in quotes:
            quote.fail("id", f"{name!r} is used twice")
        quotes[name] = _features(quote, "x", len(target))
    if not quotes:
        fields.fail("quotes", "is empty: there is nothing to choose from")
    scales = (1.0,) * len(target)
    if fields.values.get("scale") is not None:
        scales = fields.numbers("scale", length=len(target))
        for i, scale in enumerate(scales):
            if scale == 0:
                fields.fail(f"scale[{i}]", "is zero")
    found = Quotes(quotes, scales).nearest(target)
    assert found is not None
    return {"id": found.id, "dist": found.distance}


def _rho(fields: Fields) -> list[float]:
    improved: list[bool] = []
    for i, did in enumerate(fields.as_list("improved", fields.required("improved"))):
        if not isinstance(did, bool):
            fields.fail(f"improved[{i}]", "is not true or false")
        improved.append(did)
    smallest, initial = evaporation.SMALLEST, evaporation.INITIAL
    if fields.values.get("rho_min") is not None:
        smallest = fields.number("rho_min", low=0.0, high=1.0)
    if fields.values.get("rho0") is not None:
        initial = fields.number("rho0", low=0.0, high=1.0)
    return evaporation.factors(improved, smallest, initial)


def _features(fields: Fields, name: str, length: int | None) -> tuple[float, ...]:
    """A list of finite numbers of any sign."""
    items = fields.as_list(name, fields.required(name))
    if length is not None and len(items) != length:
        fields.fail(name, f"has {len(items)} entries, not {length}")
    if not items:
        fields.fail(name, "is empty")
    return tuple(
        fields.as_number(f"{name}[{i}]", item, low=-math.inf) for i, item in enumerate(items)
    )


def _flows(fields: Fields) -> Flows[float]:
    sold = fields.part("Q")
    gu, gc, cu, cg = (sold.number(name, low=0.0) for name in _FLOWS)
    return Flows(gu, gc, cu, cg, 0.0)


def _box(fields: Fields) -> Box:
    spaces = fields.part("box")
    return Box(*(spaces.interval(name) for name in _FLOWS))


def _subsidy(fields: Fields, name: str = "subsidy") -> float:
    if fields.values.get(name) is None:
        return SUBSIDY
    return fields.number(name, low=0.0)


KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        "objectives": finite(_objectives),
        "weighted": finite(_weighted),
        "nash_fixed": finite(_nash_fixed),
        "elastic_nash": finite(_elastic_nash),
        "nearest": finite(_nearest),
        "rho": finite(_rho),
    }
)
