"""Settlement: the hour's transfers added up for each party, summing to zero.

Every payment is a transfer from one party to another, so money cannot appear or vanish.
Energy is what each party feeds into the microgrid (+) or takes from it (-), and must be
what the meters and orders say.  Sums are checked all the same: a settlement that does
not balance must not reach the ledger.
(Fabric counterpart: none.)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from gridloom.chaincode import ChaincodeError

GRID = "grid"


class Transfer(NamedTuple):
    """Energy (Wh) delivered by one party to another, and money (micro-yuan) for it.

    Either may be negative: then it goes the other way.
    """

    giver: str
    taker: str
    energy: int
    money: int


class Account(NamedTuple):
    """What an hour did to a party: Wh fed in (+) or taken (-), micro-yuan earned (+)."""

    party: str
    energy: int
    money: int


class UnbalancedSettlement(ChaincodeError):
    """The accounts of an hour do not sum to zero; energy in Wh, money in micro-yuan."""

    def __init__(self, energy: int, money: int) -> None:
        super().__init__(f"the hour does not sum to zero: {energy} Wh, {money} micro-yuan")
        self.energy = energy
        self.money = money


class WrongPosition(ChaincodeError):
    """The transfers give a party another energy (Wh) than its meter or order."""

    def __init__(self, party: str, settled: int, position: int) -> None:
        super().__init__(f"{party}: settled for {settled} Wh, position is {position} Wh")
        self.party = party
        self.settled = settled
        self.position = position


def settle(transfers: Iterable[Transfer], positions: Mapping[str, int]) -> tuple[Account, ...]:
    """One account for each party, ordered by name.

    positions: Wh fed in (+) or taken (-) by each party but the grid, which takes the
    rest.  UnbalancedSettlement or WrongPosition when the transfers contradict that.
    """
    energy: dict[str, int] = dict.fromkeys((*positions, GRID), 0)
    money: dict[str, int] = dict.fromkeys(energy, 0)
    for transfer in transfers:
        energy[transfer.giver] += transfer.energy
        energy[transfer.taker] -= transfer.energy
        money[transfer.giver] += transfer.money
        money[transfer.taker] -= transfer.money
    accounts = tuple(Account(party, energy[party], money[party]) for party in sorted(energy))
    check_zero_sum(accounts)
    for party, position in positions.items():
        if energy[party] != position:
            raise WrongPosition(party, energy[party], position)
    return accounts


def check_zero_sum(accounts: Iterable[Account]) -> None:
    """UnbalancedSettlement unless energy and money both sum to zero."""
    _, energies, moneys = tuple(zip(*accounts, strict=True)) or ((), (), ())
    energy, money = sum(energies), sum(moneys)
    if energy or money:
        raise UnbalancedSettlement(energy, money)
