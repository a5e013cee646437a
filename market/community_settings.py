"""The `community` of a scenario: a street, the user's CSVs, or a benchmark grid.

    community: {households: 20, days: 1, minutes: 15, pv: 0.5, storage: 0.25, heat_pump: 0.25,
                ev: 0.25, latitude: 50, first_day: 172, feeder_kw: 60}
    community: {folder: my-street, unit: kWh, minutes: 60, feeder_kw: 60}
    community: {simbench: 1-LV-rural1--2-sw, first_day: 172, days: 1}    # gridloom[market]
    tariff: {sell: 0.08, buy: 0.30, currency: EUR}      # or lists of 24 hours' prices
    co2: {grid: 251, local: 41}

A street's or a folder's users may stand on a `network` (network_settings) in place of
feeder_kw.  (Fabric counterpart: none.)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from gridloom.chaincode.energy.rules.feeder import Section
from gridloom.chaincode.energy.rules.prices import GridPrices

from .benchmark_grid import as_community, read_simbench
from .community import MINUTES_PER_DAY, Community, EmissionFactors, Feeder
from .csv_community import UNITS, CsvSettings, read_community
from .households import DEFAULT_PRICES, Street, generate
from .network_settings import network_of
from .settings import Settings

_STREET = frozenset(
    {"households", "days", "minutes", "pv", "storage", "heat_pump", "ev", "latitude"}
    | {"first_day", "feeder_kw", "network"}
)
_FOLDER = frozenset({"folder", "unit", "minutes", "feeder_kw", "network"})
_SIMBENCH = frozenset({"simbench", "first_day", "days"})
_MAX_USERS = 20_000
_MICRO = 1_000_000
_HOURS = 24


def community_of(
    settings: Settings, folder: Path, rng: Callable[[], np.random.Generator]
) -> Community:
    """The community that the settings describe; folder: where relative paths begin."""
    described = settings.section("community")
    prices, currency = tariff_of(settings.section("tariff"))
    emissions = _emissions(settings.section("co2"))
    if "folder" in described.values:
        described.only(_FOLDER)
        csv = CsvSettings(
            prices,
            described.text("unit", "kWh", UNITS),
            described.whole("minutes", 60, low=1, high=MINUTES_PER_DAY),
            currency,
            emissions,
        )
        community = read_community(folder / described.text("folder", ""), csv)
    elif "simbench" in described.values:
        described.only(_SIMBENCH)
        days = described.whole("days", 1, low=1, high=366)
        grid = read_simbench(
            described.text("simbench", ""),
            described.whole("first_day", 172, low=1, high=367 - days),
            days,
        )
        return as_community(grid, prices, currency, emissions)
    else:
        described.only(_STREET)
        street = replace(_street(described), prices=prices, currency=currency, emissions=emissions)
        community = generate(street, rng())
    return replace(community, feeder=_feeder(described, community))


def tariff_of(settings: Settings) -> tuple[tuple[GridPrices, ...], str]:
    """The grid's prices in micro-units per kWh, one or 24 of a day's hours; the currency."""
    settings.only({"sell", "buy", "currency"})
    sell = _hourly(settings, "sell", DEFAULT_PRICES.sell / _MICRO)
    buy = _hourly(settings, "buy", DEFAULT_PRICES.buy / _MICRO)
    hours = max(len(sell), len(buy))
    prices = []
    for hour in range(hours):
        low, high = sell[hour % len(sell)], buy[hour % len(buy)]
        if low >= high:
            where = f" in hour {hour}" if hours > 1 else ""
            settings.fail("sell", f"{low:g} is not below buy = {high:g}{where}")
        prices.append(GridPrices(round(low * _MICRO), round(high * _MICRO)))
    return tuple(prices), settings.text("currency", "EUR")


def _hourly(settings: Settings, name: str, default: float) -> list[float]:
    """One price, or 24."""
    value = settings.values.get(name, default)
    if not isinstance(value, list):
        return [settings.number(name, default, low=1e-6, high=1e6)]
    if len(value) != _HOURS:
        settings.fail(name, f"has {len(value)} prices, not one or {_HOURS}")
    values = {str(hour): price for hour, price in enumerate(value)}
    hours = Settings(settings.source, values, f"{settings.path}{name}.")
    return [hours.number(hour, default, low=1e-6, high=1e6) for hour in values]


def _emissions(settings: Settings) -> EmissionFactors:
    settings.only({"grid", "local"})
    usual = EmissionFactors()
    return EmissionFactors(
        settings.number("grid", usual.grid, low=0, high=1e5),
        settings.number("local", usual.local, low=0, high=1e5),
    )


def _street(settings: Settings) -> Street:
    usual = Street()
    minutes = settings.whole("minutes", usual.minutes, low=1, high=60)
    if 60 % minutes:
        settings.fail("minutes", f"{minutes} does not divide an hour")
    return Street(
        households=settings.whole("households", usual.households, low=1, high=_MAX_USERS),
        days=settings.whole("days", usual.days, low=1, high=366),
        minutes=minutes,
        latitude=settings.number("latitude", usual.latitude, low=-66, high=66),
        first_day=settings.whole("first_day", usual.first_day, low=1, high=365),
        pv=settings.number("pv", usual.pv, low=0, high=1),
        storage=settings.number("storage", usual.storage, low=0, high=1),
        heat_pump=settings.number("heat_pump", usual.heat_pump, low=0, high=1),
        ev=settings.number("ev", usual.ev, low=0, high=1),
    )


def _feeder(settings: Settings, community: Community) -> Feeder:
    """A network whose power flow is solved, or one transformer over all users, if given."""
    if "network" in settings.values:
        if "feeder_kw" in settings.values:
            settings.fail("feeder_kw", "says the same as network: leave one out")
        section = settings.section("network")
        return Feeder(network=network_of(section, community.users, community.minutes))
    if "feeder_kw" not in settings.values:
        return Feeder()
    limit = round(settings.number("feeder_kw", 0, low=0.001, high=1e9) * 1000)
    buses = sorted({user.bus for user in community.users})
    root = buses[-1] + 1
    transformer = Section("transformer", -1, root, limit)
    # Lines to the users carry whatever they must: nobody has stated a limit for them.
    lines = tuple(Section(f"line{bus}", root, bus, 10**12) for bus in buses)
    return Feeder((transformer, *lines))
