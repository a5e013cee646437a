"""Every misuse the market's chaincodes refuse, each with the data it speaks of.

    ChaincodeError
    └── MarketFault
        ├── NotEntitled       the certificate does not carry the role      403
        ├── NotApproved       registered, but the operator said no         403
        ├── NotOwner          the unit belongs to another identity         403
        ├── BadSignature      the order is not signed by the unit's key    403
        ├── NotFound          no such unit, hour, order, price             404
        ├── Duplicate         it is there already                          409
        ├── GateClosed        orders for the hour are no longer taken      409
        ├── WrongStage        a step of the hour before its turn           409
        ├── SessionClosed     an auction no longer takes orders            409
        ├── TooEarly          a step of an auction before its turn         409
        ├── NegativeEnergy    less than nothing                            422
        ├── PriceOutOfRange   beyond the grid's prices                     422
        └── BadTerms          something else that cannot be meant          422

The status numbers follow HTTP's.  (Fabric counterpart: shim.Error with a status.)
"""

from __future__ import annotations

from gridloom.chaincode import ChaincodeError

from .rules.prices import GridPrices


class MarketFault(ChaincodeError):
    """Root of the market's refusals."""


class NotEntitled(MarketFault):
    """The caller's certificate does not carry the role, or not from the right organisation."""

    def __init__(self, role: str, reason: str) -> None:
        super().__init__(f"the caller may not act as {role}: {reason}", status=403)
        self.role = role


class NotApproved(MarketFault):
    """The operator has not approved the unit, or has withdrawn the approval."""

    def __init__(self, unit: str) -> None:
        super().__init__(f"{unit} is not approved by the operator", status=403)
        self.unit = unit


class NotOwner(MarketFault):
    """The unit, and so its orders, belong to somebody else."""

    def __init__(self, unit: str) -> None:
        super().__init__(f"{unit} and its orders belong to another identity", status=403)
        self.unit = unit


class BadSignature(MarketFault):
    """The signature over the order's text is not by the unit's registered key."""

    def __init__(self, unit: str, hour: int) -> None:
        message = f"the order of {unit} for hour {hour} is not signed by the unit's own key"
        super().__init__(message, status=403)
        self.unit = unit
        self.hour = hour


class NotFound(MarketFault):
    """The thing asked for is not on the ledger."""

    def __init__(self, what: str) -> None:
        super().__init__(f"there is no {what}", status=404)
        self.what = what


class Duplicate(MarketFault):
    """The thing to be made is on the ledger already."""

    def __init__(self, what: str) -> None:
        super().__init__(f"{what} exists already", status=409)
        self.what = what


class GateClosed(MarketFault):
    """Orders for the delivery hour are no longer taken; reason: by whom or since when."""

    def __init__(self, hour: int, reason: str) -> None:
        super().__init__(f"the gate for delivery hour {hour} is closed: {reason}", status=409)
        self.hour = hour


class WrongStage(MarketFault):
    """A step of the hour is taken before or after its turn."""

    def __init__(self, hour: int, reason: str) -> None:
        super().__init__(f"delivery hour {hour}: {reason}", status=409)
        self.hour = hour


class SessionClosed(MarketFault):
    """An auction's session no longer takes orders; reason: by whom or since when."""

    def __init__(self, session: str, reason: str) -> None:
        super().__init__(f"session {session} takes no more orders: {reason}", status=409)
        self.session = session
        self.reason = reason


class TooEarly(MarketFault):
    """A step of an auction before its turn; step: which; reason: what must come first."""

    def __init__(self, step: str, reason: str) -> None:
        super().__init__(f"{step}: {reason}", status=409)
        self.step = step
        self.reason = reason


class NegativeEnergy(MarketFault):
    """Energy below zero; energy in Wh."""

    def __init__(self, what: str, energy: int) -> None:
        super().__init__(f"{what}: energy must not be negative, got {energy} Wh", status=422)
        self.energy = energy


class PriceOutOfRange(MarketFault):
    """A price outside [p_s, p_b]; micro-yuan per kWh."""

    def __init__(self, price: int, grid: GridPrices) -> None:
        bounds = f"[{grid.sell}, {grid.buy}]"
        message = f"price {price} is outside {bounds} micro-yuan per kWh"
        super().__init__(message, status=422)
        self.price = price
        self.grid = grid


class BadTerms(MarketFault):
    """A value that cannot be meant; field names it."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}", status=422)
        self.field = field
