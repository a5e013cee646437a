"""The active distribution network's chaincodes on a ledger in memory, with their people."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from gridloom.chaincode.energy.distribution.nodes import NetworkTerms, Request
from gridloom.chaincode.energy.distribution.purchases import (
    PurchaseTerms,
    SupplierOffer,
    UserDemand,
)
from gridloom.chaincode.energy.distribution.request_text import digest_of, request_text
from gridloom.chaincode.energy.distribution.requests import Scheme
from gridloom.chaincode.energy.energy_requests import EnergyRequests
from gridloom.chaincode.energy.power_purchase import PowerPurchase
from gridloom.chaincode.energy.roles import Role
from gridloom.chaincode.testing import Identity, MemoryLedger

from .energy_market import GRID_MSP, OPERATOR_MSP, UNITS_MSP, person
from .learning_market import new_ledger

NETWORK_TERMS = NetworkTerms(
    node_msps=[UNITS_MSP],
    meter_msp=GRID_MSP,
    scheme=Scheme.COST_AWARE,
    basic=400_000,
    transmission=20_000,
    largest_request=200_000,
    deposit=1_000,
)
PURCHASE_TERMS = PurchaseTerms([GRID_MSP, UNITS_MSP], [UNITS_MSP], cap=500_000, slack=1_000)

STORES = [73_000, 48_000, 61_000, 54_000]
DISTANCES = [[], [3_570], [1_021, 3_194], [5_876, 2_308, 5_464]]
"""The first public case of the paper, in Wh and metres."""


@dataclass
class RequestNetwork:
    """A founded network of four admitted nodes."""

    terms: NetworkTerms = NETWORK_TERMS
    ledger: MemoryLedger = field(default_factory=new_ledger)
    operator: Identity = field(default_factory=lambda: person(OPERATOR_MSP, "desk", "operator"))
    meter: Identity = field(default_factory=lambda: person(GRID_MSP, "meter", "grid"))

    def __post_init__(self) -> None:
        self.requests = self.ledger.deploy("energy_requests", EnergyRequests())
        self.requests.submit("found", self.terms, by=self.operator)
        self.nodes = [person(UNITS_MSP, f"node{i}", None) for i in range(len(STORES))]
        for number, identity in enumerate(self.nodes):
            self.join(number, by=identity)
        self.requests.submit("admit", STORES, by=self.operator)

    def join(self, number: int, by: Identity, **changes: Any) -> None:
        """Apply as a node; changes: limit, deposit, distances."""
        limit, deposit = changes.get("limit", 80_000), changes.get("deposit", 1_000)
        away = changes.get("distances", DISTANCES[number] if number < 4 else [1] * number)
        self.requests.submit("join", number, limit, deposit, away, by=by)

    def signed(self, number: int, energy: int, period: int = 1) -> Request:
        """A request as its node signs it."""
        text = request_text(
            channel=self.ledger.channel_id, node=number, period=period, energy=energy
        )
        key = self.nodes[number].private_key
        signature = key.sign(text, ec.ECDSA(hashes.SHA256()))
        return Request(period, number, energy, digest_of(text), signature)

    def ask(self, number: int, energy: int, period: int = 1, **changes: Any) -> None:
        """Publish a request; changes: by, and fields of the request."""
        by = changes.pop("by", self.nodes[number])
        made = replace(self.signed(number, energy, period), **changes)
        self.requests.submit("request", made, by=by)

    def decide(self, period: int = 1, by: Identity | None = None) -> Any:
        """Decide a period."""
        return self.requests.submit("decide", period, by=by or self.operator)


@dataclass
class PurchaseDesk:
    """A founded purchase desk with an open interval 9."""

    terms: PurchaseTerms = PURCHASE_TERMS
    ledger: MemoryLedger = field(default_factory=new_ledger)
    operator: Identity = field(default_factory=lambda: person(OPERATOR_MSP, "desk", "operator"))

    def __post_init__(self) -> None:
        self.desk = self.ledger.deploy("power_purchase", PowerPurchase())
        self.desk.submit("found", self.terms, by=self.operator)
        self.people: dict[str, Identity] = {}
        self.open(9)

    def open(self, interval: int, **changes: Any) -> None:
        """Open an interval; changes: closes_in, by."""
        closes = self.ledger.now + changes.get("closes_in", timedelta(hours=1))
        by = changes.get("by", self.operator)
        self.desk.submit("open", interval, int(closes.timestamp()), by=by)

    def member(self, name: str, role: Role) -> Identity:
        """Somebody who has joined under a name."""
        if name not in self.people:
            msp_id = GRID_MSP if role is Role.SU else UNITS_MSP
            self.people[name] = person(msp_id, name, role.value)
            self.desk.submit("join", name, role, by=self.people[name])
        return self.people[name]

    def offer(self, name: str, price: int, way: int, capacity: int, **changes: Any) -> None:
        """Offer in interval 9; way: the price of transmission; changes: by, interval."""
        by = changes.get("by") or self.member(name, Role.SU)
        made = SupplierOffer(changes.get("interval", 9), name, price, way, capacity)
        self.desk.submit("offer", made, by=by)

    def demand(self, name: str, energy: int, **changes: Any) -> None:
        """Demand in interval 9; changes: by."""
        by = changes.get("by") or self.member(name, Role.BU)
        self.desk.submit("demand", UserDemand(9, name, energy), by=by)

    def buy(self, energies: list[int], by: Identity | None = None) -> Any:
        """Hand in a purchase of interval 9."""
        return self.desk.submit("purchase", 9, energies, by=by or self.operator)
