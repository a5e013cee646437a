"""Writes users' orders, signs them with their keys and hands them to the ledger.

(Fabric counterpart: none; the paper's BU/SU chaincode collects and signs orders, which a
ledger must not do, for it would have to hold the private keys.)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from gridloom.chaincode.energy.neighbours import ENERGY_UNITS
from gridloom.chaincode.energy.order_text import Action, order_text
from gridloom.chaincode.energy.orders import Demand, OrderFacts, Supply
from gridloom.chaincode.energy.roles import Role
from gridloom.chaincode.energy.rules.prices import GridPrices

from ..journal import Journal, Member


class OrderDesk:
    """Orders of a day's users, all willing to trade inside at any price the grid allows.

    accounts: address by role and number of the unit, from its registration.
    """

    def __init__(self, channel: str, grid: GridPrices, journal: Journal) -> None:
        self.accounts: Mapping[tuple[Role, int], str] = {}
        self._channel = channel
        self._grid = grid
        self._journal = journal

    async def publish(self, user: Member, number: int, hour: int, net: int) -> None:
        """Order what the user lacks, or offer what he has left; net in Wh."""
        role = Role.BU if net < 0 else Role.SU
        await self._send(user, Action.PUBLISH, self._facts(role, number, hour, abs(net), 0))

    async def modify_supply(self, user: Member, number: int, hour: int, energy: int) -> None:
        """Replace the user's first offer of the hour, Wh."""
        await self._send(user, Action.MODIFY, self._facts(Role.SU, number, hour, energy, 1))

    def _facts(self, role: Role, number: int, hour: int, energy: int, revision: int) -> OrderFacts:
        limit = self._grid.buy if role is Role.BU else self._grid.sell
        account = self.accounts[role, number]
        return OrderFacts(role, number, account, hour, energy, limit, revision, b"")

    async def _send(self, user: Member, action: Action, unsigned: OrderFacts) -> None:
        text = order_text(
            channel=self._channel,
            action=action,
            unit=unsigned.unit,
            address=unsigned.address,
            delivery_time=unsigned.delivery_time,
            energy=unsigned.energy,
            price=unsigned.price,
            revision=unsigned.revision,
        )
        facts = replace(unsigned, signature=user.signer.sign(text))
        side = "demand" if facts.role is Role.BU else "supply"
        await self._journal.submit(
            user,
            ENERGY_UNITS,
            f"{action.value}_{side}",
            _order(facts),
            result=type(None),
            hour=facts.delivery_time,
        )


def _order(facts: OrderFacts) -> Demand | Supply:
    kind = Demand if facts.role is Role.BU else Supply
    return kind(
        facts.address,
        facts.unit_id,
        facts.energy,
        facts.signature,
        facts.delivery_time,
        facts.price,
        facts.revision,
    )
