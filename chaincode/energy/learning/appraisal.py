"""What announced prices are worth, worked out by the ledger from the forecast.

The ledger dispatches the forecast, values the flows at the announced prices (eqs. 1-8) and,
where the market was founded with the elastic game, measures by how much they miss its
equilibrium.  (Paper 002; Fabric counterpart: none.)
"""

from __future__ import annotations

from ..faults import BadTerms, NegativeEnergy
from .auction_faults import OutsideBounds
from .flows import dispatch
from .game import Duel
from .parties import Flow, Kind, Terms
from .payments import Prices, accounts
from .stages import Asked, Forecast, Stage, Targets

_MICRO = 1_000_000


def check_terms(terms: Terms) -> None:
    """BadTerms unless the market can be run as it is to be founded."""
    for kind in Kind:
        bounds = terms.society(kind).bounds
        if not 0 <= bounds.low <= bounds.high:
            reason = f"[{bounds.low}, {bounds.high}] is no interval of prices >= 0"
            raise BadTerms(f"bounds of {kind.value}", reason)
    if terms.subsidy < 0:
        raise BadTerms("subsidy", f"{terms.subsidy} is negative")
    if 2 * terms.subsidy * terms.bureau.bounds.high > _MICRO**2:
        raise BadTerms("subsidy", "is so large that a higher price would cost less")
    if min(terms.price_scale, terms.energy_scale) <= 0:
        raise BadTerms("price_scale, energy_scale", "must be above zero")
    game = terms.game
    if game is not None and min(game.elasticity, game.cost, game.regret) < 0:
        raise BadTerms("game", "elasticity, cost and regret must not be negative")


def appraise(hour: int, stage: Stage, forecast: Forecast, prices: Asked, terms: Terms) -> Targets:
    """What a stage's target prices are worth.

    Refused: a price where nothing flows or none where something does, one outside the seller's
    bounds, and with a game prices that are no equilibrium where there must be one.
    """
    quantities = (forecast.generation, forecast.load, forecast.demand, forecast.bureau or 0)
    if min(quantities) < 0:
        raise NegativeEnergy("forecast", min(quantities))
    flows = dispatch(forecast.generation, forecast.load, forecast.demand, forecast.bureau)
    sold = dict(zip(Flow, flows[:4], strict=True))
    for flow, energy in sold.items():
        price, bounds = prices.of(flow), terms.society(flow.seller).bounds
        if (price is None) != (energy == 0):
            says = "needs a price" if energy else "has a price"
            raise BadTerms("prices", f"{flow.value} {says}, but {energy} Wh flow")
        if price is not None and not bounds.admits(price):
            raise OutsideBounds(f"target of {flow.value}", price, bounds)
    asked = Prices(prices.gu, prices.gc, prices.cu, prices.cg)
    worth = accounts(flows, asked, terms.subsidy)
    regret = _regret(forecast, prices, terms)
    return Targets(hour, stage, forecast, prices, *worth, regret)


def _regret(forecast: Forecast, prices: Asked, terms: Terms) -> int | None:
    """Micro-yuan, rounded up; None where there is no game or perhaps no equilibrium of it."""
    game = terms.game
    if game is None or prices.gu is None or prices.cu is None:
        return None
    duel = Duel(
        game=game,
        demand=forecast.demand,
        supply=max(forecast.generation - forecast.load, 0),
        feed_in=prices.gc if prices.gc is not None else terms.bureau.bounds.low,
        subsidy=terms.subsidy,
        company=terms.company.bounds,
        bureau=terms.bureau.bounds,
    )
    if not duel.well_posed:
        return None
    regret = -(-duel.regret(prices.gu, prices.cu) // 1)
    if regret > game.regret:
        reason = f"no equilibrium: answers would gain {regret} micro-yuan, {game.regret} allowed"
        raise BadTerms("prices", reason)
    return regret
