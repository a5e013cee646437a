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


def demand_role(ctx: Context, role: Role) -> None:
    """NotEntitled unless the caller's certificate carries the role."""
    carried = ctx.client_identity.attribute(ROLE_ATTRIBUTE)
    if carried is None:
        raise NotEntitled(role.value, f"its certificate carries no attribute {ROLE_ATTRIBUTE}")
    if role.value not in (entry.strip() for entry in carried.split(",")):
        reason = f"its certificate carries {ROLE_ATTRIBUTE}={carried}"
        raise NotEntitled(role.value, reason)


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
