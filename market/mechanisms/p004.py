"""Mechanisms of paper 004, the active distribution network.

(Fabric counterpart: none.)
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from types import MappingProxyType

from gridloom.chaincode.energy.distribution.requests import Scheme

from ..distribution import request_trading
from ..mechanism import MechanismEntry

_TITLES = {
    Scheme.COST_AWARE: "cost-aware requests: the nearest seller first",
    Scheme.STORAGE_AWARE: "storage-aware requests: the nearest seller that has enough",
}

MECHANISMS: Mapping[str, MechanismEntry] = MappingProxyType(
    {
        scheme.value: MechanismEntry(
            title, "Zeng et al. 2023, section 3.1", "open", partial(request_trading.make, scheme)
        )
        for scheme, title in _TITLES.items()
    }
)
