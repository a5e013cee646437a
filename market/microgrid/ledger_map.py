"""Where on the ledger each number of the report stands: chaincode, key, transaction, block.

Keys are composite keys, written here with slashes: kind/hour/unit.
(Fabric counterpart: none.)
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ..journal import LedgerEntry
from .day import DayResult, HourResult


@dataclass(frozen=True, slots=True)
class Place:
    """number: what it is; value: as the ledger has it, in unit; key: in the chaincode's
    namespace; transaction_id, block: of the transaction that wrote the key last."""

    hour: int
    number: str
    value: int
    unit: str
    chaincode: str
    key: str
    transaction_id: str
    block: int


def places(day: DayResult) -> tuple[Place, ...]:
    """Every number of the day with its place, by hour."""
    return tuple(place for result in day.hours for place in _hour(day, result))


def _hour(day: DayResult, result: HourResult) -> Iterator[Place]:
    hour = result.hour

    def at(written: LedgerEntry, number: str, value: int, unit: str, key: str) -> Place:
        return Place(
            hour, number, value, unit, written.chaincode, key, written.transaction_id, written.block
        )

    match, last = result.match, _last_writers(result)
    if match.price is not None:
        priced = last["announce_price", ""]
        yield at(priced, "price", match.price, "micro-yuan/kWh", f"price/{hour}")
    for share in match.sellers:
        order = last["supply", day.users[share.unit_id - 1]]
        key = f"supply/{hour}/{share.unit_id}"
        yield at(order, f"offered by user{share.unit_id}", share.ordered, "Wh", key)
    for share in match.buyers:
        order = last["demand", day.users[share.unit_id - 1]]
        key = f"demand/{hour}/{share.unit_id}"
        yield at(order, f"demanded by user{share.unit_id}", share.ordered, "Wh", key)
    for path in match.paths:
        name = f"user{path.su_id} to user{path.bu_id}"
        key = f"path/{hour}/{path.su_id}/{path.bu_id}"
        yield at(last["match", ""], name, path.transaction_volume, "Wh", key)
    for record in result.balance.compensations:
        key = f"grid/{hour}/{record.party}"
        yield at(last["balance", ""], f"{record.party} and grid", record.energy, "Wh", key)
    for account in result.settlement.accounts:
        name = f"account of {account.party}"
        yield at(last["settle", ""], name, account.amount, "micro-yuan", f"settlement/{hour}")
    for instruction in result.plan.instructions:
        name = f"set point of {instruction.unit}"
        yield at(last["call", ""], name, instruction.set_point, "W", f"plan/{hour}")


def _last_writers(result: HourResult) -> dict[tuple[str, str], LedgerEntry]:
    """The hour's transactions by function; orders by side and member, the last one wins."""
    writers: dict[tuple[str, str], LedgerEntry] = {}
    for entry in result.entries:
        side = entry.function.rpartition("_")[2]
        order = side in {"demand", "supply"}
        writers[(side, entry.member) if order else (entry.function, "")] = entry
    return writers
