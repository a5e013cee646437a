"""Who takes part in the learning market, in which flows, within which bounds.

Paper 002, II.A and II.D: G, the microgrid companies, bid 0.5-0.7 yuan per kWh; C, the energy
bureaus, and U, the users, 0.4-0.6.  Users only buy.  (Fabric counterpart: none.)
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What a party is; also the role that its certificate must carry."""

    COMPANY = "company"
    BUREAU = "bureau"
    USER = "user"


class Side(StrEnum):
    """Which end of a flow a quote speaks for."""

    SELL = "sell"
    BUY = "buy"


class Flow(StrEnum):
    """Energy from the first letter to the second."""

    GU = "gu"
    GC = "gc"
    CU = "cu"
    CG = "cg"

    @property
    def seller(self) -> Kind:
        """The kind of party that sells in this flow."""
        return _LETTERS[self.value[0]]

    @property
    def buyer(self) -> Kind:
        """The kind of party that buys in this flow."""
        return _LETTERS[self.value[1]]

    @property
    def subsidised(self) -> bool:
        """Whether the bureau pays its buyers s P^2 per kWh (eqs. 3, 6 and 8)."""
        return self.seller is Kind.BUREAU


_LETTERS = {"g": Kind.COMPANY, "c": Kind.BUREAU, "u": Kind.USER}


@dataclass(frozen=True, slots=True)
class Bounds:
    """Lowest and highest price, micro-yuan per kWh, 0 <= low <= high."""

    low: int
    high: int

    def admits(self, price: int) -> bool:
        """Whether low <= price <= high."""
        return self.low <= price <= self.high


@dataclass(frozen=True, slots=True)
class Society:
    """The organisation behind each kind of party, and where its prices may lie."""

    msp_id: str
    bounds: Bounds


@dataclass(frozen=True, slots=True)
class Game:
    """The elastic game that target prices must solve; see game.py.

    elasticity: b in micro-kWh per yuan; cost: c_C, micro-yuan per kWh; regret: what both
    sides together may still gain by answering, micro-yuan per hour.
    """

    elasticity: int
    cost: int
    regret: int


@dataclass(frozen=True, slots=True)
class Terms:
    """How the market is founded.

    subsidy: s in micro-kWh per yuan; price_scale, energy_scale: the units in which distances
    between quotes are measured (micro-yuan per kWh, Wh); game: None if target prices need not
    be an equilibrium.
    """

    company: Society
    bureau: Society
    user: Society
    subsidy: int
    price_scale: int
    energy_scale: int
    game: Game | None = None

    def society(self, kind: Kind) -> Society:
        """The organisation and bounds of a kind of party."""
        return {Kind.COMPANY: self.company, Kind.BUREAU: self.bureau, Kind.USER: self.user}[kind]


@dataclass(frozen=True, slots=True)
class Founded:
    """The market on the ledger; operator_msp: the founder's organisation."""

    operator_msp: str
    terms: Terms


@dataclass(frozen=True, slots=True)
class Party:
    """A participant; admitted: audited by the operator."""

    name: str
    kind: Kind
    owner_msp: str
    owner_id: str
    admitted: bool
