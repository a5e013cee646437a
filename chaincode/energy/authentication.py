"""Chaincode 1, authentication: who may trade (paper 003, Tables 1 and 2).

A unit trades only if its certificate carries the role, from an organisation the market
was founded with, and the operator approved it; a seller's certificate must vouch for the
capacity it registers, too.  The operator founds the market once, in
the transaction that follows the deployment.  (Fabric counterpart: none.)
"""

from __future__ import annotations

from dataclasses import replace

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from gridloom.chaincode import Context, Contract, transaction

from .faults import BadTerms, Duplicate, NotApproved, NotEntitled, NotFound, NotOwner
from .order_text import address_of
from .qualifications import BuyerQualification, Market, SellerQualification, Unit, UnitId
from .roles import Role, demand_capacity, demand_role, unit_name

_MARKET = "market"
_UNIT = "unit"


class Authentication(Contract):
    """Qualification of buying and selling units."""

    name = "authentication"

    @transaction
    def found(self, ctx: Context, unit_msps: list[str], grid_msp: str) -> Market:
        """Found the market: the caller's organisation operates it from now on."""
        demand_role(ctx, Role.OPERATOR)
        if ctx.get(_MARKET, Market) is not None:
            raise Duplicate("the market")
        if not unit_msps:
            raise BadTerms("unit_msps", "at least one organisation must bring units")
        market = Market(ctx.client_identity.msp_id, unit_msps, grid_msp)
        ctx.put(_MARKET, market)
        return market

    @transaction
    def register_buyer(self, ctx: Context, qualification: BuyerQualification) -> Unit:
        """Apply for admission as a buying unit."""
        return self._register(ctx, Role.BU, qualification.bu_id, qualification, None)

    @transaction
    def register_seller(self, ctx: Context, qualification: SellerQualification) -> Unit:
        """Apply for admission as a selling unit."""
        if qualification.installed_capacity < 0:
            raise BadTerms("installed_capacity", "must not be negative")
        self._authorise(ctx, Role.SU)
        demand_capacity(ctx, qualification.installed_capacity)
        return self._register(ctx, Role.SU, qualification.su_id, None, qualification)

    @transaction
    def approve(self, ctx: Context, units: list[UnitId]) -> None:
        """Admit registered units (operator only)."""
        self._decide(ctx, units, approved=True)

    @transaction
    def revoke(self, ctx: Context, units: list[UnitId]) -> None:
        """Withdraw the admission of units (operator only)."""
        self._decide(ctx, units, approved=False)

    @transaction("evaluate")
    def authorise(self, ctx: Context, role: Role) -> None:
        """NotEntitled unless the caller is the market's operator or its grid."""
        self._authorise(ctx, role)

    @transaction("evaluate")
    def qualify(self, ctx: Context, role: Role, unit_id: int) -> Unit:
        """The unit, if the caller owns it and may trade with it right now."""
        unit = self._unit(ctx, role, unit_id)
        owner = (unit.owner_msp, unit.owner_id)
        if owner != (ctx.client_identity.msp_id, ctx.client_identity.id):
            raise NotOwner(unit.name)
        self._authorise(ctx, role)
        if not unit.approved:
            raise NotApproved(unit.name)
        return unit

    @transaction("evaluate")
    def unit(self, ctx: Context, role: Role, unit_id: int) -> Unit:
        """A registered unit."""
        return self._unit(ctx, role, unit_id)

    @transaction("evaluate")
    def units(self, ctx: Context) -> list[Unit]:
        """Every registered unit, buyers first, each by id."""
        stored = ctx.stub.get_state_by_partial_composite_key(_UNIT, [])
        found = [ctx.decode(key, value, Unit) for key, value in stored]
        return sorted(found, key=lambda unit: (unit.role.value, unit.unit_id))

    def _register(
        self,
        ctx: Context,
        role: Role,
        unit_id: int,
        buyer: BuyerQualification | None,
        seller: SellerQualification | None,
    ) -> Unit:
        self._authorise(ctx, role)
        key = self._key(ctx, role, unit_id)
        if ctx.get(key, Unit) is not None:
            raise Duplicate(unit_name(role, unit_id))
        public_key = _public_key(ctx)
        who = ctx.client_identity
        address = address_of(public_key)
        unit = Unit(role, unit_id, address, who.msp_id, who.id, public_key, False, buyer, seller)
        ctx.put(key, unit)
        return unit

    def _decide(self, ctx: Context, units: list[UnitId], *, approved: bool) -> None:
        self._authorise(ctx, Role.OPERATOR)
        for named in units:
            unit = self._unit(ctx, named.role, named.unit_id)
            ctx.put(self._key(ctx, unit.role, unit.unit_id), replace(unit, approved=approved))

    def _authorise(self, ctx: Context, role: Role) -> None:
        market = ctx.get(_MARKET, Market)
        if market is None:
            raise NotFound("market yet")
        demand_role(ctx, role)
        msp_id = ctx.client_identity.msp_id
        entitled = {
            Role.BU: market.unit_msps,
            Role.SU: market.unit_msps,
            Role.OPERATOR: [market.operator_msp],
            Role.GRID: [market.grid_msp],
        }[role]
        if msp_id not in entitled:
            raise NotEntitled(role.value, f"{msp_id} is not an organisation of that role")

    def _unit(self, ctx: Context, role: Role, unit_id: int) -> Unit:
        unit = ctx.get(self._key(ctx, role, unit_id), Unit)
        if unit is None:
            raise NotFound(f"unit {unit_name(role, unit_id)}")
        return unit

    def _key(self, ctx: Context, role: Role, unit_id: int) -> str:
        if role not in (Role.BU, Role.SU):
            raise BadTerms("role", f"{role.value} is no unit")
        if unit_id < 0:
            raise BadTerms("unit id", f"{unit_id} is negative")
        return ctx.stub.create_composite_key(_UNIT, [role.value, str(unit_id)])


def _public_key(ctx: Context) -> bytes:
    key = ctx.client_identity.certificate.public_key()
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
