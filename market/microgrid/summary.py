"""A traded day in numbers: what summary.json holds, read from the ledger's records.

Money in yuan, energy in kWh, both exactly what the ledger settled in micro-yuan and Wh.
(Fabric counterpart: none.)
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

from gridloom.chaincode.energy.roles import Role

from .day import DayResult, HourResult

_MICRO = 1_000_000
_WH = 1_000


@dataclass(frozen=True, slots=True)
class HourSummary:
    """One hour; seller_load has an entry for each seller, bought for each buyer, in order
    of user numbers.  price is None in an hour without trade inside."""

    hour: int
    price: float | None
    seller_load: list[float]
    bought: list[float]
    bill_buyers: float
    revenue_sellers: float
    grid_import_kwh: float
    grid_export_kwh: float
    block: int
    tx_ids: list[str]


@dataclass(frozen=True, slots=True)
class DaySummary:
    """saving_percent: of the buyers' bill against buying everything from the grid;
    seconds: what the trading took."""

    hours: list[HourSummary]
    total_bill: float
    seller_revenue: float
    saving_percent: float
    seconds: float

    def as_json(self) -> dict[str, object]:
        """The document of summary.json."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Benchmark:
    """What an hour would cost and earn without a market, yuan (Figures 4 and 5)."""

    bill: float
    revenue: float


def summarise(day: DayResult, seconds: float) -> DaySummary:
    """The day's numbers; seconds are the caller's."""
    hours = [summarise_hour(day, result) for result in day.hours]
    bill = sum(_money(result, Role.BU) for result in day.hours)
    alone = sum(benchmark(day, result).bill for result in day.hours)
    return DaySummary(
        hours=hours,
        total_bill=-bill / _MICRO,
        seller_revenue=sum(_money(result, Role.SU) for result in day.hours) / _MICRO,
        saving_percent=100 * (1 + bill / _MICRO / alone) if alone else 0.0,
        seconds=seconds,
    )


def summarise_hour(day: DayResult, result: HourResult) -> HourSummary:
    """One hour's numbers."""
    generation = day.scenario.generation[day.scenario.hours.index(result.hour)]
    compensations = result.balance.compensations
    exported = sum(record.energy for record in compensations if record.su_id is not None)
    exported += sum(error.export_change for error in result.errors.sellers)
    imported = sum(record.energy for record in compensations if record.bu_id is not None)
    imported += sum(error.shortfall for error in result.errors.sellers)
    price = result.match.price
    return HourSummary(
        hour=result.hour,
        price=None if price is None else price / _MICRO,
        seller_load=[
            (generation[share.unit_id - 1] - share.ordered) / _WH for share in result.match.sellers
        ],
        bought=[share.traded / _WH for share in result.match.buyers],
        bill_buyers=-_money(result, Role.BU) / _MICRO,
        revenue_sellers=_money(result, Role.SU) / _MICRO,
        grid_import_kwh=imported / _WH,
        grid_export_kwh=exported / _WH,
        block=result.block,
        tx_ids=[entry.transaction_id for entry in result.entries],
    )


def benchmark(day: DayResult, result: HourResult) -> Benchmark:
    """The hour with the initial loads and the grid's prices only."""
    nets, grid = day.scenario.net(result.hour), day.scenario.grid
    lacking = -sum(net for net in nets if net < 0)
    spare = sum(net for net in nets if net >= 0)
    return Benchmark(
        bill=lacking * grid.buy / _WH / _MICRO, revenue=spare * grid.sell / _WH / _MICRO
    )


def _money(result: HourResult, role: Role) -> int:
    """What all units of a role earned in the hour, micro-yuan; negative: paid."""
    return sum(
        account.amount
        for account in result.settlement.accounts
        if account.party.startswith(role.value)
    )
