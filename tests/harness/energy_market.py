"""The energy market's chaincodes on a ledger in memory, with its people."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from gridloom.chaincode.energy.authentication import Authentication
from gridloom.chaincode.energy.compensation import Compensation
from gridloom.chaincode.energy.dispatch import Dispatch
from gridloom.chaincode.energy.energy_units import EnergyUnits
from gridloom.chaincode.energy.matchmaking import Matchmaking
from gridloom.chaincode.energy.order_text import Action, address_of, order_text
from gridloom.chaincode.energy.orders import Demand, HourTerms, Supply
from gridloom.chaincode.energy.qualifications import (
    BuyerQualification,
    SellerQualification,
    UnitId,
)
from gridloom.chaincode.energy.roles import CAPACITY_ATTRIBUTE, ROLE_ATTRIBUTE, Role, unit_name
from gridloom.chaincode.testing import Identity, MemoryLedger
from gridloom.market.journal import Member
from gridloom.market.microgrid.day import Members
from gridloom.market.microgrid.energy_day import EnergyDay
from gridloom.protos.peer.events_pb2 import FilteredBlock

START = datetime(2026, 7, 1, 6, 0, tzinfo=UTC)
P_S, P_B, P_A = 770_000, 850_000, 810_000
UNITS_MSP, OPERATOR_MSP, GRID_MSP = "ProsumersMSP", "OperatorMSP", "GridMSP"


def person(msp_id: str, name: str, role: str | None, capacity: str | None = "1000000") -> Identity:
    """A client whose certificate carries the role, or none at all, and so many watts."""
    carried = {ROLE_ATTRIBUTE: role, CAPACITY_ATTRIBUTE: capacity if role else None}
    attributes = {name: value for name, value in carried.items() if value is not None}
    return Identity.create(msp_id, name, attributes=attributes or None)


def address(unit: Identity) -> str:
    """The account address of a client's key."""
    key = unit.private_key.public_key()
    return address_of(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))


@dataclass
class EnergyMarket:
    """A founded market; units are admitted with admit_buyer and admit_seller."""

    ledger: MemoryLedger = field(
        default_factory=lambda: MemoryLedger(now=START, check_determinism=True)
    )
    operator: Identity = field(default_factory=lambda: person(OPERATOR_MSP, "op", "operator"))
    grid: Identity = field(default_factory=lambda: person(GRID_MSP, "grid", "grid"))

    def __post_init__(self) -> None:
        self.authentication = self.ledger.deploy("authentication", Authentication())
        self.energy_units = self.ledger.deploy("energy_units", EnergyUnits())
        self.matchmaking = self.ledger.deploy("matchmaking", Matchmaking())
        self.compensation = self.ledger.deploy("compensation", Compensation())
        self.dispatch = self.ledger.deploy("dispatch", Dispatch())
        self.authentication.submit("found", [UNITS_MSP], GRID_MSP, by=self.operator)

    def register(self, role: Role, unit_id: int, by: Identity) -> None:
        """Apply as a buying or selling unit."""
        if role is Role.BU:
            buyer = BuyerQualification("resident", unit_id, "name", "clean", "household")
            self.authentication.submit("register_buyer", buyer, by=by)
        else:
            seller = SellerQualification("solar", "name", unit_id, 20_000, "clean")
            self.authentication.submit("register_seller", seller, by=by)

    def admit(self, role: Role, unit_id: int, *, roles: str = "") -> Identity:
        """A new client, registered and approved as this unit."""
        unit = person(UNITS_MSP, f"{role.value}{unit_id}", roles or role.value)
        self.register(role, unit_id, unit)
        self.authentication.submit("approve", [UnitId(role, unit_id)], by=self.operator)
        return unit

    def open(self, hour: int = 7, *, closes_in: timedelta = timedelta(hours=1)) -> None:
        """Open an hour at the paper's grid prices."""
        closes = int((self.ledger.now + closes_in).timestamp())
        terms = HourTerms(hour, closes, P_S, P_B)
        self.energy_units.submit("open_hours", [terms], by=self.operator)

    def order(
        self, by: Identity, role: Role, unit_id: int, energy: int, **changes: Any
    ) -> Demand | Supply:
        """A signed order; changes: action, hour, price, revision, signer, address, signature."""
        hour = changes.get("hour", 7)
        price = changes.get("price", P_B if role is Role.BU else P_S)
        account = changes.get("address", address(by))
        revision = changes.get("revision", 0)
        text = order_text(
            channel=self.ledger.channel_id,
            action=changes.get("action", Action.PUBLISH),
            unit=unit_name(role, unit_id),
            address=account,
            delivery_time=hour,
            energy=energy,
            price=price,
            revision=revision,
        )
        key = changes.get("signer", by).private_key
        signature = changes.get("signature", key.sign(text, ec.ECDSA(hashes.SHA256())))
        kind = Demand if role is Role.BU else Supply
        return kind(account, unit_id, energy, signature, hour, price, revision)

    def send(self, by: Identity, role: Role, unit_id: int, energy: int, **changes: Any) -> None:
        """Submit an order as by; see order for the changes."""
        action = changes.get("action", Action.PUBLISH)
        side = "demand" if role is Role.BU else "supply"
        order = self.order(by, role, unit_id, energy, **changes)
        self.energy_units.submit(f"{action.value}_{side}", order, by=by)


