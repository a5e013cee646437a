"""The study `community`: any community under any mechanism, in memory or on the ledger.

Parameters: community, tariff and co2 as in community_settings; mechanism, a name of
mechanisms.MECHANISMS or a mapping with that name and the mechanism's own settings;
bidding, a name of bidding.STRATEGIES; forecast_error, the standard deviation of users'
relative forecast error; ledger, whether the day is traded on a network.
(Fabric counterpart: none.)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from ..bidding import STRATEGIES
from ..community import Community
from ..community_settings import community_of
from ..grid_check import check_of
from ..ledger_day import LedgerDay, trade_on_ledger
from ..mechanism import Mechanism, MechanismEntry
from ..mechanisms import MECHANISMS
from ..metrics import measure
from ..result import Result
from ..scenario import Scenario
from ..settings import Settings
from ..study import Consortium, Run, Study
from ..traded_report import measured, report
from ..trading import TradedDay, expect, trade_day

_PARAMETERS = frozenset(
    {"community", "tariff", "co2", "mechanism", "bidding", "forecast_error", "ledger"}
)
_WEAK_FEEDER: Mapping[str, object] = MappingProxyType(
    {
        "kilovolts": 0.4,
        "kva": 100,
        "lines": [
            {"from": 0, "to": 1, "r": 0.08, "x": 0.03, "kva": 60},
            {"from": 1, "to": 2, "r": 0.16, "x": 0.05, "kva": 30},
            {"from": 2, "to": 3, "r": 0.24, "x": 0.06, "kva": 5},
            {"from": 1, "to": 4, "r": 0.8, "x": 0.2, "kva": 5},
        ],
        "power_factor": 0.95,
        "voltage": [0.97, 1.03],
    }
)
_COMMUNITY, _FORECAST, _ORDERS, _LOT = 0, 1, 2, 3  # streams of random numbers


def run(run: Run) -> Result:
    """Trade the community and judge the day."""
    settings = Settings.of(run.fields)
    settings.only(_PARAMETERS)
    community = community_of(settings, run.folder, lambda: run.rng(_COMMUNITY))
    name, entry, mechanism = _mechanism(settings, community)
    strategy = settings.text("bidding", entry.bidding, STRATEGIES)
    error = settings.number("forecast_error", 0.0, low=0, high=1)
    expected = expect(community, error, run.rng(_FORECAST))
    lot = run.rng(_LOT).bytes(32).hex()
    ledger = settings.flag("ledger", False)
    if ledger and not entry.on_ledger:
        settings.fail("ledger", f"no chaincode recomputes the mechanism {name}")
    day = trade_day(
        community,
        name,
        mechanism,
        strategy=strategy,
        expected=expected,
        rng=lambda interval: run.rng(_ORDERS, interval),
        lot=lot,
        check=check_of(community),
        progress=lambda done: run.progress("trading", done, community.intervals),
    )
    result = report(day, measure(day), entry, strategy)
    return _on_ledger(run, day, lot, result) if ledger else result


def _on_ledger(run: Run, day: TradedDay, lot: str, result: Result) -> Result:
    """The same day on a network, which must come to the same; what it took is measured."""

    async def work(consortium: Consortium) -> LedgerDay:
        return await trade_on_ledger(consortium, day, lot, progress=run.progress, clock=run.clock)

    before = run.cpu_clock()
    traded = run.on_ledger(work)
    remark = (
        f"Traded on the ledger in {len(traded.entries)} transactions: every trade and account "
        "there is the one reported here."
    )
    return replace(
        result,
        remarks=(*result.remarks, remark),
        measured=measured(day, traded, run.cpu_clock() - before),
    )


def _mechanism(settings: Settings, community: Community) -> tuple[str, MechanismEntry, Mechanism]:
    if isinstance(settings.values.get("mechanism"), Mapping):
        section = settings.section("mechanism")
        name = section.text("name", "", MECHANISMS)
        own = {key: value for key, value in section.values.items() if key != "name"}
    else:
        name, own = settings.text("mechanism", "pay_as_clear", MECHANISMS), {}
    entry = MECHANISMS[name]
    return name, entry, entry.make(own, community)


DEFAULTS: Mapping[str, object] = MappingProxyType(
    {
        "community": {"households": 20, "days": 1, "minutes": 15},
        "tariff": {"sell": 0.08, "buy": 0.3, "currency": "EUR"},
        "co2": {"grid": 251, "local": 41},
        "mechanism": "pay_as_clear",
        "bidding": "as the mechanism has it",
        "forecast_error": 0,
        "ledger": False,
    }
)

STUDIES: Mapping[str, Study] = MappingProxyType(
    {"community": Study("any community under any mechanism", run, DEFAULTS)}
)

SCENARIOS: tuple[Scenario, ...] = (
    *(
        Scenario(
            f"street-{name.replace('_', '-')}",
            "community",
            f"20 households under the mechanism {name}: {entry.title}",
            parameters={"mechanism": name},
        )
        for name, entry in MECHANISMS.items()
    ),
    Scenario(
        "street-ledger",
        "community",
        "the same street, pay as clear, traded on a network of three organisations",
        parameters={"mechanism": "pay_as_clear", "ledger": True},
    ),
    Scenario(
        "street-feeder",
        "community",
        "20 households on a weak feeder: trades that its lines or voltages forbid are refused",
        parameters={
            "community": {
                "households": 20,
                "pv": 0.3,
                "heat_pump": 0.5,
                "ev": 0.5,
                "first_day": 120,
                "network": dict(_WEAK_FEEDER),
            },
            "mechanism": "mid_market",
            "ledger": True,
        },
    ),
    Scenario(
        "district-ledger",
        "community",
        "1,000 households over a day on the ledger: time, blocks, bytes, cost per trade",
        parameters={
            "community": {"households": 1000},
            "mechanism": "pay_as_clear",
            "ledger": True,
        },
    ),
)
