"""Calls from one of the market's chaincodes to another on the same channel.

A call shares the caller's simulation and identity: what the callee reads becomes part of
the transaction's read set, and the callee judges the same creator.
(Fabric counterpart: stub.InvokeChaincode.)
"""

from __future__ import annotations

from typing import TypeVar

from gridloom.chaincode import Context
from gridloom.chaincode.type_hints import converter

AUTHENTICATION = "authentication"
ENERGY_UNITS = "energy_units"
MATCHMAKING = "matchmaking"
COMPENSATION = "compensation"
DISPATCH = "dispatch"
AUCTION = "auction"

AUTOMATIC_AUCTION = "automatic_auction"
"""Of the learning market (paper 002); it stands alone."""

ENERGY_REQUESTS, POWER_PURCHASE = "energy_requests", "power_purchase"
"""Of the active distribution network (paper 004); each stands alone."""

T = TypeVar("T")


def ask(ctx: Context, chaincode: str, function: str, result: type[T], *args: str) -> T:
    """Call function of a neighbouring chaincode and read its result.

    Its refusal becomes this transaction's, with message and status.
    """
    payload = ctx.stub.invoke_chaincode(chaincode, [function, *args]).unwrap()
    value: T = converter(result).from_argument(payload)
    return value