@dataclass(frozen=True)
class _Status:
    block_number: int
    successful: bool = True
    name: str = "VALID"


@dataclass
class _Submitted:
    result: bytes
    transaction_id: str
    status: _Status

    async def get_status(self) -> _Status:
        return self.status


@dataclass(frozen=True)
class _Contract:
    network: MemoryNetwork
    chaincode: str

    async def submit_async(self, name: str, arguments: Sequence[str | bytes] = ()) -> _Submitted:
        ledger, by = self.network.ledger, self.network.by
        outcome = ledger.transact(self.chaincode, [name, *arguments], by=by)
        self.network.blocks.append(outcome.tx_id)
        status = _Status(len(self.network.blocks), name not in self.network.invalid)
        return _Submitted(outcome.payload, outcome.tx_id, status)


@dataclass(frozen=True)
class MemoryNetwork:
    """The client SDK's network on a ledger in memory, one block for each transaction.

    invalid: functions whose transactions are committed as invalid.
    """

    ledger: MemoryLedger
    by: Identity
    blocks: list[str]
    invalid: frozenset[str] = frozenset()

    def get_contract(self, chaincode_name: str) -> _Contract:
        """A chaincode of the ledger, called as by."""
        return _Contract(self, chaincode_name)

    async def filtered_block_events(
        self, *, start_block: int | None = None
    ) -> AsyncIterator[FilteredBlock]:
        """One block from the far future: a ledger in memory is never behind."""
        yield FilteredBlock(number=2**40)
        await asyncio.Event().wait()


@dataclass(frozen=True)
class MemorySigner:
    """Signs with a key."""

    key: ec.EllipticCurvePrivateKey

    def sign(self, message: bytes) -> bytes:
        return self.key.sign(message, ec.ECDSA(hashes.SHA256()))


def members_of(scenario: EnergyDay, invalid: frozenset[str] = frozenset()) -> Members:
    """A network of the microgrid's chaincodes with everybody the scenario needs."""
    ledger = MemoryLedger("energychannel", now=START)
    chaincodes = (Authentication, EnergyUnits, Matchmaking, Compensation, Dispatch)
    for chaincode in chaincodes:
        ledger.deploy(chaincode.name, chaincode())
    blocks: list[str] = []

    def member(msp_id: str, name: str, role: str) -> Member:
        identity = person(msp_id, name, role)
        network = MemoryNetwork(ledger, identity, blocks, invalid)
        return Member(name, msp_id, network, MemorySigner(identity.private_key))

    return Members(
        channel="energychannel",
        operator=member(OPERATOR_MSP, "operator", "operator"),
        grid=member(GRID_MSP, "grid", "grid"),
        users=[
            member(UNITS_MSP, f"user{number}", scenario.role_attribute(number))
            for number in scenario.users
        ],
    )
