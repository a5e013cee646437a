"""Case kinds of paper 004: storage, request, cost_aware, storage_aware, continuous_front and
discrete_front.

Quantities are taken as the decimals they are written as, so nothing is lost or left over by
rounding.  (Fabric counterpart: none.)
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from functools import partial
from types import MappingProxyType

import numpy as np

from gridloom.chaincode.energy.distribution.requests import Scheme, leg_cost, serve
from gridloom.chaincode.energy.distribution.storage import charge, draw

from ..cases import Fields, Kind, Output, finite
from ..pareto.front import exact_front, hypervolume
from ..pareto.mopso import search
from ..pareto.offers import PRICE_CAP, Offers, exact
from ..pareto.selection import MOST_SUPPLIERS, discrete_front

_SEED = 4  # of the swarm that fills a continuous front's archive


def _storage(fields: Fields) -> float:
    requesting = fields.required("D")
    if requesting not in (0, 1):
        fields.fail("D", f"{requesting!r} is neither 0 (generates) nor 1 (requests)")
    stored, generated, limit = (exact(fields.number(n, low=0.0)) for n in ("E_s", "G_r", "E_l"))
    return float(charge(stored, generated, limit, requesting=bool(requesting)))


def _request(fields: Fields) -> list[float]:
    drawn = draw(exact(fields.number("E_s", low=0.0)), exact(fields.number("W", low=0.0)))
    return [float(drawn.inside), float(drawn.request)]


def _served(scheme: Scheme, fields: Fields) -> Output:
    stores = [exact(store) for store in fields.numbers("stores")]
    requester = fields.index("requester", len(stores))
    distances = _distances(fields, len(stores))[requester]
    wanted = exact(fields.number("W", low=0.0))
    basic, way = (exact(fields.number(name, low=0.0)) for name in ("c_b", "c_t"))
    served = serve(scheme, stores, distances, requester, wanted)
    legs = served.legs
    costs = [leg_cost(leg.energy, distances[leg.node], basic, way) for leg in legs]
    return {
        "inside": float(served.inside),
        "legs": [[leg.node, float(leg.energy)] for leg in legs],
        "waiting": float(served.waiting),
        "stores": [float(store) for store in served.stores],
        "cost": float(sum(costs)),
    }


def _distances(fields: Fields, nodes: int) -> list[list[Fraction]]:
    rows = fields.as_list("dist", fields.required("dist"))
    if len(rows) != nodes:
        fields.fail("dist", f"has {len(rows)} rows for {nodes} stores")
    matrix = []
    for i, row in enumerate(rows):
        cells = fields.as_list(f"dist[{i}]", row)
        if len(cells) != nodes:
            fields.fail(f"dist[{i}]", f"has {len(cells)} entries, not {nodes}")
        path = f"dist[{i}]"
        matrix.append(
            [exact(fields.as_number(f"{path}[{j}]", cell)) for j, cell in enumerate(cells)]
        )
    return matrix


def _continuous_front(fields: Fields) -> Output:
    """The exact front, and the archive that the swarm finds of it."""
    offers = _offers(fields)
    front = exact_front(offers)
    archive = search(offers, np.random.default_rng(_SEED))
    quantity, cost = archive.values.quantity.tolist(), archive.values.cost.tolist()
    return {
        "breakpoints_Q_cost": [list(p) for p in zip(front.quantity, front.cost, strict=True)],
        "Qmax": front.most,
        "hv_sup": front.hypervolume,
        "hv_ref": list(front.reference),
        "archive": [list(point) for point in zip(quantity, cost, strict=True)],
        "hypervolume": hypervolume(archive.values, front.reference),
    }


def _discrete_front(fields: Fields) -> list[list[object]]:
    offers = _offers(fields)
    if len(offers.price) > MOST_SUPPLIERS:
        fields.fail("price", f"{len(offers.price)} suppliers, more than {MOST_SUPPLIERS}")
    return [
        [choice.price, choice.quantity, list(choice.suppliers)] for choice in discrete_front(offers)
    ]


def _offers(fields: Fields) -> Offers:
    price = fields.numbers("price")
    if not price:
        fields.fail("price", "is empty: nobody offers")
    transmission = fields.numbers("transmission", length=len(price))
    capacity = fields.numbers("capacity", length=len(price))
    cap = PRICE_CAP
    if fields.values.get("avg_cap") is not None:
        cap = fields.number("avg_cap", low=0.0)
    return Offers(price, transmission, capacity, cap)


KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        "storage": finite(_storage),
        "request": finite(_request),
        "cost_aware": finite(partial(_served, Scheme.COST_AWARE)),
        "storage_aware": finite(partial(_served, Scheme.STORAGE_AWARE)),
        "continuous_front": finite(_continuous_front),
        "discrete_front": finite(_discrete_front),
    }
)
