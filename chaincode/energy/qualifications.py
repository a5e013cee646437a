"""What the ledger knows of a market and its units (paper 003, Tables 1 and 2).

Field names are the tables' own.  (Fabric counterpart: none.)
"""

from __future__ import annotations

from dataclasses import dataclass

from .roles import Role, unit_name


@dataclass(frozen=True, slots=True)
class BuyerQualification:
    """Table 1: what a buying unit (BU) submits to be admitted."""

    customer_type: str
    bu_id: int
    basic_information: str
    credit_record: str
    purpose: str


@dataclass(frozen=True, slots=True)
class SellerQualification:
    """Table 2: what a selling unit (SU) submits; installed_capacity in W."""

    power_generation_type: str
    basic_information: str
    su_id: int
    installed_capacity: int
    credit_record: str


@dataclass(frozen=True, slots=True)
class UnitId:
    """Names a unit: role is BU or SU; ids of the two roles are independent."""

    role: Role
    unit_id: int

    @property
    def name(self) -> str:
        """BU3, SU1."""
        return unit_name(self.role, self.unit_id)


@dataclass(frozen=True, slots=True)
class Unit:
    """A registered unit; exactly one of buyer and seller is there.

    address: account address, derived from the key; owner_msp, owner_id: the identity that
    registered it; public_key: DER SubjectPublicKeyInfo of its certificate.
    """

    role: Role
    unit_id: int
    address: str
    owner_msp: str
    owner_id: str
    public_key: bytes
    approved: bool
    buyer: BuyerQualification | None
    seller: SellerQualification | None

    @property
    def name(self) -> str:
        """BU3, SU1."""
        return unit_name(self.role, self.unit_id)


@dataclass(frozen=True, slots=True)
class Market:
    """Which organisations' certificates count for which role."""

    operator_msp: str
    unit_msps: list[str]
    grid_msp: str
