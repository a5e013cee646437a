"""The study `microgrid`: a day of paper 003 on its five chaincodes.

Parameters: day, "paper" or a folder with load.csv and generation.csv, and forecast.csv if
orders are to be made of it; mode, a name of pricing.MECHANISMS; forecast, "none",
"persistence" or the deviation of a relative error (forecasts.py): orders are made of the
forecast, meters show the day; private_types, for the Bayesian game: {spread, types,
objective}, sellers' types drawn from that prior.
(Fabric counterpart: none.)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gridloom.chaincode.energy.neighbours import (
    AUTHENTICATION,
    COMPENSATION,
    DISPATCH,
    ENERGY_UNITS,
    MATCHMAKING,
)

from ..result import Result
from ..settings import Settings
from ..study import Chain, Consortium, Run
from .bayes import OBJECTIVES, PROFILE_LIMIT, PrivateHour, play
from .day import DayResult, Members, trade_day
from .day_result import day_result
from .energy_day import EnergyDay, paper_day, read_day
from .forecasts import noisy, persistence
from .pricing import DEFAULT_MODE, MECHANISMS
from .pricing_system import PricedHour, announced

_PARAMETERS = frozenset({"day", "mode", "forecast", "private_types"})
_FORECAST, _TYPES = 0, 1  # streams of random numbers
_MAX_TYPES = 9


@dataclass(frozen=True, slots=True)
class Game:
    """The Bayesian game of a day; spread and count: see bayes.prior."""

    spread: float
    count: int
    objective: str


def run(run: Run) -> Result:
    """Trade the day on a ledger."""
    settings = Settings.of(run.fields)
    settings.only(_PARAMETERS)
    chosen = settings.text("day", "paper")
    day = paper_day() if chosen == "paper" else read_day(run.folder / chosen)
    mode = settings.text("mode", DEFAULT_MODE, MECHANISMS)
    game = _game(settings, day)
    day = _forecast(settings, run, day)
    played: dict[int, PrivateHour] = {}
    if game is not None:
        for place, hour in enumerate(day.hours):
            rng = run.rng(_TYPES, place)
            played[hour] = play(day.period(hour), game.spread, game.count, game.objective, rng)

    def price_private(priced: EnergyDay, hour: int) -> PricedHour:
        outcome = played[hour].outcome
        return announced(outcome, outcome.price, priced.grid)

    async def work(consortium: Consortium) -> tuple[DayResult, Chain]:
        for chaincode in (AUTHENTICATION, ENERGY_UNITS, MATCHMAKING, COMPENSATION, DISPATCH):
            await consortium.deploy(chaincode)
            run.progress(f"chaincode {chaincode} deployed", 0, 1)
        traded = await trade_day(
            day,
            members_of(consortium, day),
            now=run.now,
            mode=mode,
            seed=run.seed,
            pricer=price_private if game else None,
            progress=lambda what, done, total: run.progress("trading the hours", done, total),
        )
        return traded, await consortium.chain()

    started = run.clock()
    traded, chain = run.on_ledger(work)
    measured = {
        "seconds": round(run.clock() - started, 3),
        "transactions": len(traded.preparations) + sum(len(h.entries) for h in traded.hours),
        "blocks": chain.blocks,
        "bytes": chain.size,
    }
    return day_result(traded, played, measured)


def members_of(consortium: Consortium, day: EnergyDay) -> Members:
    """Everybody of the day, enrolled with the roles that he needs."""
    users = [
        consortium.member(
            "prosumers", f"user{number}", day.role_attribute(number), day.capacity(number)
        )
        for number in day.users
    ]
    operator = consortium.member("operator", "desk", "operator")
    return Members(
        consortium.channel, operator, consortium.member("utility", "meter", "grid"), users
    )


def _forecast(settings: Settings, run: Run, day: EnergyDay) -> EnergyDay:
    if isinstance(settings.values.get("forecast"), str):
        kind = settings.text("forecast", "none", ("none", "persistence"))
        return persistence(day) if kind == "persistence" else day
    deviation = settings.number("forecast", 0.0, low=0, high=2)
    return noisy(day, deviation, run.rng(_FORECAST)) if deviation else day


def _game(settings: Settings, day: EnergyDay) -> Game | None:
    if settings.values.get("private_types") is None:
        return None
    section = settings.section("private_types")
    section.only({"spread", "types", "objective"})
    game = Game(
        section.number("spread", 0.2, low=0, high=0.9),
        section.whole("types", 3, low=1, high=_MAX_TYPES),
        section.text("objective", "nash_bargain", OBJECTIVES),
    )
    _check_profiles(section, day.hours, day, game)
    return game


def _check_profiles(settings: Settings, hours: Sequence[int], day: EnergyDay, game: Game) -> None:
    """Joint types are enumerated: too many of them are refused before anything is traded."""
    for hour in hours:
        sellers = len(day.period(hour).sellers)
        if game.count**sellers > PROFILE_LIMIT:
            reason = f"{game.count} types of the {sellers} sellers in hour {hour}: too many"
            settings.fail("types", f"{reason} joint profiles (limit {PROFILE_LIMIT})")
