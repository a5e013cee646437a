"""Studies of paper 004: `distribution` (24 hours), `distribution_balance`, `distribution_delay` and
`paper_004`, its fronts.

distribution: hours, how many of the day; suppliers, a list of name (grid..., pv..., wind...),
power in MW, price and transmission in yuan per kWh; users, mean loads in MW; elasticity of the
renewables' prices; cap, yuan per kWh; swarm: particles, iterations, archive; ledger.
distribution_balance: nodes, periods, ledger.  distribution_delay: ways, participants, rounds; it
always trades on a ledger.  (Fabric counterpart: none.)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from types import MappingProxyType

from gridloom.chaincode.energy.distribution.requests import Scheme
from gridloom.chaincode.energy.neighbours import ENERGY_REQUESTS

from ..distribution import balance, balance_report, day, day_report, delay, delay_report, paper
from ..distribution.profiles import (
    GRID,
    HOURS,
    PV,
    SUPPLIERS,
    USERS,
    WIND,
    Setting,
    Supplier,
    synthetic_day,
)
from ..distribution.requests_on_ledger import found, participants
from ..errors import LedgerDiffers
from ..journal import Journal
from ..pareto.mopso import Flight
from ..result import Result
from ..scenario import Scenario
from ..settings import Settings
from ..study import Chain, Consortium, Run, Study
from ..tips import Tips

PARTICIPANTS = (2, 5, 10, 20, 30, 40, 50)
_WEATHER, _SWARM, _NODES, _ACTS = 0, 1, 2, 3  # streams of random numbers


def run_day(run: Run) -> Result:
    """Buy for 24 hours."""
    settings = Settings.of(run.fields)
    settings.only(DAY)
    hours = settings.whole("hours", HOURS, low=1, high=HOURS)
    cap = round(settings.number("cap", day.CAP / 1e6, low=1e-6, high=1e3) * 1e6)
    traded = day.trade_day(
        synthetic_day(_setting(settings), run.rng(_WEATHER))[:hours],
        lambda hour: run.rng(_SWARM, hour),
        cap=cap,
        flight=_flight(settings),
        progress=lambda done: run.progress("hours", done, hours),
    )
    result = day_report.report(traded)
    if not settings.flag("ledger", False):
        return result

    async def work(consortium: Consortium) -> day.LedgerDay:
        return await day.trade_on_ledger(consortium, traded, cap, run.progress)

    started = run.clock()
    ledger = run.on_ledger(work)
    return _traded(result, len(ledger.entries), ledger.chain, run.clock() - started, "bill")


def run_balance(run: Run) -> Result:
    """Both request schemes on the same random nodes and requests."""
    settings = Settings.of(run.fields)
    settings.only(BALANCE)
    nodes = settings.whole("nodes", 8, low=2, high=1_000)
    periods = settings.whole("periods", 100, low=1, high=100_000)
    network = balance.random_network(nodes, run.rng(_NODES))
    acts = balance.random_acts(network, periods, run.rng(_ACTS))
    courses = [balance.simulate(network, acts, scheme) for scheme in Scheme]
    result = balance_report.report(network, courses)
    if not settings.flag("ledger", False):
        return result

    async def work(consortium: Consortium) -> tuple[int, Chain]:
        people = participants(consortium, nodes)
        networks = {member.msp_id: member.network for member in (*people[:2], *people[2])}
        await consortium.deploy(ENERGY_REQUESTS)
        async with Tips(networks.values()) as tips:
            journal, course = Journal(tips), courses[0]
            on_chain = await found(consortium.channel, people, journal, network, course.scheme)
            for period, (doing, ours) in enumerate(zip(acts, course.decisions, strict=True)):
                theirs = await on_chain.trade(period, doing)
                if theirs != ours:
                    raise LedgerDiffers(f"decision of period {period}", theirs, ours)
                run.progress("periods on the ledger", period + 1, periods)
            return len(journal.entries), await consortium.chain()

    started = run.clock()
    transactions, chain = run.on_ledger(work)
    return _traded(result, transactions, chain, run.clock() - started, "cost-aware delivery")


def run_delay(run: Run) -> Result:
    """Measure transaction delays."""
    settings = Settings.of(run.fields)
    settings.only(DELAY)
    ways, counts = settings.items("ways", delay.WAYS), settings.items("participants", PARTICIPANTS)
    plan = delay.Plan(
        tuple(dict.fromkeys(ways.text(place, "", delay.WAYS) for place in ways.values)),
        tuple(counts.whole(place, 0, low=2, high=1_000) for place in counts.values),
        settings.whole("rounds", 5, low=1, high=10_000),
        run.clock,
        run.cpu_clock,
    )

    async def work(consortium: Consortium) -> list[delay.Delays]:
        return await delay.measure(consortium, plan, partial(run.rng, _ACTS), run.progress)

    return delay_report.report(run.on_ledger(work))


def run_paper(run: Run) -> Result:
    """The swarm beside the exact front."""
    Settings.of(run.fields).only(())
    return paper.report(partial(run.rng, _SWARM))


def _traded(result: Result, transactions: int, chain: Chain, seconds: float, what: str) -> Result:
    remark = (
        f"Traded on the ledger in {transactions} transactions: every {what} there is the one "
        "reported here."
    )
    measured = {
        "transactions": transactions,
        "blocks": chain.blocks,
        "bytes": chain.size,
        "seconds": round(seconds, 3),
    }
    return replace(result, remarks=(*result.remarks, remark), measured=measured)


def _setting(settings: Settings) -> Setting:
    users = settings.items("users", USERS)
    elasticity = settings.number("elasticity", 0.5, low=0, high=100)
    mean = tuple(users.number(name, 0.0, low=0, high=1e6) for name in users.values)
    return Setting(_suppliers(settings), mean, elasticity)


def _suppliers(settings: Settings) -> tuple[Supplier, ...]:
    if settings.values.get("suppliers") is None:
        return SUPPLIERS
    listed = settings.items("suppliers", ())
    found_suppliers: dict[str, Supplier] = {}
    for place in listed.values:
        own = listed.section(place)
        own.only(("name", "power", "price", "transmission"))
        name = own.text("name", "")
        if not name.startswith((GRID, PV, WIND)):
            own.fail("name", f"{name!r} does not begin with {GRID}, {PV} or {WIND}")
        if name in found_suppliers:
            own.fail("name", f"{name!r} is there twice")
        found_suppliers[name] = Supplier(
            name,
            own.number("power", 0.0, low=0, high=1e6),
            own.number("price", 0.4, low=0, high=1e3),
            own.number("transmission", 0.05, low=0, high=1e3),
        )
    return tuple(found_suppliers.values())


def _flight(settings: Settings) -> Flight:
    own, usual = settings.section("swarm"), Flight()
    own.only(("particles", "iterations", "archive"))
    return Flight(
        particles=own.whole("particles", usual.particles, low=2, high=100_000),
        iterations=own.whole("iterations", usual.iterations, low=1, high=100_000),
        archive=own.whole("archive", usual.archive, low=2, high=100_000),
    )


DAY: Mapping[str, object] = MappingProxyType(
    {
        "hours": 24,
        "suppliers": None,  # the paper's six
        "users": list(USERS),
        "elasticity": 0.5,
        "cap": 0.5,
        "swarm": {"particles": 100, "iterations": 60, "archive": 200},
        "ledger": False,
    }
)
BALANCE: Mapping[str, object] = MappingProxyType({"nodes": 8, "periods": 100, "ledger": False})
DELAY: Mapping[str, object] = MappingProxyType(
    {"ways": list(delay.WAYS), "participants": list(PARTICIPANTS), "rounds": 5}
)

STUDIES: Mapping[str, Study] = MappingProxyType(
    {
        "distribution": Study("six suppliers, five users, 24 hours (paper 004)", run_day, DAY),
        "paper_004": Study("paper 004's swarm beside the exact front", run_paper, {}),
        "distribution_balance": Study(
            "who serves whose requests, and what nodes earn (paper 004)", run_balance, BALANCE
        ),
        "distribution_delay": Study(
            "transaction delay of 2 to 50 participants on the ledger (paper 004)", run_delay, DELAY
        ),
    }
)

SCENARIOS: tuple[Scenario, ...] = (
    Scenario("paper-004", "paper_004", "paper 004's swarm beside the exact front"),
    Scenario("distribution-day", "distribution", "paper 004's day: the swarm buys under the cap"),
    Scenario(
        "distribution-ledger",
        "distribution",
        "the same day on a network of three organisations",
        parameters={"ledger": True},
    ),
    Scenario(
        "distribution-balance", "distribution_balance", "paper 004: cost-aware and storage-aware"
    ),
    Scenario("distribution-delay", "distribution_delay", "paper 004: delay of trades, measured"),
)
