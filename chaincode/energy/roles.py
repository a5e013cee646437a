"""Roles of the market, and the capacity of its sellers, as certificates carry them.

The attribute `gridloom.role` of a certificate (Fabric CA's attribute extension) lists the
roles its holder may take, separated by commas: BU, SU, operator, grid.  `gridloom.capacity` is
how many watts the holder has installed.  The CA vouches for both.
(Fabric counterpart: attribute-based access control in chaincode.)
"""

from __future__ import annotations

from enum import StrEnum

from gridloom.chaincode import Context

from .faults import NotEntitled

ROLE_ATTRIBUTE = "gridloom.role"
CAPACITY_ATTRIBUTE = "gridloom.capacity"


class Role(StrEnum):
    """BU buys, SU sells, the operator runs the market, the grid stands behind it."""

    BU = "BU"
    SU = "SU"
    OPERATOR = "operator"
    GRID = "grid"


def unit_name(role: Role, unit_id: int) -> str:
    """How messages, transfers and accounts name a unit: BU3, SU1."""
    return f"{role.value}{unit_id}"


def carries(ctx: Context, role: StrEnum) -> bool:
    """Whether the caller's certificate carries the role."""
    carried = ctx.client_identity.attribute(ROLE_ATTRIBUTE) or ""
    return role.value in (entry.strip() for entry in carried.split(","))


def demand_role(ctx: Context, role: StrEnum) -> None:
    """NotEntitled unless the caller's certificate carries the role."""
    carried = ctx.client_identity.attribute(ROLE_ATTRIBUTE)
    if carried is None:
        raise NotEntitled(role.value, f"its certificate carries no attribute {ROLE_ATTRIBUTE}")
    if not carries(ctx, role):
        reason = f"its certificate carries {ROLE_ATTRIBUTE}={carried}"
        raise NotEntitled(role.value, reason)


def demand_operator(ctx: Context, founder_msp: str) -> None:
    """NotEntitled unless the caller operates for the organisation that founded the market."""
    demand_role(ctx, Role.OPERATOR)
    msp_id = ctx.client_identity.msp_id
    if msp_id != founder_msp:
        raise NotEntitled(Role.OPERATOR.value, f"{msp_id} did not found the market")


def demand_capacity(ctx: Context, watts: int) -> None:
    """NotEntitled unless the caller's certificate vouches for that much installed capacity."""
    carried = ctx.client_identity.attribute(CAPACITY_ATTRIBUTE)
    if carried is None:
        reason = f"its certificate carries no attribute {CAPACITY_ATTRIBUTE}"
    elif not (carried.isascii() and carried.isdecimal()):
        reason = f"{CAPACITY_ATTRIBUTE}={carried} of its certificate is no number of watts"
    elif watts > int(carried):
        reason = f"{watts} W are more than its certificate vouches for: {carried} W"
    else:
        return
    raise NotEntitled(Role.SU.value, reason)
