"""How a network under proof of credit assessment is described, and what its channels say.

    consensus: poca
    poca:
      difficulty: 10          # bits at the reference credit: 2^10 tries for a block
      temperature: "10"       # points of credit that change the chance by a factor e
      credits:                # 100 unless said otherwise; a config update changes them
        orderer1.example.com: "97.5"

(Fabric counterpart: configtx.yaml's Orderer.EtcdRaft.)
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Protocol

from gridloom.common.poca import CreditedConsenter, PocaConfig, write_config
from gridloom.common.proof_of_credit import REFERENCE, TEMPERATURE, Difficulty

from .document import DocumentError, Section, nearest

_POINTS = re.compile(r"[0-9]{1,6}(\.[0-9]{1,6})?")


@dataclass(frozen=True, slots=True)
class PocaOptions:
    """difficulty: bits; temperature, credits: points, credits by the orderers' full names."""

    difficulty: int = 10
    temperature: Decimal = TEMPERATURE
    credits: Mapping[str, Decimal] = field(default_factory=dict)


class Place(Protocol):
    """An orderer of the network description."""

    @property
    def name(self) -> str: ...

    @property
    def endpoint(self) -> str: ...


def read_poca(section: Section, orderers: Sequence[str]) -> PocaOptions:
    """Read the section; orderers: full names; DocumentError names the path of a fault."""
    difficulty = section.integer("difficulty", 10, 0, 24)
    temperature = _points(section, "temperature", str(TEMPERATURE))
    if not temperature:
        raise DocumentError(section.at("temperature"), "must be above zero")
    stated = section.section("credits")
    credits_ = {}
    for name in tuple(stated.keys()):
        if name not in orderers:
            hint = nearest(name, orderers)
            raise DocumentError(stated.at(name), f"no orderer is called {name!r}{hint}")
        credits_[name] = _points(stated, name, str(REFERENCE))
        if credits_[name] > REFERENCE:
            raise DocumentError(stated.at(name), f"{credits_[name]} is above {REFERENCE}")
    stated.close()
    section.close()
    return PocaOptions(difficulty, temperature, credits_)


def poca_metadata(
    options: PocaOptions, nodes: Sequence[Place], identity: Callable[[str], bytes]
) -> bytes:
    """A channel's consensus metadata; identity: the serialized one of a node by name."""
    consenters = [
        CreditedConsenter(
            identity(node.name), options.credits.get(node.name, REFERENCE), node.endpoint
        )
        for node in nodes
    ]
    difficulty = Difficulty(options.difficulty, REFERENCE, options.temperature)
    return write_config(PocaConfig(tuple(consenters), difficulty))


def _points(section: Section, key: str, default: str) -> Decimal:
    value = section.raw(key)
    if value is None:
        return Decimal(default)
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if not isinstance(text, str) or _POINTS.fullmatch(text) is None:
        raise DocumentError(section.at(key), f'{value!r} is no points such as "97.5", as text')
    return Decimal(text)
