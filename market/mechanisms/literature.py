"""The comparators every researcher expects; their rules are the ledger's own.

(Fabric counterpart: none.)
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from gridloom.chaincode.energy.rules.auctions import RULES

from ..community import Community
from ..mechanism import Mechanism, MechanismEntry, Parameters

_FACTS = {
    "pay_as_clear": ("uniform-price double auction", "Wilson 1985, k = 1/2", "random"),
    "pay_as_bid": ("pay as bid, the spread is the operator's", "discriminatory auction", "random"),
    "continuous": ("continuous double auction", "Friedman and Rust 1993", "random"),
    "mid_market": ("mid-market rate", "Long et al. 2017", "open"),
    "supply_demand": ("supply-demand ratio", "Liu et al. 2017", "open"),
    "bill_sharing": ("bill sharing", "Long et al. 2017", "open"),
    "grid_only": ("no market, the grid alone", "the comparison", "open"),
}


def _entry(name: str) -> MechanismEntry:
    title, source, bidding = _FACTS[name]
    rule = RULES[name]

    def make(parameters: Parameters, community: Community) -> Mechanism:
        return rule

    return MechanismEntry(title, source, bidding, make, on_ledger=True)


MECHANISMS: Mapping[str, MechanismEntry] = MappingProxyType({name: _entry(name) for name in RULES})
