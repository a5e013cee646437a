"""Case kinds of paper 003, the microgrid: period, bayes, compensate.

(Fabric counterpart: none.)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields as fields_of
from types import MappingProxyType

from ..cases import Fields, Kind, Output
from ..microgrid.bayes import OBJECTIVES, PROFILE_LIMIT, SellerType, bayes_price, profiles
from ..microgrid.metering import Metered, compensate
from ..microgrid.period import Outcome, Period, solve_period
from ..microgrid.pricing import DEFAULT_MODE, MECHANISMS


def _period(fields: Fields) -> Output:
    mode = fields.choice("mode", MECHANISMS, DEFAULT_MODE)
    pv = fields.numbers("pv")
    load = fields.numbers("load", length=len(pv))
    band = None
    if fields.values.get("band") is not None:
        band = fields.number("band", low=0.0, high=1.0)
    lam = None
    if fields.values.get("lam") is not None:
        lam = fields.numbers("lam", length=len(pv))
    return _plain(solve_period(Period(pv, load, fields.tariff(), band, lam), mode))


def _bayes(fields: Fields) -> Output:
    objective = fields.choice("objective", OBJECTIVES, "nash_bargain")
    generation = fields.numbers("g")
    types = [
        _seller_types(fields, f"types[{i}]", own)
        for i, own in enumerate(fields.as_list("types", fields.required("types")))
    ]
    if not types or len(types) != len(generation):
        fields.fail("types", f"has {len(types)} sellers for {len(generation)} entries of g")
    if profiles(types) > PROFILE_LIMIT:
        fields.fail("types", f"{profiles(types)} joint profiles, more than {PROFILE_LIMIT}")
    if fields.values.get("e0") is not None:
        fields.numbers("e0", length=len(generation))
    demand = fields.number("demand", low=0.0)
    if demand == 0:
        fields.fail("demand", "is zero: there is nobody to trade with")
    return {"price": bayes_price(types, generation, demand, fields.tariff(), objective)}


def _seller_types(fields: Fields, path: str, value: object) -> list[SellerType]:
    own: list[SellerType] = []
    for k, pair in enumerate(fields.as_list(path, value)):
        item = fields.as_list(f"{path}[{k}]", pair)
        if len(item) != 2:
            fields.fail(f"{path}[{k}]", "is not a pair of probability and lam")
        probability = fields.as_number(f"{path}[{k}][0]", item[0], high=1.0)
        own.append(SellerType(probability, fields.as_number(f"{path}[{k}][1]", item[1])))
    total = sum(entry.probability for entry in own)
    if abs(total - 1.0) > 0.01:  # priors are printed with few digits
        fields.fail(path, f"probabilities add up to {total:g}, not 1")
    return own


def _compensate(fields: Fields) -> Output:
    agreed = fields.numbers("agreed")
    actual = fields.numbers("actual", length=len(agreed))
    tariff = fields.tariff()
    price = fields.number("price", low=tariff.sell, high=tariff.buy)
    return _plain(compensate(agreed, actual, price, tariff))


def _plain(answer: Outcome | Metered) -> Output:
    """A dataclass of tuples as JSON has it."""
    values = ((field.name, getattr(answer, field.name)) for field in fields_of(answer))
    return {name: list(v) if isinstance(v, tuple) else v for name, v in values}


KINDS: Mapping[str, Kind] = MappingProxyType(
    {"period": _period, "bayes": _bayes, "compensate": _compensate}
)
