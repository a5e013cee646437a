"""Studies of paper 002: `learning`, its 24 hours, in memory or on the ledger; `paper_002`.

Parameters of learning: hours, how many of the day; plant: pv, wind, company_load in kW,
user_loads a list of kW, day_ahead_error and intraday_error as shares; objective, "elastic" for
the game in which an equilibrium exists or "weighted" for the printed objectives; weights of
company, bureau and users; game: elasticity (kWh per yuan), cost (yuan per kWh) and regret (yuan
that the ledger lets pass); colony: ants and iterations; ledger, whether the day is traded on a
network.  paper_002 has colony only.  (Fabric counterpart: none.)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from types import MappingProxyType

from gridloom.chaincode.energy.learning.parties import Bounds, Game, Society, Terms

from ..ants.colony import Colony
from ..learning import paper
from ..learning.day import HourResult, trade_day
from ..learning.ledger_day import LedgerDay, trade_on_ledger
from ..learning.profiles import HOURS, Plant, synthetic_day
from ..learning.report import report
from ..learning.targets import PriceSearch
from ..learning.vertex import Weights
from ..result import Result
from ..scenario import Scenario
from ..settings import Settings
from ..study import Consortium, Run, Study

_PARAMETERS = frozenset({"hours", "plant", "objective", "weights", "game", "colony", "ledger"})
_WEATHER, _TRADING = 0, 1  # streams of random numbers
_MICRO = 1_000_000

COMPANY_BOUNDS = Bounds(500_000, 700_000)
BUREAU_BOUNDS = USER_BOUNDS = Bounds(400_000, 600_000)
"""Paper 002, section II.D, micro-yuan per kWh."""


def run(run: Run) -> Result:
    """Trade the day and report it."""
    settings = Settings.of(run.fields)
    settings.only(_PARAMETERS)
    hours = settings.whole("hours", HOURS, low=1, high=HOURS)
    plant, search = _plant(settings), _search(settings)
    day = synthetic_day(plant, run.rng(_WEATHER))[:hours]
    traded = trade_day(
        day,
        search,
        lambda hour: run.rng(_TRADING, hour),
        progress=lambda done: run.progress("hours", done, hours),
    )
    result = report(traded)
    if settings.flag("ledger", False):
        return _on_ledger(run, search.terms, traded, result)
    return result


def run_paper(run: Run) -> Result:
    """The printed prices of 12:00 and the search, beside what the equations give."""
    settings = Settings.of(run.fields)
    settings.only(("colony",))
    return paper.report(partial(run.rng, _TRADING), _colony(settings))


def _on_ledger(run: Run, terms: Terms, hours: tuple[HourResult, ...], result: Result) -> Result:
    async def work(consortium: Consortium) -> LedgerDay:
        return await trade_on_ledger(consortium, terms, hours, run.progress)

    started = run.clock()
    traded = run.on_ledger(work)
    seconds = run.clock() - started
    judged = sum(targets.regret is not None for targets in traded.targets)
    remark = (
        f"Traded on the ledger in {len(traded.entries)} transactions: every order and every "
        f"violation there is the one reported here; the ledger valued {len(traded.targets)} sets "
        f"of targets itself and held {judged} of them against the game's equilibrium."
    )
    measured = {
        "transactions": len(traded.entries),
        "blocks": traded.chain.blocks,
        "bytes": traded.chain.size,
        "seconds": round(seconds, 3),
    }
    return replace(result, remarks=(*result.remarks, remark), measured=measured)


def _plant(settings: Settings) -> Plant:
    own, usual = settings.section("plant"), Plant()
    own.only(("pv", "wind", "company_load", "user_loads", "day_ahead_error", "intraday_error"))
    users = own.items("user_loads", usual.user_loads)
    return Plant(
        pv=own.number("pv", usual.pv, low=0, high=1e9),
        wind=own.number("wind", usual.wind, low=0, high=1e9),
        company_load=own.number("company_load", usual.company_load, low=0, high=1e9),
        user_loads=tuple(users.number(name, 0, low=0, high=1e9) for name in users.values),
        day_ahead_error=own.number("day_ahead_error", usual.day_ahead_error, low=0, high=1),
        intraday_error=own.number("intraday_error", usual.intraday_error, low=0, high=1),
    )


def _search(settings: Settings) -> PriceSearch:
    own = settings.section("game")
    own.only(("elasticity", "cost", "regret"))
    game = Game(
        elasticity=round(own.number("elasticity", 1.6, low=0, high=1e3) * _MICRO),
        cost=round(own.number("cost", 0.12, low=0, high=10) * _MICRO),
        regret=round(own.number("regret", 0.01, low=0, high=1e6) * _MICRO),
    )
    elastic = settings.text("objective", "elastic", ("elastic", "weighted")) == "elastic"
    terms = Terms(
        company=Society("", COMPANY_BOUNDS),
        bureau=Society("", BUREAU_BOUNDS),
        user=Society("", USER_BOUNDS),
        subsidy=50_000,
        price_scale=300_000,
        energy_scale=75_000,
        game=game if elastic else None,
    )
    return PriceSearch(terms, game, None if elastic else _weights(settings), _colony(settings))


def _weights(settings: Settings) -> Weights:
    own = settings.section("weights")
    own.only(("company", "bureau", "users"))
    names = (("company", 0.5), ("bureau", 0.3), ("users", 0.2))
    return Weights(*(own.number(name, usual, low=0, high=1e6) for name, usual in names))


def _colony(settings: Settings) -> Colony:
    own, usual = settings.section("colony"), Colony()
    own.only(("ants", "iterations"))
    return Colony(
        ants=own.whole("ants", usual.ants, low=1, high=10_000),
        iterations=own.whole("iterations", usual.iterations, low=1, high=100_000),
    )


DEFAULTS: Mapping[str, object] = MappingProxyType(
    {
        "hours": 24,
        "plant": {
            "pv": 800, "wind": 800, "company_load": 250, "user_loads": [180, 220],
            "day_ahead_error": 0.15, "intraday_error": 0.06,
        },
        "objective": "elastic",
        "weights": {"company": 0.5, "bureau": 0.3, "users": 0.2},
        "game": {"elasticity": 1.6, "cost": 0.12, "regret": 0.01},
        "colony": {"ants": 35, "iterations": 200},
        "ledger": False,
    }
)  # fmt: skip

STUDIES: Mapping[str, Study] = MappingProxyType(
    {
        "learning": Study("the learning market's 24 hours (paper 002)", run, DEFAULTS),
        "paper_002": Study(
            "paper 002's printed prices and its colony", run_paper, {"colony": DEFAULTS["colony"]}
        ),
    }
)

SCENARIOS: tuple[Scenario, ...] = (
    Scenario("paper-002", "paper_002", "paper 002's prices of 12:00 beside what its game gives"),
    Scenario("learning-day", "learning", "paper 002's day in the game with an equilibrium"),
    Scenario(
        "learning-weighted",
        "learning",
        "the same day under a weighted sum of the printed objectives",
        parameters={"objective": "weighted"},
    ),
    Scenario(
        "learning-ledger",
        "learning",
        "paper 002's day on a network of three organisations",
        parameters={"ledger": True},
    ),
)
